# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The gate's verdict on the terminal."""

from __future__ import annotations

from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._fleet.gate import judge
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._fleet.join import join_documents
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._render.gate import gate_lines
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._render.table import table_lines
from ansible_collections.hypervisor.io_hardening.tests.unit.plugins.plugin_utils._render.sample import (
    document,
    finding,
    guest,
    hostile,
    waiver,
)


def test_the_most_severe_reason_is_first_and_each_says_what_to_do():
    text = "\n".join(
        gate_lines(
            document(
                [guest("101"), guest("102")],
                [
                    finding("101", severity="note", rule="IO111", message="a snapshot", hint="delete it"),
                    finding("101", severity="warning", rule="IO104", message="a cache", hint="set none", disk="scsi7"),
                    finding("102", severity="error", rule="IO105", message="does not start", hint="set threads"),
                ],
            ),
            "warning",
        )
    )
    order = [
        "ERROR IO105 (1): does not start",
        "-> set threads",
        "102.conf:12: 102",
        "WARNING IO104 (1): a cache",
        "scsi7",
    ]
    assert [text.index(words) for words in order] == sorted(text.index(words) for words in order)
    assert "snapshot" not in text and "Not counted: 1 note" in text
    assert text.endswith("GATE FAILED: 2 findings of severity warning or worse, not waived, in 2 guests")


def test_a_reason_that_many_guests_share_is_printed_once():
    many = [finding(str(number), hint="mend guest %d" % number) for number in range(100, 150)]
    lines = gate_lines(document([guest()], many), limit=3)
    assert sum("IO102 (50)" in line for line in lines) == 1
    assert sum(".conf:12" in line for line in lines) == 3
    assert "    ... and 47 more; the reports name them all" in lines
    assert "  -> for the first: mend guest 100" in lines
    others = [finding(message="reason %d" % number) for number in range(9)]
    assert "... and 4 more reasons; the reports name them all" in gate_lines(document([guest()], others), reasons=5)


def test_waived_findings_stay_visible():
    text = "\n".join(gate_lines(document([guest()], [finding(waived=waiver(id="W-7", reason="vendor appliance"))])))
    assert "until 2027-03-31, W-7 (1 guest): vendor appliance" in text
    assert "GATE PASSED" in text


def test_the_terminal_shows_guest_names_and_never_obeys_them():
    lines = gate_lines(hostile())
    assert all(line.isprintable() for line in lines)
    assert any("<script>" in line for line in lines)


def test_an_expired_waiver_is_named_even_where_it_does_not_fail_the_gate():
    spent = finding(
        None,
        disk=None,
        name=None,
        host=None,
        node=None,
        file=None,
        rule="IO121",
        severity="warning",
        message="waiver W-7 ended on 2026-01-01",
    )
    lines = gate_lines(document([guest("101")], [finding("101"), spent]), "error")
    assert "WAIVERS WITHOUT EFFECT" in lines and any("W-7 ended on 2026-01-01" in line for line in lines)
    assert "WAIVERS WITHOUT EFFECT" not in gate_lines(document([guest("101")], [finding("101")]), "error")


def test_files_that_were_not_read_are_named_and_do_not_fail_the_gate():
    names = [f"configs/{number}.md" for number in range(12)]
    joined = join_documents([document([guest()], not_read=names[:1]), document([guest("102")], not_read=names[1:])])
    text = " ".join(" ".join(gate_lines(joined, "note")).split())
    assert joined["not_read"] == names
    assert "Not read, not guest configs (12): configs/0.md," in text and "and 2 more" in text and "GATE PASSED" in text


def test_hosts_without_guests_and_hosts_outside_the_limit_are_named_and_do_not_fail_the_gate():
    joined = join_documents({"pve1": document([guest()]), "b": document(), "c": None}, complete=False)
    wanted = ["No guest was read on b.", "Limited to some hosts: the other hosts of the inventory were not checked."]
    for lines in (gate_lines(joined), table_lines(joined)):
        assert [line for line in lines if line in wanted] == wanted
    assert judge(join_documents({"pve1": document([guest()]), "b": document()}, complete=False))["passed"]
    everything = join_documents({"pve1": document([guest()])})
    assert not any(
        "No guest was read" in line or "Limited" in line for line in gate_lines(everything) + table_lines(everything)
    )


def test_the_verdict_and_each_severity_have_a_tone():
    found = [finding("101", severity="error"), finding("101", severity="warning", rule="IO104")]
    tones = {
        line.split()[0]: line.tone
        for line in gate_lines(document([guest()], found), "warning")
        if getattr(line, "tone", None)
    }
    assert (tones["ERROR"], tones["WARNING"], tones["GATE"]) == ("error", "warning", "error")
    assert gate_lines(document([guest()]))[-1].tone == "ok"
