# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

from __future__ import annotations

import copy

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._fleet.document import ReportError
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._fleet.join import join_documents
from ansible_collections.hypervisor.io_hardening.tests.unit.plugins.plugin_utils._render.sample import (
    document,
    finding,
    guest,
    result,
    waiver,
)

ONE = document([guest("101", "to_change"), guest("9")], [finding("101")])
TWO = document(
    [guest("101", "unresolved", 3)],
    [finding("101", waived=waiver()), finding("101", severity="note", rule="IO111")],
    [{"guest": "101", "name": "web01", "node": "pve2", "reason": "locked", "detail": "backup"}],
    date="2026-11-24",
)


def test_everything_knows_its_host_and_the_summary_counts_all():
    before = copy.deepcopy((ONE, TWO))
    joined = join_documents({"pve2": TWO, "pve1": ONE})
    assert [(g["host"], g["guest"]) for g in joined["guests"]] == [("pve1", "9"), ("pve1", "101"), ("pve2", "101")]
    assert [(f["host"], f["rule"]) for f in joined["findings"]] == [
        ("pve1", "IO102"),
        ("pve2", "IO102"),
        ("pve2", "IO111"),
    ]
    assert [item["host"] for item in joined["unresolved"]] == ["pve2"]
    assert joined["date"] == "2026-11-24"
    assert joined["summary"] == {
        "guests": 3,
        "disks": 5,
        "compliant": 1,
        "to_change": 1,
        "restart_pending": 0,
        "unresolved": 1,
        "waived": 0,
        "findings": {"error": 1, "warning": 0, "note": 1},
        "waived_findings": 1,
    }
    assert "results" not in joined
    assert (ONE, TWO) == before, "the inputs were changed"


def test_a_host_without_a_document_is_listed_as_silent():
    joined = join_documents({"pve1": ONE, "pve3": None, "pve4": {}})
    assert [(h["host"], h["reported"]) for h in joined["hosts"]] == [("pve1", True), ("pve3", False), ("pve4", False)]


def test_joining_parts_gives_what_joining_all_at_once_gives():
    at_once = join_documents({"pve1": ONE, "pve2": TWO, "pve3": None}, {"pve1": [result()], "pve2": []})
    parts = [
        join_documents({"pve2": TWO, "pve3": None}, {"pve2": []}),
        join_documents({"pve1": ONE}, {"pve1": [result()]}),
    ]
    assert join_documents(parts) == at_once
    assert join_documents({"slice1": parts[0], "slice2": parts[1]})["guests"] == at_once["guests"]


def about_waiver(name, **other):
    return {
        "id": name,
        "rules": ["IO102"],
        "until": "2027-03-31",
        "reason": "r",
        "expired": False,
        "matched": 0,
        **other,
    }


def test_waivers_are_judged_for_all_hosts_together():
    """A waiver for a guest of one host matches nothing on the others; every host reports an expired one."""
    unmatched = finding(
        None, name=None, node=None, file=None, disk=None, rule="IO122", message="waiver W-1 matches nothing"
    )
    one = document(
        [], [{**unmatched, "host": "pve1"}], waivers=[about_waiver("W-1"), about_waiver("W-2", expired=True)]
    )
    two = document([], waivers=[about_waiver("W-1", matched=3), about_waiver("W-2", expired=True), about_waiver("W-3")])
    joined = join_documents({"pve1": one, "pve2": two})
    assert [(f["host"], f["rule"], f["message"].split()[1]) for f in joined["findings"]] == [
        (None, "IO121", "W-2"),
        (None, "IO122", "W-3"),
    ]
    assert [(w["id"], w["matched"]) for w in joined["waivers"]] == [("W-1", 3), ("W-2", 0), ("W-3", 0)]
    assert joined["summary"]["findings"]["warning"] == 2
    assert join_documents([joined])["findings"] == joined["findings"]


def test_what_was_assessed_of_a_host_joins_its_entry():
    found = finding(None, disk=None, file=None, rule="IO203", severity="warning")
    report = {"findings": [found], "status": "unresolved", "detail": "tuned", "changed": False}
    joined = join_documents({"pve1": ONE}, assessments={"writeback": {"pve1": report}})
    entry = {"subject": "writeback", "status": "unresolved", "detail": "tuned", "changed": False}
    assert joined["hosts"] == [{"host": "pve1", "reported": True, "assessments": [entry]}]
    assert joined["summary"]["findings"] == {"error": 1, "warning": 1, "note": 0}
    assert [f["host"] for f in joined["findings"]] == ["pve1", "pve1"]


@pytest.mark.parametrize(
    "documents, results, says",
    [
        ("text", None, "is text, not"),
        (7, None, "is a number, not"),
        ({"pve1": [1]}, None, "host pve1 is a list"),
        ({"pve1": {**ONE, "schema": 1}}, None, "schema 1"),
        ({"pve1": {**ONE, "guests": None}}, None, "guests is missing"),
        ({"pve1": {**ONE, "findings": ["x"]}}, None, "contains text instead"),
        ({"pve1": {**ONE, "findings": [finding(severity="grave")]}}, None, "'grave'"),
        ({"pve1": ONE}, {"pve1": {"a": 1}}, "results of host pve1"),
        ({"pve1": ONE}, [], "dictionary of host names"),
    ],
)
def test_bad_input_says_where(documents, results, says):
    with pytest.raises(ReportError, match=says):
        join_documents(documents, results)


def test_a_waiver_matches_nothing_only_where_all_hosts_were_asked():
    """Its guest may be on a host without a report, or outside the limit."""
    one = document([guest("101")], waivers=[about_waiver("W-1"), about_waiver("W-2", expired=True)])

    def rules(**asked):
        return [finding["rule"] for finding in join_documents({"pve1": one}, **asked)["findings"]]

    assert rules() == rules(expected=["pve1"]) == ["IO121", "IO122"]
    assert rules(complete=False) == rules(expected=["pve1", "pve2"]) == ["IO121"]


def test_a_host_that_is_expected_and_in_no_part_is_listed_as_silent():
    parts = [join_documents({"pve1": ONE})]
    assert [(h["host"], h["reported"]) for h in join_documents(parts, expected=["pve1", "pve2"])["hosts"]] == [
        ("pve1", True),
        ("pve2", False),
    ]


def test_a_host_in_two_documents_is_refused():
    """It would be counted twice."""
    one, two = join_documents({"pve1": ONE}), join_documents({"pve1": TWO, "pve2": TWO})
    for documents in ([one, two], {"pve1": ONE, "slice": two}):
        with pytest.raises(ReportError, match="host pve1 is in two documents, .*, and would be counted twice"):
            join_documents(documents)
    silent = join_documents({"pve1": None, "pve3": ONE})
    for documents in ([one, silent], [silent, one]):
        assert [(h["host"], h["reported"]) for h in join_documents(documents)["hosts"]] == [
            ("pve1", True),
            ("pve3", True),
        ]


def test_the_document_says_whether_all_hosts_were_asked():
    """Slices of a run are limited, and complete together where all hosts are expected."""
    parts = [join_documents({"pve1": ONE}, complete=False), join_documents({"pve2": TWO}, complete=False)]
    assert [part["complete"] for part in parts] == [False, False]
    assert join_documents(parts)["complete"] is False and join_documents({"pve1": ONE})["complete"] is True
    assert join_documents(parts, expected=["pve1", "pve2"])["complete"] is True
    assert join_documents({"pve1": ONE}, expected=["pve1"], complete=False)["complete"] is False
