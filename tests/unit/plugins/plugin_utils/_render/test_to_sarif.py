# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

from __future__ import annotations

import json
import re
from pathlib import Path
from urllib.parse import unquote

import jsonschema
import pytest

from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._policy.rules import RULES
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._render import to_sarif, tool
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._render.to_sarif import left_out, sarif_report
from ansible_collections.hypervisor.io_hardening.tests.unit.plugins.plugin_utils._render.sample import (
    HOSTILE,
    document,
    finding,
    fleet,
    guest,
    host,
    hostile,
    waiver,
)

SCHEMA = Path(__file__).parents[5] / "build" / "sarif-2.1.0.json"


def run(doc, **options):
    log = json.loads(sarif_report(doc, **options))
    assert log["version"] == "2.1.0" and len(log["runs"]) == 1
    return log["runs"][0]


@pytest.mark.parametrize("doc", [document(), fleet(100), hostile(), document(hosts=[host("pve2", False)])])
def test_valid_against_the_published_schema(doc):
    if not SCHEMA.exists():
        pytest.skip("the published SARIF schema is absent: tests/tools/sarif-schema brings it")
    validator = jsonschema.Draft7Validator(json.loads(SCHEMA.read_text("utf-8")))
    assert [error.message for error in validator.iter_errors(json.loads(sarif_report(doc)))] == []


