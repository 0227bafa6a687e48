#!/usr/bin/python

# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

from __future__ import annotations

DOCUMENTATION = r"""
module: refuse_missing_guests
short_description: Refuse guests that are on no host
version_added: 0.1.0
description:
  - Fails when a guest that a run names is on none of its hosts. It is enough that one host has it.
  - Does not fail while a host gave no answer, because the guest may be there.
  - Used by this collection's own playbooks and roles; its options and results can change in any release.
author:
  - The hypervisor.io_hardening contributors (@hypervisor)
options:
  answers:
    description:
      - Whether each host has the named guests, by host, such as RV(hypervisor.io_hardening.guest_io_assess#module:named).
      - Anything else than a dictionary means that the host gave no answer.
    type: dict
    required: true
  lacks:
    description: What the message says of such a guest.
    type: str
    default: is not there
extends_documentation_fragment:
  - hypervisor.io_hardening.on_controller
  - hypervisor.io_hardening.reads_only
seealso:
  - module: hypervisor.io_hardening.guest_io_assess
"""

EXAMPLES = r"""
- name: Refuse a guest that no host has
  hypervisor.io_hardening.refuse_missing_guests:
    answers:
      pve1: {"102": true, "301": false}
      pve2: {"102": false, "301": true}
  run_once: true
"""

RETURN = r"""
msg:
  description: A sentence for each missing guest, with the hosts that were asked.
  returned: failure
  type: str
  sample: "guest 777 is not there; asked: pve1, pve2"
"""
