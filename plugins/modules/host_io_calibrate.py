#!/usr/bin/python

# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

from __future__ import annotations

DOCUMENTATION = r"""
module: host_io_calibrate
short_description: Find the cheapest limits that hold a guest's freeze under a bound
version_added: 0.1.0
description:
  - Measures the rate of a storage. Then, under each load, measures a guest with today's values and with others, M(hypervisor.io_hardening.io_calibrate)
    for each run. A value that holds costs the throughput that the report names.
  - The values that cost least and hold both bounds in every round are shown as policies to paste. Nothing stays set on the host.
  - Used by this collection's own playbooks and roles; its options and results can change in any release.
author:
  - The hypervisor.io_hardening contributors (@hypervisor)
options:
  loads:
    description: The loads to calibrate for. They are measured in the order of the choices, and what is chosen for one is set under those after it.
    type: list
    elements: str
    choices: [backup, writer, restore]
    default: [backup, writer, restore]
  bound_ms:
    description: The longest that the guest may stand still, ms.
    type: float
    default: 100
  write_bound_ms:
    description: The longest that one write of the guest may take, ms.
    type: float
    default: 1000
  rounds:
    description: How often the chosen values must have held.
    type: int
    default: 3
  minutes:
    description: No run is begun that would end later.
    type: float
    default: 11
  total_mb:
    description: The most that is written to the storage, MiB.
    type: int
    default: 262144
  backup:
    description: How a backup is made today, as O(hypervisor.io_hardening.io_calibrate#module:backup).
    type: dict
    default: {}
  fleecing:
    description: A directory on a storage that fleecing may use. Without it, fleecing is not tried.
    type: path
  fleecing_storage:
    description: The name of that storage, for the policy.
    type: str
  measure:
    description: The other options of M(hypervisor.io_hardening.io_calibrate), O(hypervisor.io_hardening.io_calibrate#module:path) at least.
    type: dict
    required: true
extends_documentation_fragment:
  - hypervisor.io_hardening.on_controller
  - hypervisor.io_hardening.reads_only
seealso:
  - module: hypervisor.io_hardening.io_calibrate
"""

EXAMPLES = r"""
- name: Find the queue and the dirty limit that fit a disk
  hypervisor.io_hardening.host_io_calibrate:
    loads: [writer]
    measure:
      path: /var/lib/vz
"""

RETURN = r"""
lines:
  description: Tables, charts, the choice and the policy, for a person.
  returned: success
  type: list
  elements: str
policy:
  description: C(io_host_policy) and C(io_load_policy), each only where there is something to set.
  returned: success
  type: dict
chosen:
  description: For each load the candidate that was chosen, V(null) where none held.
  returned: success, not in check mode
  type: dict
candidates:
  description: For each load what was tried, today's values first.
  returned: success, not in check mode
  type: dict
runs:
  description: RV(hypervisor.io_hardening.io_calibrate#module:run) of each, with its C(load) and the C(name) of its candidate.
  returned: success
  type: list
  elements: dict
disk:
  description: RV(hypervisor.io_hardening.io_calibrate#module:disk).
  returned: success
  type: dict
rate:
  description: RV(hypervisor.io_hardening.io_calibrate#module:rate).
  returned: success, not in check mode
  type: dict
accelerator:
  description: RV(hypervisor.io_hardening.io_calibrate#module:accelerator).
  returned: success, not in check mode
  type: dict
"""
