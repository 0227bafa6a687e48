#!/usr/bin/python

# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

from __future__ import annotations

DOCUMENTATION = r"""
module: guest_io_prove
short_description: Measure a disk as it is and as the policy wants it
version_added: 0.1.0
description:
  - Runs M(hypervisor.io_hardening.io_prove) on the host with the settings to compare.
    V(today) comes first, then V(hardened), then the others that are asked for.
  - With O(guest), V(today) is what its disk runs with or is configured with, and V(hardened) is that with the changes that
    O(policy) plans. The guest itself is not touched.
  - Without O(guest), they are Proxmox VE's defaults on a VirtIO SCSI controller, and what the collection's policy asks for.
  - Used by this collection's own playbooks and roles; its options and results can change in any release.
author:
  - The hypervisor.io_hardening contributors (@hypervisor)
options:
  guest:
    description: The id of a guest.
    type: str
  disk:
    description: The key of its disk. Without it, its first disk that QEMU serves.
    type: str
  root:
    description: Where the host's files are. V(/) is the host itself, see M(hypervisor.io_hardening.guest_io_info).
    type: str
    default: /
  policy:
    description: The policy, see docs/policy.md. Without it, the collection's default policy.
    type: raw
    default: {}
  also:
    description: More settings, as O(hypervisor.io_hardening.io_prove#module:settings) takes them.
    type: list
    elements: dict
  during:
    description:
      - For each of these (V(block_resize), V(block_job), V(query_blockstats), V(backup)) one more setting, V(hardened) while that is done to the guest.
    type: list
    elements: str
  backup:
    description: How the backup of O(during) is made, as O(hypervisor.io_hardening.io_prove#module:settings[].backup).
    type: dict
  measure:
    description: The other options of M(hypervisor.io_hardening.io_prove), O(hypervisor.io_hardening.io_prove#module:path) at least.
    type: dict
    required: true
extends_documentation_fragment:
  - hypervisor.io_hardening.on_controller
  - hypervisor.io_hardening.reads_only
seealso:
  - module: hypervisor.io_hardening.io_prove
"""

EXAMPLES = r"""
- name: Compare disk scsi0 of guest 101 as it is with what the policy wants
  hypervisor.io_hardening.guest_io_prove:
    guest: "101"
    disk: scsi0
    measure:
      path: /var/lib/vz
"""

RETURN = r"""
lines:
  description: Table, chart and conclusions, for a person.
  returned: success
  type: list
  elements: str
settings:
  description: The settings that were compared, complete.
  returned: success
  type: list
  elements: dict
runs:
  description: RV(hypervisor.io_hardening.io_prove#module:runs).
  returned: success
  type: list
  elements: dict
summary:
  description: RV(hypervisor.io_hardening.io_prove#module:summary).
  returned: success
  type: list
  elements: dict
ratios:
  description: RV(hypervisor.io_hardening.io_prove#module:ratios).
  returned: success
  type: list
  elements: float
accelerator:
  description: RV(hypervisor.io_hardening.io_prove#module:accelerator).
  returned: success, not in check mode
  type: dict
"""
