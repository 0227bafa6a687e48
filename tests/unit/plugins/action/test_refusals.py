# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The actions refuse_missing_guests and harden_parts."""

from __future__ import annotations

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.action import (
    harden_parts,
    refuse_missing_guests,
)
from ansible_collections.hypervisor.io_hardening.tests.unit.in_process import run_action

ALL = {"ansible_run_tags": ["all"], "ansible_skip_tags": []}


@pytest.mark.parametrize("silent", [None, "", False])
def test_a_guest_that_no_host_has_is_refused_once_all_have_answered(silent):
    answers = {"pve1": {"9": False}, "pve2": {"9": False}}
    returned = run_action(refuse_missing_guests, answers=answers, lacks="was not changed by run r1")
    assert returned["failed"] and returned["msg"] == "guest 9 was not changed by run r1; asked: pve1, pve2"
    assert run_action(refuse_missing_guests, answers={**answers, "pve2": silent}) == {"changed": False}
    assert run_action(refuse_missing_guests, answers={**answers, "pve3": {"9": True}}) == {"changed": False}


def test_the_parts_of_a_host_and_what_leaves_none():
    assert run_action(harden_parts, ALL, guests=[])["parts"] == ["guests", "limits", "load", "host"]
    roots = {"limits": "/w", "load": "/l", "host": "/h"}
    assert run_action(harden_parts, ALL, parts=["host", "limits"], guests=[], roots=roots)["roots"] == {
        "writeback": "/w", "queues": "/h", "versions": "/h", "causes": "/h"}  # fmt: skip
    assert run_action(harden_parts, ALL, guests=["102"])["parts"] == ["guests"]
    returned = run_action(harden_parts, {**ALL, "ansible_skip_tags": ["guests"]}, guests="102")
    assert returned["failed"] and "nothing is left to do" in returned["msg"]
    assert "guest_io_guests is null" in run_action(harden_parts, ALL, guests=None)["msg"]
