# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""What is assessed of hosts themselves: the reports show a subject that none of them knows."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._asked.api import needs_ssh
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._fleet.document import ReportError
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._fleet.from_hosts import from_hosts
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._fleet.gate import judge
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._fleet.join import join_documents
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._fleet.slice import pack, unpack
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._render.gate import gate_lines
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._render.table import table_lines
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._render.to_html import html_report
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._render.to_json import json_report
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._render.to_junit import junit_report
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._render.to_markdown import markdown_report
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._render.to_sarif import sarif_report
from ansible_collections.hypervisor.io_hardening.tests.unit.plugins.plugin_utils._render.sample import (
    HOSTILE,
    document,
    finding,
    guest,
)

SCHEMA = json.loads((Path(__file__).parents[5] / "docs" / "findings.schema.json").read_text("utf-8"))
LOUD = finding(None, disk=None, file=None, name=None, node=None, rule="IO999", message="fan 3 is loud", hint="Oil it.")
FANS = {"findings": [LOUD], "changed": False, "plan": None, "status": "too_loud", "detail": "61 dB, 40 dB allowed"}
LIMITS = {"findings": [], "changed": True, "plan": None, "status": "changed", "detail": "ratio 2"}


def joined(**fans):
    """Two hosts, of which one was asked about a subject made up here."""
    documents = {name: document([guest(number)]) for name, number in (("pve1", "1"), ("pve2", "2"))}
    subjects = {"fan_noise": {"pve1": {**FANS, **fans}, "pve2": {}}, "writeback": {"pve1": LIMITS, "pve2": LIMITS}}
    return join_documents(documents, assessments=subjects)


def test_a_subject_made_up_here_is_in_every_report():
    doc = joined()
    lines = table_lines(doc)
    at = lines.index("HOSTS: fan noise")
    assert lines[at + 1] == "  pve1: too loud: 61 dB, 40 dB allowed" and lines[at + 3] == "HOSTS: write-back limits"
    assert lines[at + 4] == "  pve1, pve2: changed: ratio 2"
    assert "  pve1: error IO999: fan 3 is loud. Oil it." in lines
    page = html_report(doc)
    assert '<th scope="col" role="columnheader">Fan noise</th>' in page
    cell = '<td role="cell" data-label="Fan noise" class="assessment"><div>'
    assert f"{cell}too loud<br><small>61 dB, 40 dB allowed</small></div></td>" in page
    assert f"{cell}not asked</div></td>" in page
    assert judge(doc)["reason"] == "1 finding of severity error, not waived"
    assert "ERROR IO999 (1): fan 3 is loud" in gate_lines(doc)
    assert "fan 3 is loud" in junit_report(doc) and "fan 3 is loud" in sarif_report(doc)
    written = json.loads(json_report(doc))
    jsonschema.Draft202012Validator(SCHEMA).validate(written)
    about = {"subject": "fan_noise", "status": "too_loud", "changed": False, "detail": "61 dB, 40 dB allowed"}
    assert [one["assessments"][:-1] for one in written["hosts"]] == [[about], []]


def test_parts_keep_their_subjects_and_a_later_assessment_replaces_an_earlier_one():
    assert join_documents([unpack(pack(joined()))]) == joined()
    again = join_documents([joined()], assessments={"fan_noise": {"pve1": {"status": "compliant"}}})
    assert [(one["subject"], one["status"]) for one in again["hosts"][0]["assessments"]] == [
        ("writeback", "changed"),
        ("fan_noise", "compliant"),
    ]


def test_the_name_of_a_subject_is_shown_as_text():
    for name in HOSTILE:
        doc = join_documents({"pve1": document([guest()])}, assessments={name: {"pve1": {**FANS, "detail": name}}})
        assert "<script>alert" not in html_report(doc).lower()
        assert all(line.isprintable() for line in table_lines(doc))


@pytest.mark.parametrize(
    ("assessments", "says"),
    [
        ([], "assessments must be a dictionary of subjects"),
        ({"fans": []}, "assessments of fans must be a dictionary of host names"),
        ({"fans": {"pve1": "loud"}}, "fans of host pve1 is not a dictionary"),
        ({"fans": {"pve1": {"findings": {"a": 1}}}}, "fans of host pve1: findings is a dictionary, not a list"),
    ],
)
def test_anything_else_is_refused_with_its_name(assessments, says):
    with pytest.raises(ReportError, match=says):
        join_documents({"pve1": document()}, assessments=assessments)


def test_the_summary_of_a_ci_has_what_was_assessed_and_set():
    lines = markdown_report(joined()).splitlines()
    at = lines.index("### Settings of hosts")
    assert lines[at + 2] == "| what of the hosts | status | detail | hosts |"
    assert lines[at + 4 : at + 6] == [
        "| `Fan noise` | `too loud` | `61 dB, 40 dB allowed` | `pve1` |",
        "| `Write-back limits` | `changed` | `ratio 2` | `pve1, pve2` |",
    ]


def test_a_run_about_hosts_alone_has_a_day_and_misses_no_guest():
    report = {**FANS, "date": "2026-11-23", "findings": [{**LOUD, "host": None}]}
    variables = {"pve1": {"fans": report}, "pve2": {"fans": report}}
    names = {"documents": "guest_io_findings", "assessments": {"fan_noise": "fans"}}
    read = from_hosts(variables, variables.get, names, guests=False)
    doc = join_documents(read["documents"], assessments=read["assessments"])
    jsonschema.Draft202012Validator(SCHEMA).validate(json.loads(json_report(doc)))
    assert 'timestamp="2026-11-23T00:00:00"' in junit_report(doc)
    assert table_lines(doc)[0] == "Guest I/O, 2026-11-23: 2 hosts"
    page, summary = html_report(doc), markdown_report(doc)
    assert (
        "Judged on 2026-11-23" in page and "1 thing needs you" in page and "2026-11-23`: 2 hosts, 2 errors" in summary
    )
    for text in ("\n".join(table_lines(doc)), page, summary):
        assert "No guest was read" not in text and "look at the inventory" not in text
    quiet = join_documents(read["documents"], assessments={"fan_noise": {"pve1": {**report, "findings": []}}})
    assert "No host needs you: 2 hosts in order" in html_report(quiet)


def test_where_no_host_gave_a_report_no_day_is_made_up():
    doc = join_documents({"pve1": None})
    assert doc["date"] is None and "timestamp" not in junit_report(doc)


def test_what_needs_ssh_is_said_once_for_each_host():
    documents = {"cluster1": document([guest("1")])}
    behind = {subject: {"cluster1": needs_ssh(subject)} for subject in ("writeback", "load")}
    found = join_documents(documents, assessments=behind)
    for lines in (table_lines(found, width=200), gate_lines(found, "error", 200)):
        said = [line for line in lines if "needs ssh" in line or "reached through the API" in line]
        assert len(said) == 1 and said[0].startswith("  cluster1: write-back limits, ")
        assert "HOSTS: not looked at without ssh" in lines
