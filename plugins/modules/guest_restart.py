#!/usr/bin/python

# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

from __future__ import annotations

DOCUMENTATION = r"""
module: guest_restart
short_description: Restart one guest cold, so that pending changes take effect
version_added: 0.1.0
description:
  - Shuts down a guest of this Proxmox VE node and has it started again, with C(qm reboot), only where a change of its
    controller or of a disk's iothread, aio or cache waits for that.
  - A guest of libvirt is asked to shut down, and started when it is down. A run that is killed in between leaves it down.
    One with a managed save image is skipped, because a start would resume what it had.
  - A guest that does not shut down in time keeps running. It is never stopped hard, unless O(force_stop) allows it.
  - Skips a guest that is locked, does not run, is a template, or is managed by HA. It asks C(qm showcmd) first whether the guest
    could be started again, and does not touch it where it could not.
  - Afterwards it reads the guest again. The guest must run, and nothing may be waiting, by its config and by its process.
author:
  - The hypervisor.io_hardening contributors (@hypervisor)
options:
  guest:
    description: The guest's id.
    type: str
    required: true
  timeout:
    description:
      - Seconds that the guest has for its shutdown, at least 1.
      - A guest that takes longer counts as still up. It may go down later, and then nothing starts it again, so be generous.
    type: int
    default: 300
  start_timeout:
    description: Seconds for its start, at least 1. A guest that Proxmox VE has not started by then is started with C(qm start).
    type: int
    default: 120
  force_stop:
    description: Whether to stop a guest hard that ignores the shutdown, which is like pulling its power plug.
    type: bool
    default: false
  ha_managed:
    description:
      - Whether to restart a guest that HA manages, where its requested state is started and HA has started it on this node.
      - It is shut down without HA, which then starts it again. It is never stopped hard.
    type: bool
    default: false
  root:
    description: Where the host's files are. A guest can only be restarted on the host itself, V(/).
    type: path
    default: /
extends_documentation_fragment:
  - hypervisor.io_hardening.api
  - hypervisor.io_hardening.libvirt
attributes:
  check_mode:
    support: full
    description: Restarts nothing, and returns what a real run would do.
  diff_mode:
    support: none
    description: The module writes no config.
  idempotent:
    support: full
    description: A guest is not restarted where nothing waits.
seealso:
  - module: hypervisor.io_hardening.guest_io
  - module: hypervisor.io_hardening.guest_io_restart
"""

EXAMPLES = r"""
- name: Restart guest 105
  hypervisor.io_hardening.guest_restart:
    guest: "105"
    timeout: 600
"""

RETURN = r"""
result:
  description: What became of the guest.
  returned: always
  type: dict
  contains:
    guest:
      description: The guest's id.
      type: str
      returned: always
    name:
      description: The guest's name.
      type: str
      returned: always
    node:
      description: Its node.
      type: str
      returned: always
    status:
      description: V(restarted), V(unchanged), V(skipped) or V(failed).
      type: str
      returned: always
    reason:
      description:
        - Why it was not restarted; V(nothing_pending), V(locked), V(not_running), V(template), V(ha_managed), V(ha_state).
        - Why it failed; V(no_shutdown), V(not_started), V(not_in_force), V(would_not_start), V(moved), V(not_here), V(busy),
          V(refused), V(error).
      type: str
      returned: always
    detail:
      description: The reason in a sentence. C(qm)'s own words where it refused. A remark where a restarted guest has one.
      type: str
      returned: always
    in_force:
      description: What the restart brings into force.
      type: list
      elements: str
      returned: always
      sample: ["scsi0 iothread off → on"]
    seconds:
      description: How long it took.
      type: float
      returned: always
msg:
  description: The detail of a failure.
  returned: failure
  type: str
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._backends.find_restarter import restarter
from ..module_utils._backends.hypervisors import OPTIONS
from ..module_utils._backends.layout import LayoutError
from ..module_utils._backends.restart import Options, restart
from ..module_utils._host.run import command
from ..module_utils._pve_api.spec import API
from ..module_utils._text import one_line


def main() -> None:
    """Restart and return."""
    module = AnsibleModule(
        argument_spec={
            "guest": {"type": "str", "required": True},
            "timeout": {"type": "int", "default": 300},
            "start_timeout": {"type": "int", "default": 120},
            "force_stop": {"type": "bool", "default": False},
            "ha_managed": {"type": "bool", "default": False},
            "root": {"type": "path", "default": "/"},
            "api": API,
            **OPTIONS,
        },
        supports_check_mode=True,
    )
    params = dict(module.params)
    guest, root, api, *hypervisor = (params.pop(name) for name in ("guest", "root", "api", *OPTIONS))
    try:
        who = restarter(root, command, api, guest, *hypervisor)
        result = restart(guest, who, Options(check=module.check_mode, **params))
    except LayoutError as exc:
        module.fail_json(msg=str(exc))
    if result["status"] == "failed":
        module.fail_json(msg=f"guest {guest}: {one_line(result['detail'])}", result=result)
    module.exit_json(changed=result["status"] == "restarted", result=result)


if __name__ == "__main__":
    main()
