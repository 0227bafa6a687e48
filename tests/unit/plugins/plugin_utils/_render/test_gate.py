# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The gate's verdict: what stands against a pass, and that nothing unknown is one."""

from __future__ import annotations

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._fleet.document import ReportError
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._fleet.gate import judge
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._fleet.join import join_documents
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._render.gate import gate_lines
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._render.table import table_lines
from ansible_collections.hypervisor.io_hardening.tests.unit.plugins.plugin_utils._render.sample import (
    document,
    finding,
    guest,
    host,
    hostile,
    waiver,
)


def passed(*findings, fail_on="error", guests=None, **other):
    return judge(document([guest()] if guests is None else guests, findings, **other), fail_on)["passed"]


@pytest.mark.parametrize(
    ("severity", "fail_on", "passes"),
    [
        ("error", "error", False),
        ("warning", "error", True),
        ("note", "error", True),
        ("error", "warning", False),
        ("warning", "warning", False),
        ("note", "warning", True),
        ("error", "note", False),
        ("note", "note", False),
    ],
)
def test_a_finding_of_that_severity_or_worse_stands_against_it(severity, fail_on, passes):
    assert passed(finding(severity=severity), fail_on=fail_on) is passes


def test_a_waived_finding_does_not_stand_against_it():
    assert passed(finding(waived=waiver()))
    assert not passed(finding(waived=waiver()), finding(disk="scsi1"))


def test_what_is_not_known_is_no_pass():
    assert not passed(guests=())
    assert not passed(hosts=[host("pve1"), host("pve2", reported=False)])
    assert judge(document([guest()], hosts=[host("pve2", reported=False)]))["reason"] == "no report from pve2"


def test_an_unknown_severity_is_refused_and_never_a_pass():
    with pytest.raises(ReportError, match="'fatal'; allowed are error, warning, note"):
        judge(document([guest()]), "fatal")
    with pytest.raises(ReportError, match="severity 'fatal'"):
        judge(document([guest()], [finding(severity="fatal")]))


def test_the_reasons_are_told_most_severe_first_with_what_to_do():
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


def test_the_same_reason_of_many_guests_is_told_once():
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


def test_what_a_guest_is_called_is_shown_and_never_obeyed():
    lines = gate_lines(hostile())
    assert all(line.isprintable() for line in lines)
    assert any("<script>" in line for line in lines)


def test_an_expired_waiver_is_named_also_where_it_does_not_count():
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


def test_what_was_not_read_is_named_and_does_not_count():
    names = [f"configs/{number}.md" for number in range(12)]
    joined = join_documents([document([guest()], not_read=names[:1]), document([guest("102")], not_read=names[1:])])
    text = " ".join(" ".join(gate_lines(joined, "note")).split())
    assert joined["not_read"] == names
    assert "Not read, not guest configs (12): configs/0.md," in text and "and 2 more" in text and "GATE PASSED" in text


def test_a_host_without_a_guest_and_hosts_beyond_the_limit_are_told_and_fail_nothing():
    joined = join_documents({"pve1": document([guest()]), "b": document(), "c": None}, complete=False)
    wanted = ["No guest was read on b.", "Limited to some hosts: the other hosts of the inventory were not checked."]
    for lines in (gate_lines(joined), table_lines(joined)):
        assert [line for line in lines if line in wanted] == wanted
    assert judge(join_documents({"pve1": document([guest()]), "b": document()}, complete=False))["passed"]
    everything = join_documents({"pve1": document([guest()])})
    assert not any(
        "No guest was read" in line or "Limited" in line for line in gate_lines(everything) + table_lines(everything)
    )
