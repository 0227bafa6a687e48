# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

from __future__ import annotations

import re
import time

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._fleet.join import join_documents
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._fleet.outcome import STATES, outcomes
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._render.gate import gate_lines
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._render.table import table_lines
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._render.text import columns, wrap
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._render.to_html import html_report
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._render.to_junit import junit_report
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._render.to_sarif import sarif_report
from ansible_collections.hypervisor.io_hardening.tests.unit.plugins.plugin_utils._policy import fleet as policy_fleet
from ansible_collections.hypervisor.io_hardening.tests.unit.plugins.plugin_utils._policy.fleet import assess
from ansible_collections.hypervisor.io_hardening.tests.unit.plugins.plugin_utils._render.sample import (
    HOSTILE,
    document,
    finding,
    fleet,
    guest,
    host,
    hostile,
    result,
    waiver,
)


def states(doc, check=False):
    return {entry["guest"]: entry["state"] for entry in outcomes(doc, check)}


GUESTS = [
    guest("1", "compliant"),
    guest("2", "to_change"),
    guest("3", "to_change"),
    guest("4", "to_change"),
    guest("5", "to_change"),
    guest("6", "restart_pending"),
    guest("7", "waived"),
    guest("8", "unresolved"),
    guest("9", "to_change"),
]
LEFT = [{"guest": "8", "name": "web01", "node": "pve1", "reason": "locked", "detail": "locked (backup)"}]
RESULTS = [
    result("2", restart_pending=True),
    result("3"),
    result("4", "failed", reason="refused", detail="storage 'nfs' is not online"),
    result("5", "skipped", reason="digest_moved", detail="changed since it was read"),
    result("9", "unchanged"),
]
WAIVED = [finding("7", waived=waiver())]
APPLIED = document(GUESTS, WAIVED, LEFT, results=RESULTS)


def test_a_guest_is_in_one_state_and_its_result_decides():
    assert states(document(GUESTS, (), LEFT)) == {
        "1": "compliant",
        "2": "to_change",
        "3": "to_change",
        "4": "to_change",
        "5": "to_change",
        "6": "restart_pending",
        "7": "waived",
        "8": "unresolved",
        "9": "to_change",
    }
    applied = {"2": "restart_pending", "3": "changed", "4": "failed", "5": "unresolved", "9": "compliant"}
    assert states(APPLIED) == {**states(document(GUESTS, (), LEFT)), **applied}
    assert states(APPLIED, check=True)["2"] == states(APPLIED, check=True)["3"] == "to_change"


def test_a_guest_that_was_changed_and_still_violates_the_policy_is_unresolved():
    """It is counted once, and named under unresolved and under restart pending."""
    half = [{"guest": "2", "name": "web01", "node": "pve1", "reason": "driver_change", "detail": "IO101 lsi"}]
    doc = document([guest("2", "to_change")], (), half)
    assert states(doc) == {"2": "to_change"}
    assert "UNRESOLVED (1, 1 of them in another column): These still violate the policy," in table_lines(doc)
    applied = {**doc, "results": [result("2", restart_pending=True)]}
    assert states(applied) == {"2": "unresolved"}
    lines = table_lines(applied)
    assert "This run changed 1 guest: 1 is still unresolved." in lines
    assert any(line.startswith("RESTART PENDING (1, 1 of them in another column)") for line in lines)


def test_an_unknown_result_is_a_failure():
    assert states(document([guest("1", "to_change")], results=[result("1", "odd")])) == {"1": "failed"}


def test_an_unknown_status_is_unresolved():
    assert states(document([guest("1", "odd")])) == {"1": "unresolved"}


def test_the_same_number_on_two_hosts_is_two_guests():
    planned = document([guest("1", "to_change")])
    joined = join_documents({"a": planned, "b": planned}, {"b": [result("1")]})
    assert [(e["host"], e["state"]) for e in outcomes(joined)] == [("a", "to_change"), ("b", "changed")]


