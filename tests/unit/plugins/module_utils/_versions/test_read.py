# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The facts of a tree of files, and of a node."""

from __future__ import annotations

import os

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.module_utils._host.tree import Tree
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._versions import read

STATUS = (
    "Package: pve-qemu-kvm\nStatus: install ok installed\nVersion: 10.0.2-4\n\n"
    + "Package: proxmox-kernel-6.8.4-2-pve-signed\nStatus: install ok installed\nVersion: 6.8.4-2\n"
)
NOTHING = {
    "packages": None, "kernels": [], "kernel": None, "pinned": None, "problems": [],
    "has": {"aacraid": None, "striped_ext4": None, "backup_server": None},
}  # fmt: skip


@pytest.fixture
def put(tmp_path):
    def write(path, text):
        file = tmp_path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    return write


@pytest.fixture
def node(tmp_path, put):
    """A tree that counts as the machine itself."""
    put("var/lib/dpkg/status", STATUS)
    put("proc/sys/kernel/osrelease", "6.8.4-2-pve\n")
    put("proc/sys/kernel/version", "#1 SMP PREEMPT_DYNAMIC PMX 6.8.4-2 (2024-04-10T17:36Z)\n")
    put("proc/mounts", "/dev/sda1 / ext4 rw,relatime 0 0\n")
    put("etc/pve/storage.cfg", "pbs: backups\n\tserver pbs1\n\tdatastore main\n\tusername root@pam\n")
    tree = Tree(str(tmp_path))
    tree.live = True
    return tree


def test_an_empty_tree_has_nothing_and_no_problem(tmp_path):
    assert read.read_facts(Tree(str(tmp_path))) == {"root": str(tmp_path), **NOTHING}


def test_a_node_has_all(node):
    facts = read.read_facts(node)
    assert facts["packages"] == {"pve-manager": None, "pve-qemu-kvm": "10.0.2-4", "qemu-server": None}
    assert facts["kernels"] == ["6.8.4-2"] and facts["kernel"] == {"release": "6.8.4-2-pve", "version": "6.8.4-2"}
    assert facts["has"] == {"aacraid": False, "striped_ext4": False, "backup_server": True}
    assert (facts["pinned"], facts["problems"]) == (None, [])


def test_what_a_defect_needs_is_found(node, put):
    put("sys/module/aacraid/refcnt", "1\n")
    put("proc/mounts", "/dev/md0 /var ext4 rw,relatime,stripe=256 0 0\n")
    put("etc/pve/storage.cfg", "dir: local\n\tpath /var/lib/vz\n")
    assert read.read_facts(node)["has"] == {"aacraid": True, "striped_ext4": True, "backup_server": False}


@pytest.mark.parametrize("mounts", ["/dev/md0 /stripe=1 ext4 rw 0 0\n", "/dev/md0 / xfs rw,stripe=256 0 0\n"])
def test_only_ext4s_own_option_is_a_stripe(node, put, mounts):
    put("proc/mounts", mounts)
    assert read.read_facts(node)["has"]["striped_ext4"] is False


def test_the_pinned_kernel_is_read(node, put):
    put("etc/kernel/proxmox-boot-pin", "6.8.4-2-pve\n")
    assert read.read_facts(node)["pinned"] == "6.8.4-2-pve"


@pytest.mark.parametrize("path", ["var/lib/dpkg/status", "etc/pve/storage.cfg", "etc/kernel/proxmox-boot-pin"])
def test_what_cannot_be_read_is_a_problem(node, tmp_path, path):
    (tmp_path / path).unlink(missing_ok=True)
    (tmp_path / path).mkdir(parents=True)
    (problem,) = read.read_facts(node)["problems"]
    assert problem["file"] == f"/{path}" and problem["reason"]


def test_a_whole_list_of_a_large_node_is_read(node, put):
    put("var/lib/dpkg/status", "Package: x\nStatus: install ok installed\nVersion: 1\n\n" * 100_000 + STATUS)
    facts = read.read_facts(node)
    assert facts["packages"]["pve-qemu-kvm"] == "10.0.2-4" and facts["problems"] == []


def test_the_machine_itself_can_be_read():
    facts = read.read_facts(Tree("/"))
    assert facts["kernel"]["release"] == os.uname().release and facts["has"]["striped_ext4"] in (True, False)
