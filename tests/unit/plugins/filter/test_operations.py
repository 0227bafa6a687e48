# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The filters of restarts and roll backs, and that their documentation is theirs."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest
import yaml
from ansible.errors import AnsibleFilterError

from ansible_collections.hypervisor.io_hardening.plugins.filter.operations import (
    FilterModule,
    restart_limits,
    restart_lines,
    restart_order,
    rollback_lines,
    rollback_plan,
    rollback_run,
)
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._pve.record import record
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._pve.storage import parse

ROOT = Path(__file__).absolute().parents[4]
STORAGES = {storage["id"]: storage for storage in parse("")[0]}
PLAIN = "name: web\nscsi0: local:1/a.qcow2,size=1G\nscsihw: virtio-scsi-single\n"
WAITS = PLAIN + "\n[PENDING]\nscsi0: local:1/a.qcow2,size=1G,aio=threads,iothread=1\n"


def guest(number, text=WAITS, running=True):
    return {**record(str(number), text.encode(), STORAGES, "pve1", f"/{number}.conf"), "running": running}


def read(*guests):
    return {"guests": list(guests), "nodes": [{"name": "pve1"}]}


@pytest.mark.parametrize("name", FilterModule().filters())
def test_the_documentation_names_the_filters_options(name):
    documented = yaml.safe_load((ROOT / f"plugins/filter/{name}.yml").read_text())["DOCUMENTATION"]
    _input, *options = inspect.signature(FilterModule().filters()[name]).parameters
    assert set(documented["options"]) == {"_input", *options}


# restart_order


@pytest.mark.parametrize("match", ["", "  ", None])
def test_without_a_selector_no_guest_is_restarted(match):
    with pytest.raises(AnsibleFilterError, match="restart_match is not set"):
        restart_order(read(guest(100)), match)


@pytest.mark.parametrize("match", [True, False, 0, 105, {"guest.id": "105"}, [], 1.5])
def test_what_is_no_expression_is_shown_and_not_called_unset(match):
    with pytest.raises(
        AnsibleFilterError, match="restart_match is .*; it takes a JMESPath expression over the guest"
    ) as caught:
        restart_order(read(guest(100)), match)
    assert "not set" not in str(caught.value)


@pytest.mark.parametrize(
    "match, said", [("guest.id ==", "restart_match"), ("starts_with(guest.ostype, 'l')", "guest 100")]
)
def test_a_selector_that_cannot_be_is_said_with_its_place(match, said):
    with pytest.raises(AnsibleFilterError, match=said):
        restart_order(read(guest(100)), match)


def test_a_list_is_told_that_it_takes_one_expression():
    with pytest.raises(AnsibleFilterError, match="restart_match is a list.*takes one JMESPath expression"):
        restart_order(read(guest(100)), ["guest.id == '100'"])


def test_a_selector_that_names_nobody_is_said():
    assert (
        restart_order(read(guest(100), guest(101)), "guest.id == '7'")["names_nobody"]
        == "restart_match names none of the 2 guests here: guest.id == '7'"
    )
    assert restart_order(read(guest(100)), "guest.id == '100'")["names_nobody"] is None


@pytest.mark.parametrize("value", [1, "1", 300, " 5 "])
def test_limits_that_can_be(value):
    assert restart_limits({"restart_timeout": value}) == {"restart_timeout": int(value)}


@pytest.mark.parametrize(
    "value",
    [0, "0", -1, "-1", "x", "", None, True, 1.5, [1], "200%", "1" * 5000, pytest.param(10**5000, id="5000 digits")],
)
def test_limits_that_cannot_be_are_refused(value):
    with pytest.raises(AnsibleFilterError, match="restart_max_failures is .*takes a whole number from 1 on"):
        restart_limits({"restart_timeout": 300, "restart_max_failures": value})


def test_named_guests_that_wait_are_restarted_by_their_ids():
    found = restart_order(read(guest(1000), guest(99), guest(100), guest(98)), "guest.id != '98'")
    assert [entry["guest"] for entry in found["order"]] == ["99", "100", "1000"]
    assert found["order"][0]["waits"] == ["scsi0 iothread off → on", "scsi0 aio io_uring → threads"]
    assert found["skipped"] == found["nothing_pending"] == []


def test_what_is_left_out_of_the_order_is_said():
    guests = [
        guest(100, PLAIN),
        guest(101, "lock: backup\n" + WAITS),
        guest(102, running=False),
        guest(103, running=None),
        guest(104, "template: 1\n" + WAITS),
        guest(105, WAITS.replace("aio=threads", "aio=native,cache=writeback")),
    ]
    found = restart_order(read(*guests), "guest.name == 'web'")
    assert found["order"] == [] and found["nothing_pending"] == ["100"]
    assert [(entry["guest"], entry["reason"]) for entry in found["skipped"]] == [
        ("101", "locked"),
        ("102", "not_running"),
        ("103", "not_here"),
        ("104", "template"),
        ("105", "would_not_start"),
    ]


