#!/usr/bin/python

# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

from __future__ import annotations

DOCUMENTATION = r"""
module: guest_io_assess
short_description: Read guests and hold them against a policy
version_added: 0.1.0
description:
  - Runs M(hypervisor.io_hardening.guest_io_info) on the host and what the filter
    P(hypervisor.io_hardening.assess#filter) does on the controller, in one step.
  - The same findings, made faster, because the records of many guests never become a variable.
  - Needs the Python libraries jmespath and netaddr on the controller.
author:
  - The hypervisor.io_hardening contributors (@hypervisor)
options:
  root:
    description: Where the host's files are, see M(hypervisor.io_hardening.guest_io_info).
    type: str
    default: /
  node:
    description: The node whose guests are read, see M(hypervisor.io_hardening.guest_io_info).
    type: str
  guests:
    description:
      - Ids of the guests to read. Without it, all.
      - One that is not there is no finding, as it is with M(hypervisor.io_hardening.guest_io_info), because another host may have it. See RV(named).
    type: list
    elements: str
  policy:
    description: The policy, see docs/policy.md.
    type: raw
    required: true
  waivers:
    description: More waivers, beside the policy's.
    type: raw
  waivers_file:
    description: A YAML file on the controller with a list of more waivers. It is read as data, nothing in it is a template.
    type: path
  date:
    description: The day on which waivers are judged. Today where it is not given.
    type: raw
  migrate_controllers:
    description: JMESPath selector of the guests whose SCSI driver may change.
    type: str
  apply_foreign_pending:
    description: Whether to plan stopped guests although the write would apply what somebody else left pending.
    type: bool
    default: false
extends_documentation_fragment:
  - hypervisor.io_hardening.reads_only
attributes:
  action:
    support: full
    description: Is an action plugin.
seealso:
  - module: hypervisor.io_hardening.guest_io_info
  - plugin: hypervisor.io_hardening.assess
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Read and assess the guests of this node
  hypervisor.io_hardening.guest_io_assess:
    policy:
      disk:
        aio: [threads, io_uring]
  register: assessed
"""

RETURN = r"""
findings:
  description: The findings document, see docs/data.md.
  returned: success
  type: dict
  sample:
    findings: []
    plan: []
    unresolved: []
named:
  description:
    - For each of O(guests), whether this host has it. The filter P(hypervisor.io_hardening.guests_nowhere#filter) tells which of them no host has.
  returned: success
  type: dict
  sample: {"102": true, "301": false}
"""

from ansible.module_utils.basic import AnsibleModule


def main() -> None:
    """Only reached where the action plugin of the same name was not found."""
    module = AnsibleModule(
        argument_spec={
            "root": {"type": "str", "default": "/"},
            "node": {"type": "str"},
            "guests": {"type": "list", "elements": "str"},
            "policy": {"type": "raw", "required": True},
            "waivers": {"type": "raw"},
            "waivers_file": {"type": "path"},
            "date": {"type": "raw"},
            "migrate_controllers": {"type": "str"},
            "apply_foreign_pending": {"type": "bool", "default": False},
        },
        supports_check_mode=True,
    )
    module.fail_json(
        msg="guest_io_assess is an action plugin: call it by its full name hypervisor.io_hardening.guest_io_assess"
    )


if __name__ == "__main__":
    main()
