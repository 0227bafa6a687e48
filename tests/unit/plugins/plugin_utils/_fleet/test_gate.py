# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The gate's verdict: what fails it, and that nothing unknown passes."""

from __future__ import annotations

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._fleet.document import ReportError
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._fleet.gate import judge
from ansible_collections.hypervisor.io_hardening.tests.unit.plugins.plugin_utils._render.sample import (
    document,
    finding,
    guest,
    host,
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
def test_a_finding_of_that_severity_or_worse_fails_the_gate(severity, fail_on, passes):
    assert passed(finding(severity=severity), fail_on=fail_on) is passes


def test_a_waived_finding_does_not_fail_the_gate():
    assert passed(finding(waived=waiver()))
    assert not passed(finding(waived=waiver()), finding(disk="scsi1"))


def test_what_is_unknown_never_passes():
    assert not passed(guests=())
    assert not passed(hosts=[host("pve1"), host("pve2", reported=False)])
    assert judge(document([guest()], hosts=[host("pve2", reported=False)]))["reason"] == "no report from pve2"


def test_an_unknown_severity_is_refused_and_never_passes():
    with pytest.raises(ReportError, match="'fatal'; it takes one of error, warning, note"):
        judge(document([guest()]), "fatal")
    with pytest.raises(ReportError, match="severity 'fatal'"):
        judge(document([guest()], [finding(severity="fatal")]))


@pytest.mark.parametrize(
    ("fail_on", "passes"),
    [
        ("IO104", True),
        ("IO102", False),
        (["IO104", "IO102"], False),
        ("error,IO102", False),
        ("error, IO104", True),
        (["warning"], False),
    ],
)
def test_a_rule_fails_the_gate_whatever_its_severity(fail_on, passes):
    assert passed(finding(severity="warning", rule="IO102"), fail_on=fail_on) is passes
    assert passed(finding(severity="warning", rule="IO102", waived=waiver()), fail_on=fail_on)


def test_the_verdict_says_what_fails_the_gate():
    verdict = judge(document([guest()], [finding(severity="note", rule="IO111")]), "warning,IO111")
    assert verdict["reason"] == "1 finding of severity warning or worse, or of rule IO111, not waived, in 1 guest"
    assert verdict["fail_on"] == "warning,IO111"
    only_rules = judge(document([guest()]), ["IO104", "IO105"])
    assert only_rules["reason"] == "no finding of rule IO104 or IO105, or of what cannot be judged"


@pytest.mark.parametrize("fail_on", ["IO999", "error,warning", "", [], "error,", 7, ["error", 7], None, {"error": 1}])
def test_a_threshold_that_is_none_is_refused(fail_on):
    with pytest.raises(ReportError, match="ids of rules such as IO104"):
        judge(document([guest()]), fail_on)
