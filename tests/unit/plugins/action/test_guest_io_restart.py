# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The action guest_io_restart: one guest after another, until too many failed."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from ansible.errors import AnsibleConnectionFailure

from ansible_collections.hypervisor.io_hardening.plugins.action import guest_io_restart
from ansible_collections.hypervisor.io_hardening.tests.unit.in_process import run_action
from ansible_collections.hypervisor.io_hardening.tests.unit.plugins.plugin_utils._asked.test_restart import guest


@pytest.fixture
def restart(capsys):
    """Run the action on three guests that wait; ``failing`` are those whose restart fails."""

    def run(failing=(), broken_at=None, error=None, before=None, **options):
        done = []

        def guest_restart(guest, **_options):
            done.append(guest)
            if len(done) == broken_at:
                if error:
                    raise error
                return {"failed": True, "msg": "no such node"}
            status = "failed" if guest in failing else "restarted"
            result = {"guest": guest, "status": status, "seconds": 1.0, "detail": None}
            changed = status == "restarted"
            return {
                "changed": changed,
                "result": result,
                **({"failed": True, "msg": f"guest {guest}: no"} if guest in failing else {}),
            }

        modules = {
            "guest_io_info": lambda **_options: {"guests": [guest(number) for number in (102, 100, 101)]},
            "guest_restart": guest_restart,
        }
        options = {"match": "guest.id != ''", **options}
        variables = {
            "inventory_hostname": "pve1",
            "ansible_play_hosts_all": ["pve0", "pve1"],
            "hostvars": SimpleNamespace(raw_get=lambda host: {"restarted": (before or {}).get(host)}),
        }
        return run_action(guest_io_restart, variables, modules=modules, **options), done

    return run


def test_guests_are_restarted_in_the_order_of_their_ids(restart):
    returned, done = restart()
    assert done == ["100", "101", "102"] and returned["failures"] == []
    assert [result["guest"] for result in returned["results"]] == done


def test_no_guest_is_restarted_after_too_many_failed(restart):
    returned, done = restart(failing={"100", "101"}, max_failures=2)
    assert done == ["100", "101"] and returned["failures"] == ["guest 100: no", "guest 101: no"]
    assert not returned.get("failed"), "the playbook fails, after it has said what was done"


@pytest.mark.parametrize("error", [None, AnsibleConnectionFailure("no route")])
def test_a_host_that_gives_no_answer_keeps_what_was_done_and_fails_the_run_at_its_end(restart, error):
    returned, done = restart(broken_at=2, error=error)
    assert done == ["100", "101"] and [result["guest"] for result in returned["results"]] == ["100"]
    assert returned["broken"] and returned["changed"] and not returned.get("failed")
    assert returned["failures"] == ["cannot be reached: no route" if error else "no such node"]


@pytest.mark.parametrize(
    ("before", "restarts"),
    [
        ({}, True),
        ({"pve0": {"failures": ["guest 1: no"]}}, True),
        ({"pve0": {"failures": ["guest 1: no", "guest 2: no"]}}, False),
        ({"pve0": {"failures": ["x"], "broken": True}}, False),
    ],
)
def test_no_host_has_its_turn_after_the_run_stopped_on_another(restart, before, restarts):
    returned, done = restart(variable="restarted", max_failures=2, before=before)
    assert returned["stopped"] is not restarts and bool(done) is restarts


@pytest.mark.parametrize(
    ("match", "words"),
    [("", "is not set"), (["x"], "it takes a JMESPath expression"), ("guest.id ==", "restart_match")],
)
def test_without_a_selector_no_guest_is_restarted(restart, match, words):
    returned, done = restart(match=match)
    assert returned["failed"] and words in returned["msg"] and done == []


def test_a_check_run_says_of_no_guest_that_it_is_being_restarted(restart, capsys):
    restart(check=True)
    assert "restarting guest" not in capsys.readouterr().out
    restart()
    assert "restarting guest 100" in capsys.readouterr().out
