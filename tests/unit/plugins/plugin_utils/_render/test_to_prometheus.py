# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

from __future__ import annotations

import re

import pytest
from prometheus_client.parser import text_string_to_metric_families

from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._fleet.outcome import STATES
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._render.to_prometheus import prometheus_report
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

NOW = 1_795_885_200.25


def families(doc, **options):
    text = prometheus_report(doc, NOW, **options)
    found = list(text_string_to_metric_families(text))
    assert len({family.name for family in found}) == len(found)
    return {family.name: family for family in found}


def samples(doc, name, **options):
    family = families(doc, **options)["guest_io_" + name]
    return {tuple(sample.labels.values()): sample.value for sample in family.samples}


@pytest.mark.parametrize("doc", [document(), fleet(100), hostile(), document(hosts=[host("pve2", False)])])
def test_the_names_follow_prometheus_conventions(doc):
    """What promtool check metrics looks at, and that no sample is there twice or has a time of its own."""
    text = prometheus_report(doc, NOW)
    assert text.endswith("\n") and "\n\n" not in text and "#" not in text.replace("# HELP ", "").replace("# TYPE ", "")
    for family in families(doc).values():
        assert re.fullmatch(r"guest_io(_[a-z]+)+", family.name)
        assert family.documentation.endswith(".") and family.type == "gauge"
        assert not family.name.endswith(("_total", "_count", "_sum", "_bucket", "_gauge"))
        assert not re.search(r"_(milliseconds|minutes|hours|days|kilobytes|percent)", family.name)
        places = [tuple(sorted(sample.labels.items())) for sample in family.samples]
        assert len(places) == len(set(places)) > 0
        assert all(sample.timestamp is None for sample in family.samples)
        assert all("" not in sample.labels.values() for sample in family.samples)


def test_guests_are_counted_by_state_and_each_host_has_every_state():
    doc = document(
        [
            guest("101", host="pve1"),
            guest("102", "to_change", host="pve1"),
            guest("103", "unresolved", host="pve1"),
            guest("101", "waived", disks=2, host="pve2"),
        ],
        results=[result("102", host="pve1", restart_pending=True), result("103", host="pve1", restart_pending=True)],
        hosts=[host("pve1"), host("pve2"), host("pve3", False)],
    )
    counts = samples(doc, "guests")
    assert {place for place, count in counts.items() if count} == {
        ("pve1", "compliant"),
        ("pve1", "restart_pending"),
        ("pve1", "unresolved"),
        ("pve2", "waived"),
    }
    assert len(counts) == 3 * len(STATES)
    assert samples(doc, "guests", check=True)["pve1", "to_change"] == 1
    # A guest that waits may be unresolved, too.
    assert samples(doc, "guests_restart_pending") == {("pve1",): 2, ("pve2",): 0, ("pve3",): 0}
    assert samples(doc, "host_reported") == {("pve1",): 1, ("pve2",): 1, ("pve3",): 0}
    assert samples(doc, "disks")["pve2", "waived"] == 2


def test_the_oldest_start_of_those_that_wait_bounds_how_long_they_have_waited():
    about = {"host": "pve1"}
    doc = document(
        [
            guest("101", "restart_pending", started="2026-10-01T06:00:12Z", **about),
            guest("102", "restart_pending", started="2026-09-01T00:00:00Z", **about),
            guest("103", "compliant", started="2025-01-01T00:00:00Z", **about),
            guest("104", "restart_pending", started=None, **about),
            guest("105", "restart_pending", started="nonsense", host="pve2"),
        ]
    )
    name = "restart_pending_oldest_start_timestamp_seconds"
    assert samples(doc, name) == {("pve1",): 1788220800}
    assert "guest_io_" + name not in families(document([guest()]))


def test_findings_are_counted_by_rule_and_severity_and_waived_ones_apart():
    found = [
        finding(host="pve1"),
        finding("102", host="pve1"),
        finding("103", host="pve1", severity="warning"),
        finding("104", host="pve1", waived=waiver()),
        finding(None, file=None, rule="IO121", severity="warning"),
        finding("105"),
    ]
    doc = document([], found)
    assert samples(doc, "findings") == {
        ("pve1", "IO102", "error"): 2,
        ("pve1", "IO102", "warning"): 1,
        ("policy", "IO121", "warning"): 1,
        ("configs", "IO102", "error"): 1,
    }
    assert samples(doc, "waived_findings") == {("pve1", "IO102", "error"): 1}


def test_the_run_and_its_verdict():
    doc = document(gate={"fail_on": "error", "passed": False, "reason": "2 findings"}, complete=False)
    assert samples(doc, "last_run_timestamp_seconds") == {(): NOW}
    assert samples(doc, "gate_passed") == {("error",): 0}
    assert samples(doc, "run_complete") == {(): 0} and samples(document(), "run_complete") == {(): 1}
    assert "guest_io_gate_passed" not in families(document())
    assert list(samples(doc, "info").values()) == [1]


@pytest.mark.parametrize("name", [*HOSTILE, 'a"} 1\nguest_io_info 2', "a\\"])
def test_a_label_is_one_whatever_a_host_is_called(name):
    doc = document([guest(host=name)], [finding(host=name, rule=name)], hosts=[host(name)])
    assert len(samples(doc, "findings")) == 1 and len(samples(doc, "guests")) == len(STATES)
    assert len(families(doc)) == 8


def test_hosts_that_look_alike_are_one():
    """Of two equal samples node_exporter would take none."""
    doc = document([guest(host="a\n"), guest(host="a\\n")], hosts=[host("a\n"), host("a\\n", False)])
    assert samples(doc, "guests")["a\\n", "compliant"] == 2 and samples(doc, "host_reported") == {("a\\n",): 0}
