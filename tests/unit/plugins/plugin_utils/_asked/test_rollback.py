# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Which run is rolled back, for which guests, by which plan, and how that is shown."""

from __future__ import annotations

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.module_utils._pve.record import record
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._pve.storage import parse
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._asked.rollback import (
    choose_run,
    guest_ids,
    plan_rollback,
)

STORAGES = {storage["id"]: storage for storage in parse("")[0]}
PLAIN = "name: web\nscsi0: local:1/a.qcow2,size=1G\nscsihw: virtio-scsi-single\n"


def guest(number, text):
    return {**record(str(number), text.encode(), STORAGES, "pve1", f"/{number}.conf")}


def read(*guests):
    return {"guests": list(guests), "nodes": [{"name": "pve1"}]}


def rollback_plan(journal, read, run, guests="all"):
    return plan_rollback(journal, read, run, guest_ids(guests))


def summary(run, started="2026-11-23T22:00:00Z", guests=1, rolls_back=None):
    return {
        "run": run,
        "started": started,
        "guests": guests,
        "stands": ["100"] * guests,
        "settings": [],
        "policies": ["p"],
        "rolls_back": rolls_back,
    }


def test_the_last_run_is_the_last_of_all_hosts():
    journals = [
        {"runs": [summary("a"), summary("b", "2026-11-24")]},
        {"runs": [summary("c", "2026-11-25")]},
        {"runs": []},
    ]
    assert choose_run(journals) == "c" and choose_run(journals, "a") == "a"


@pytest.mark.parametrize(
    "journals, run, said",
    [([{"runs": []}], "last", "nothing to roll back"), ([{"runs": [summary("a")]}], "x", "last, a")],
)
def test_a_run_that_no_journal_knows_is_an_error(journals, run, said):
    with pytest.raises(ValueError, match=said):
        choose_run(journals, run)


def unread(run, line=None):
    return {"file": f"/journal/{run}.jsonl", "line": line, "reason": "is not a journal entry: cut off"}


@pytest.mark.parametrize(
    "run, said", [("last", "knows of a run whose changes are still there"), ("x", "knows of a run 'x'")]
)
def test_where_no_run_is_known_what_could_not_be_read_is_said(run, said):
    with pytest.raises(ValueError, match=f"{said}.* Not read: /journal/x.jsonl line 3 is not a journal entry"):
        choose_run([{"runs": [], "problems": [unread("x", 3)]}], run)


@pytest.mark.parametrize(
    "hidden, refused",
    [("20261125T000000Z", True), ("job-7", True), ("20261101T000000Z", False), ("20261123T220000Z", False)],
)
def test_last_is_refused_where_a_later_run_may_be_hidden(hidden, refused):
    journals = [{"runs": [summary("20261123T220000Z")], "problems": []}, {"runs": [], "problems": [unread(hidden)]}]
    if refused:
        with pytest.raises(
            ValueError, match="cannot tell which run was the last; .*20261123T220000Z. Not read: /journal/"
        ):
            choose_run(journals)
    else:
        assert choose_run(journals) == "20261123T220000Z"
    assert choose_run(journals, "20261123T220000Z") == "20261123T220000Z"


EARLIER, LATER = "20261123T220000Z", "20261124T220000Z"


@pytest.mark.parametrize("later", [LATER, "job-7"])
def test_last_is_refused_where_a_host_cannot_read_the_later_run_that_another_knows(later):
    """On the host that knows it, nothing of it stands any more; on the other, everything may."""
    put_back = summary(later, "2026-11-24T22:00:00Z", guests=0)
    journals = [{"runs": [put_back], "problems": []}, {"runs": [summary(EARLIER)], "problems": [unread(later)]}]
    with pytest.raises(
        ValueError,
        match=f"cannot tell which run was the last; set rollback_run to one of: .* Not read: /journal/{later}.jsonl",
    ):
        choose_run(journals)
    assert choose_run(journals, EARLIER) == EARLIER


