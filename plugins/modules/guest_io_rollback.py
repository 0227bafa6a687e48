#!/usr/bin/python

# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

from __future__ import annotations

DOCUMENTATION = r"""
module: guest_io_rollback
short_description: Carry out the plan of a rollback
version_added: 0.1.0
description:
  - Runs M(hypervisor.io_hardening.guest_io) with the plan of M(hypervisor.io_hardening.guest_io_rollback_plan).
  - A guest that fails does not fail the task. It is in RV(failures).
  - Used by this collection's own playbooks and roles; its options and results can change in any release.
author:
  - The hypervisor.io_hardening contributors (@hypervisor)
options:
  rollback:
    description: RV(hypervisor.io_hardening.guest_io_rollback_plan#module:rollback).
    type: dict
    required: true
  name:
    description: The name of this run in the journal, the same on all hosts.
    type: str
    required: true
  api:
    description: How Proxmox VE's API is reached, see M(hypervisor.io_hardening.guest_io_info).
    type: dict
  root:
    description: Where the host's files are. V(/) is the host itself, see M(hypervisor.io_hardening.guest_io_info).
    type: str
    default: /
  host_root:
    description: Where the host's own files and the journal of its settings are.
    type: str
    default: /
  journal:
    description: The directory of the journal, see M(hypervisor.io_hardening.guest_io).
    type: str
  max_parallel:
    description: How many guests are written at once, see M(hypervisor.io_hardening.guest_io).
    type: int
  apply_foreign_pending:
    description: Whether to write stopped guests although that applies pending changes of somebody else.
    type: bool
extends_documentation_fragment:
  - hypervisor.io_hardening.libvirt
  - hypervisor.io_hardening.on_controller
attributes:
  check_mode:
    support: full
    description: Writes nothing, and returns what it would put back.
  diff_mode:
    support: full
    description: Shows the config lines of each guest before and after.
  idempotent:
    support: full
    description: A rollback that was carried out already changes nothing.
seealso:
  - module: hypervisor.io_hardening.guest_io_rollback_plan
"""

EXAMPLES = r"""
- name: Read the journal
  hypervisor.io_hardening.guest_io_journal_info:
  register: journal

- name: Plan the rollback of the last run
  hypervisor.io_hardening.guest_io_rollback_plan:
    journals: "{{ ansible_play_hosts | map('extract', hostvars, 'journal') }}"
  register: planned

- name: Roll back the guests
  hypervisor.io_hardening.guest_io_rollback:
    rollback: "{{ planned.rollback }}"
    name: "{{ hostvars[ansible_play_hosts | first].planned.name }}"
"""

RETURN = r"""
rollback:
  description: The plan.
  returned: success
  type: dict
results:
  description: One result per guest of the plan, see M(hypervisor.io_hardening.guest_io).
  returned: success
  type: list
  elements: dict
settings:
  description: One result per object of the host that the run set, see M(hypervisor.io_hardening.host_settings).
  returned: success
  type: list
  elements: dict
left:
  description: What of the host is not given back, see M(hypervisor.io_hardening.host_settings).
  returned: success
  type: list
  elements: dict
failures:
  description: Why the run has to fail at its end, none where everything was put back.
  returned: success
  type: list
  elements: str
"""
