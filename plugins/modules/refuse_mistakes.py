#!/usr/bin/python

# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

from __future__ import annotations

DOCUMENTATION = r"""
module: refuse_mistakes
short_description: Refuse variables, values and tags that must be mistakes
version_added: 0.1.0
description:
  - Fails when a variable is set whose name begins like those of the collection but is not one of them, and suggests the closest.
  - Fails when a variable has a value of another type than its argument spec says, or that is not one of its choices. These specs are in
    C(roles/*/meta/argument_specs.yml) and C(playbooks/*.meta.yml). A value that is not known yet, because its template needs a fact, is left to
    the task that uses it.
  - A misspelt variable that names guests would mean all guests, and a misspelt tag would do nothing.
  - A name with a prefix that other roles use as well (C(awx_), C(gate_), C(report_), C(restart_), C(rollback_), C(survey_))
    is refused as an extra variable, and elsewhere only when it is close to a known name.
  - The first task of the collection's playbooks and roles. It runs on the controller.
  - Used by this collection's own playbooks and roles; its options and results can change in any release.
author:
  - The hypervisor.io_hardening contributors (@hypervisor)
options:
  prefixes:
    description: The prefixes of the variables to look at. Without it, all that the collection has.
    type: list
    elements: str
    choices: [awx_, calibrate_io_, gate_, guest_io_, harden_io_, host_writeback_, io_hardening_, io_host_, io_load_, prove_io_,
      report_, restart_, rollback_, survey_]
  hosts:
    description:
      - The hosts that the playbook works on, a pattern. Their variables are checked, in addition to those of the play.
      - Fails when none of them is in the inventory and its limit.
      - Without it, the variables of the task's own host are checked.
    type: raw
  does:
    description: What the playbook does, after the words "Nothing to", for the message that there is no host.
    type: str
    default: do
  names_guests:
    description:
      - The variables with which the playbook takes ids of guests. Another such variable, given as an extra variable, is refused.
      - Without it, none is.
    type: list
    elements: str
  no_hosts:
    description: The message to fail with when there is no host, in place of the one with O(does).
    type: str
  journal:
    description: Whether to refuse hosts behind an API for which no directory of a journal is named.
    type: bool
    default: false
  tags:
    description: The playbook's tags, to check C(--tags) and C(--skip-tags). Without it they are not checked.
    type: list
    elements: str
extends_documentation_fragment:
  - hypervisor.io_hardening.on_controller
  - hypervisor.io_hardening.reads_only
seealso:
  - module: hypervisor.io_hardening.refuse_missing_guests
"""

EXAMPLES = r"""
- name: Refuse mistakes in the variables of the role
  hypervisor.io_hardening.refuse_mistakes:
    prefixes: [guest_io_]
"""

RETURN = r"""
answers:
  description: The questions of a survey that were answered, each with the C(variable) it is about and the C(value).
  returned: success
  type: list
  elements: dict
answered:
  description: Whether there is one.
  returned: success
  type: bool
complete:
  description: Whether all hosts of O(hosts) are in the limit.
  returned: success
  type: bool
msg:
  description: A sentence for each variable, value and tag that is refused.
  returned: failure
  type: str
"""
