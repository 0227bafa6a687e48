#!/usr/bin/python

# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

from __future__ import annotations

DOCUMENTATION = r"""
module: harden_parts
short_description: Choose the parts of harden_io for a host
version_added: 0.1.0
description:
  - The playbook C(harden_io) changes guests, limits and what policies of the hosts name. This task chooses which of it a host gets.
  - Fails when O(parts) or O(guests) must be a mistake, and when parts and tags leave nothing to do.
  - Used by this collection's own playbooks and roles; its options and results can change in any release.
author:
  - The hypervisor.io_hardening contributors (@hypervisor)
options:
  parts:
    description:
      - The variable C(harden_io_parts), a list of V(guests), V(limits), V(load) and V(host).
      - Without it all, or the guests alone where O(guests) names some and C(--tags) does not ask for the others.
    type: raw
  guests:
    description: The variable C(guest_io_guests). An empty list means all guests.
    type: raw
  roots:
    description: By part, the directory to read the host below.
    type: dict
    default: {}
extends_documentation_fragment:
  - hypervisor.io_hardening.on_controller
  - hypervisor.io_hardening.reads_only
seealso:
  - module: hypervisor.io_hardening.guest_io_assess
  - module: hypervisor.io_hardening.host_writeback_limits
"""

EXAMPLES = r"""
- name: Choose the parts
  hypervisor.io_hardening.harden_parts:
    guests: [102]
  register: chosen
"""

RETURN = r"""
parts:
  description: Those of V(guests), V(limits), V(load) and V(host) that the host gets.
  returned: success
  type: list
  elements: str
  sample: [guests]
roots:
  description: By subject of the host that is read for these parts, the directory to read it below.
  returned: success
  type: dict
  sample: {load: /}
"""
