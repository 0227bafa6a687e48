# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Guests read through the API: the record of the files, what it cannot tell, and what a token may not see."""

from __future__ import annotations

import re

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.module_utils._backends import api_cluster, find
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._backends.layout import LayoutError
from ansible_collections.hypervisor.io_hardening.tests.stand_ins.pve_api import Fault
from ansible_collections.hypervisor.io_hardening.tests.unit.plugins.module_utils._backends.api_stand_in import (
    GUEST,
    READ,
    ClusterTree,
    options_of,
)

SNAPSHOTS = GUEST.replace("scsi0:", "parent: s2\nscsi0:") + "".join(
    f"\n[{name}]\n#before%3A the upgrade\nname: web\nscsi0: local:{{id}}/vm-{{id}}-disk-0.qcow2,size=32G\nsnaptime: 1\n"
    for name in ("s1", "s2")
)
OTHERS = {path: READ[path] for path in ("/storage", "/nodes")}
WAITS = GUEST + "\n[PENDING]\ncores: 4\ndelete: boot\nscsi0: local:{id}/vm-{id}-disk-0.qcow2,iothread=1\n"


@pytest.fixture
def tree(tmp_path):
    return ClusterTree(tmp_path / "root")


def read(tree, tmp_path, acl=None, only=None, node=None, **options):
    with tree.stand_in(tmp_path, READ if acl is None else acl, **options) as api:
        return find.read(node=node, only=only, api=options_of(api)), api


@pytest.mark.parametrize("text", [GUEST, SNAPSHOTS, WAITS], ids=["plain", "snapshots", "waits"])
def test_a_guest_is_the_record_of_its_file(tree, tmp_path, text):
    tree.put(100, text)
    tree.put(101, text, "pve2")
    found, api = read(tree, tmp_path)
    of_files = find.read(str(tree.root)).guests
    assert found.problems == [] and [guest["running"] for guest in found.guests] == [False, False]
    assert [{**guest, "running": None} for guest in found.guests] == of_files
    assert [node["name"] for node in found.nodes] == ["pve1", "pve2"]
    asked = [call for call in api.calls if "/qemu/" in call.path]
    assert len(asked) == 2 * (2 if "parent" not in text else 5) and api.most_at_once <= api_cluster.AT_ONCE


def test_named_guests_alone_are_asked_for(tree, tmp_path):
    for guest in (100, 101, 102):
        tree.put(guest)
    found, api = read(tree, tmp_path, only=["101", "999"])
    assert [guest["id"] for guest in found.guests] == ["101"]
    assert [(one["guest"], one["reason"]) for one in found.problems] == [("999", "is not there")]
    assert {call.path.split("/")[4] for call in api.calls if "/qemu/" in call.path} == {"101"}


def test_one_node_alone_is_asked_for(tree, tmp_path):
    tree.put(100)
    tree.put(101, node="pve2")
    found, _api = read(tree, tmp_path, node="pve2")
    assert [guest["id"] for guest in found.guests] == ["101"] and [node["name"] for node in found.nodes] == ["pve2"]
    with pytest.raises(
        LayoutError, match=r"no node 'pve9' in the cluster of https://127.0.0.1:\d+; there are: pve1, pve2"
    ):
        read(tree, tmp_path, node="pve9")


def test_a_running_guest_says_which_qemu_it_is(tree, tmp_path):
    tree.put(100)
    tree.declare("qmp", "100 10.0.2 pc-i440fx-10.0+pve1")
    (tree.root / "usr/bin").mkdir(parents=True)
    (tree.root / "usr/bin/kvm").write_text("QEMU emulator version 10.1.2 (pve-qemu-kvm_10.1.2-1)\n\0")
    with tree.stand_in(tmp_path) as api:
        api.cluster.node("pve1").start_now("100", {})
        (guest,) = find.read(api=options_of(api)).guests
        api.cluster.node("pve1").stop_now("100", {})
    assert (guest["running"], guest["disks"][0]["runs"]) == (True, None)
    assert (guest["qemu"]["running"], guest["qemu"]["installed"]) == ("10.0.2", "10.1.2-1")


@pytest.mark.parametrize(
    ("acl", "only", "lacks"),
    [
        ({}, None, "VM.Audit on /vms, Datastore.Audit on /storage, Sys.Audit on /nodes"),
        ({**OTHERS, "/vms/100": ["VM.Audit"]}, None, "VM.Audit on /vms"),
        ({**OTHERS, "/vms": {"VM.Audit": 0}}, None, "VM.Audit on /vms"),
        ({"/vms": ["VM.Audit"]}, None, "Datastore.Audit on /storage, Sys.Audit on /nodes"),
        ({**OTHERS, "/vms/100": ["VM.Audit"]}, ["100", "101"], "VM.Audit on /vms/101"),
    ],
)
def test_a_token_that_may_not_see_everything_ends_the_run(tree, tmp_path, acl, only, lacks):
    tree.put(100)
    tree.put(101)
    with pytest.raises(LayoutError) as refused:
        read(tree, tmp_path, acl, only)
    assert str(refused.value) == (
        f"the token ops@pve!harden may not read {'all guests' if only is None else 'guests 100, 101'}: it lacks {lacks};"
        " what it may not see, Proxmox VE leaves out without a word. As root on a node: pveum acl modify / --roles"
        " PVEAuditor --users ops@pve --tokens 'ops@pve!harden'"
    )


