# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

from __future__ import annotations

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.filter.harden import guests_nowhere, harden_parts

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


@pytest.mark.parametrize(("given", "guests", "run", "skip"), [("limits", [], ["guests"], []), (None, ["102"], ["all"], ["guests"])])
def test_parts_and_tags_that_leave_nothing_are_refused(given, guests, run, skip):
    with pytest.raises(Exception, match="nothing is left to do: "):
        harden_parts(given, guests, run, skip)


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
