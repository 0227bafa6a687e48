# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Reading a host: every layout, and every kind of file that is no guest config."""

from __future__ import annotations

import os

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.module_utils._backends import find, layout
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._backends.running import pid as pid_of
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._qemu_process import proc
from ansible_collections.hypervisor.io_hardening.tests.unit.plugins.module_utils._qemu_process.fake_proc import (
    LIBVIRT,
    PVE,
    PVE_DRIVES,
    FakeProc,
)

GOOD = "name: a\nscsi0: nas:100/d.qcow2\n"
STORAGES = "nfs: nas\n\tserver 10.0.0.11\n\texport /x\n"


@pytest.fixture
def cluster(tmp_path):
    for node in ("pve1", "pve2"):
        (tmp_path / f"etc/pve/nodes/{node}/qemu-server").mkdir(parents=True)
    (tmp_path / "etc/pve/storage.cfg").write_text(STORAGES)
    (tmp_path / "etc/pve/nodes/pve1/qemu-server/100.conf").write_text(GOOD)
    (tmp_path / "etc/pve/nodes/pve2/qemu-server/200.conf").write_text(GOOD)
    return tmp_path


def ids(reading):
    return [guest["id"] for guest in reading.guests]


def test_all_nodes_of_a_tree_or_the_one_named(cluster):
    assert ids(find.read(str(cluster))) == ["100", "200"]
    assert ids(find.read(str(cluster), "all")) == ["100", "200"]
    assert ids(find.read(str(cluster), "pve2")) == ["200"]
    assert ids(find.read(str(cluster), only=["200"])) == ["200"]


def test_one_guest_on_two_nodes_is_a_problem(cluster):
    (cluster / "etc/pve/nodes/pve2/qemu-server/100.conf").write_text(GOOD)
    (problem,) = find.read(str(cluster)).problems
    assert (problem["guest"], problem["node"]) == ("100", "pve2") and "is on node pve1 as well" in problem["reason"]
    assert find.read(str(cluster), "pve2").problems == []


def test_a_node_that_cannot_be_read_hides_no_other(cluster, monkeypatch):
    listdir = layout.os.listdir
    closed = str(cluster / "etc/pve/nodes/pve1/qemu-server")

    def refuse(path):
        if str(path) == closed:
            raise PermissionError(13, "Permission denied", path)
        return listdir(path)

    monkeypatch.setattr(layout.os, "listdir", refuse)
    reading = find.read(str(cluster))
    assert ids(reading) == ["200"]
    assert [problem["file"] for problem in reading.problems] == ["/etc/pve/nodes/pve1/qemu-server"]
    assert "Permission denied; no guest of it was read" in reading.problems[0]["reason"]
    with pytest.raises(layout.LayoutError, match="Permission denied"):
        find.read(str(cluster), "pve1")


def test_a_link_is_no_second_node(cluster):
    (cluster / "etc/pve/nodes/pve3").symlink_to("pve1")
    assert ids(find.read(str(cluster))) == ["100", "200"]


def test_a_node_or_guest_that_is_not_there_is_named(cluster):
    with pytest.raises(layout.LayoutError, match="no node 'pve9'.*pve1, pve2"):
        find.read(str(cluster), "pve9")
    with pytest.raises(layout.LayoutError, match=f"no node '{'x' * 58}… in .*pve1, pve2"):
        find.read(str(cluster), "x" * 100_000)
    with pytest.raises(layout.LayoutError, match="cannot read directory /x{253}…: File name too long"):
        find.read("/" + "x" * 100_000)
    assert find.read(str(cluster), only=["100", "777"]).problems[0]["guest"] == "777"


def test_a_tree_knows_not_what_runs(cluster):
    assert [guest["running"] for guest in find.read(str(cluster)).guests] == [None, None]


def test_the_nodes_own_addresses(cluster):
    (cluster / "etc/pve/corosync.conf").write_text(
        "nodelist {\n node {\n  name: pve1\n  ring0_addr: 10.0.0.11\n  ring1_addr: fd00::11\n }\n}\n"
    )
    (cluster / "etc/hosts").write_text("127.0.0.1 localhost pve1\n10.9.0.2 pve2.example pve2 # words\n")
    nodes = {node["name"]: node for node in find.read(str(cluster)).nodes}
    assert nodes["pve1"]["addresses"] == ["10.0.0.11", "fd00::11"]
    assert nodes["pve2"]["addresses"] == ["10.9.0.2"] and "pve2.example" in nodes["pve2"]["names"]


