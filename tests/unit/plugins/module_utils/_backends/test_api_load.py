# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The load of a cluster read through the API: what its files say, what it cannot tell, and what a token may not see."""

from __future__ import annotations

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.module_utils import _subjects
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._backends.layout import LayoutError
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._host.tree import Tree
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._load import read as of_files
from ansible_collections.hypervisor.io_hardening.tests.stand_ins.pve_api import Fault
from ansible_collections.hypervisor.io_hardening.tests.unit.plugins.module_utils._backends.api_stand_in import (
    READ,
    ClusterTree,
    options_of,
)

AUDIT = {**READ, "/": ["Sys.Audit", "Datastore.Audit", "VM.Audit"]}
FILES = {
    "etc/vzdump.conf": "bwlimit: 50000\nionice: 5\nperformance: max-workers=4\nfleecing: enabled=1,storage=local-lvm\n",
    "etc/pve/datacenter.cfg": "bwlimit: restore=100000,migration=200000\n",
    "etc/pve/jobs.cfg": (
        "vzdump: nightly\n\tschedule mon 01:00\n\tall 1\n\tcomment every night\n\tenabled 1\n\tstorage local\n\n"
        "vzdump: weekly\n\tschedule sat 02:00\n\tbwlimit 20000\n\tenabled 0\n\tfleecing enabled=0\n\tionice 8\n"
        "\tperformance max-workers=2\n\tvmid 100,200\n\tnode pve2\n\tstorage local\n\n"
    ),
}


@pytest.fixture
def tree(tmp_path):
    tree = ClusterTree(tmp_path / "root")
    for path, text in FILES.items():
        (tree.root / path).write_text(text)
    tree.put(100)
    tree.put(200, node="pve2")
    return tree


def read(tree, tmp_path, acl=None, node=None, fault=None):
    with tree.stand_in(tmp_path, AUDIT if acl is None else acl) as api:
        api.faults += [fault] if fault else []
        return _subjects.read_by_api(["load", "queues"], options_of(api), node)["load"], api


def bare(value):
    """Facts without the lines of files, which the API does not tell."""
    if isinstance(value, dict):
        return {key: bare(one) for key, one in value.items() if key not in ("line", "lines", "ignored")}
    return [bare(one) for one in value] if isinstance(value, list) else value


def test_the_facts_are_those_of_the_files(tree, tmp_path):
    found, api = read(tree, tmp_path)
    wanted = of_files.read_facts(Tree(str(tree.root)))
    assert bare(found["jobs"]) == bare(wanted["jobs"]) and len(found["jobs"]) == 2
    assert bare(found["datacenter"]) == bare(wanted["datacenter"])
    assert {one["id"]: one for one in bare(found["storages"])} == {one["id"]: one for one in bare(wanted["storages"])}
    assert found.keys() == wanted.keys() | {"nodes"} and found["problems"] == []
    assert list(found["nodes"]) == ["pve1", "pve2"]
    for name, guest in (("pve1", "100"), ("pve2", "200")):
        node = found["nodes"][name]
        assert bare(node["vzdump"]) == bare(wanted["vzdump"]) | {
            "values": {**wanted["vzdump"]["values"], "storage": "local"}
        }
        assert (node["node"], node["guests"]["qemu"]) == (name, [guest])
    assert found["version"].startswith("9.") and found["cluster"] == {
        "name": "test",
        "nodes": ["pve1", "pve2"],
        "node": None,
    }
    assert len(api.calls) == 8 + 2 and {call.method for call in api.calls} == {"GET"}


def test_what_is_not_set_is_a_default(tree, tmp_path):
    for path in FILES:
        (tree.root / path).unlink()
    found, _api = read(tree, tmp_path, node="pve2")
    assert list(found["nodes"]) == ["pve2"] and found["jobs"] == [] and found["datacenter"]["limits"] is None
    values = found["nodes"]["pve2"]["vzdump"]["values"]
    assert {key for key, value in values.items() if value is not None} == {"storage"}


def test_a_token_that_may_not_is_told_once(tree, tmp_path):
    found, api = read(tree, tmp_path, READ)
    (problem,) = found["problems"]
    assert problem["reason"].startswith(
        "the token ops@pve!harden may not read backup jobs and limits: it lacks Sys.Audit on /. As root on a node:"
        " pveum acl modify / --roles PVEAuditor"
    )
    assert (found["nodes"], found["jobs"]) == ({}, []) and [call.path for call in api.calls] == ["/access/permissions"]


def test_a_node_that_is_silent_is_that_nodes_problem(tree, tmp_path):
    silent = Fault("status", "/nodes/pve2/vzdump/defaults", status=595, reason="Connection refused")
    found, _api = read(tree, tmp_path, fault=silent)
    (problem,) = found["problems"]
    assert (problem["file"], problem["node"]) == ("/etc/vzdump.conf", "pve2")
    assert problem["reason"].startswith("node pve2 does not answer: ") and "Connection refused" in problem["reason"]
    assert found["nodes"]["pve2"]["vzdump"] is None and found["nodes"]["pve1"]["vzdump"]["values"]["ionice"] == 5


def test_an_answer_that_is_missing_leaves_the_rest_of_a_run_alone(tree, tmp_path):
    found, _api = read(tree, tmp_path, fault=Fault("status", "/cluster/backup", reason="got no worker"))
    (problem,) = found["problems"]
    assert problem["reason"].startswith("the API does not answer /cluster/backup: ") and found["nodes"] == {}


def test_a_token_that_is_wrong_ends_the_read(tree, tmp_path):
    with tree.stand_in(tmp_path, AUDIT) as api, pytest.raises(LayoutError):
        _subjects.read_by_api(["load"], options_of(api, token_secret="wrong"), None)
    assert _subjects.read_by_api(["queues"], {}, None) == {}
