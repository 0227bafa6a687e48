# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The action guest_io_summary: one table of all hosts, from the variables in which they have what was returned."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.action import guest_io_summary
from ansible_collections.hypervisor.io_hardening.tests.unit.in_process import run_action
from ansible_collections.hypervisor.io_hardening.tests.unit.plugins.plugin_utils._render import test_operations


@pytest.fixture
def summary(capsys):
    """What was returned, and the text."""

    def run(done, **options):
        raw = SimpleNamespace(raw_get=lambda host: {"done": done[host]})
        returned = run_action(guest_io_summary, {"hostvars": raw}, hosts=list(done), **options)
        return returned, capsys.readouterr().out

    return run


def test_restarts_end_with_a_table_and_what_next(summary):
    returned, text = summary(test_operations.restarts(), restarts="done")
    assert (
        "Restarts: 4 guests that wait on 2 hosts" in text and "WHAT NEXT\n  Restart the 2 guests that wait:\n" in text
    )
    assert returned == {"changed": False, "failures": dict.fromkeys(test_operations.restarts(), []), "trouble": False}


def test_what_is_skipped_is_not_called_nothing_to_do(summary):
    (guest,) = test_operations.order(test_operations.guest(103, test_operations.LOCKED))["skipped"]
    order = {"order": [], "skipped": [guest], "nothing_pending": [], "names_nobody": None}
    _returned, text = summary({"pve1": {"order": order, "results": []}}, restarts="done", check=True)
    assert "Nothing to do" not in text and "what is left needs a person, see above" in text


def test_a_rollback_ends_with_a_table_and_what_fails_it(summary):
    returned, text = summary(test_operations.rollbacks(), rollbacks="done", run="r2-rollback")
    assert "Rollback of run r1" in text and "rollback_run=r2-rollback" in text
    assert returned["failures"] == {"pve1": ["1 guest failed"], "pve2": []} and returned["trouble"]