def test_the_whole_table_of_a_small_run():
    assert table_lines(APPLIED) == [
        "Guest I/O, 2026-11-23: 9 guests, 9 disks (1 of them waived)",
        "",
        "host     guests  compliant  changed  restart  unresolved  failed  waived",
        "configs       9          2        1        2           2       1       1",
        "",
        "This run changed 2 guests: 1 is compliant now, 1 waits for a restart. 1 guest",
        "  was already waiting for a restart.",
        "Findings after this run: 0 errors, 0 warnings, 0 notes, and 1 waived",
        "",
        "FAILED (1): The run went on with the other guests. Fix the cause and run again.",
        "  refused (1)",
        "    4 web01: storage 'nfs' is not online",
        "",
        "UNRESOLVED (2): These still violate the policy, wholly or in part.",
        "  config changed since it was read (1)",
        "    5 web01: changed since it was read",
        "  locked by another job (1)",
        "    8 web01: locked (backup)",
        "",
        "RESTART PENDING (2): Stop and start the guest (qm shutdown and qm start, or qm",
        "  reboot); a reboot inside the guest is not enough.",
        "  2 web01, 6 web01",
        "",
        "WAIVED, the first to end first",
        "  until 2027-03-31, W-1 (1 guest): vendor appliance, lsi driver only",
    ]


def test_rows_add_up_and_the_last_row_is_the_sum():
    lines = table_lines(fleet(200))
    start = next(n for n, line in enumerate(lines) if line.startswith("host "))
    rows = [[int(n) for n in re.findall(r"\d+", line[6:])] for line in lines[start + 1 : start + 6]]
    assert all(row[0] == sum(row[1:]) for row in rows)
    assert rows[-1] == [sum(column) for column in zip(*rows[:-1])]
    assert rows[-1][0] == 200


def test_silent_hosts_policy_findings_and_host_assessments_are_printed():
    odd = finding(
        None, disk=None, file=None, name=None, rule="IO100", severity="warning", message="waiver W-9 fits nothing."
    )
    wb = {"status": "unresolved", "detail": "tuned profile virtual-host sets vm.dirty_bytes", "findings": []}
    joined = join_documents({"pve1": document([guest()], [odd]), "pve2": None}, assessments={"writeback": {"pve1": wb}})
    lines = table_lines(joined)
    assert lines[1].startswith("NO REPORT from 1 host: pve2.")
    assert "  pve1: warning IO100: waiver W-9 fits nothing. Set iothread=1 and" in lines
    assert lines[-1] == "  pve1: unresolved: tuned profile virtual-host sets vm.dirty_bytes"


def test_a_finding_without_a_guest_names_its_file_and_its_line_if_known():
    about = {
        "disk": None,
        "name": None,
        "rule": "IO100",
        "file": "configs/storage.cfg",
        "message": "cannot be read",
        "hint": "",
    }
    for line, place in ((None, "configs/storage.cfg"), (3, "configs/storage.cfg line 3")):
        lines = table_lines(document([guest()], [finding(None, **about, line=line)]), width=200)
        assert "  configs: error IO100 in %s: cannot be read." % place in lines


def test_details_that_differ_only_in_the_guests_id_are_printed_once():
    guests = [guest(number, "unresolved") for number in ("101", "102", "103")]
    left = [{**g, "reason": "not_fixable", "detail": "allow it: guest.id == '%s'" % g["guest"]} for g in guests]
    lines = table_lines(document(guests, (), left))
    assert lines[-2:] == ["    allow it: guest.id == 'ID':", "      101 web01, 102 web01, 103 web01"]
    assert table_lines(document(guests[:1], (), left[:1]))[-1] == "    101 web01: allow it: guest.id == '101'"


def test_the_guests_that_need_another_driver_are_in_one_line_ready_to_be_pasted():
    guests = [guest(number, "unresolved") for number in ("101", "102", "103")]
    left = [
        {**g, "reason": "driver_change", "detail": "IO101 %s" % name}
        for g, name in zip(guests, ("lsi", "lsi", "megasas"))
    ]
    lines = table_lines(document(guests, (), left), variable="guest_io_migrate_controllers")
    assert lines[-6:-3] == ["    IO101 lsi:", "      101 web01, 102 web01", "    103 web01: IO101 megasas"]
    text = " ".join(" ".join(lines[-3:]).split())
    assert text.endswith("guest_io_migrate_controllers: \"contains(['101', '102', '103'], guest.id)\"")


def test_a_selector_on_the_terminal_is_complete_or_absent():
    guests = [guest(str(number), "unresolved") for number in range(100, 528)]
    left = [{**g, "reason": "driver_change", "detail": "IO101 lsi"} for g in guests]
    text = " ".join(" ".join(table_lines(document(guests, (), left))).split())
    assert "contains(['" not in text and "contains(guest.tags, 'virtio-scsi-ok')" in text and "ids of all 428." in text
    few = " ".join(" ".join(table_lines(document(guests[:40], (), left[:40]), limit=3)).split())
    assert "'100', " in few and "'139'], guest.id)" in few


