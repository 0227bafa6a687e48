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
    with pytest.raises(ReportError, match="'fatal'; allowed are error, warning, note"):
        judge(document([guest()]), "fatal")
    with pytest.raises(ReportError, match="severity 'fatal'"):
        judge(document([guest()], [finding(severity="fatal")]))
