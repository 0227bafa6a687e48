# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._fleet.document import ReportError
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._render.to_junit import junit_report
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

# the common ground of Jenkins' xUnit schema and pytest's xunit2: element -> (attributes, required ones, children)
SHAPE = {
    "testsuites": (
        {"name", "tests", "failures", "errors", "skipped", "time"},
        {"tests", "failures", "errors"},
        {"testsuite"},
    ),
    "testsuite": (
        {"id", "name", "hostname", "timestamp", "time", "tests", "failures", "errors", "skipped"},
        {"name", "tests", "failures", "errors"},
        {"testcase"},
    ),
    "testcase": ({"classname", "name", "time"}, {"classname", "name"}, {"failure", "error", "skipped", "system-out"}),
    "failure": ({"message", "type"}, {"message", "type"}, set()),
    "error": ({"message", "type"}, {"message", "type"}, set()),
    "skipped": ({"message"}, {"message"}, set()),
    "system-out": (set(), set(), set()),
}


def check(element):
    attributes, required, children = SHAPE[element.tag]
    assert required <= set(element.attrib) <= attributes, element.tag
    assert {child.tag for child in element} <= children, element.tag
    if element.tag == "testcase":
        assert len(element) <= 1
    for name in ("tests", "failures", "errors", "skipped"):
        if name in element.attrib:
            wanted = {"tests": "testcase", "failures": "failure", "errors": "error", "skipped": "skipped"}[name]
            assert int(element.get(name)) == len(list(element.iter(wanted))), (element.tag, name)
    for child in element:
        check(child)


def report(doc, **options):
    root = ET.fromstring(junit_report(doc, **options).encode("utf-8"))
    assert root.tag == "testsuites"
    check(root)
    return {
        (case.get("classname"), case.get("name")): (case[0].tag if len(case) else "passed")
        for case in root.iter("testcase")
    }


SMALL = document(
    [guest("101", "to_change", 2), guest("9", "compliant", 2), guest("7", "waived", 0, name="")],
    [
        finding("101", file=None),
        finding("101", disk=None, rule="IO101"),
        finding("101", rule="IO104", severity="warning"),
        finding("7", name="", rule="IO103", waived=waiver()),
        finding(None, file=None, disk=None, name=None, rule="IO121", severity="warning"),
    ],
)


def test_one_case_per_guest_disk_and_rule():
    doc = {
        **SMALL,
        "guests": [
            {**g, "disks": [{**d, "compliant": d["key"] != "scsi0"} for d in g["disks"]]} for g in SMALL["guests"]
        ],
    }
    doc["guests"][1] = guest("9", "compliant", 2)
    assert report(doc) == {
        ("configs.7", "scsi0 IO103"): "skipped",
        ("configs.9 web01", "scsi0 complies"): "passed",
        ("configs.9 web01", "scsi1 complies"): "passed",
        ("configs.9 web01", "guest complies"): "passed",
        ("configs.101 web01", "guest IO101"): "failure",
        ("configs.101 web01", "scsi0 IO102"): "failure",
        ("configs.101 web01", "scsi0 IO104"): "system-out",
        ("configs.101 web01", "scsi1 complies"): "passed",
        ("policy", "policy IO121"): "system-out",
    }


@pytest.mark.parametrize("fail_on, failures", [("error", 2), ("warning", 4), ("note", 4)])
def test_the_threshold(fail_on, failures):
    assert list(report(SMALL, fail_on=fail_on).values()).count("failure") == failures


def test_a_waived_finding_names_its_waiver_end_and_reason():
    assert "waived by W-1 until 2027-03-31: vendor appliance, lsi driver only" in junit_report(SMALL)


def test_a_failure_says_where_and_what_to_do():
    text = junit_report(document([guest()], [finding()]))
    assert "What to do: Set iothread=1 and virtio-scsi-single." in text
    assert "Found: no iothread. Wanted: iothread." in text
    assert "Where: /etc/pve/nodes/pve1/qemu-server/101.conf:12" in text


def test_a_finding_that_compares_nothing_has_no_found_and_wanted():
    assert "Wanted" not in junit_report(document([guest()], [finding(rule="IO100", actual=None, wanted=None)]))


def test_a_finding_that_wants_no_value_has_only_what_was_found():
    text = junit_report(document([guest()], [finding(rule="IO305", actual="5", wanted=None)]))
    assert "Found: 5." in text and "Wanted" not in text


def test_a_silent_host_is_an_error():
    assert report(document(hosts=[host("pve1"), host("pve2", False)])) == {("pve2", "report"): "error"}


def test_a_finding_of_a_guest_that_could_not_be_read_is_not_lost():
    assert report(document([], [finding("104", disk=None, name=None, rule="IO100")])) == {
        ("configs.104", "guest IO100"): "failure"
    }


def test_two_findings_of_a_rule_in_one_place_are_two_cases():
    assert set(report(document([guest("1")], [finding("1"), finding("1", line=14)]))) == {
        ("configs.1 web01", "scsi0 IO102"),
        ("configs.1 web01", "scsi0 IO102 (2)"),
    }


def test_a_noncompliant_disk_never_passes():
    """Its finding may be about the guest, for instance about its controller."""
    doc = document([guest("1", "to_change", 2)], [finding("1", disk=None, rule="IO101")])
    assert set(report(doc)) == {("configs.1 web01", "guest IO101")}


def test_values_of_several_parts_are_words():
    text = junit_report(document([guest()], [finding(actual={"dirty_ratio": 20}, wanted=["threads", "io_uring"])]))
    assert "Found: dirty_ratio 20. Wanted: threads or io_uring." in text


def test_suites_are_hosts():
    root = ET.fromstring(junit_report(fleet(40)))
    assert [(suite.get("name"), suite.get("hostname")) for suite in root] == [("pve%d" % n,) * 2 for n in (1, 2, 3, 4)]


def test_hostile_names_are_text():
    text = junit_report(hostile())
    text.encode("utf-8")
    assert "<script" not in text
    assert re.search("[^\x20-\ud7ff\n\uff1d\U0001f600]", text) is None
    cases = report(hostile())
    assert ("configs.100 <script>alert(1)</script>", "scsi0 IO102") in cases
    assert ("configs.101 {{ lookup('pipe','id') }}", "scsi0 IO102") in cases
    assert len(cases) == len(HOSTILE)


def test_a_threshold_other_than_a_severity_is_refused():
    with pytest.raises(ReportError, match="'fatal'; it takes one of error, warning, note"):
        junit_report(SMALL, fail_on="fatal")


def test_the_same_number_on_two_nodes_is_two_guests():
    doc = document([guest("1", node="a"), guest("1", node="b")], [finding("1", node="b")])
    assert report(doc) == {
        ("configs.a.1 web01", "scsi0 complies"): "passed",
        ("configs.a.1 web01", "guest complies"): "passed",
        ("configs.b.1 web01", "scsi0 IO102"): "failure",
    }
