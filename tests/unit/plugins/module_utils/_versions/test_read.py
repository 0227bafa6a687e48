# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The facts of a tree of files, and of a node."""

from __future__ import annotations

import os

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.module_utils._host.tree import Tree
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._versions import agent, read

STATUS = "Package: pve-qemu-kvm\nStatus: install ok installed\nVersion: 10.0.2-4\n\nPackage: proxmox-kernel-6.8.4-2-pve-signed\nStatus: install ok installed\nVersion: 6.8.4-2\n"
NOTHING = {
    "packages": None, "kernels": [], "kernel": None, "pinned": None, "windows": None, "problems": [],
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
    assert (facts["pinned"], facts["windows"], facts["problems"]) == (None, None, [])


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


@pytest.fixture
def asked(monkeypatch):
    """The sockets that were asked; each agent answers with one driver."""
    found = {}

    def ask(sockets, command):
        assert command == "guest-get-devices"
        found.update(sockets)
        ids = {"type": "pci", "vendor-id": 0x1AF4, "device-id": 0x1048}
        return {guest: agent.Answer([{"driver-version": "100.94.104.24800", "id": ids}], None) for guest in sockets}

    monkeypatch.setattr(agent, "ask", ask)
    return found


def test_the_agents_of_windows_guests_are_asked_where_that_is_allowed(node, put, asked, tmp_path):
    for guest, text in {
        "101": "ostype: win11\nagent: 1\n",
        "102": "ostype: l26\n",
        "103": "agent: 1\n",
        "1004": "ostype: w2k19\nlock: backup\n",
        "105": "ostype: l26\n[before]\nostype: win10\n",
        "106": "ostype: win10\n",
    }.items():
        put(f"etc/pve/qemu-server/{guest}.conf", text)
        if guest != "106":
            put(f"run/qemu-server/{guest}.qga", "")
    put("run/qemu-server/107.qga", "")
    put("run/qemu-server/101.qmp", "")
    facts = read.read_facts(node, guest_agent=True)
    assert asked == {"101": f"{tmp_path}/run/qemu-server/101.qga"}
    assert facts["windows"] == [
        {"guest": "101", "drivers": {"vioscsi": "0.1.248"}, "unknown": None},
        {"guest": "1004", "drivers": {}, "unknown": "locked (backup)"},
    ]


def test_nobody_is_asked_unless_that_is_allowed_nor_below_another_root(node, put, asked):
    put("etc/pve/qemu-server/101.conf", "ostype: win11\n")
    put("run/qemu-server/101.qga", "")
    assert read.read_facts(node)["windows"] is None
    node.live = False
    assert read.read_facts(node, guest_agent=True)["windows"] is None and asked == {}


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (agent.Answer(None, "the agent hung up"), "the agent hung up"),
        (agent.Answer({"odd": 1}, None), "the agent's answer is not understood"),
    ],
)
def test_an_agent_that_tells_nothing_is_said(node, put, monkeypatch, answer, reason):
    put("etc/pve/qemu-server/101.conf", "ostype: win11\n")
    put("run/qemu-server/101.qga", "")
    monkeypatch.setattr(agent, "ask", lambda sockets, command: dict.fromkeys(sockets, answer))
    assert read.read_facts(node, guest_agent=True)["windows"] == [{"guest": "101", "drivers": {}, "unknown": reason}]


def test_the_machine_itself_can_be_read():
    facts = read.read_facts(Tree("/"), guest_agent=True)
    assert facts["kernel"]["release"] == os.uname().release and facts["has"]["striped_ext4"] in (True, False)
