#!/usr/bin/python

# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

from __future__ import annotations

DOCUMENTATION = r"""
module: guest_io_assess
short_description: Read guests and assess them against a policy
version_added: 0.1.0
description:
  - Runs M(hypervisor.io_hardening.guest_io_info) on the host and assesses the result on the controller, as the filter
    P(hypervisor.io_hardening.assess#filter) does, in one step.
  - The findings are the same. It is faster, because the records of many guests never become a variable.
  - Needs the Python libraries jmespath and netaddr on the controller.
author:
  - The hypervisor.io_hardening contributors (@hypervisor)
options:
  root:
    description: Where the host's files are, see M(hypervisor.io_hardening.guest_io_info).
    type: str
    default: /
  api:
    description: How Proxmox VE's API is reached, see M(hypervisor.io_hardening.guest_io_info).
    type: dict
  node:
    description: The node whose guests are read, see M(hypervisor.io_hardening.guest_io_info).
    type: str
  guests:
    description:
      - Ids of the guests to read, such as V(102), or V(102,105), or a list of them. An empty list, or without it, all.
      - A guest that is not there is not a finding, because another host may have it. See RV(named).
    type: raw
  assess_guests:
    description: V(false) reads only the host, for O(host_roots), and returns no document.
    type: bool
    default: true
  host_roots:
    description: Also read the host itself, see M(hypervisor.io_hardening.guest_io_info), and return it as RV(host).
    type: dict
  policy:
    description: The policy, see docs/policy.md.
    type: raw
    required: true
  waivers:
    description: More waivers, in addition to the policy's.
    type: raw
  waivers_file:
    description: A YAML file on the controller with a list of more waivers. It is read as data; templates in it are not evaluated.
    type: path
  date:
    description: The day on which waivers are judged. The default is today.
    type: raw
  migrate_controllers:
    description: JMESPath selector of the guests whose SCSI driver may change. Without it, none.
    type: str
  apply_foreign_pending:
    description: Whether to plan stopped guests if the write would also apply somebody else's pending changes.
    type: bool
    default: false
extends_documentation_fragment:
  - hypervisor.io_hardening.libvirt
  - hypervisor.io_hardening.on_controller
  - hypervisor.io_hardening.reads_only
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
  description: The findings. What is returned is the findings document with all its keys, see docs/data.md.
  returned: success
  type: list
  elements: dict
plan:
  description: The plan for M(hypervisor.io_hardening.guest_io).
  returned: success
  type: list
  elements: dict
unresolved:
  description: The guests that the plan does not bring into line with the policy, with the reason.
  returned: success
  type: list
  elements: dict
guests:
  description: The guests with their status.
  returned: success
  type: list
  elements: dict
summary:
  description: The counts.
  returned: success
  type: dict
waivers:
  description: The waivers of O(policy), O(waivers) and O(waivers_file), each with how many findings it waived.
  returned: success
  type: list
  elements: dict
date:
  description: The day on which waivers were judged.
  returned: success
  type: str
  sample: "2026-11-28"
schema:
  description: The version of the document's shape.
  returned: success
  type: int
  sample: 2
began:
  description: When the task began, in UTC, as the journal names a run.
  returned: success
  type: str
  sample: 20261123T223005Z
host:
  description: What M(hypervisor.io_hardening.guest_io_info) returns as RV(hypervisor.io_hardening.guest_io_info#module:host).
  returned: when O(host_roots) is given
  type: dict
named:
  description:
    - For each of O(guests), whether this host has it. M(hypervisor.io_hardening.refuse_missing_guests) fails for those that no host has.
  returned: success
  type: dict
  sample: {"102": true, "301": false}
"""
