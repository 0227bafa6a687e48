# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""A waiver covers the findings about hosts that its condition names, and no others."""

from __future__ import annotations

import datetime

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.module_utils._model.findings import finding, waiver_findings
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._host_policy import waivers
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._policy.errors import PolicyError
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._policy.waivers import Waivers

DAY = datetime.date(2026, 11, 28)
ONE = {"id": "W1", "rules": ["IO201"], "until": "2026-11-28", "reason": "old host", "match": "host == 'pve1'"}


def of(*documents):
    return Waivers(waivers.parse([("host_policy.waivers", list(documents))]), DAY)


def found(message, rule="IO201", host="pve1"):
    return finding(rule, "warning", message, "", host=host)


def waived(document, *findings, subject="causes"):
    return [one["waived"] and one["waived"]["id"] for one in waivers.waive(list(findings), subject, of(document))]


@pytest.mark.parametrize(
    ("match", "expected"),
    [
        ("host == 'pve1'", ["W1", "W1", None]),
        ("object == 'disk sda'", ["W1", None, "W1"]),
        ("object == `null`", [None, "W1", None]),
        ("subject == 'causes' && !object", [None, "W1", None]),
        ("contains(['pve2', 'pve3'], host)", [None, None, "W1"]),
        ("subject == 'load'", [None, None, None]),
        ("starts_with(host, 'pve')", ["W1", "W1", "W1"]),
    ],
)
def test_a_condition_sees_the_host_the_subject_and_the_object(match, expected):
    found_now = [found("disk sda: slow"), found("vm.swappiness is 60: high"), found("disk sda: slow", host="pve2")]
    assert waived({**ONE, "match": match}, *found_now) == expected


def test_a_waiver_covers_its_rules_alone_and_not_after_its_last_day():
    assert waived(ONE, found("a"), found("a", rule="IO202")) == ["W1", None]
    assert waived({**ONE, "until": "2026-11-27"}, found("a")) == [None]


def test_what_has_expired_or_matches_nothing_is_told_by_all_hosts_together():
    both = of(ONE, {**ONE, "id": "W2", "until": "2026-01-01"}, {**ONE, "id": "W3", "match": "host == 'gone'"})
    for host in ("pve1", "pve2"):
        waivers.waive([found("a", host=host)], "writeback", both)
    used = both.used()
    assert [(one["id"], one["matched"], one["expired"]) for one in used] == [
        ("W1", 1, False),
        ("W2", 1, True),
        ("W3", 0, False),
    ]
    assert [one["rule"] for one in waiver_findings(used)] == ["IO121", "IO122"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"match": "guest.id == '105'"}, "match: uses guest, which does not exist: \"guest.id == '105'\". Allowed are host, object, subject."),
        ({"match": "pve1"}, "Write text in raw quotes: 'pve1'."),
        ({"match": "'pve1'"}, "a value; it takes a condition such as host == 'pve1' or contains(['pve1', 'pve2'], host)"),
        ({"match": "host == `1`"}, "compares host, which is text, with the number 1"),
        ({"rules": ["IO101"]}, "rules[0]: is 'IO101', it takes a rule id such as IO301"),
        ({"guest_only": True}, "guest_only: is not known; allowed here: id, match, rules, until, reason"),
        ({"until": "soon"}, "until: is 'soon', it takes a date such as 2027-03-31"),
    ],
)  # fmt: skip
def test_a_mistake_is_refused_with_its_place(change, said):
    with pytest.raises(PolicyError) as caught:
        of({**ONE, **change})
    assert str(caught.value).startswith("host_policy.waivers[0].") and said in str(caught.value)


@pytest.mark.parametrize(
    ("match", "said"),
    [
        (
            "host",
            "returns 'pve1' for host pve1 disk sda: 'host'; it takes a condition such as host == 'pve1' or object != `null`",
        ),
        ("length(object) > `3` && sum(host) > `1`", "fails for host pve1 disk sda"),
    ],
)
def test_a_condition_that_cannot_be_evaluated_is_an_error(match, said):
    with pytest.raises(PolicyError) as caught:
        waived({**ONE, "match": match}, found("disk sda: slow"))
    assert said in str(caught.value)