def test_what_else_comes_into_force_is_named():
    (entry,) = restart_order(
        read(guest(100, WAITS + "cores: 8\nnet0: virtio\nscsihw: virtio-scsi-pci\n")), "guest.id != ''"
    )["order"]
    assert entry["also"] == ["cores", "net0"]


def test_what_a_process_runs_with_counts():
    drifted = guest(100, PLAIN)
    drifted["disks"][0]["runs"] = {**drifted["disks"][0]["effective"], "cache": "writeback"}
    (entry,) = restart_order(read(drifted), "guest.id != ''")["order"]
    assert entry["waits"] == ["scsi0 cache writeback → none"]
    applied = guest(100)
    applied["disks"][0]["runs"] = applied["disks"][0]["next"]
    assert restart_order(read(applied), "guest.id != ''")["nothing_pending"] == ["100"]


def test_restarts_are_told_in_their_order_as_far_as_they_got():
    order = restart_order(
        read(guest(100), guest(101), guest(102), guest(103, "lock: backup\n" + WAITS)), "guest.id != ''"
    )
    results = [
        {"guest": "100", "status": "restarted", "seconds": 12.4, "detail": None},
        {"guest": "101", "status": "failed", "seconds": 300, "detail": "did not shut down"},
    ]
    lines = restart_lines(order, results)
    assert (
        lines[0] == "1 of 3 guests restarted"
        and "restarted in 12 s" in lines[1]
        and lines[1].startswith("  1. 100 web")
    )
    assert (
        "FAILED: did not shut down" in lines[2]
        and "not restarted" in lines[3]
        and "skipped: locked (backup)" in lines[4]
    )
    assert "would be restarted" in restart_lines(order, results, check=True)[1]
    results[0]["detail"] = "look whether qmeventd runs"
    assert restart_lines(order, results)[1].endswith("; look whether qmeventd runs")


# rollback


def summary(run, started="2026-11-23T22:00:00Z", guests=1, rolls_back=None):
    return {"run": run, "started": started, "guests": guests, "stands": ["100"] * guests, "rolls_back": rolls_back}


def test_the_last_run_is_the_last_of_all_hosts():
    journals = [
        {"runs": [summary("a"), summary("b", "2026-11-24")]},
        {"runs": [summary("c", "2026-11-25")]},
        {"runs": []},
    ]
    assert rollback_run(journals) == "c" and rollback_run(journals, "a") == "a"


@pytest.mark.parametrize(
    "journals, run, said",
    [([{"runs": []}], "last", "nothing to roll back"), ([{"runs": [summary("a")]}], "x", "last, a")],
)
def test_a_run_that_no_journal_knows_is_an_error(journals, run, said):
    with pytest.raises(AnsibleFilterError, match=said):
        rollback_run(journals, run)


def unread(run, line=None):
    return {"file": f"/journal/{run}.jsonl", "line": line, "reason": "is not a journal entry: cut off"}


@pytest.mark.parametrize("run, said", [("last", "knows of a run that changed guests"), ("x", "knows of a run 'x'")])
def test_where_no_run_is_known_what_could_not_be_read_is_said(run, said):
    with pytest.raises(AnsibleFilterError, match=f"{said}.* Not read: /journal/x.jsonl line 3 is not a journal entry"):
        rollback_run([{"runs": [], "problems": [unread("x", 3)]}], run)


@pytest.mark.parametrize(
    "hidden, refused",
    [("20261125T000000Z", True), ("job-7", True), ("20261101T000000Z", False), ("20261123T220000Z", False)],
)
def test_last_is_refused_where_a_later_run_may_be_hidden(hidden, refused):
    journals = [{"runs": [summary("20261123T220000Z")], "problems": []}, {"runs": [], "problems": [unread(hidden)]}]
    if refused:
        with pytest.raises(
            AnsibleFilterError, match="cannot be told, name it: .*20261123T220000Z. Not read: /journal/"
        ):
            rollback_run(journals)
    else:
        assert rollback_run(journals) == "20261123T220000Z"
    assert rollback_run(journals, "20261123T220000Z") == "20261123T220000Z"


EARLIER, LATER = "20261123T220000Z", "20261124T220000Z"


@pytest.mark.parametrize("later", [LATER, "job-7"])
def test_last_is_refused_where_a_host_cannot_read_the_later_run_that_another_knows(later):
    """On the host that knows it, nothing of it stands any more; on the other, everything may."""
    put_back = summary(later, "2026-11-24T22:00:00Z", guests=0)
    journals = [{"runs": [put_back], "problems": []}, {"runs": [summary(EARLIER)], "problems": [unread(later)]}]
    with pytest.raises(AnsibleFilterError, match=f"cannot be told, name it: .* Not read: /journal/{later}.jsonl"):
        rollback_run(journals)
    assert rollback_run(journals, EARLIER) == EARLIER


def test_last_is_refused_where_only_a_part_of_a_later_run_can_be_read():
    runs = [summary(EARLIER), summary(LATER, "2026-11-24T22:00:00Z", guests=0)]
    with pytest.raises(AnsibleFilterError, match="cannot be told, name it"):
        rollback_run([{"runs": runs, "problems": [unread(LATER, 2)]}])


