#!/usr/bin/python

# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

from __future__ import annotations

DOCUMENTATION = r"""
module: guest_io_rollback_plan
short_description: Choose a run and plan its rollback
version_added: 0.1.0
description:
  - Chooses the run to roll back from the journals of all hosts, the same on each of them.
  - Makes the plan that puts back what this run wrote to the guests of the host, option by option. A value that is
    not as the run wrote it was changed since, and is not put back.
  - An option that was unset before the run is removed again.
  - Fails when no journal knows of the run, and for V(last) when a journal that cannot be read may hide a later run.
  - Used by this collection's own playbooks and roles; its options and results can change in any release.
author:
  - The hypervisor.io_hardening contributors (@hypervisor)
options:
  journals:
    description: What M(hypervisor.io_hardening.guest_io_journal_info) returned, of all hosts.
    type: list
    elements: dict
    required: true
  here:
    description: What it returned on this host. Where it is of the chosen run, the journal is not read again.
    type: dict
  run:
    description: The run's name. V(last) is the latest of all hosts that was no rollback and whose changes are still in guests.
    type: raw
    default: last
  guests:
    description:
      - Ids of the guests to roll back, a list, one of them, or text with commas between them. V(all) is all of the run.
      - A value that names no guest is refused, because it would be taken for all.
    type: raw
    default: all
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
  node:
    description: The node whose guests are read, see M(hypervisor.io_hardening.guest_io_info).
    type: str
extends_documentation_fragment:
  - hypervisor.io_hardening.libvirt
  - hypervisor.io_hardening.on_controller
  - hypervisor.io_hardening.reads_only
seealso:
  - module: hypervisor.io_hardening.guest_io_rollback
"""

EXAMPLES = r"""
- name: Read the journal
  hypervisor.io_hardening.guest_io_journal_info:
  register: journal

- name: Plan the rollback of the last run
  hypervisor.io_hardening.guest_io_rollback_plan:
    journals: "{{ ansible_play_hosts | map('extract', hostvars, 'journal') }}"
  register: planned
"""

RETURN = r"""
rollback:
  description: The rollback of this host, for M(hypervisor.io_hardening.guest_io_rollback).
  returned: success
  type: dict
  contains:
    plan:
      description: The plan for M(hypervisor.io_hardening.guest_io).
      type: list
      elements: dict
      returned: success
    run:
      description: The run that is rolled back.
      type: str
      returned: success
    policies:
      description: The policies of the run.
      type: list
      elements: str
      returned: success
    skipped:
      description: The guests that were changed since, with the reason.
      type: list
      elements: dict
      returned: success
    unchanged:
      description: Ids of guests that are as before the run.
      type: list
      elements: str
      returned: success
    not_in_run:
      description: Those of O(guests) that the run did not change on this host.
      type: list
      elements: str
      returned: success
    named:
      description: For each of O(guests), whether the run changed it here. Null where that is not known.
      type: dict
      returned: success
    problems:
      description: What could not be read of the journal.
      type: list
      elements: dict
      returned: success
    not_whole:
      description: A sentence where problems may hide a part of the run, which is not rolled back then, and else null.
      type: str
      returned: success
name:
  description: A name for the run that carries the plan out. Take that of one host for all of them.
  returned: success
  type: str
  sample: 20261123T223005Z-rollback
"""
