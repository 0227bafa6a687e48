# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

from __future__ import annotations

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.filter.harden import (
    guests_nowhere,
    harden_parts,
    value_refusals,
)

BOTH = ["guests", "limits"]


@pytest.mark.parametrize(("given", "guests", "run", "skip", "done"), [
    (None, [], ["all"], [], BOTH),
    (None, ["102"], ["all"], [], ["guests"]),
    (None, "102", ["guests"], [], ["guests"]),
    (None, ["102"], ["limits"], [], ["limits"]),
    (None, ["102"], ["guests", "limits"], [], BOTH),
    (None, [], ["all"], ["limits"], ["guests"]),
    (["limits", "guests"], ["102"], ["all"], [], BOTH),
    ("limits", ["102"], ["all"], [], ["limits"]),
    ("guests, limits", [], ["limits"], [], ["limits"]),
])  # fmt: skip
def test_parts(given, guests, run, skip, done):
    assert harden_parts(given, guests, run, skip) == done


@pytest.mark.parametrize("given", ["", [], "guest", ["guests", "limit"], [None], {"guests": True}, True, 7])
def test_parts_that_are_none_are_refused(given):
    with pytest.raises(Exception, match="harden_io_parts is .*; it takes a list of guests, limits, one at least"):
        harden_parts(given, [], ["all"], [])


@pytest.mark.parametrize(
    ("given", "guests", "run", "skip"), [("limits", [], ["guests"], []), (None, ["102"], ["all"], ["guests"])]
)
def test_parts_and_tags_that_leave_nothing_are_refused(given, guests, run, skip):
    with pytest.raises(Exception, match="nothing is left to do: "):
        harden_parts(given, guests, run, skip)


#: What cannot be meant as guests. Most of it is false to Ansible, as is the empty list that is all guests.
NAMES_NOBODY = [
    False,
    True,
    0,
    -1,
    None,
    "",
    " ",
    ",",
    "102,",
    [""],
    ["102", " "],
    [None],
    [False],
    {},
    {"102": True},
    1.5,
]


@pytest.mark.parametrize("guests", NAMES_NOBODY)
@pytest.mark.parametrize("given", [None, ["limits"]])
def test_what_names_no_guest_is_not_taken_for_all_of_them(guests, given):
    with pytest.raises(
        Exception, match="guest_io_guests is .*; it takes ids of guests, such as 102, .*; leave it out for all guests"
    ):
        harden_parts(given, guests, ["all"], [])


REFUSED = {
    "guest_io_guests": NAMES_NOBODY,
    "guest_io_run": ["my run", "a/b", "../x", ".x", "x" * 65, "é", "a\n", False, True, 0, -1, 1.5, ["a"]],
    "guest_io_journal": ["", "x", "./x", "~/x", "/a/../b", "/..", "/a\0b", None, False, 7, ["/x"]],
    "guest_io_batch": [0, -1, 10**5000, "", "0", "-1", "1.5", "1" * 5000, "abc", None, True, 1.5, [1]],
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_value_that_cannot_be_is_refused_in_a_short_sentence(name):
    for number, value in enumerate(REFUSED[name]):
        said = value_refusals({name: value})
        assert (
            len(said) == 1 and said[0].startswith(f"{name} is ") and "; it takes " in said[0] and len(said[0]) < 250
        ), number


def test_values_that_can_be():
    allowed = {
        "guest_io_guests": [[], ["102", 105], "102", "102, 105", 102, "a-guest-of-libvirt", ["a"]],
        "guest_io_run": ["", None, "20261128T124100Z", "change-4711_a.b", 4711, "x" * 64],
        "guest_io_journal": ["/", "/var/lib/hypervisor-io-hardening/journal", "/a..b/..c"],
        "guest_io_batch": [1, 25, "25", " 7 ", "007"],
    }
    assert [
        (name, value) for name, values in allowed.items() for value in values if value_refusals({name: value})
    ] == []


def test_values_of_other_variables_are_not_passed():
    with pytest.raises(Exception, match="value_refusals takes a dictionary"):
        value_refusals({"guest_io_root": "/"})


def test_what_was_given_is_shown_as_a_piece():
    long = "x" * 100_000
    assert guests_nowhere({"pve1": {long: False}}) == [f"guest {'x' * 59}… is not there; asked: pve1"]
    with pytest.raises(Exception, match=f"harden_io_parts is '{'x' * 58}…; it takes a list"):
        harden_parts(long, [], ["all"], [])


def test_a_guest_is_nowhere_only_where_no_host_has_it():
    answers = {"pve10": {"102": False, "9": False}, "pve2": {"102": True, "9": False}, "pve3": {}}
    assert guests_nowhere(answers) == ["guest 9 is not there; asked: pve2, pve10"]
    assert guests_nowhere({"pve1": {"102": True}, "pve2": {"102": False}}) == []
    assert guests_nowhere({"pve1": {"7": False}}, lacks="was not changed") == ["guest 7 was not changed; asked: pve1"]


@pytest.mark.parametrize("silent", [None, "", False])
def test_a_host_that_gave_no_answer_may_have_it(silent):
    answers = {"pve1": {"9": False}, "pve2": silent}
    assert guests_nowhere(answers, all_answered=True) == []
    assert guests_nowhere(answers) == ["guest 9 is not there; asked: pve1; no answer from pve2"]
