#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors


from __future__ import annotations

DOCUMENTATION = r"""
module: guest_io_summary
short_description: Show what restarts or a rollback did on all hosts, and what to do next
version_added: 0.1.0
description:
  - Shows one table of all hosts, the guests that need a person, by reason, and what to do next, ready to be pasted.
  - Used by this collection's own playbooks and roles; its options and results can change in any release.
author:
  - The hypervisor.io_hardening contributors (@hypervisor)
options:
  hosts:
    description: The hosts of the run.
    type: list
    elements: str
    required: true
  restarts:
    description: The variable in which each of O(hosts) has what M(hypervisor.io_hardening.guest_io_restart) returned. It is taken as it is, without a template.
    type: str
  rollbacks:
    description: The variable in which each of O(hosts) has what M(hypervisor.io_hardening.guest_io_rollback) returned.
    type: str
  run:
    description: The name of the rollback in the journal.
    type: str
extends_documentation_fragment:
  - hypervisor.io_hardening.on_controller
  - hypervisor.io_hardening.reads_only
seealso:
  - module: hypervisor.io_hardening.guest_io_restart
  - module: hypervisor.io_hardening.guest_io_rollback
"""

EXAMPLES = r"""
- name: Restart the tagged guests
  hypervisor.io_hardening.guest_io_restart:
    match: contains(guest.tags, 'restart-ok')
  register: restarted

- name: Show what became of the restarts
  hypervisor.io_hardening.guest_io_summary:
    hosts: "{{ ansible_play_hosts_all }}"
    restarts: restarted
  run_once: true
"""

RETURN = r"""
failures:
  description: By host, a sentence for each thing that fails the run there.
  returned: success
  type: dict
trouble:
  description: Whether there is any.
  returned: success
  type: bool
"""
