# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Which parts of harden_io a host gets, and which guests are on no host."""

from __future__ import annotations

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._asked.parts import nowhere, parts
from ansible_collections.hypervisor.io_hardening.tests.unit.plugins.plugin_utils._asked.test_values import NAMES_NOBODY

ALL = ["guests", "limits", "load", "host"]
BOTH = ["guests", "limits"]


@pytest.mark.parametrize(("given", "guests", "run", "skip", "done"), [
    (None, [], ["all"], [], ALL),
    (None, ["102"], ["all"], [], ["guests"]),
    (None, "102", ["guests"], [], ["guests"]),
    (None, ["102"], ["limits"], [], ["limits"]),
    (None, ["102"], ["guests", "limits"], [], BOTH),
    (None, [], ["all"], ["limits"], ["guests", "load", "host"]),
    (["host"], [], ["all"], [], ["host"]),
    (None, ["102"], ["load"], [], ["load"]),
    (["limits", "guests"], ["102"], ["all"], [], BOTH),
    ("limits", ["102"], ["all"], [], ["limits"]),
    ("guests, limits", [], ["limits"], [], ["limits"]),
])  # fmt: skip
def test_parts(given, guests, run, skip, done):
    assert parts(given, guests, run, skip) == done


@pytest.mark.parametrize("given", ["", [], "guest", ["guests", "limit"], [None], {"guests": True}, True, 7])
def test_parts_that_are_none_are_refused(given):
    with pytest.raises(
        Exception, match="harden_io_parts is .*; it takes a list of guests, limits, load, host, at least one"
    ):
        parts(given, [], ["all"], [])


@pytest.mark.parametrize(
    ("given", "guests", "run", "skip"), [("limits", [], ["guests"], []), (None, ["102"], ["all"], ["guests"])]
)
def test_parts_and_tags_that_leave_nothing_are_refused(given, guests, run, skip):
    with pytest.raises(Exception, match="nothing is left to do: "):
        parts(given, guests, run, skip)


@pytest.mark.parametrize("guests", NAMES_NOBODY)
@pytest.mark.parametrize("given", [None, ["limits"]])
def test_what_names_no_guest_is_not_taken_for_all_of_them(guests, given):
    with pytest.raises(
        Exception,
        match="guest_io_guests is .*; it takes ids of guests, such as 102 or web, .*; leave it unset for all guests",
    ):
        parts(given, guests, ["all"], [])


def test_what_was_given_is_shown_as_a_piece():
    long = "x" * 100_000
    assert nowhere({"pve1": {long: False}}, "is not there") == [f"guest {'x' * 59}… is not there; asked: pve1"]
    with pytest.raises(Exception, match=f"harden_io_parts is '{'x' * 58}…; it takes a list"):
        parts(long, [], ["all"], [])


def test_a_guest_is_nowhere_only_where_no_host_has_it():
    answers = {"pve10": {"102": False, "9": False}, "pve2": {"102": True, "9": False}, "pve3": {}}
    assert nowhere(answers, "is not there") == ["guest 9 is not there; asked: pve2, pve10"]
    assert nowhere({"pve1": {"102": True}, "pve2": {"102": False}}, "is not there") == []
    assert nowhere({"pve1": {"7": False}}, lacks="was not changed") == ["guest 7 was not changed; asked: pve1"]


def test_a_host_that_gave_no_answer_is_named():
    assert nowhere({"pve1": {"9": False}, "pve2": None}, "is not there") == [
        "guest 9 is not there; asked: pve1; no answer from pve2"
    ]
