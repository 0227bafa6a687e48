#!/usr/bin/python

# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

from __future__ import annotations

DOCUMENTATION = r"""
module: host_settings_info
short_description: Read what decides the I/O of a host, besides its guests
version_added: 0.1.0
author:
  - The hypervisor.io_hardening contributors (@hypervisor)
description:
  - Reads the limits of backup, restore, clone, move and migration, the queues of the disks, versions with known defects,
    and other causes of freezes on the host. It judges nothing.
  - With O(api), only V(load) of O(subjects) is read.
  - M(hypervisor.io_hardening.guest_io_info) reads the same together with the guests, in one call.
options:
  subjects:
    description:
      - What to read. V(load) is backup, restore, clone, move and migration; V(queues) is the disks' queues; V(versions) is
        QEMU and the kernel; V(causes) is other causes of freezes; V(windows) is the storage drivers of Windows guests, for which their guest agents are asked.
    type: list
    elements: str
    choices: [causes, load, queues, versions, windows]
    default: [causes, load, queues, versions]
  root:
    description: The directory that holds the host's files. Only with V(/) are commands run.
    type: path
    default: /
  node:
    description: With O(api), the node that is read alone. Without it, and with V(all), all nodes are.
    type: str
    version_added: 0.1.0
extends_documentation_fragment:
  - hypervisor.io_hardening.api
  - hypervisor.io_hardening.reads_only
seealso:
  - module: hypervisor.io_hardening.host_settings
"""

EXAMPLES = r"""
- name: Read what limits backups
  hypervisor.io_hardening.host_settings_info:
    subjects: [load]
  register: read
"""

RETURN = r"""
host:
  description: By subject, its facts; docs/data.md shows them.
  returned: success
  type: dict
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils import _subjects
from ..module_utils._backends.layout import LayoutError
from ..module_utils._host.tree import Tree
from ..module_utils._pve_api.spec import API


def main() -> None:
    """Read and return."""
    subjects = sorted(set(_subjects.READ) - {"writeback"})
    usual = [name for name in subjects if name != "windows"]
    module = AnsibleModule(
        argument_spec={
            "subjects": {"type": "list", "elements": "str", "choices": subjects, "default": usual},
            "root": {"type": "path", "default": "/"},
            "api": API,
            "node": {"type": "str"},
        },
        supports_check_mode=True,
    )
    root, asked, api = (module.params[name] for name in ("root", "subjects", "api"))
    if api is not None:
        try:
            module.exit_json(changed=False, host=_subjects.read_by_api(asked, api, module.params["node"]))
        except LayoutError as exc:
            module.fail_json(msg=str(exc))
    try:
        Tree(root)
    except OSError as error:
        module.fail_json(msg=f"root {error.filename!r} {error.strerror}")
    module.exit_json(changed=False, host=_subjects.read_all(dict.fromkeys(asked, root)))


if __name__ == "__main__":
    main()
