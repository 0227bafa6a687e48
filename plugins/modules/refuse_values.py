#!/usr/bin/python

# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

from __future__ import annotations

DOCUMENTATION = r"""
module: refuse_values
short_description: Refuse values that must be mistakes
version_added: 0.1.0
description:
  - Fails before anything is touched when the value of a variable must be a mistake.
  - Ansible itself takes C(false) or C(null) for an empty list of guests, which means all guests, and a C(serial) of V(0) or V(200%) for all hosts at once.
  - Used by this collection's own playbooks and roles; its options and results can change in any release.
author:
  - The hypervisor.io_hardening contributors (@hypervisor)
options:
  awx_approval_timeout:
    description: A whole number of seconds, 1 or more.
    type: raw
  awx_become:
    description: V(true) or V(false).
    type: raw
  awx_collection:
    description: V(awx.awx) or V(ansible.controller).
    type: raw
  awx_credentials:
    description: A list of names.
    type: raw
  awx_notify_approval:
    description: A list of names.
    type: raw
  awx_notify_failure:
    description: A list of names.
    type: raw
  awx_notify_success:
    description: A list of names.
    type: raw
  awx_report_dir:
    description: The absolute path of a folder, or nothing.
    type: raw
  awx_schedule:
    description: A start and a rule as AWX takes them, or nothing.
    type: raw
  awx_slices:
    description: A whole number, 1 or more.
    type: raw
  guest_io_guests:
    description: Ids of guests, such as V(102), or V(102,105), or a list of them. An empty list means all guests.
    type: raw
  guest_io_run:
    description: The name of a run in the journal.
    type: raw
  guest_io_journal:
    description: The absolute path of a directory.
    type: raw
  guest_io_batch:
    description: A whole number, 1 or more.
    type: raw
  guest_io_max_parallel:
    description: A whole number, 1 or more.
    type: raw
  restart_hosts_at_once:
    description: A whole number, 1 or more.
    type: raw
  restart_max_failures:
    description: A whole number, 1 or more.
    type: raw
  restart_start_timeout:
    description: A whole number, 1 or more.
    type: raw
  restart_timeout:
    description: A whole number, 1 or more.
    type: raw
extends_documentation_fragment:
  - hypervisor.io_hardening.reads_only
attributes:
  action:
    support: full
    description: Is an action plugin.
"""

EXAMPLES = r"""
- name: Validate the limits of restarts
  hypervisor.io_hardening.refuse_values:
    restart_timeout: "{{ restart_timeout }}"
"""

RETURN = r"""
msg:
  description: A sentence for each value that is refused.
  returned: failure
  type: str
  sample: "restart_timeout is '0'; it takes a whole number, 1 or more"
"""
