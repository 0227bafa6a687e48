# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The same guests in a tree, through qm and through the API: the same findings, the same plan, the same configs after.

Each difference that there is stands in docs/api.md, and here.
"""

from __future__ import annotations

import datetime
import shutil

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.module_utils._backends import find
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._backends.apply import apply
from ansible_collections.hypervisor.io_hardening.tests.playbooks import ROOT
from ansible_collections.hypervisor.io_hardening.tests.unit.plugins.module_utils._backends.api_stand_in import (
    ClusterTree,
    options_of,
)
from ansible_collections.hypervisor.io_hardening.tests.unit.plugins.module_utils._backends.live_node import runner
from ansible_collections.hypervisor.io_hardening.tests.unit.plugins.plugin_utils._policy.fleet import assess
from ansible_collections.hypervisor.io_hardening.tests.unit.stand_ins.qm_host import QmHost

DAY = datetime.date(2026, 11, 23)
#: Guest → why the API does not plan it, or plans less, where a tree does.
NOT_PLANNED = {
    "306": "a line break in one line of its description: Proxmox VE would write two",
    "308": "a description that is not encoded: Proxmox VE would encode it",
    "212": "a device's path, which Proxmox VE takes from root alone",
}
#: Guest → why no live node writes it, whichever the way; a tree, where nothing runs, does.
NOT_LIVE = {
    "304": "foreign_pending",
    "305": "foreign_pending",
    "313": "a storage that is not defined: its drive alone is left out",
}
#: Guests whose configs have lines that the API does not show.
NOT_SHOWN = ("306", "307", "308", "309", "310", "311", "312")
#: The cluster's own Ceph, whose monitors stand in a file.
NO_SERVERS = ("206",)


class Ways:
    """Three copies of one tree: as files, as a node with qm, and behind the API."""

    def __init__(self, tmp_path, monkeypatch):
        self.tree, self.node = tmp_path / "tree", tmp_path / "node"
        self.host = QmHost(self.node)
        shutil.rmtree(self.node / "etc/pve")
        for folder in (self.tree, self.node, tmp_path / "api"):
            shutil.copytree(ROOT / "sample_fleet/root", folder, dirs_exist_ok=True)
        shutil.copytree(self.node / "usr", tmp_path / "api/usr")
        (self.node / "etc/pve/local").symlink_to("nodes/pve1")
        monkeypatch.setattr(find, "is_this_host", lambda root: str(root) == str(self.node))
        self.behind_api = object.__new__(ClusterTree)
        self.behind_api.root = tmp_path / "api"


@pytest.fixture
def ways(tmp_path, monkeypatch):
    ways = Ways(tmp_path, monkeypatch)
    with ways.behind_api.stand_in(tmp_path) as api:
        ways.api = options_of(api)
        yield ways
    ways.host.close()


def document(reading):
    return assess(reading.guests, {}, DAY, reading.nodes, reading.problems)


def said(found, of, but=()):
    """What the findings of a node's guests say, without the words and lines that depend on the way."""
    return sorted(
        (one["guest"], one["rule"], one["severity"], one["disk"] or "", str(one["actual"]), str(one["wanted"]))
        for one in found["findings"]
        if one["guest"] in of and one["guest"] not in but and one["rule"] != "IO103"
    )


def planned(found, of):
    return {entry["guest"]: (entry["changes"], entry["digest"]) for entry in found["plan"] if entry["guest"] in of}


def test_a_tree_and_the_api_find_and_plan_the_same(ways):
    tree, api = document(find.read(str(ways.tree))), document(find.read(api=ways.api))
    guests = {guest["guest"] for guest in tree["guests"]}
    assert guests == {guest["guest"] for guest in api["guests"]} and len(guests) == 47
    assert said(tree, guests, NOT_SHOWN) == said(api, guests, NOT_SHOWN)
    left = {entry["guest"]: entry["reason"] for entry in api["unresolved"]}
    of_tree, of_api = planned(tree, guests), planned(api, guests)
    left_out = {*NOT_PLANNED, *NOT_LIVE}
    assert {guest: plan for guest, plan in of_api.items() if guest not in left_out} == {
        guest: plan for guest, plan in of_tree.items() if guest not in left_out
    }
    assert set(of_tree) - set(of_api) == {*NOT_PLANNED, "304", "305"} and set(of_api) <= set(of_tree)
    assert {guest: left[guest] for guest in NOT_PLANNED} == {
        "306": "not_asked",
        "308": "not_asked",
        "212": "needs_root",
    }


def test_the_findings_point_at_the_same_lines_of_the_file(ways):
    lines = [
        {
            (one["guest"], one["rule"], one["disk"], one["line"])
            for one in found["findings"]
            if one["guest"] not in NOT_SHOWN
        }
        for found in (document(find.read(str(ways.tree))), document(find.read(api=ways.api)))
    ]
    assert lines[0] == lines[1]


def test_a_record_is_the_same_but_for_what_only_files_tell(ways):
    of_tree = {guest["id"]: guest for guest in find.read(str(ways.tree)).guests}
    for guest in find.read(api=ways.api).guests:
        other = {**of_tree[guest["id"]], "running": False}
        assert guest["qemu"]["installed"] == "10.1.2-1"
        guest["qemu"]["installed"] = None
        if guest["id"] == "212":
            assert guest["disks"][2].pop("needs_root") and other["disks"][2].pop("needs_root") is None
        if guest["id"] not in (*NOT_SHOWN, *NO_SERVERS):
            assert guest == other


def test_qm_and_the_api_leave_the_same_configs(ways):
    """Of the node pve1, whose guests its qm can write."""
    node = ways.node / "etc/pve/nodes/pve1/qemu-server"
    mine = {path.stem for path in node.glob("*.conf")}
    run = runner(ways.host)
    plans = {
        "qm": document(find.read(str(ways.node), "pve1", None, run))["plan"],
        "api": document(find.read(node="pve1", api=ways.api))["plan"],
        "tree": document(find.read(str(ways.tree), "pve1"))["plan"],
    }
    assert [entry["guest"] for entry in plans["qm"]] == [entry["guest"] for entry in plans["api"]]
    backends = {
        "qm": find.backends(str(ways.node), run=run),
        "api": find.backends(api=ways.api, writes=list(mine)),
        "tree": find.backends(str(ways.tree)),
    }
    results = {
        name: [
            (one.result["guest"], one.result["status"], one.result["reason"])
            for one in apply(plans[name], backends[name])
        ]
        for name in plans
    }
    assert results["qm"] == results["api"] == results["tree"] and len(results["qm"]) > 10
    texts = [
        {path.name: path.read_bytes() for path in (root / "etc/pve/nodes/pve1/qemu-server").iterdir()}
        for root in (ways.node, ways.behind_api.root)
    ]
    assert texts[0] == texts[1] and mine == {name.partition(".")[0] for name in texts[0]}
    # In a tree the options of a drive stand in another order.
    of_tree = {guest["id"]: guest for guest in find.read(str(ways.tree), "pve1").guests}
    for guest in find.read(node="pve1", api=ways.api).guests:
        for disk, other in zip(guest["disks"], of_tree[guest["id"]]["disks"]):
            assert (disk["configured"], disk["effective"]) == (other["configured"], other["effective"])