def test_a_guest_that_knows_its_host_has_its_reason():
    """As guest_io_assess returns it, before it is joined."""
    record = policy_fleet.guest("scsi0: local:1/d.raw\n", "100", tags=[])
    doc = assess([record], {}, policy_fleet.DAY, host="pve1")
    text = " ".join(table_lines(doc))
    assert "would change the guest's disk driver (1)" in text and "no reason given" not in text
    assert {item["host"] for key in ("guests", "unresolved", "findings") for item in doc[key]} == {"pve1"}


@pytest.mark.parametrize(("status", "done"), [("changed", "restart_pending"), ("unchanged", "restart_pending")])
def test_a_guest_that_waited_for_a_restart_before_still_does(status, done):
    """The change of this run needed no restart."""
    (entry,) = outcomes(document([guest("6", "restart_pending")], results=[result("6", status, restart_pending=False)]))
    assert (entry["state"], entry["restart_pending"], entry["changed"]) == (done, True, status == "changed")


def test_words_of_several_lines_are_one_line_without_escapes():
    words = "first\r\nsecond\n\nthird\n"
    doc = document(
        [guest("1"), guest("2", "unresolved")],
        [
            finding("1", waived=waiver(reason=words)),
            finding(None, disk=None, message=words, hint=words),
            finding("3", message=words, hint=words),
        ],
        [{**guest("2"), "reason": "refused", "detail": words}],
        results=[result("1", "failed", detail=words)],
        hosts=[host(assessments=[{"subject": "writeback", "status": "changed", "detail": words}])],
    )
    for lines in (
        table_lines(doc, width=200),
        gate_lines(doc, width=200),
        [junit_report(doc)],
        [sarif_report(doc)],
        [html_report(doc)],
    ):
        text = "\n".join(lines).split("<script>", maxsplit=1)[0]
        assert (
            "first; second; third" in text
            and "second\\n" not in text
            and "second\n" not in text
            and "third\\n" not in text
        )


def test_no_report_says_that_a_run_writes_to_a_directory():
    doc = document([guest("1", "to_change")])
    assert "TO CHANGE (1): The next run without check mode changes these." in table_lines(doc)
    assert table_lines({**doc, "not_read": []}, width=100)[-2:] == [
        "TO CHANGE (1): Change these where they are defined; no run writes there.",
        "  1 web01",
    ]


def test_the_restart_advice_uses_the_words_of_each_hypervisor():
    """One that has no words of its own gets neutral ones."""
    guests = [guest(str(n), "restart_pending", hypervisor=name) for n, name in enumerate(("pve", "pve", "other"))]
    for text in (" ".join(table_lines(document(guests), width=1000)), html_report(document(guests))):
        assert text.count("(qm shutdown and qm start, or qm reboot)") == 1
        assert text.count("start it from its definition") == 1
    assert "qm " not in " ".join(table_lines(document(guests[2:])))


def test_a_check_run_says_that_nothing_was_written():
    assert "Check run: nothing was written." in table_lines(APPLIED, check=True)


def test_many_guests_of_one_reason_are_counted_not_listed():
    lines = table_lines(document([guest(str(n), "restart_pending") for n in range(100, 600)]), limit=10)
    assert "  ... and 490 more; the reports name them all" in lines
    assert len(lines) < 15


@pytest.mark.parametrize("width", [60, 80, 120])
def test_no_line_is_longer_than_the_terminal(width):
    everything = [*RESULTS, result("10", detail="y" * 200, status="failed")]
    for doc in (
        fleet(200),
        hostile(),
        document([guest(str(n), name="x" * 300, status="restart_pending") for n in range(9)]),
    ):
        hosts = [{**g, "host": g["host"] or "\u65e5" * 90} for g in doc["guests"] + GUESTS]
        lines = table_lines({**doc, "guests": hosts, "unresolved": LEFT, "results": everything}, width=width)
        totals = lines.index("", 1)
        totals = lines.index("", totals + 1)
        assert [line for line in lines[totals:] if columns(line) > width] == []
        assert [line for line in lines[:totals] if columns(line) > max(width, 80)] == []


def test_a_name_of_thousands_of_characters_is_cut():
    long = "x" * 3000
    doc = join_documents(
        {
            long: document([guest("1", "restart_pending", name=long)], [finding("1", name=long)]),
            "b": document([guest("2")]),
        }
    )
    for lines in (table_lines(doc), gate_lines(doc)):
        assert len(lines) < 25 and "x" * 127 + "~" in "".join(line.strip() for line in lines)


def test_a_long_word_is_cut_wherever_it_ends():
    for length in range(1, 70):
        lines = wrap("x" * length + " y", 20, "", "  ")
        assert max(map(len, lines)) <= 20 and "".join(lines).replace(" ", "") == "x" * length + "y"


