#!/usr/bin/python

# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

from __future__ import annotations

DOCUMENTATION = r"""
module: refuse_unknown
short_description: Refuse variables and tags that nothing looks at
version_added: 0.1.0
description:
  - Fails where a variable is set that begins like one of the collection's and is none, and names the one it was to be.
  - A misspelt variable that names guests would be all guests, and a misspelt tag would be nothing done.
  - What begins with a word that other roles use as well (C(awx_), C(gate_), C(report_), C(restart_), C(rollback_), C(survey_))
    is refused where it is an extra variable, and elsewhere only where it is close to a known name.
  - The first task of the collection's playbooks and roles. Runs on the controller and looks at no value.
author:
  - The hypervisor.io_hardening contributors (@hypervisor)
options:
  prefixes:
    description: With which words the variables begin that are looked at. Without it, with any that the collection has.
    type: list
    elements: str
    choices: [awx_, gate_, guest_io_, harden_io_, host_writeback_, prove_io_, report_, restart_, rollback_, survey_]
  hosts:
    description: Hosts whose variables are looked at, beside those of the play. Without it, the task's own host.
    type: list
    elements: str
    default: []
  names_guests:
    description:
      - The variables with which the playbook takes ids of guests. Another such variable, given as an extra variable, is refused.
      - Without it, none is.
    type: list
    elements: str
  no_hosts:
    description: What to fail with where O(hosts) is empty, because there is nothing to do. Without it, that is in order.
    type: str
  tags:
    description: The playbook's tags, against which C(--tags) and C(--skip-tags) are held. Without it they are not looked at.
    type: list
    elements: str
extends_documentation_fragment:
  - hypervisor.io_hardening.reads_only
attributes:
  action:
    support: full
    description: Is an action plugin.
"""

EXAMPLES = r"""
- name: Refuse misspelt variables of the role
  hypervisor.io_hardening.refuse_unknown:
    prefixes: [guest_io_]
"""

RETURN = r"""
msg:
  description: A sentence for each variable and tag that is refused.
  returned: failure
  type: str
"""
