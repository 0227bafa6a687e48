# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The action refuse_mistakes: a name that nothing looks at ends the run, all others pass."""

from __future__ import annotations

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.action import refuse_mistakes
from ansible_collections.hypervisor.io_hardening.tests.unit.in_process import run_action

NOTHING_ASKED = {"changed": False, "answers": [], "answered": False, "complete": True}


class HostVars(dict):
    """As Ansible's: ``raw_get`` does not template."""

    def raw_get(self, host):
        return self[host]


@pytest.fixture
def refuse(monkeypatch):
    """Run the action for pve1 with extra variables, tags and variables of each host."""

    def run(extra=(), inventory=None, run_tags=("all",), skip_tags=(), limit=None, **options):
        monkeypatch.setattr(refuse_mistakes, "load_extra_vars", lambda loader: dict.fromkeys(extra))
        hostvars = HostVars(inventory or {"pve1": {}})
        names = list(hostvars)
        task_vars = {
            "ansible_play_hosts_all": names if limit is None else limit,
            "groups": {"all": names, "ungrouped": [], "nodes": [name for name in names if name.startswith("pve")]},
            "hostvars": hostvars,
            "inventory_hostname": "pve1",
            "ansible_run_tags": list(run_tags),
            "ansible_skip_tags": list(skip_tags),
            **hostvars.get("pve1", {}),
            **dict.fromkeys(extra, "1"),
        }
        return run_action(refuse_mistakes, task_vars, **{"prefixes": ["guest_io_"], **options})

    return run


def test_known_names_and_those_of_others_pass(refuse):
    assert refuse(["guest_io_guests", "nginx_port"]) == NOTHING_ASKED


def test_an_unknown_extra_variable_ends_the_run(refuse):
    returned = refuse(["guest_io_guest"])
    assert returned["failed"] and returned["msg"].endswith(" Did you mean guest_io_guests?")


INVENTORY = {
    "pve1": {"guest_io_policy": {}},
    "pve2": {"guest_io_policy": {}, "guest_io_polic": {}},
    "web1": {"guest_io_guest": "of a host that the run is not about"},
}


def test_a_variable_of_a_host_is_named_with_its_host(refuse):
    returned = refuse(inventory=INVENTORY, hosts="nodes")
    assert returned["failed"] and returned["msg"].startswith("guest_io_polic, set for pve2: no such variable.")
    assert "guest_io_guest:" not in returned["msg"]


def test_without_hosts_the_variables_of_the_task_are_looked_at(refuse):
    assert refuse(inventory=INVENTORY) == NOTHING_ASKED
    assert "guest_io_polic" in refuse(inventory={"pve1": {"guest_io_polic": {}}})["msg"]


def test_a_selection_that_the_playbook_does_not_look_at_ends_the_run(refuse):
    returned = refuse(["rollback_guests"], prefixes=["guest_io_", "rollback_"], names_guests=["guest_io_guests"])
    assert returned["failed"] and "rollback_guests: this playbook does not look at it" in returned["msg"]
    assert "failed" not in refuse(["guest_io_guests"], names_guests=["guest_io_guests"])


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"run_tags": ["gests"]}, "--tags gests: no such tag."),
        ({"skip_tags": ["gests"]}, "--skip-tags gests: no such tag."),
        ({"run_tags": ["guests"]}, None),
    ],
)
def test_an_unknown_tag_ends_the_run(refuse, given, words):
    returned = refuse(tags=["guests", "limits"], **given)
    assert words in returned["msg"] if words else "failed" not in returned


def test_a_run_without_a_host_ends_where_its_playbook_needs_one(refuse):
    returned = refuse(hosts="nodes:!pve1", does="harden")
    assert returned["msg"].startswith("Nothing to harden: no host of nodes:!pve1 is in the inventory and its limit.")
    assert "-e io_hardening_hosts=PATTERN" in returned["msg"]
    assert refuse(hosts="nodes", limit=[], no_hosts="Nothing.") == {"failed": True, "msg": "Nothing."}
    assert "failed" not in refuse(hosts="nodes", does="harden")


@pytest.mark.parametrize("pattern", [["pve1"], "", " ", None, 5, True])
def test_a_pattern_that_is_none_ends_the_run(refuse, pattern):
    returned = refuse(hosts=pattern)
    assert returned["failed"] and "; it takes a host pattern of Ansible, such as proxmox_nodes" in returned["msg"]


@pytest.mark.parametrize(
    ("pattern", "limit", "complete"),
    [
        ("nodes", None, True),
        ("nodes", ["pve1", "web1"], False),
        ("pve1,pve2", ["pve1"], False),
        ("pve1,pve2", None, True),
        ("all:!web*", ["pve1", "pve2"], True),
        (r"~pve\d", ["pve1", "pve2"], True),
    ],
)
def test_a_limit_leaves_out_hosts_of_the_pattern_or_not(refuse, pattern, limit, complete):
    returned = refuse(inventory={"pve1": {}, "pve2": {}, "web1": {}}, hosts=pattern, limit=limit)
    assert returned["complete"] is complete


@pytest.mark.parametrize("name", ["io_hardening_hosts", "restart_hosts_at_once"])
def test_a_variable_that_a_play_does_not_look_for_in_an_inventory_is_refused_there(refuse, name):
    inventory = {"pve1": {}, "pve2": {name: "nodes"}}
    returned = refuse(inventory=inventory, hosts="nodes", prefixes=["guest_io_"])
    assert returned["failed"] and returned["msg"].startswith(f"{name}, set for pve2: Ansible does not look for it in")
    assert "failed" not in refuse([name], inventory=inventory, hosts="nodes", prefixes=["guest_io_"])


def test_only_the_questions_of_a_survey_that_were_answered_are_returned(refuse):
    answers = {"survey_restart_match": "guest.id == '1'", "survey_rollback_run": "", "survey_gate_fail_on": None}
    assert refuse(inventory={"pve1": answers}) == {
        "changed": False,
        "answers": [{"variable": "restart_match", "value": "guest.id == '1'"}],
        "answered": True,
        "complete": True,
    }