def test_a_token_for_some_guests_reads_these(tree, tmp_path):
    tree.put(100)
    tree.put(101)
    acl = {**OTHERS, "/vms/100": ["VM.Audit"]}
    assert [guest["id"] for guest in read(tree, tmp_path, acl, ["100"])[0].guests] == ["100"]
    everywhere = {"/": ["VM.Audit", "Datastore.Audit", "Sys.Audit"]}
    assert len(read(tree, tmp_path, everywhere)[0].guests) == 2


@pytest.mark.parametrize("known", [True, False], ids=["offline by its cluster", "not known to be offline"])
def test_a_node_that_does_not_answer_is_that_nodes_problem(tree, tmp_path, known):
    tree.put(100)
    for guest in range(200, 240):
        tree.put(guest, node="pve2")
    found, api = read(tree, tmp_path, offline=["pve2"], pvestatd=known)
    assert [guest["id"] for guest in found.guests] == ["100"] and [node["name"] for node in found.nodes] == ["pve1"]
    why = "it is offline" if known else "595 No route to host"
    assert [(one["node"], one["guest"], one["reason"]) for one in found.problems] == [
        ("pve2", None, f"node pve2 does not answer: {why}; 40 guests of it not read")
    ]
    assert len([call for call in api.calls if "/pve2/qemu" in call.path]) <= (0 if known else api_cluster.AT_ONCE)


@pytest.mark.parametrize(
    ("fault", "why"),
    [
        (Fault("status", "/100/pending", status=500, reason="got no worker"), "cannot be read: 500 got no worker"),
        (Fault("garbage", "/100/pending", times=9), r"answers with something that is not Proxmox VE's API"),
        (Fault("cut", "/100/pending", times=9), "gave no whole answer: it was cut off"),
        (Fault("close", "/100/pending", times=9), "gave no whole answer"),
        (Fault("hang", "/100/status", times=9, seconds=5), "gave no answer within 1 s"),
    ],
    ids=lambda value: getattr(value, "kind", None),
)
def test_a_guest_that_cannot_be_read_is_its_own_problem(tree, tmp_path, fault, why):
    tree.put(100)
    tree.put(101)
    with tree.stand_in(tmp_path) as api:
        api.faults.append(fault)
        found = find.read(api=options_of(api, timeout=1))
    assert [guest["id"] for guest in found.guests] == ["101"]
    assert [(one["guest"], one["node"]) for one in found.problems] == [("100", "pve1")]
    assert re.search(why, found.problems[0]["reason"]) and found.problems[0]["file"].endswith(
        "/pve1/qemu-server/100.conf"
    )


def test_a_connection_that_breaks_once_is_made_again(tree, tmp_path):
    tree.put(100)
    with tree.stand_in(tmp_path) as api:
        api.faults.append(Fault("close", "/100/pending"))
        assert len(find.read(api=options_of(api)).guests) == 1


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("futurekey: 1", "does not show all of its config"),
        ("scsi1: local:100/vm-100-disk-1.raw,turbo=1", "does not show all"),
        ("cipassword: **********\nfuturekey: 1", "hides its cipassword"),
    ],
)
def test_what_the_api_leaves_out_is_not_taken_for_nothing(tree, tmp_path, line, says):
    text = "".join(f"{one}\n" for one in sorted([*GUEST.splitlines(), line]))
    tree.put(100, text)
    (guest,) = read(tree, tmp_path)[0].guests
    assert says in guest["held"]["detail"] and guest["held"]["detail"].endswith(
        "allow it with write_unseen of the API's options"
    )
    assert guest["disks"][0]["line"] is guest["controller"]["line"] is None
    assert len(guest["unknown"]) == ("cipassword" not in line)


def test_an_empty_config_and_a_container_are_no_guests(tree, tmp_path):
    tree.put(100, "")
    tree.put(101)
    found, _api = read(tree, tmp_path)
    assert [one["reason"] for one in found.problems] == ["is empty: not a guest config"] and len(found.guests) == 1


@pytest.mark.parametrize(
    ("seen", "active", "asked"),
    [
        ({"local": True, "nfs1": True}, True, 0),
        ({"local": True, "nfs1": False}, False, 1),
        ({"local": False, "nfs1": False}, None, 0),
    ],
    ids=["all are there", "one is not there", "the daemon does not run"],
)
def test_a_node_is_asked_for_its_storages_where_its_daemon_misses_one(tree, tmp_path, monkeypatch, seen, active, asked):
    """It takes seconds where one is offline."""
    tree.put(100, GUEST.replace("local:", "nfs1:"))
    tree.declare("storages-offline", *(["nfs1"] if active is False else []))
    rows = [
        {"node": "pve1", "storage": name, "type": "storage", "status": "available" if there else "unknown"}
        for name, there in seen.items()
    ]
    with tree.stand_in(tmp_path, READ) as api:
        monkeypatch.setattr(api.api.cluster, "pvestatd", True)
        real = api.api.call
        monkeypatch.setattr(
            api.api, "call", lambda who, *what: rows if what[2].get("type") == "storage" else real(who, *what)
        )
        (guest,) = find.read(api=options_of(api)).guests
    assert guest["disks"][0]["storage"]["active"] is active
    assert len([call for call in api.calls if call.path == "/nodes/pve1/storage"]) == asked
