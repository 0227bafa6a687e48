# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The facts of a host's load, read from files below a root."""

from __future__ import annotations

import os

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.module_utils._host.tree import Tree
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._load.read import read_facts

STORAGES = "nfs: nas\n\tserver 10.0.0.40\n\texport /x\n\tcontent backup\n"
FILES = {
    "etc/hostname": "pve1.example.org\n",
    "etc/vzdump.conf": "bwlimit: 5000\n",
    "etc/pve/storage.cfg": STORAGES,
    "etc/pve/jobs.cfg": "vzdump: nightly\n\tschedule 2:00\n\tall 1\n",
    "etc/pve/datacenter.cfg": "bwlimit: move=1024\n",
    "etc/pve/user.cfg": "pool:prod::101:\n",
    "etc/pve/corosync.conf": "nodelist {\n  node {\n    name: pve1\n  }\n}\ntotem {\n  cluster_name: harbour\n}\n",
    "etc/pve/nodes/pve1/qemu-server/101.conf": "name: web\nscsi0: nas:101/a.raw\n",
    "etc/pve/nodes/pve2/qemu-server/102.conf": "name: other\n",
    "etc/pve/nodes/pve1/lxc/200.conf": "hostname: files\nnet0: ip=10.0.0.40/24\n",
    "usr/share/perl5/PVE/pvecfg.pm": "sub version {\n    return '9.0.3';\n}\n",
}


@pytest.fixture
def node(tmp_path):
    for path, text in FILES.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    return tmp_path


def test_everything_is_read(node):
    facts = read_facts(Tree(str(node)))
    assert (facts["node"], facts["version"], facts["problems"]) == ("pve1", "9.0.3", [])
    assert facts["cluster"] == {"name": "harbour", "nodes": ["pve1"], "node": "pve1"}
    assert facts["vzdump"]["values"]["bwlimit"] == 5000 and facts["datacenter"]["limits"] == {"move": 1024.0}
    assert [job["id"] for job in facts["jobs"]] == ["nightly"] and facts["pools"] == {"prod": ["101"]}
    assert facts["guests"]["qemu"] == ["101"] and facts["guests"]["lxc"] == ["200"]
    assert [one["guest"] for one in facts["guests"]["served"]] == ["200"]
    assert {one["id"]: one["remote"] for one in facts["storages"]} == {"nas": True, "local": False}


def test_an_empty_root_is_no_problem(tmp_path):
    facts = read_facts(Tree(str(tmp_path)))
    assert facts["node"] is facts["cluster"] is facts["version"] is facts["vzdump"] is facts["storages"] is None
    assert facts["jobs"] == facts["problems"] == [] and facts["datacenter"]["file"] is None


def test_a_live_node_without_a_file_has_the_defaults(tmp_path):
    tree = Tree(str(tmp_path))
    tree.live = True
    assert read_facts(tree)["vzdump"]["values"]["bwlimit"] is None


def test_where_the_node_is_not_known_the_guests_of_all_are_read(node):
    (node / "etc/hostname").unlink()
    facts = read_facts(Tree(str(node)))
    assert facts["node"] is None and facts["guests"]["qemu"] == ["101", "102"]


def test_the_name_of_pmxcfs_is_before_that_of_the_host(node):
    (node / "etc/pve/.members").write_text('{"nodename": "pve2"}')
    assert read_facts(Tree(str(node)))["guests"]["qemu"] == ["102"]


@pytest.mark.parametrize("path", ["etc/vzdump.conf", "etc/pve/jobs.cfg", "etc/pve/datacenter.cfg"])
def test_a_file_that_cannot_be_read_is_a_problem_and_no_default(node, path):
    (node / path).unlink()
    (node / path).mkdir()
    tree = Tree(str(node))
    tree.live = True
    facts = read_facts(tree)
    assert [(one["file"], one["reason"][:15]) for one in facts["problems"]] == [(f"/{path}", "cannot be read:")]
    assert (facts["vzdump"] is None) == (path == "etc/vzdump.conf")


def test_the_link_of_pmxcfs_tells_the_node_too(node):
    (node / "etc/hostname").unlink()
    (node / "etc/pve/local").symlink_to("nodes/pve2")
    assert read_facts(Tree(str(node)))["node"] == "pve2"
    assert read_facts(Tree(str(node / "etc/pve")), pve="")["node"] == "pve2"
    (node / "etc/pve/local").unlink()
    (node / "etc/pve/local").symlink_to("/etc")
    assert read_facts(Tree(str(node)))["node"] is None


def test_a_name_that_is_no_node_is_not_looked_for(node):
    (node / "etc/hostname").write_text("../..\n")
    assert read_facts(Tree(str(node)))["node"] is None


def test_configs_that_were_read_already_are_not_read_again(node):
    path = "/etc/pve/nodes/pve1/qemu-server/101.conf"
    os.chmod(node / path[1:], 0)
    facts = read_facts(Tree(str(node), {path: "name: known\nscsi0: fast:vm-101-disk-0\n"}))
    assert facts["guests"]["storages"] == ["fast"]


def test_a_text_that_is_known_is_what_the_tree_reads(node):
    tree = Tree(str(node), {"/etc/vzdump.conf": "bwlimit: 7\udcff\n"})
    assert tree.read("/etc/vzdump.conf") == b"bwlimit: 7\xff\n" and tree.read("/etc/hostname") == b"pve1.example.org\n"


def test_a_copy_of_etc_pve(node):
    facts = read_facts(Tree(str(node / "etc/pve")), pve="")
    assert facts["node"] is None and [job["file"] for job in facts["jobs"]] == ["/jobs.cfg"]
    assert facts["guests"]["qemu"] == ["101", "102"] and facts["datacenter"]["file"] == "/datacenter.cfg"


def test_no_other_mounts_are_taken_for_those_of_the_tree(node):
    (node / "etc/fstab").write_text("10.0.0.40:/x /mnt/pve/nas nfs soft 0 0\n")
    (node / "proc").mkdir()
    (node / "proc/mounts").write_text("10.0.0.40:/x /mnt/pve/nas nfs hard 0 0\n")
    tree = Tree(str(node))
    assert [one["hard"] for one in read_facts(tree)["storages"]] == [False, None]
    tree.live = True
    assert [one["hard"] for one in read_facts(tree)["storages"]] == [True, None]


def test_a_directory_of_backups_is_where_its_link_leads(node):
    (node / "etc/fstab").write_text("10.0.0.40:/x /mnt/nas nfs soft 0 0\n/dev/sdb1 /srv ext4 rw 0 0\n")
    (node / "etc/vzdump.conf").write_text("dumpdir: /backup\n")
    (node / "backup").symlink_to("/mnt/nas/a")
    nas = {"path": "/backup", "at": "/mnt/nas", "servers": ["10.0.0.40"], "hard": False}
    assert read_facts(Tree(str(node)))["dumpdirs"] == [nas]
    (node / "etc/pve/jobs.cfg").write_text("vzdump: nightly\n\tschedule 2:00\n\tall 1\n\tdumpdir /mnt/nas\n")
    assert [one["path"] for one in read_facts(Tree(str(node)))["dumpdirs"]] == ["/backup", "/mnt/nas"]
    (node / "backup").unlink()
    (node / "backup").symlink_to("backup")
    (node / "etc/pve/jobs.cfg").write_text("vzdump: nightly\n\tschedule 2:00\n\tall 1\n\tdumpdir /srv\n")
    assert read_facts(Tree(str(node)))["dumpdirs"] == []