def test_a_flat_directory_with_text_and_json(tmp_path):
    (tmp_path / "storage.cfg").write_text(STORAGES)
    (tmp_path / "100.conf").write_text(GOOD)
    (tmp_path / "101.json").write_text(
        '{"data": {"name": "b", "scsi0": "nas:101/d.qcow2", "memory": 512, "description": "x\\ny"}}'
    )
    (tmp_path / "notes.txt").write_text("no guest")
    reading = find.read(str(tmp_path))
    assert ids(reading) == ["100", "101"] and reading.problems == []
    assert reading.guests[1]["name"] == "b" and reading.guests[1]["disks"][0]["storage"]["type"] == "nfs"


@pytest.mark.parametrize(
    ("raw", "words", "line"),
    [
        (b"", "is empty", None),
        (b" \n\n", "is empty", None),
        (b"name: a\n\0\n", "is binary", 2),
        (b"\x89PNG\r\n\x1a\n" + bytes(range(1, 256)), "not a guest config", 1),
        (b"x" * (1024 * 1024 + 1), "larger than 1 MiB", None),
    ],
)
def test_what_is_no_config_is_a_problem_and_hides_no_other(cluster, raw, words, line):
    (cluster / "etc/pve/nodes/pve1/qemu-server/101.conf").write_bytes(raw)
    reading = find.read(str(cluster))
    assert ids(reading) == ["100", "200"]
    (problem,) = reading.problems
    assert words in problem["reason"] and problem["line"] == line and problem["guest"] == "101"
    assert problem["file"] == "/etc/pve/nodes/pve1/qemu-server/101.conf"


def test_a_directory_in_place_of_a_config(cluster):
    (cluster / "etc/pve/nodes/pve1/qemu-server/101.conf").mkdir()
    assert "is not a regular file" in find.read(str(cluster)).problems[0]["reason"]


@pytest.mark.parametrize("text", ["[]", "{", '{"Name!": 1}', '{"name": "a\\nb"}', '{"name": null}'])
def test_json_that_is_no_config(tmp_path, text):
    (tmp_path / "100.json").write_text(text)
    (tmp_path / "storage.cfg").write_text("")
    reading = find.read(str(tmp_path))
    assert reading.guests == [] and reading.problems[0]["guest"] == "100"


def test_a_storage_cfg_that_is_not_there_or_does_not_parse(cluster):
    (cluster / "etc/pve/storage.cfg").write_text("nonsense\n\n" + STORAGES)
    reading = find.read(str(cluster))
    assert [(problem["file"], problem["line"]) for problem in reading.problems] == [("/etc/pve/storage.cfg", 1)]
    (cluster / "etc/pve/storage.cfg").unlink()
    reading = find.read(str(cluster))
    assert (
        "cannot be read" in reading.problems[0]["reason"] and reading.guests[0]["disks"][0]["storage"]["type"] is None
    )


def test_no_proxmox_here_is_said_in_words(monkeypatch, tmp_path):
    monkeypatch.setattr(find, "is_this_host", lambda root: True)
    with pytest.raises(layout.LayoutError, match="is this a Proxmox VE node"):
        find.read(str(tmp_path))


def test_a_large_config_within_the_limit_is_read(cluster):
    (cluster / "etc/pve/nodes/pve1/qemu-server/101.conf").write_text(GOOD + "# words\n" * 100_000)
    assert "101" in ids(find.read(str(cluster)))


@pytest.fixture
def live(tmp_path, monkeypatch):
    """A host that runs a guest of libvirt and one of Proxmox VE, 8101."""
    monkeypatch.setattr(find, "is_this_host", lambda root: True)
    monkeypatch.setattr(layout, "own_node", lambda root: "pve1")
    host = FakeProc(tmp_path)
    host.process(700, PVE, pid_file="8101")
    host.process(702, LIBVIRT)
    return host


def make_node(host, *configs):
    for node in ("pve1", "pve2"):
        (host.root / f"etc/pve/nodes/{node}/qemu-server").mkdir(parents=True)
    (host.root / "etc/pve/storage.cfg").write_text(STORAGES)
    for node, guest in configs:
        (host.root / f"etc/pve/nodes/{node}/qemu-server/{guest}.conf").write_text(GOOD)