def test_last_is_refused_where_only_a_part_of_a_later_run_can_be_read():
    runs = [summary(EARLIER), summary(LATER, "2026-11-24T22:00:00Z", guests=0)]
    with pytest.raises(ValueError, match="cannot tell which run was the last"):
        choose_run([{"runs": runs, "problems": [unread(LATER, 2)]}])


@pytest.mark.parametrize(
    "known", [summary("job-1", "2026-11-01T00:00:00Z"), summary("x-rollback", "2026-11-24T22:00:00Z", rolls_back="r0")]
)
def test_last_is_not_refused_for_a_run_that_is_known_to_be_earlier_or_a_roll_back(known):
    assert choose_run([{"runs": [known]}, {"runs": [summary(EARLIER)], "problems": [unread(known["run"])]}]) == EARLIER


@pytest.mark.parametrize("given", [None, "", " ", 7, True, ["last"]])
def test_what_is_not_the_name_of_a_run_is_refused(given):
    with pytest.raises(ValueError, match="rollback_run is .*; it takes a run's name, or last"):
        choose_run([{"runs": [summary("a")]}], given)


def test_no_more_than_a_piece_of_the_name_of_a_run_is_shown():
    with pytest.raises(ValueError, match="no journal knows of a run 'x+…; rollback_run takes one of: last, a$"):
        choose_run([{"runs": [summary("a")]}], "x" * 100_000)


@pytest.mark.parametrize(
    "file, hidden", [("/journal/r1.jsonl", True), ("/journal", True), ("/journal/r2.jsonl", False)]
)
def test_what_the_journal_of_the_run_hides_makes_the_roll_back_not_whole(file, hidden):
    damaged = {
        **journal("100"),
        "problems": [{"file": file, "line": None, "reason": "cannot be read: Permission denied"}],
    }
    found = rollback_plan(damaged, read(guest(100, HARDENED)), "r1")
    assert [entry["guest"] for entry in found["plan"]] == ["100"]
    assert (found["not_whole"] is not None) is hidden
    assert not hidden or f"Not read: {file} cannot be read" in found["not_whole"]


def journal(*guests, run="r1"):
    changes = [{"key": "scsi0", "option": "aio", "before": None, "after": "threads"}]
    entries = [
        {
            "run": run,
            "policy": "sha256:1",
            "hypervisor": "pve",
            "guest": number,
            "name": "web",
            "node": "pve1",
            "written": True,
            "changes": changes,
        }
        for number in guests
    ]
    runs = [{"run": run, "policies": ["sha256:1"], "settings": []}] if guests else []
    return {"runs": runs, "entries": entries, "problems": [{"file": "/j", "line": 3, "reason": "cut off"}]}


HARDENED = PLAIN.replace("size=1G", "aio=threads,size=1G")


def test_a_plan_of_one_run_for_the_guests_that_were_named():
    found = rollback_plan(journal("100", "101"), read(guest(100, HARDENED), guest(101, HARDENED)), "r1", [100])
    assert [entry["guest"] for entry in found["plan"]] == ["100"] and (found["run"], found["policies"]) == (
        "r1",
        ["sha256:1"],
    )


@pytest.mark.parametrize("given", ["100", 100, ["100"], [100], " 100 ", "100,102", "100, 102", [102, "100"]])
def test_guests_are_named_one_by_one_or_as_a_list(given):
    found = rollback_plan(journal("100", "101"), read(guest(100, HARDENED), guest(101, HARDENED)), "r1", given)
    assert [entry["guest"] for entry in found["plan"]] == ["100"]
    assert found["not_in_run"] == (["102"] if "102" in str(given) else [])


@pytest.mark.parametrize(
    "given",
    ["", " ", ",", "100,", [], [""], None, {}, {"100": 1}, True, [True], 1.5, [["100"]]],
)
def test_what_names_no_guest_is_refused_and_not_taken_for_all(given):
    with pytest.raises(ValueError, match="rollback_guests is .*it takes ids"):
        rollback_plan(journal("100"), read(guest(100, HARDENED)), "r1", given)


def test_entries_of_another_run_are_not_rolled_back():
    assert rollback_plan(journal("100", run="r0"), read(guest(100, HARDENED)), "r1")["plan"] == []
