#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

from __future__ import annotations

DOCUMENTATION = r"""
module: host_writeback
short_description: Carry out a plan for a host's write-back limits
version_added: 0.1.0
author:
  - The hypervisor.io_hardening contributors (@hypervisor)
description:
  - Writes what P(hypervisor.io_hardening.assess_writeback#filter) plans, and nothing else. The role
    P(hypervisor.io_hardening.host_writeback#role) does both.
  - Refuses the plan before the first byte is written, if the files, the kernel's values or the record have changed
    since it was made, or if the plan relies on something that could not be read.
  - Files are replaced atomically, so a killed run leaves the old or the new file. The limits that were in force before
    are recorded in C(/var/lib/hypervisor-io-hardening/host_writeback.json) before anything else is written.
  - Reads back what it wrote, and fails if that is not what was planned.
options:
  plan:
    description: The V(plan) of P(hypervisor.io_hardening.assess_writeback#filter).
    type: dict
    required: true
  root:
    description:
      - The directory that holds the host's files.
      - With any other directory than V(/) no kernel is changed. Ordinary files below C(ROOT/proc/sys/vm) are written
        instead, if there are any.
    type: path
    default: /
attributes:
  check_mode:
    description: Can run in check mode without changing anything.
    support: full
  diff_mode:
    description: Shows what has changed.
    support: full
  idempotent:
    description: A plan changes nothing on a host that has its limits already.
    support: full
seealso:
  - module: hypervisor.io_hardening.host_writeback_info
  - plugin: hypervisor.io_hardening.assess_writeback
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Read what decides the write-back limits
  hypervisor.io_hardening.host_writeback_info:
  register: writeback

- name: Set them
  hypervisor.io_hardening.host_writeback:
    plan: "{{ (writeback | hypervisor.io_hardening.assess_writeback).plan }}"
  when: (writeback | hypervisor.io_hardening.assess_writeback).plan is not none
"""

RETURN = r"""
changes:
  description: The plan's changes; empty if nothing had to be written.
  type: list
  elements: dict
  returned: success
  sample: [{after: "dirty_ratio = 2", before: "dirty_ratio = 20", key: vm.dirty, option: null}]
left:
  description: What was not restored and why, one sentence each.
  type: list
  elements: str
  returned: success
  sample: []
"""

import os

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._host.tree import Tree
from ..module_utils._host.user import BECOME
from ..module_utils._writeback.apply import Refused, carry_out, diff, prepare


def main() -> None:
    """Carry out the plan and return."""
    module = AnsibleModule(
        argument_spec={
            "plan": {"type": "dict", "required": True},
            "root": {"type": "path", "default": "/"},
        },
        supports_check_mode=True,
    )
    plan = module.params["plan"]
    try:
        tree = Tree(module.params["root"])
    except OSError as error:
        module.fail_json(msg=f"root {error.filename!r} {error.strerror}")
    try:
        work = prepare(plan, tree)
        if not module.check_mode:
            carry_out(work, tree)
    except Refused as error:
        module.fail_json(msg=str(error))
    except OSError as error:
        todo = f"; {BECOME}" if isinstance(error, PermissionError) and os.geteuid() else ""
        module.fail_json(
            msg=f"{error.filename or 'a file'}: {error.strerror}; the files written before it stay, and the next run"
            f" continues from there{todo}"
        )
    module.exit_json(
        changed=work.changed,
        changes=plan["changes"] if work.changed else [],
        left=work.left,
        diff=diff(work),
    )


if __name__ == "__main__":
    main()
