#!/usr/bin/python

# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

from __future__ import annotations

DOCUMENTATION = r"""
module: host_io
short_description: Read, assess and set what decides the I/O of a host, besides its guests
version_added: 0.1.0
description:
  - Runs M(hypervisor.io_hardening.host_settings_info) on the host and assesses on the controller what it returns.
  - Runs M(hypervisor.io_hardening.host_settings) when the policy names something else than there is. What the policy does
    not name is only reported.
  - The roles P(hypervisor.io_hardening.io_load#role) and P(hypervisor.io_hardening.io_host#role) do the same with variables.
  - Used by this collection's own playbooks and roles; its options and results can change in any release.
author:
  - The hypervisor.io_hardening contributors (@hypervisor)
options:
  about:
    description: V(load) is backup, restore, clone, move and migration; V(host) is the disks' queues, versions and other causes.
    type: str
    choices: [host, load]
    required: true
  policy:
    description: The policy document, see docs/load.md, docs/queues.md and docs/causes.md.
    type: raw
  policy_name:
    description: What errors and the journal call the policy.
    type: str
    default: policy
  facts_in:
    description:
      - The variable in which an earlier task registered what it read, on each host of the play.
      - Without it the host is read now, and speaks for its cluster.
    type: str
  api:
    description:
      - How Proxmox VE's API is reached, where the host stands for a cluster behind one.
      - Then nothing is set. V(load) is read and assessed through it, and the status of each other subject is V(needs_ssh).
    type: dict
  node:
    description: With O(api), the node that is read alone. Without it, and with V(all), all nodes are.
    type: str
  root:
    description: The directory that holds the host's files.
    type: str
    default: /
  state:
    description: V(present), or V(absent) to give back what was set.
    type: raw
    default: present
  set:
    description: V(false) only reads and assesses.
    type: bool
    default: true
  date:
    description: The day on which waivers are judged. The default is today.
    type: raw
  journal:
    description: The directory of the journal, see M(hypervisor.io_hardening.host_settings).
    type: str
  run:
    description: The name of this run in the journal.
    type: str
extends_documentation_fragment:
  - hypervisor.io_hardening.on_controller
attributes:
  check_mode:
    support: full
    description: Writes nothing, and returns what it would set.
  diff_mode:
    support: full
    description: Shows the settings of each object before and after.
  idempotent:
    support: full
    description: Changes nothing where everything is as the policy names it.
seealso:
  - module: hypervisor.io_hardening.host_settings_info
  - module: hypervisor.io_hardening.host_settings
"""

EXAMPLES = r"""
- name: Limit restores of the whole cluster
  hypervisor.io_hardening.host_io:
    about: load
    policy: {limits: {restore: 80 MiB/s}}
"""

RETURN = r"""
assessments:
  description:
    - By subject, what was assessed, for the report of a whole run, with C(subject), C(findings), C(plan), C(status), C(changed),
      C(detail), C(waivers) and C(date), the day on which it was judged. C(failures) are sentences about settings that failed.
    - What was set is read and assessed again, so the findings are those that are left.
    - C(status) is compliant, to_change, changed (and nothing is open any more), unresolved (an error or a warning is open, or a
      setting failed), taken_back, unknown or needs_ssh.
  returned: success
  type: dict
results:
  description: What became of each object, as M(hypervisor.io_hardening.host_settings) returns it.
  returned: success
  type: list
  elements: dict
run:
  description: The name of the run in the journal, null where nothing was written.
  returned: success
  type: str
"""
