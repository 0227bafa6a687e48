# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""What restarts and rollbacks of all hosts say at their end: the table, who needs a person, what next."""

from __future__ import annotations

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._asked.commands import Call
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._asked.restart import restart_order
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._render.next_steps import (
    restarts_steps,
    rollbacks_steps,
)
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._render.operations import (
    restart_line,
    restart_table,
    rollback_table,
)
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._render.text import columns
from ansible_collections.hypervisor.io_hardening.tests.unit.plugins.plugin_utils._asked import test_rollback as rollback
from ansible_collections.hypervisor.io_hardening.tests.unit.plugins.plugin_utils._asked.test_restart import WAITS, guest

CALL = Call(inventory=["hosts.yml"])
LOCKED = "lock: backup\n" + WAITS


def ended(number, status="restarted", **other):
    return {"guest": number, "node": "pve1", "status": status, "reason": None, "detail": None, "seconds": 12.4, **other}


def order(*guests, match="guest.id != ''"):
    return restart_order(list(guests), match)


def restarts():
    first = order(guest(100), guest(101), guest(102), guest(103, LOCKED))
    results = [ended("100"), ended("101", "failed", reason="no_shutdown", detail="did not shut down in 300 s")]
    return {
        "pve1": {"order": first, "results": results, "stopped": False},
        "pve2": {"order": order(guest(7), match="guest.id == '9'"), "results": [], "stopped": False},
        "pve3": {"order": None, "results": [], "stopped": True},
        "pve4": None,
    }


def test_a_restart_is_told_when_it_is_done():
    (entry,) = order(guest(100))["order"]
    applied = "scsi0 iothread off → on, scsi0 aio io_uring → threads"
    assert restart_line(entry, ended("100")) == f"  restarted in 12 s; in force now: {applied}"
    assert restart_line(entry, ended("100"), check=True).startswith("  would be restarted; in force then: scsi0 ")
    assert restart_line(entry, ended("100", detail="look whether qmeventd runs")).endswith(
        "; look whether qmeventd runs"
    )
    assert restart_line(entry, ended("100", "failed", detail="no")) == "  FAILED: no"
    assert restart_line(entry, ended("100", "skipped", detail="locked")) == "  skipped: locked"


def test_restarts_of_all_hosts_end_with_one_table_and_who_needs_a_person():
    lines = restart_table(restarts())
    text = "\n".join(lines)
    assert lines[1] == "Restarts: 4 guests that wait on 2 hosts"
    assert "NO REPORT from 1 host: pve4. " in text and "NOT REACHED: 1 host: pve3. The run stopped before." in text
    table = [line.split() for line in lines if line.startswith(("host", "pve", "all"))]
    assert table == [
        "host guests restarted skipped failed not reached".split(),
        "pve1 4 1 1 1 1".split(),
        "pve2 0 0 0 0 0".split(),
        "all 4 1 1 1 1".split(),
    ]
    assert "FAILED (1)\n  did not shut down in time (1)\n    pve1 101 web: did not shut down in 300 s" in text
    assert "SKIPPED (1)\n  locked by another job (1)\n    pve1 103 web: locked (backup)" in text
    assert "NOT REACHED (1)\n  the run did not come to it (1)\n    pve1: 102 web" in text
    assert "The selector matches no guest on 1 host: pve2." in text
    assert "would restart" in "\n".join(restart_table(restarts(), check=True))


def test_after_restarts_those_that_still_wait_are_restarted_and_the_rest_is_looked_at():
    again, look, back = restarts_steps(restarts(), CALL)
    assert again["guests"] == ["101", "102"]
    assert (look["kind"], back["kind"]) == ("look", "rollback")
    # The last run may be another guest's.
    assert back["text"] is None
    (step,) = restarts_steps(restarts(), CALL, check=True)
    assert step["guests"] == ["100", "101", "102"]


@pytest.mark.parametrize("width", [40, 80])
def test_no_line_is_wider_than_the_terminal_and_nothing_is_lost(width):
    text = [*restart_table(restarts(), width=width), *rollback_table(rollbacks(), width=width)]
    assert max(map(columns, text)) <= width
    words = " ".join(" ".join(text).split())
    assert "did not shut down in 300 s" in words and "scsi0 aio is native, the run wrote threads" in words
    assert ("pve1: 4 guests, 1 restarted, 1 skipped" in words) == (width == 40)


