# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""What the variables of hosts hold for a report."""

from __future__ import annotations

from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._fleet.from_hosts import from_hosts

NAMES = {"documents": "found", "results": "done", "assessments": {"writeback": "limits"}}
VARIABLES = {
    "good": {"found": {"findings": []}, "done": [{"guest": "1"}], "limits": {"findings": [], "status": "compliant"}},
    "failed": {"found": {"failed": True, "msg": "no"}, "limits": {"skipped": True, "changed": False}},
    "gone": {},
}


def test_what_a_failed_or_skipped_task_left_is_no_document():
    found = from_hosts(VARIABLES, VARIABLES.get, NAMES, guests=True)
    assert found["documents"] == {"good": {"findings": []}, "failed": None, "gone": None}
    assert found["results"] == {"good": [{"guest": "1"}], "failed": [], "gone": []}
    assert found["assessments"]["writeback"] == {"good": VARIABLES["good"]["limits"], "failed": None, "gone": None}


def test_without_guests_no_host_is_silent():
    found = from_hosts(["gone"], VARIABLES.get, NAMES, guests=False)
    assert found["documents"]["gone"]["guests"] == [] and found["documents"]["gone"]["summary"]["guests"] == 0


def test_results_are_those_that_a_variable_is_named_for():
    assert from_hosts(["good"], VARIABLES.get, {"documents": "found"}, guests=True)["results"] is None