@pytest.mark.parametrize(("wanted", "found", "missing"), [
    (None, ["8101", "web07"], []),
    (["8101"], ["8101"], []),
    (["db01", "nope"], ["8101"], ["nope"]),
    (["nope"], [], ["nope"]),
])  # fmt: skip
def test_without_proxmox_ve_guests_are_named_by_id_or_name(live, wanted, found, missing):
    reading = find.read(str(live.root), only=wanted)
    assert ids(reading) == found
    assert [problem["guest"] for problem in reading.problems if problem["reason"] == "is not there"] == missing


def test_without_proxmox_ve_hidden_processes_are_said(tmp_path, monkeypatch):
    monkeypatch.setattr(find, "is_this_host", lambda root: True)
    hidden = {
        "file": "/proc",
        "line": None,
        "guest": None,
        "node": None,
        "reason": "9 processes cannot be looked at (hidepid, or not root)",
    }
    monkeypatch.setattr(proc, "running_guests", lambda root: ([], [hidden]))
    with pytest.raises(layout.LayoutError, match="is this a Proxmox VE node.*9 processes cannot be looked at"):
        find.read(str(tmp_path))


def test_on_a_node_what_runs_without_a_config_is_a_guest_as_well(live):
    make_node(live, ("pve1", 100))
    guests = find.read(str(live.root)).guests
    assert [(guest["id"], guest["hypervisor"], guest["config"] is None, guest["node"]) for guest in guests] == [
        ("100", "pve", False, "pve1"),
        ("8101", "pve", True, "pve1"),
        ("web07", "libvirt", True, "pve1"),
    ]
    assert ids(find.read(str(live.root), "all")) == ["100", "8101", "web07"]


def test_on_a_node_what_has_a_config_is_no_second_guest(live):
    make_node(live, ("pve1", 8101))
    live.process(701, PVE_DRIVES, pid_file="8102")
    (live.root / "etc/pve/nodes/pve1/qemu-server/8102.conf").write_text("")
    assert ids(find.read(str(live.root))) == ["8101", "web07"]


def test_a_guest_on_its_way_from_another_node_is_that_nodes(live):
    make_node(live, ("pve2", 8101))
    assert ids(find.read(str(live.root))) == ["web07"]


def test_guests_without_a_config_are_not_there_where_others_are_asked_for(live):
    make_node(live, ("pve1", 100), ("pve2", 200))
    assert ids(find.read(str(live.root), only=["100"])) == ["100"]
    assert ids(find.read(str(live.root), "pve2")) == ["200"]


def test_a_forged_process_changes_nothing_about_a_guest(live, monkeypatch):
    monkeypatch.setattr(proc, "is_process_of", lambda pid, vmid: (pid, vmid) == (700, "8101"))
    make_node(live, ("pve1", 8101))
    before = find.read(str(live.root))
    assert before.guests[0]["running"] and before.guests[0]["qemu"]["running"]
    live.process(699, [*PVE, "-drive", "file=/forged,id=scsi0"], uid=65534)
    live.process(698, ["/usr/bin/kvm", "-name", "8101", "-blockdev", "{"], uid=65534)
    after = find.read(str(live.root))
    assert after.guests[0] == before.guests[0]
    assert [guest["id"] for guest in after.guests] == ["8101", "pid-698", "web07"]
    added = after.problems[len(before.problems) :]
    assert sorted((problem["guest"] or "", problem["file"].rpartition("/")[2]) for problem in added) == [
        ("", "699"),
        ("pid-698", "698"),
    ]


@pytest.mark.parametrize("text", ["", "x\n", "1" * 5000, "²", "-1", "0", "99999999999", "1 2", "\udcff"])
def test_a_pid_file_that_names_no_process(tmp_path, text):
    (tmp_path / "var/run/qemu-server").mkdir(parents=True)
    (tmp_path / "var/run/qemu-server/102.pid").write_bytes(text.encode("utf-8", "surrogateescape"))
    assert pid_of(str(tmp_path), "102") is None


def test_a_live_process_that_is_not_the_guests_is_not_the_guest(tmp_path):
    (tmp_path / "var/run/qemu-server").mkdir(parents=True)
    (tmp_path / "var/run/qemu-server/102.pid").write_text(f"{os.getpid()}\n")
    assert pid_of(str(tmp_path), "102") is None