def rollbacks():
    guests = [
        rollback.guest(100, rollback.HARDENED),
        rollback.guest(101, rollback.HARDENED),
        rollback.guest(102, rollback.HARDENED.replace("threads", "native")),
        rollback.guest(103, rollback.PLAIN),
        rollback.guest(104, rollback.HARDENED),
    ]
    made = rollback.journal("100", "101", "102", "103", "104")
    plan = rollback.rollback_plan(made, rollback.read(*guests), "r1")
    for entry in plan["plan"]:
        entry["running"] = True
    results = [
        ended("100", "changed", restart_pending=True),
        ended("101", "skipped", reason="locked", detail="locked (backup)", restart_pending=False),
        ended("104", "failed", reason="refused", detail="no", restart_pending=False),
    ]
    return {"pve1": {"rollback": plan, "results": results, "failures": ["1 guest failed"]}, "pve2": None}


def test_a_rollback_of_all_hosts_ends_with_one_table_and_who_needs_a_person():
    lines = rollback_table(rollbacks())
    text = "\n".join(lines)
    assert lines[1] == "Rollback of run r1, made by policy sha256:1"
    done = rollbacks()
    done["pve1"]["rollback"]["policies"] = ["sha256:1", "io_load_policy", "io_host_policy"]
    assert rollback_table(done, width=120)[1] == (
        "Rollback of run r1, made by policies sha256:1, io_load_policy, io_host_policy"
    )
    assert "NO REPORT from 1 host: pve2. " in text
    table = [line.split() for line in lines if line.startswith(("host", "pve"))]
    assert table == ["host guests put back skipped failed".split(), "pve1 4 1 2 1".split()]
    assert "PUT BACK (1)\n  pve1 100 web: scsi0 aio threads → unset" in text
    assert "RESTART PENDING (1)\n  pve1: 100 web" in text
    assert "    pve1 101 web: locked (backup); not put back: scsi0 aio threads → unset" in text
    assert "  changed since the run (1)\n    pve1 102 web: scsi0 aio is native, the run wrote threads" in text
    assert "As before the run already (1)\n  pve1: 103" in text
    assert "NOT READ: pve1: /j line 3: cut off" in text
    checked = "\n".join(rollback_table(rollbacks(), check=True))
    assert "WOULD BE PUT BACK (1)\n  pve1 100 web" in checked and "would put back" in checked


def test_after_a_rollback_it_goes_on_its_guests_are_restarted_and_it_can_be_undone():
    again, restart, undo = rollbacks_steps(rollbacks(), "r2-rollback", CALL)
    assert again["guests"] == ["104"] and again["text"].endswith("rollback_io -e rollback_run=r1")
    assert restart["guests"] == ["100"] and "guest.id=='100'" in restart["text"]
    assert undo["text"].endswith("rollback_io -e rollback_run=r2-rollback")
    (step,) = rollbacks_steps(rollbacks(), "r2-rollback", CALL, check=True)
    assert step["text"].endswith("rollback_io -e rollback_run=r1")


def test_a_rollback_of_settings_alone_can_be_made_and_undone_as_well():
    done = rollbacks()
    done["pve1"].update(results=[], settings=[{"key": "kernel", "status": "changed", "changes": [], "detail": None}])
    done["pve1"]["rollback"]["plan"] = []
    (undo,) = rollbacks_steps(done, "r2-rollback", CALL)
    assert undo["text"].endswith("rollback_io -e rollback_run=r2-rollback")
    (step,) = rollbacks_steps(done, None, CALL, check=True)
    assert step["title"] == "Put back 1 object of hosts; it restarts nothing" and step["guests"] == []
    done["pve1"]["settings"][0]["status"] = "failed"
    (again,) = rollbacks_steps(done, None, CALL)
    assert again["title"].startswith("Mend the cause and roll back again (1 object of hosts);")
    done["pve1"]["settings"][0]["status"] = "unchanged"
    assert rollbacks_steps(done, "r2-rollback", CALL) == rollbacks_steps(done, None, CALL, check=True) == []


def test_what_a_stranger_wrote_is_shown_not_obeyed():
    evil = rollback.guest(100, rollback.HARDENED)
    evil["name"] = "\x1b[2Jgone"
    plan = rollback.rollback_plan(rollback.journal("100"), rollback.read(evil), "r1")
    done = {"pve\x1b1": {"rollback": plan, "results": []}}
    assert "\x1b" not in "\n".join(rollback_table(done))


def test_a_guest_that_would_not_start_as_it_was_is_not_rolled_back_again():
    done = rollbacks()
    done["pve1"]["results"][-1]["reason"] = "would_not_start"
    kept, *others = rollbacks_steps(done, "r2-rollback", CALL)
    assert kept["guests"] == ["104"] and kept["text"] is None and "would not start" in kept["title"]
    assert "again" not in [step["kind"] for step in others]