def test_a_finding_points_at_file_and_line_and_its_rule():
    one = run(document([guest()], [finding(), finding(rule="IO111", severity="note")]))
    first = one["results"][0]
    assert first["locations"][0] == {
        "physicalLocation": {
            "artifactLocation": {"uri": "file:///etc/pve/nodes/pve1/qemu-server/101.conf"},
            "region": {"startLine": 12},
        },
        "logicalLocations": [{"name": "scsi0", "fullyQualifiedName": "101/scsi0", "kind": "resource"}],
    }
    assert first["level"] == "error"
    assert first["message"]["text"] == "the disk has no iothread in effect. Set iothread=1 and virtio-scsi-single."
    for result in one["results"]:
        assert one["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
    assert [rule["defaultConfiguration"]["level"] for rule in one["tool"]["driver"]["rules"]] == ["error", "note"]
    assert all(rule["help"]["text"] for rule in one["tool"]["driver"]["rules"])


@pytest.mark.parametrize(
    "file, base, wanted",
    [
        ("/repo/pve/101.conf", "/repo", {"uri": "pve/101.conf", "uriBaseId": "%SRCROOT%"}),
        ("/repo/pve/101.conf", "/repo/", {"uri": "pve/101.conf", "uriBaseId": "%SRCROOT%"}),
        ("/repository/101.conf", "/repo", {"uri": "file:///repository/101.conf"}),
        ("pve/10 1#.conf", "", {"uri": "pve/10%201%23.conf", "uriBaseId": "%SRCROOT%"}),
        ("./bad/102.conf", "/repo", {"uri": "bad/102.conf", "uriBaseId": "%SRCROOT%"}),
        ("./bad/102.conf", "", {"uri": "bad/102.conf", "uriBaseId": "%SRCROOT%"}),
        ("bad/../bad/102.conf", "/repo", {"uri": "bad/102.conf", "uriBaseId": "%SRCROOT%"}),
        ("/repo/x/../bad//102.conf", "/repo/./", {"uri": "bad/102.conf", "uriBaseId": "%SRCROOT%"}),
        ("../bad/102.conf", "/repo", {"uri": "file:///bad/102.conf"}),
        ("../bad/102.conf", "", {"uri": "../bad/102.conf"}),
        ("//x/102.conf", "/repo", {"uri": "file:///x/102.conf"}),
        ("/x/102.conf", "/", {"uri": "x/102.conf", "uriBaseId": "%SRCROOT%"}),
        ("b\udcff/\u65e5.conf", "", {"uri": "b%FF/%E6%97%A5.conf", "uriBaseId": "%SRCROOT%"}),
        ("b\ud800.conf", "", {"uri": "b%ED%A0%80.conf", "uriBaseId": "%SRCROOT%"}),
    ],
)
def test_addresses(file, base, wanted):
    location = run(document([], [finding(file=file)]), base=base)["results"][0]["locations"][0]
    assert location["physicalLocation"]["artifactLocation"] == wanted


def test_relative_names_start_from_where_they_were_read():
    one = run(document([], [finding(file="../configs/101.conf")]), base="/repo", here="/repo/ci")["results"][0][
        "locations"
    ][0]
    assert one["physicalLocation"]["artifactLocation"] == {"uri": "configs/101.conf", "uriBaseId": "%SRCROOT%"}


def test_a_waived_finding_is_suppressed_with_the_waivers_words_and_the_others_say_they_are_not():
    results = run(document([], [finding(waived=waiver()), finding("102")]))["results"]
    assert results[0]["suppressions"] == [
        {
            "kind": "external",
            "status": "accepted",
            "justification": "W-1 until 2027-03-31: vendor appliance, lsi driver only",
        }
    ]
    assert results[1]["suppressions"] == []


def test_a_fingerprint_is_of_place_and_rule_alone():
    def prints(*findings):
        return [result["partialFingerprints"]["guestIo/v1"] for result in run(document([], findings))["results"]]

    one = prints(finding())
    assert prints(finding(line=99, message="other words", actual="native", name="renamed", waived=waiver())) == one
    assert prints(finding(file="./bad/../101.conf")) == prints(finding(file="101.conf"))
    others = [finding("102"), finding(disk="scsi1"), finding(rule="IO103"), finding(host="pve2")]
    assert len({text.split(":")[0] for text in prints(finding(), *others)}) == 5
    assert len(set(prints(finding(), finding()))) == 2


def test_findings_of_hosts_in_one_file_are_known_by_what_they_are_about():
    def of_job(name, line=7, said="it has no fleecing"):
        about = {"disk": None, "name": None, "node": None, "host": "pve1", "file": "/etc/pve/jobs.cfg", "rule": "IO301"}
        return finding(None, message=f"job {name}: {said}", line=line, **about)

    def prints(*findings):
        return [result["partialFingerprints"]["guestIo/v1"] for result in run(document([], findings))["results"]]

    nightly = prints(of_job("nightly"))
    assert prints(of_job("hourly"), of_job("nightly"))[1:] == nightly
    assert prints(of_job("nightly", line=3, said="other words")) == nightly


def test_every_rule_leads_to_its_heading_in_the_documentation():
    headings = re.findall(
        "^## (.*)$", (Path(__file__).parents[5] / "docs" / "rules.md").read_text("utf-8"), re.MULTILINE
    )
    anchors = {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
    rules = run(document([], [finding(rule=rule) for rule in RULES]))["tool"]["driver"]["rules"]
    assert {unquote(rule["helpUri"].split("#")[1]) for rule in rules} <= anchors and len(rules) == len(RULES)


def test_the_tool_and_its_rules_say_what_github_reads():
    driver = run(document([], [finding(rule=rule) for rule in RULES]))["tool"]["driver"]
    assert driver["semanticVersion"] == driver["version"] == tool.VERSION
    by_id = {rule["id"]: rule for rule in driver["rules"]}
    for rule in by_id.values():
        assert rule["help"]["markdown"].endswith(f"[More about {rule['id']}]({rule['helpUri']})")
        assert rule["properties"]["precision"] == "high" and "security-severity" not in rule["properties"]
    assert by_id["IO102"]["properties"]["tags"] == ["reliability", "guest"]
    assert by_id["IO122"]["properties"]["tags"] == ["reliability", "waiver"]
    assert by_id["IO201"]["properties"]["tags"] == ["reliability", "host", "write-back"]
    assert by_id["IO401"]["properties"]["tags"] == ["reliability", "guest", "known-defect"]
    assert by_id["IO402"]["properties"]["tags"] == ["reliability", "host", "known-defect"]
    assert {rule["properties"]["problem.severity"] for rule in by_id.values()} == {"error", "warning", "recommendation"}
    assert (
        "**Source:** " in by_id["IO103"]["help"]["markdown"] and "**Measured:** " in by_id["IO103"]["help"]["markdown"]
    )


def test_a_silent_host_makes_the_run_unsuccessful():
    silent = run(document(hosts=[host("pve1"), host("pve2", False)]))["invocations"][0]
    assert silent["executionSuccessful"] is False
    assert "pve2" in silent["toolExecutionNotifications"][0]["message"]["text"]
    assert run(document(hosts=[host("pve1")]))["invocations"] == [{"executionSuccessful": True}]


def test_hostile_names_are_text():
    text = sarif_report(hostile())
    assert text.isascii()
    results = json.loads(text)["runs"][0]["results"]
    assert [result["properties"]["name"] for result in results] == HOSTILE
    uri = results[0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert unquote(uri) == "file:///etc/pve/<script>alert(1)</script>" and "<" not in uri


def test_a_finding_without_a_file_or_a_place_is_reported():
    one = run(
        document([], [finding(None, disk=None, file=None, line=None, host="pve1"), finding(None, disk=None, file=None)])
    )
    assert [result.get("locations") for result in one["results"]] == [
        [{"logicalLocations": [{"name": "pve1", "fullyQualifiedName": "pve1", "kind": "resource"}]}],
        None,
    ]


@pytest.fixture
def github(monkeypatch):
    """Takes a thousandth of what it really takes."""
    assert to_sarif.MOST_RESULTS == 25_000
    monkeypatch.setattr(to_sarif, "MOST_RESULTS", 25)


def test_the_most_severe_unwaived_findings_are_kept_where_github_takes_no_more(github):
    def many(count, **about):
        return [finding(str(number), **about) for number in range(count)]

    found = [
        *many(9, severity="note", rule="IO111"),
        *many(9, rule="IO102", waived=waiver()),
        *many(9, severity="warning", rule="IO104"),
        *many(9, severity="error", rule="IO103"),
    ]
    one = run(document([], found))
    kept = [result["ruleId"] for result in one["results"]]
    assert {rule: kept.count(rule) for rule in set(kept)} == {"IO103": 9, "IO104": 9, "IO111": 7}
    assert kept == sorted(kept, key=["IO111", "IO104", "IO103"].index)
    (told,) = one["invocations"][0]["toolExecutionNotifications"]
    assert told["level"] == "warning" and "the 25 most severe of 36 findings" in told["message"]["text"]
    assert one["invocations"][0]["executionSuccessful"] is True
    assert left_out(document([], found[:25])) is None and len(run(document([], found[:25]))["results"]) == 25


def test_a_fingerprint_does_not_depend_on_what_was_left_out(github):
    twice = [finding(severity="note"), finding(severity="error")]
    others = [finding(str(number), severity="warning") for number in range(24)]
    wanted = run(document([], twice))["results"][1]["partialFingerprints"]
    assert run(document([], [*twice, *others]))["results"][0]["partialFingerprints"] == wanted
