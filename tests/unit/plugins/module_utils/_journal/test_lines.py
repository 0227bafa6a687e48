# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The journal's lines: what a kill, a full disk or a stranger leaves of them can be told."""

from __future__ import annotations

import base64
import json

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.module_utils._journal import lines

CHANGES = [{"key": "scsi0", "option": "aio", "before": None, "after": "threads"}]
WHY = {"policy": "sha256:1", "rolls_back": None}


def intent(guest="100", run="r1", time="2026-11-23T22:00:00Z", line_id=None):
    entry = {"hypervisor": "pve", "guest": guest, "name": "web", "node": "pve1", "config": f"/{guest}.conf"}
    return lines.intent(run, time, line_id or own_id(guest), entry, "d0", CHANGES, WHY, b"name: web\xff\n")


def outcome(guest="100", written=True, status="changed", line_id=None):
    result = {"status": status, "reason": None, "detail": None, "digest": "d1"}
    return lines.outcome("r1", "2026-11-23T22:00:01Z", line_id or own_id(guest), guest, written, result)


def own_id(guest):
    return f"{int(guest):016x}"


def old(line):
    """The same as the first version wrote it."""
    return {key: value for key, value in line.items() if key not in ("id", "config_before", "hypervisor")}


def plain(line):
    """A line without a checksum, as it stands in the file."""
    return json.dumps(line).encode() + b"\n"


def file(*entries):
    return b"".join(lines.encode(entry) for entry in entries)


def test_an_intent_and_its_outcome_become_one_entry_however_they_are_mixed():
    entries, problems = lines.read(file(intent("100"), intent("101"), outcome("101"), outcome("100", False, "failed")))
    assert problems == []
    assert [(entry["guest"], entry["written"], entry["status"]) for entry in entries] == [
        ("100", False, "failed"),
        ("101", True, "changed"),
    ]
    assert entries[1]["digest"] == "d0" and entries[1]["digest_after"] == "d1" and entries[1]["changes"] == CHANGES


def test_an_intent_without_an_outcome_is_not_known_to_be_written():
    (entry,), _problems = lines.read(file(intent()))
    assert entry["written"] is None and entry["status"] is None


def test_a_guest_tried_twice_has_two_entries():
    entries, _problems = lines.read(file(intent(), outcome(written=False, status="failed"), intent(), outcome()))
    assert [entry["written"] for entry in entries] == [False, True]


def test_two_runs_of_one_name_add_up_however_their_lines_are_mixed():
    one, other = {"line_id": "0" * 16}, {"line_id": "f" * 16}
    mixed = file(intent(**one), intent(**other), outcome(written=False, status="failed", **other), outcome(**one))
    entries, problems = lines.read(mixed, "r1")
    assert problems == [] and [(entry["written"], entry["status"]) for entry in entries] == [
        (True, "changed"),
        (False, "failed"),
    ]


@pytest.mark.parametrize(
    "first, second, written", [(True, True, [True, True]), (False, True, [None, True]), (False, False, [None, False])]
)
def test_two_runs_of_one_name_of_the_first_version_are_read_and_never_taken_for_less_than_they_did(
    first, second, written
):
    """Which outcome is whose, nobody can tell: what may have been written counts as that."""
    raw = b"".join(
        map(plain, [old(intent()), old(intent()), old(outcome(written=first)), old(outcome(written=second))])
    )
    entries, problems = lines.read(raw, "r1")
    assert problems == [] and [entry["written"] for entry in entries] == written


def test_lines_of_the_first_version_are_read_as_before():
    entries, problems = lines.read(plain(old(intent())) + plain(old(outcome())), "r1")
    assert problems == [] and entries == lines.read(file(intent(), outcome()), "r1")[0]


@pytest.mark.parametrize("line", [intent(), outcome()], ids=["intent", "outcome"])
def test_a_bit_that_flipped_is_a_problem_or_changes_nothing(line):
    good = file(intent(), outcome())
    start = 0 if line["entry"] == "intent" else len(file(intent()))
    whole = lines.read(good, "r1")
    for at in range(start, start + len(file(line)) - 1):
        for bit in range(8):
            flipped = good[:at] + bytes([good[at] ^ (1 << bit)]) + good[at + 1 :]
            found = lines.read(flipped, "r1")
            assert found == whole or found[1], f"{flipped!r}"


@pytest.mark.parametrize("field", ["id", "sum"])
def test_a_line_that_lost_its_checksum_is_not_taken_for_an_old_one(field):
    line = json.loads(lines.encode(intent()))
    del line[field]
    assert lines.read(plain(line), "r1")[0] == [] and "checksum" in lines.read(plain(line), "r1")[1][0][1]


def test_a_line_that_was_only_laid_out_anew_is_as_it_was():
    line = json.loads(lines.encode(intent()))
    assert lines.read(plain(dict(reversed(line.items()))), "r1") == lines.read(file(intent()), "r1")


@pytest.mark.parametrize(
    "field, value",
    [("name", "\ud800"), ("policy", "\udfff"), ("rolls_back", 7), ("guest", ""), ("digest", None), ("id", "1"), ("run", "r 1"),
     ("config_before", "not base64"), ("changes", [{**CHANGES[0], "before": "natife"}]), ("changes", [{**CHANGES[0], "after": "threads\n"}]),
     ("changes", [{"key": "controller", "option": "type", "before": "lsi", "after": "virtig-scsi-pci"}])],
)  # fmt: skip
def test_what_could_not_be_read_back_is_refused_when_it_is_written(field, value):
    with pytest.raises(lines.LineError):
        lines.encode({**intent(), field: value})


