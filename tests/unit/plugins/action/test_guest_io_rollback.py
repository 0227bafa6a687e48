# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The actions guest_io_rollback_plan and guest_io_rollback: the run of all hosts, its plan here, and what became of it."""

from __future__ import annotations

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.action import guest_io_rollback, guest_io_rollback_plan
from ansible_collections.hypervisor.io_hardening.tests.unit.in_process import run_action
from ansible_collections.hypervisor.io_hardening.tests.unit.plugins.plugin_utils._asked.test_rollback import (
    HARDENED,
    guest,
    journal,
    read,
    summary,
)

HOST = {"inventory_hostname": "pve1"}
HERE, LATER = summary("r1"), summary("r2", "2026-11-25")


@pytest.fixture
def plan():
    """Plan a rollback on a host with guest 100; gives what was returned, and the runs that the journal was read for."""

    def run(journals, **options):
        asked = []

        def guest_io_journal_info(run, **_options):
            asked.append(run)
            return journal("100", run=run) if run == "r1" else {**journal(), "problems": []}

        modules = {
            "guest_io_journal_info": guest_io_journal_info,
            "guest_io_info": lambda **_options: read(guest(100, HARDENED)),
        }
        return run_action(guest_io_rollback_plan, HOST, modules=modules, journals=journals, **options), asked

    return run


def test_the_plan_is_that_of_the_last_run_of_all_hosts(plan):
    returned, asked = plan([{"runs": [HERE]}, {"runs": [LATER]}])
    assert asked == ["r2"] and returned["rollback"]["run"] == "r2" and returned["rollback"]["plan"] == []
    returned, asked = plan([{"runs": [HERE]}])
    assert asked == ["r1"] and [entry["guest"] for entry in returned["rollback"]["plan"]] == ["100"]
    assert returned["name"].endswith("Z-rollback") and not returned["changed"]


def test_the_journal_is_read_again_only_where_the_run_is_not_the_last_one_here(plan):
    here = {**journal("100", run="r1"), "runs": [HERE], "run": "r1", "problems": []}
    returned, asked = plan([here], here=here)
    assert asked == [] and [entry["guest"] for entry in returned["rollback"]["plan"]] == ["100"]
    returned, asked = plan([here, {"runs": [LATER]}], here=here)
    assert asked == ["r2"] and returned["rollback"]["plan"] == []


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"journals": [{}]}, "journals takes what guest_io_journal_info returned"),
        ({"journals": [{"runs": [{}]}]}, "journals takes what guest_io_journal_info returned"),
        ({"guests": ""}, "rollback_guests is ''; it takes ids"),
        ({"run": "x"}, "no journal knows of a run 'x'"),
    ],
)
def test_what_cannot_be_rolled_back_is_refused_before_anything_is_read(plan, options, words):
    returned, asked = plan(**{"journals": [{"runs": [HERE]}], **options})
    assert returned["failed"] and words in returned["msg"] and asked == []


def test_a_rollback_returns_what_fails_the_run_at_its_end(plan):
    rollback = {**plan([{"runs": [HERE]}])[0]["rollback"], "not_whole": None}
    given = {}

    def guest_io(**options):
        given.update(options)
        result = {"guest": "100", "status": "failed", "detail": "no", "restart_pending": False}
        return {"changed": False, "failed": True, "msg": "1 guest failed", "results": [result]}

    returned = run_action(guest_io_rollback, HOST, modules={"guest_io": guest_io}, rollback=rollback, name="n")
    assert returned["failures"] == ["1 guest failed"] and not returned.get("failed")
    assert given["rolls_back"] == "r1" and given["run"] == "n" and given["policy"] == "rollback of r1"
    damaged = {**rollback, "not_whole": "not everything that run r1 did is known"}
    assert (
        damaged["not_whole"]
        in run_action(guest_io_rollback, HOST, modules={"guest_io": guest_io}, rollback=damaged, name="n")["failures"]
    )


def test_what_the_run_set_of_the_host_is_given_back_with_the_guests(plan):
    rollback = {**plan([{"runs": [HERE]}])[0]["rollback"], "settings": ["vzdump.conf"], "not_whole": None}
    given = {}

    def host_settings(**options):
        given.update(options)
        return {"changed": True, "failed": True, "msg": "disk a: no", "results": [{"key": "vzdump.conf"}], "left": []}

    modules = {
        "guest_io": lambda **_options: {"changed": False, "results": []},
        "host_settings": host_settings,
    }
    returned = run_action(guest_io_rollback, HOST, modules=modules, rollback=rollback, name="n", host_root="/h")
    assert (returned["changed"], returned["settings"], returned["failures"]) == (
        True, [{"key": "vzdump.conf"}], ["disk a: no"])  # fmt: skip
    assert (given["undo_run"], given["run"], given["root"]) == ("r1", "n", "/h")
