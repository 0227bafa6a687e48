#!/usr/bin/python

# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

from __future__ import annotations

DOCUMENTATION = r"""
module: guest_io_restart
short_description: Restart the guests that a selector matches, one after another
version_added: 0.1.0
description:
  - Reads the guests and runs M(hypervisor.io_hardening.guest_restart) for each guest that O(match) matches and that has a
    restart pending, in the order of their ids.
  - Shows each guest as its turn comes, and what became of it.
  - A guest that fails does not fail the task. It is in RV(failures). After O(max_failures) of them no other guest is restarted.
  - Needs the Python library jmespath on the controller.
  - Used by this collection's own playbooks and roles; its options and results can change in any release.
author:
  - The hypervisor.io_hardening contributors (@hypervisor)
options:
  match:
    description: One JMESPath selector over C(guest) and C(controller), as in the policy's overrides. Without it the task fails.
    type: raw
  api:
    description: How Proxmox VE's API is reached, see M(hypervisor.io_hardening.guest_io_info).
    type: dict
  root:
    description: Where the host's files are. V(/) is the host itself, see M(hypervisor.io_hardening.guest_io_info).
    type: str
    default: /
  node:
    description: The node whose guests are read, see M(hypervisor.io_hardening.guest_io_info).
    type: str
  timeout:
    description: Seconds a guest has for its shutdown, see M(hypervisor.io_hardening.guest_restart).
    type: int
  start_timeout:
    description: Seconds a guest has for its start.
    type: int
  max_failures:
    description: After how many guests that failed to stop.
    type: int
    default: 1
  force_stop:
    description: Whether a guest that ignores the shutdown is stopped hard.
    type: bool
  ha_managed:
    description: Whether guests that HA manages are restarted.
    type: bool
  variable:
    description:
      - The variable in which the task is registered. Where a host whose turn was before has had too many failures or gave no
        answer, this host restarts nothing.
    type: str
extends_documentation_fragment:
  - hypervisor.io_hardening.libvirt
  - hypervisor.io_hardening.on_controller
attributes:
  check_mode:
    support: full
    description: Restarts nothing, and returns what it would do.
  diff_mode:
    support: none
    description: Shows no difference. It writes no config.
  idempotent:
    support: full
    description: A guest without a pending restart is not restarted.
seealso:
  - module: hypervisor.io_hardening.guest_restart
"""

EXAMPLES = r"""
- name: Restart the tagged guests
  hypervisor.io_hardening.guest_io_restart:
    match: contains(guest.tags, 'restart-ok')
  register: restarted
"""

RETURN = r"""
results:
  description: RV(hypervisor.io_hardening.guest_restart#module:result) of each guest, as far as the run got.
  returned: always
  type: list
  elements: dict
order:
  description: The guests to restart, and those that are not, see docs/data.md. Null where RV(stopped).
  returned: always
  type: dict
broken:
  description: Whether the host gave no answer. Why is in RV(failures).
  returned: always
  type: bool
stopped:
  description: Whether the run had stopped before this host's turn.
  returned: always
  type: bool
failures:
  description: A sentence for each guest that failed.
  returned: always
  type: list
  elements: str
"""