@pytest.mark.parametrize("letter", ["x", "\u65e5", "\u0301", "-\u0301"])
def test_the_time_for_a_long_word_is_proportional_to_its_length(letter):
    """Eight times the text takes less than 24 times the time; a quadratic algorithm would take 64 times, a cubic one
    512.
    """

    def seconds(size):
        word = letter * (size // len(letter))
        doc = document(
            [guest("1", "to_change", name=word)],
            [
                finding("1", name=word, message=word, hint=word, file=word, actual=word),
                finding("2", waived=waiver(reason=word)),
            ],
            [{**guest("1"), "reason": word, "detail": word}],
            results=[result("3", "failed", detail=word)],
            not_read=[word],
        )
        started = time.process_time()
        for render in (table_lines, gate_lines, junit_report, sarif_report, html_report):
            render(doc)
        wrap(word, 80)
        return time.process_time() - started

    seconds(1000)
    small = max(min(seconds(8_000) for _time in range(3)), 0.002)
    assert min(seconds(64_000) for _time in range(3)) < 24 * small


def test_names_cannot_steer_the_terminal():
    text = "\n".join(table_lines(hostile()))
    assert all(c == "\n" or (c.isprintable() and ord(c) >= 32) for c in text)
    text.encode("utf-8")
    assert "\\x1b[31mred\\x07" in text and "\\u202egnp.exe" in text and "\\udcff" in text
    assert HOSTILE[0] in text and HOSTILE[1] in text and "\u65e5\u672c\u8a9e" in text


def test_every_state_has_its_words():
    from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._render.words import STATE_WORDS

    assert set(STATE_WORDS) == set(STATES)


def test_guests_that_could_not_be_read_are_named_with_file_and_line():
    unread = finding(
        "205",
        disk=None,
        name=None,
        rule="IO100",
        file="/etc/pve/nodes/pve1/qemu-server/205.conf",
        line=3,
        message="is binary",
    )
    lines = table_lines(document([guest("101")], [unread]))
    at = next(number for number, line in enumerate(lines) if line.startswith("COULD NOT BE READ (1)"))
    assert "205" in lines[at + 1] and "205.conf line 3: is binary" in " ".join(
        line.strip() for line in lines[at + 1 : at + 3]
    )
    gone = finding("777", disk=None, name=None, node=None, rule="IO100", file="", line=None, message="is not there")
    assert "  777: is not there" in table_lines(document([guest("101")], [gone]))
    assert not any(
        line.startswith("COULD NOT BE READ") for line in table_lines(document([guest("101")], [finding("101")]))
    )


def test_the_same_number_on_two_nodes_of_a_host_is_two_guests():
    """A host may be a tree of a whole cluster."""
    tree = document([guest("1", "to_change", node=node) for node in ("a", "b")], results=[result("1", node="b")])
    assert [(entry["on"], entry["state"]) for entry in outcomes(tree)] == [("a", "to_change"), ("b", "changed")]
    assert any("1 web01 on a" in line for line in table_lines(tree))
    unread = document([guest("1", node="a")], [finding("1", node="b", disk=None, rule="IO100", message="is binary")])
    assert any(line.startswith("COULD NOT BE READ (1)") for line in table_lines(unread))
    assert "  until 2027-03-31, W-1 (2 guests): vendor appliance, lsi driver only" in table_lines(
        document([], [finding("1", node=node, waived=waiver()) for node in ("a", "b")])
    )


def test_waived_disks_are_counted_apart():
    assert (
        table_lines(document([guest("1", "waived", 2), guest("2")]))[0]
        == "Guest I/O, 2026-11-23: 2 guests, 3 disks (2 of them waived)"
    )


def test_what_failed_and_what_waits_have_a_tone_and_the_text_says_it_all_without():
    lines = table_lines(APPLIED)
    tones = {line.split()[0]: getattr(line, "tone", None) for line in lines if line.strip()}
    assert tones["FAILED"] == "error" and tones["RESTART"] == "waits" and tones["UNRESOLVED"] is None
    assert "FAILED (" in "\n".join(lines) and "RESTART PENDING (" in "\n".join(lines)


def test_a_terminal_that_is_too_narrow_for_the_table_gets_a_sentence_for_each_host():
    lines = table_lines(APPLIED, width=40)
    assert max(map(columns, lines)) <= 40
    assert "configs: 9 guests, 2 compliant, 1 changed" in " ".join(" ".join(lines).split())
