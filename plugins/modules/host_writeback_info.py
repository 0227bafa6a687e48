#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

from __future__ import annotations

DOCUMENTATION = r"""
module: host_writeback_info
short_description: Read what decides a host's write-back limits
version_added: 0.1.0
author:
  - The hypervisor.io_hardening contributors (@hypervisor)
description:
  - Reads the files of C(sysctl.d) in systemd's order, the kernel's values, the memory, the active profile of tuned,
    how much each disk queues by itself and which of them hold guests' images. Changes nothing and assesses nothing.
  - Assess what it returns with P(hypervisor.io_hardening.assess_writeback#filter).
options:
  root:
    description:
      - The directory that holds the host's files.
      - With any other directory than V(/) no kernel is read. Ordinary files below C(ROOT/proc) and C(ROOT/sys) are read
        instead, if there are any.
    type: path
    default: /
extends_documentation_fragment:
  - hypervisor.io_hardening.reads_only
seealso:
  - module: hypervisor.io_hardening.host_writeback
  - plugin: hypervisor.io_hardening.assess_writeback
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Read what decides the write-back limits
  hypervisor.io_hardening.host_writeback_info:
  register: writeback

- name: Show what has to be done
  ansible.builtin.debug:
    msg: "{{ writeback | hypervisor.io_hardening.assess_writeback(host=inventory_hostname) }}"
"""

RETURN = r"""
root:
  description: The directory that was read.
  type: str
  returned: success
  sample: /
files:
  description: The files that can set the limits, in the order systemd reads them, then those that only tuned applies.
  type: list
  elements: dict
  returned: success
  contains:
    path:
      description: The file in its directory.
      type: str
    target:
      description: Where O(ignore:path) leads after all links are followed.
      type: str
    masks:
      description: Files of the same name in directories of lower precedence, which are not read.
      type: list
      elements: str
    read_at_boot:
      description: Whether systemd reads it. V(false) for C(/etc/sysctl.conf) if no link in C(sysctl.d) leads to it.
      type: bool
    read_by_tuned:
      description:
        - Whether tuned applies it, if it applies sysctl files at all. It applies those in C(/run/sysctl.d) and
          C(/etc/sysctl.d), then C(/etc/sysctl.conf).
      type: bool
    digest:
      description: SHA-256 of the content.
      type: str
    assignments:
      description: The lines that can set the limits. RV(ignore:value) is V(null) for an exclusion.
      type: list
      elements: dict
      sample: [{key: vm/dirty_ratio, line: 3, text: vm.dirty_ratio = 40, value: "40"}]
    others:
      description: How many other assignments the file has.
      type: int
kernel:
  description: The kernel's four values; V(null) if there is no kernel to read.
  type: dict
  returned: success
  sample: {dirty_background_bytes: 0, dirty_background_ratio: 10, dirty_bytes: 0, dirty_ratio: 20}
memory:
  description: Installed and available memory in bytes; V(null) if unknown.
  type: dict
  returned: success
  sample: {available: 24726675456, total: 25276502016}
tuned:
  description:
    - The active profile of tuned, and the limits that it and the profiles it includes set; V(null) if tuned has no
      active profile.
    - RV(ignore:reapplies) is whether tuned applies the sysctl files after its profile.
  type: dict
  returned: success
  sample:
    enabled: true
    profile: virtual-host
    reapplies: true
    running: true
    settings:
      - {file: /usr/lib/tuned/a/tuned.conf, key: dirty_background_ratio, line: 12, section: sysctl, value: "5"}
devices:
  description:
    - The disks and what each queues by itself.
    - RV(ignore:images) are the storages with guests' images on it, RV(ignore:shortened) is whether this collection's own
      udev rules shorten its queue.
  type: list
  elements: dict
  returned: success
  sample:
    - images: [local-lvm]
      max_sectors_kb: 1280
      name: sda
      nr_requests: 128
      queue_bytes: 167772160
      rotational: true
      shortened: false
saved:
  description: What an earlier run recorded; V(null) if there is no record.
  type: dict
  returned: success
  sample:
    previous: {dirty_background_ratio: 10, dirty_ratio: 20}
    schema: 1
    set: {dirty_background_ratio: 1, dirty_ratio: 2}
    taken: []
problems:
  description: What could not be read, and why.
  type: list
  elements: dict
  returned: success
  sample: [{file: /etc/sysctl.d/50-odd.conf, guest: null, line: null, node: null, reason: Permission denied}]
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._host.tree import Tree
from ..module_utils._writeback.read import read_facts


def main() -> None:
    """Read and return."""
    module = AnsibleModule(argument_spec={"root": {"type": "path", "default": "/"}}, supports_check_mode=True)
    try:
        tree = Tree(module.params["root"])
    except OSError as error:
        module.fail_json(msg=f"root {error.filename!r} {error.strerror}")
    module.exit_json(changed=False, **read_facts(tree))


if __name__ == "__main__":
    main()