def test_the_config_as_it_was_is_in_the_line_and_not_among_what_a_playbook_gets():
    raw = lines.encode(intent())
    assert base64.b64decode(json.loads(raw)["config_before"]) == b"name: web\xff\n"
    (entry,), _problems = lines.read(raw, "r1")
    assert "config_before" not in entry


def test_a_command_that_says_very_much_is_cut_off():
    line = {**outcome(), "detail": None}
    result = {"status": "failed", "reason": "refused", "detail": "x" * 10_000_000, "digest": None}
    raw = lines.encode(lines.outcome("r1", line["time"], line["id"], "100", False, result))
    assert len(raw) < 5000 and "9996000 more characters" in lines.read(file(intent()) + raw, "r1")[0][0]["detail"]


def test_half_a_line_and_what_is_none_of_ours_is_a_problem_and_hides_nothing():
    strange = [
        b'{"schema":1,"entry":"intent","run":"r1"',
        b'{"schema":2}',
        b"[]",
        b"\xff\xfe",
        json.dumps({**old(intent()), "changes": [7]}).encode(),
    ]
    entries, problems = lines.read(b"\n".join(strange) + b"\n" + file(intent(), outcome()))
    assert [number for number, _why in problems] == [1, 2, 3, 4, 5] and len(entries) == 1


@pytest.mark.parametrize(
    "field, value",
    [("time", None), ("time", 7), ("time", "yesterday"), ("run", ["r1"]), ("run", "../x"), ("guest", 100), ("guest", ""), ("name", "\ud800"), ("name", None),
     ("node", []), ("node", ...), ("config", {}), ("digest", None), ("policy", 1), ("rolls_back", []), ("schema", True), ("entry", ["intent"]),
     ("changes", {}), ("changes", [{**CHANGES[0], "key": ["scsi0"]}]), ("changes", [{**CHANGES[0], "option": None}]),
     ("changes", [{**CHANGES[0], "after": ["threads"]}]), ("changes", [{**CHANGES[0], "before": "\udfff"}])],
)  # fmt: skip
def test_a_field_of_the_wrong_kind_is_a_problem_and_hides_nothing(field, value):
    damaged = {key: it for key, it in {**old(intent("666")), field: value}.items() if it is not ...}
    entries, problems = lines.read(json.dumps(damaged).encode() + b"\n" + file(intent(), outcome()), "r1")
    assert [entry["guest"] for entry in entries] == ["100"]
    assert [number for number, _why in problems] == [1] and problems[0][1].startswith("is not a journal entry: ")
    json.dumps([entries, problems], ensure_ascii=False).encode()
    lines.summary("r1", "/j/r1.jsonl", entries, [], [], [])


@pytest.mark.parametrize(
    "field, value", [("written", "yes"), ("status", None), ("detail", "\ud800"), ("digest", 7), ("guest", ["100"])]
)
def test_an_outcome_of_the_wrong_kind_leaves_the_guest_not_known(field, value):
    entries, problems = lines.read(plain(old(intent())) + plain({**old(outcome()), field: value}), "r1")
    assert [entry["written"] for entry in entries] == [None] and [number for number, _why in problems] == [2]


def test_a_commands_words_that_are_no_text_are_written_so_that_they_can_be_read():
    result = {"status": "failed", "reason": "refused", "detail": "bad \udcff name", "digest": None}
    line = lines.outcome("r1", "2026-11-23T22:00:01Z", own_id("100"), "100", False, result)
    (entry,), problems = lines.read(file(intent(), line), "r1")
    assert (entry["detail"], problems) == ("bad \\udcff name", [])


def test_a_line_that_nests_without_end_is_a_problem():
    entries, problems = lines.read(b"[" * 100_000 + b"\n" + file(intent(), outcome()), "r1")
    assert len(entries) == 1 and [number for number, _why in problems] == [1]


def test_a_line_of_another_run_is_a_problem():
    entries, problems = lines.read(file(intent(run="r2"), intent()), "r1")
    assert [entry["run"] for entry in entries] == ["r1"] and "it is of run r2" in problems[0][1]


def test_an_outcome_alone_is_a_problem():
    entries, problems = lines.read(file(outcome()))
    assert entries == [] and "guest 100" in problems[0][1]


def test_a_run_in_a_few_words_counts_what_was_or_may_have_been_written():
    entries, _problems = lines.read(
        file(intent("100"), outcome("100"), intent("101"), outcome("101", False, "failed"), intent("99"))
    )
    found = lines.summary("r1", "/j/r1.jsonl", entries, [], [], [])
    assert (found["guests"], found["unknown"], found["policies"]) == (2, ["99"], ["sha256:1"])
    settings = [{**entries[0], "policy": name} for name in ("io_load_policy", "io_host_policy", None)]
    found = lines.summary("r1", "/j/r1.jsonl", entries, settings, [], [])
    assert found["policies"] == ["sha256:1", "io_load_policy", "io_host_policy"]


def run(name, started, stands=("100",), rolls_back=None):
    return {
        "run": name,
        "started": started,
        "guests": 1,
        "stands": list(stands),
        "settings": [],
        "rolls_back": rolls_back,
    }


def test_last_is_the_latest_run_of_whose_changes_some_stand_and_that_rolled_nothing_back():
    runs = [
        run("a", "2026-11-21"),
        run("b", "2026-11-22"),
        run("c", "2026-11-23", stands=()),
        run("d", "2026-11-24", rolls_back="b"),
    ]
    assert lines.last(runs) == "b" and lines.last(runs[2:]) is None


def test_a_run_is_named_by_what_can_be_a_file():
    assert lines.RUN_ID.match("20261123T223005Z") and lines.RUN_ID.match("awx-4711")
    assert not any(lines.RUN_ID.match(name) for name in ("", "../x", "a/b", ".hidden", "a" * 65, "a\n", "ä"))
