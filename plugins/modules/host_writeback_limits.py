#!/usr/bin/python

# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

from __future__ import annotations

DOCUMENTATION = r"""
module: host_writeback_limits
short_description: Read, assess and set the write-back limits of a host
version_added: 0.1.0
description:
  - Runs M(hypervisor.io_hardening.host_writeback_info) on the host and assesses on the controller what it returns, as the filter
    P(hypervisor.io_hardening.assess_writeback#filter) does.
  - Runs M(hypervisor.io_hardening.host_writeback) when there is something to set.
  - The role P(hypervisor.io_hardening.host_writeback#role) does the same with variables.
  - Used by this collection's own playbooks and roles; its options and results can change in any release.
author:
  - The hypervisor.io_hardening contributors (@hypervisor)
options:
  api:
    description:
      - How Proxmox VE's API is reached, where the host stands for a cluster behind one.
      - Then nothing is read and nothing is set, and RV(status) is V(needs_ssh). The API tells nothing of a host's limits.
    type: dict
  root:
    description: The directory that holds the host's files, see M(hypervisor.io_hardening.host_writeback).
    type: str
    default: /
  facts:
    description: What M(hypervisor.io_hardening.host_writeback_info) returned for O(root). Without it, that module runs.
    type: dict
  set:
    description: V(false) only reads and assesses.
    type: bool
    default: true
  mode:
    description: V(ratio), V(bytes) or V(auto), see P(hypervisor.io_hardening.assess_writeback#filter).
    type: raw
    default: auto
  state:
    description: V(present), or V(absent) to take back what was set.
    type: raw
    default: present
  take_over:
    description: Whether lines of other files that would win at boot are taken out. The originals are kept.
    type: bool
    default: false
  ratio:
    description: For vm.dirty_ratio, 1 to 100.
    type: raw
    default: 2
  background_ratio:
    description: For vm.dirty_background_ratio, below O(ratio).
    type: raw
    default: 1
  limit_bytes:
    description: For vm.dirty_bytes, from 131072.
    type: raw
    default: 268435456
  background_limit_bytes:
    description: For vm.dirty_background_bytes, below O(limit_bytes).
    type: raw
    default: 134217728
extends_documentation_fragment:
  - hypervisor.io_hardening.on_controller
attributes:
  check_mode:
    support: full
    description: Writes nothing, and returns what it would set.
  diff_mode:
    support: full
    description: Shows what changes in files and in the kernel.
  idempotent:
    support: full
    description: Changes nothing on a host with the wanted limits.
seealso:
  - module: hypervisor.io_hardening.host_writeback_info
  - module: hypervisor.io_hardening.host_writeback
  - plugin: hypervisor.io_hardening.assess_writeback
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Limit write-back
  hypervisor.io_hardening.host_writeback_limits:
    mode: bytes
"""

RETURN = r"""
subject:
  description: What was assessed, for the report of a whole run.
  returned: success
  type: str
  sample: writeback
findings:
  description: The findings, see docs/data.md.
  returned: success
  type: list
  elements: dict
plan:
  description: The change that was planned, null where nothing was to change.
  returned: success
  type: dict
status:
  description: V(compliant), V(to_change) (check mode), V(changed), V(taken_back), V(overruled) or V(unknown).
  returned: success
  type: str
  sample: compliant
detail:
  description: The limits and what is wrong with them, in a sentence.
  returned: success
  type: str
date:
  description: The day of the assessment.
  returned: success
  type: str
  sample: "2026-11-23"
"""
