#!/usr/bin/python

# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

from __future__ import annotations

DOCUMENTATION = r"""
module: guest_io_change
short_description: Apply a plan in batches, and read the guests again
version_added: 0.1.0
description:
  - Runs M(hypervisor.io_hardening.guest_io) on the host for one batch of O(plan) after another, and shows its progress.
  - A guest whose config changed between reading and writing is read, assessed and changed once more.
  - When guests were changed, all of them are read and assessed again.
  - A guest that fails does not fail the task. Its result says so.
  - Used by this collection's own playbooks and roles; its options and results can change in any release.
author:
  - The hypervisor.io_hardening contributors (@hypervisor)
options:
  plan:
    description: RV(hypervisor.io_hardening.guest_io_assess#module:plan).
    type: list
    elements: dict
    required: true
  batch:
    description: How many guests one run of M(hypervisor.io_hardening.guest_io) changes.
    type: int
    default: 25
  max_parallel:
    description: How many guests are written at once, see M(hypervisor.io_hardening.guest_io).
    type: int
  journal:
    description: The directory of the journal, see M(hypervisor.io_hardening.guest_io).
    type: str
  run:
    description: The name of this run in the journal. Without it, the time of the call.
    type: str
  policy_id:
    description: How the journal names the policy.
    type: str
  api:
    description: How Proxmox VE's API is reached, see M(hypervisor.io_hardening.guest_io_info).
    type: dict
  root:
    description: Where the host's files are. V(/) is the host itself, see M(hypervisor.io_hardening.guest_io_info).
    type: str
    default: /
  node:
    description: The node whose guests are read, see M(hypervisor.io_hardening.guest_io_info).
    type: str
  guests:
    description: Ids of the guests that are read again after the changes. Without it, all.
    type: list
    elements: str
  policy:
    description: The policy that the plan was made by, see docs/policy.md.
    type: raw
    required: true
  waivers:
    description: Waivers in addition to those of O(policy).
    type: raw
  waivers_file:
    description: A YAML file on the controller with a list of more waivers. It is read as data, and nothing in it as a template.
    type: path
  migrate_controllers:
    description: JMESPath selector of the guests whose SCSI driver may change.
    type: str
  apply_foreign_pending:
    description: Whether to write stopped guests although that applies pending changes of somebody else.
    type: bool
    default: false
extends_documentation_fragment:
  - hypervisor.io_hardening.libvirt
  - hypervisor.io_hardening.on_controller
attributes:
  check_mode:
    support: full
    description: Writes nothing, and returns what it would change.
  diff_mode:
    support: full
    description: Shows the config lines of each guest before and after.
  idempotent:
    support: full
    description: A plan that is carried out already changes nothing.
seealso:
  - module: hypervisor.io_hardening.guest_io_assess
  - module: hypervisor.io_hardening.guest_io
"""

EXAMPLES = r"""
- name: Read and assess the guests
  hypervisor.io_hardening.guest_io_assess:
    policy: "{{ guest_io_policy }}"
  register: findings

- name: Carry out the plan
  hypervisor.io_hardening.guest_io_change:
    plan: "{{ findings.plan }}"
    policy: "{{ guest_io_policy }}"
"""

RETURN = r"""
results:
  description: One result per guest of the plan, see M(hypervisor.io_hardening.guest_io). Also those so far where the task fails.
  returned: always
  type: list
  elements: dict
run:
  description: The name of the run in the journal. Null where nothing was written.
  returned: always
  type: str
findings:
  description: The findings document after the changes, see docs/data.md.
  returned: when a guest was changed, not in check mode
  type: dict
"""