@pytest.mark.parametrize(
    "known", [summary("job-1", "2026-11-01T00:00:00Z"), summary("x-rollback", "2026-11-24T22:00:00Z", rolls_back="r0")]
)
def test_last_is_not_refused_for_a_run_that_is_known_to_be_earlier_or_a_roll_back(known):
    assert (
        rollback_run([{"runs": [known]}, {"runs": [summary(EARLIER)], "problems": [unread(known["run"])]}]) == EARLIER
    )


@pytest.mark.parametrize("given", [None, "", " ", 7, True, ["last"]])
def test_what_is_not_the_name_of_a_run_is_refused(given):
    with pytest.raises(AnsibleFilterError, match="rollback_run is .*; it takes a run's name, or last"):
        rollback_run([{"runs": [summary("a")]}], given)


def test_no_more_than_a_piece_of_the_name_of_a_run_is_shown():
    with pytest.raises(AnsibleFilterError, match="no journal knows of a run 'x+…; rollback_run takes one of: last, a$"):
        rollback_run([{"runs": [summary("a")]}], "x" * 100_000)


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
    return {"entries": entries, "problems": [{"file": "/j", "line": 3, "reason": "cut off"}]}


HARDENED = PLAIN.replace("size=1G", "aio=threads,size=1G")


def test_a_plan_of_one_run_for_the_guests_that_were_named():
    found = rollback_plan(journal("100", "101"), read(guest(100, HARDENED), guest(101, HARDENED)), "r1", [100])
    assert [entry["guest"] for entry in found["plan"]] == ["100"] and (found["run"], found["policy"]) == (
        "r1",
        "sha256:1",
    )


@pytest.mark.parametrize("given", ["100", 100, ["100"], [100], " 100 ", "100,102", "100, 102", [102, "100"]])
def test_guests_are_named_one_by_one_or_as_a_list(given):
    found = rollback_plan(journal("100", "101"), read(guest(100, HARDENED), guest(101, HARDENED)), "r1", given)
    assert [entry["guest"] for entry in found["plan"]] == ["100"]
    assert found["not_in_run"] == (["102"] if "102" in str(given) else [])


@pytest.mark.parametrize(
    "given",
    ["", " ", ",", "100,", [], [""], None, {}, {"100": 1}, True, [True], 1.5, "web", ["100,101"], '["100"]', [["100"]]],
)
def test_what_names_no_guest_is_refused_and_not_taken_for_all(given):
    with pytest.raises(AnsibleFilterError, match="rollback_guests is .*it takes ids"):
        rollback_plan(journal("100"), read(guest(100, HARDENED)), "r1", given)


@pytest.mark.parametrize("other", ["r0", None])
def test_what_the_journal_says_of_another_run_is_refused(other):
    with pytest.raises(
        AnsibleFilterError,
        match="is to plan run 'r1', and guest_io_journal_info returned run .*; give that module the run",
    ):
        rollback_plan({**journal("100", run="r0"), "run": other}, read(guest(100, HARDENED)), "r1")


def test_entries_of_another_run_are_not_rolled_back():
    assert rollback_plan(journal("100", run="r0"), read(guest(100, HARDENED)), "r1")["plan"] == []


def test_a_roll_back_is_told_guest_by_guest():
    guests = [
        guest(100, HARDENED),
        guest(101, HARDENED),
        guest(102, HARDENED.replace("threads", "native")),
        guest(103, PLAIN),
    ]
    plan = rollback_plan(journal("100", "101", "102", "103"), read(*guests), "r1")
    results = [
        {"guest": "100", "status": "changed", "detail": None, "restart_pending": True},
        {"guest": "101", "status": "skipped", "detail": "locked (backup)", "restart_pending": False},
    ]
    text = "\n".join(rollback_lines(plan, results))
    assert "Rollback of run r1, made by policy sha256:1" in text
    assert "100 web: put back: scsi0 aio threads → unset, waits for a cold start" in text
    assert "101 web: skipped: locked (backup) (not put back: scsi0 aio threads → unset)" in text
    assert "102 web: skipped: scsi0 aio is native, the run wrote threads" in text
    assert "already as before the run: 103" in text and "NOT READ: /j line 3: cut off" in text
    assert "100 web: would be put back" in "\n".join(rollback_lines(plan, results, check=True))


def test_what_a_stranger_wrote_is_shown_not_obeyed():
    evil = guest(100, HARDENED)
    evil["name"] = "\x1b[2Jgone"
    plan = rollback_plan(journal("100"), read(evil), "r1")
    assert "\x1b" not in "\n".join(rollback_lines(plan, []))


@pytest.mark.parametrize(
    "call",
    [
        lambda: rollback_run("x"),
        lambda: rollback_plan({}, {}, "r"),
        lambda: restart_order([], "guest.id != ''"),
        lambda: restart_limits(7),
    ],
)
def test_a_wrong_input_is_said(call):
    with pytest.raises(AnsibleFilterError, match="takes"):
        call()
