# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Which hypervisors a host has, and what is loaded and read of it because of that."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.module_utils._backends import (
    find,
    find_restarter,
    layout,
    libvirt_python,
)
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._backends.hypervisors import here
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._backends.libvirt_connection import SYSTEM
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._host.run import command
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._qemu_process import proc
from ansible_collections.hypervisor.io_hardening.tests.unit.plugins.module_utils._qemu_process.fake_proc import (
    LIBVIRT,
    PVE,
    FakeProc,
)
from ansible_collections.hypervisor.io_hardening.tests.unit.stand_ins.virsh_host import VirshHost

UUID = "11111111-2222-4333-8444-555555555501"
WEB07 = f"""\
<domain type='kvm'>
  <name>web07</name>
  <uuid>{UUID}</uuid>
  <os>
    <type arch='x86_64' machine='pc-q35-7.2'>hvm</type>
  </os>
  <devices>
    <disk type='file' device='disk'>
      <driver name='qemu' type='qcow2'/>
      <source file='/images/a.qcow2'/>
      <target dev='vda' bus='virtio'/>
    </disk>
  </devices>
</domain>
"""


WANTED = ("auto", "pve", "libvirt")


def add(root, *what):
    if "node" in what:
        (root / "etc/pve/nodes/pve1/qemu-server").mkdir(parents=True)
        (root / "etc/pve/storage.cfg").write_text("dir: local\n\tpath /var/lib/vz\n\tcontent images\n")
    if "socket" in what:
        (root / "run/libvirt").mkdir(parents=True)
        (root / "run/libvirt/virtqemud-sock").write_text("")
    if "definition" in what:
        (root / "etc/libvirt/qemu").mkdir(parents=True)
        (root / "etc/libvirt/qemu/web.xml").write_text("")
    if "folder" in what:
        (root / "etc/libvirt/qemu/networks").mkdir(parents=True)


@pytest.mark.parametrize(("what", "found"), [
    ((), []),
    (("folder",), []),
    (("node",), ["pve"]),
    (("socket",), ["libvirt"]),
    (("definition",), ["libvirt"]),
    (("node", "socket"), ["pve", "libvirt"]),
])  # fmt: skip
def test_a_host_finds_out_what_it_runs(tmp_path, what, found):
    add(tmp_path, *what)
    assert here(str(tmp_path), "auto", [SYSTEM]) == found
    for wanted in ("pve", "libvirt"):
        if wanted in found:
            assert here(str(tmp_path), wanted, [SYSTEM]) == [wanted]
        else:
            with pytest.raises(layout.LayoutError, match=f"hypervisor is {wanted}, and there"):
                here(str(tmp_path), wanted, [SYSTEM])


def test_whoever_names_a_session_has_libvirt(tmp_path):
    assert here(str(tmp_path), "auto", ["qemu:///session"]) == ["libvirt"]
    with pytest.raises(layout.LayoutError, match="hypervisor is 'xen'; it takes auto, pve or libvirt"):
        here(str(tmp_path), "xen", [SYSTEM])


def test_in_a_tree_the_hypervisor_counts_as_well(tmp_path):
    add(tmp_path, "node")
    (tmp_path / "etc/pve/nodes/pve1/qemu-server/100.conf").write_text("name: a\n")
    (tmp_path / "etc/libvirt/qemu").mkdir(parents=True)
    (tmp_path / "etc/libvirt/qemu/web07.xml").write_text(WEB07)
    ids = {wanted: {guest["id"] for guest in find.read(str(tmp_path), hypervisor=wanted).guests} for wanted in WANTED}
    assert ids == {"auto": {"100", "web07"}, "pve": {"100"}, "libvirt": {"web07"}}
    (tmp_path / "etc/libvirt/qemu/web07.xml").unlink()
    with pytest.raises(layout.LayoutError, match="hypervisor is libvirt, and there are no guests of it in /"):
        find.read(str(tmp_path), hypervisor="libvirt")


def test_an_api_is_proxmox_ves():
    with pytest.raises(layout.LayoutError, match="hypervisor is libvirt, and an API is named too"):
        find.read(api={"url": "https://pve1"}, hypervisor="libvirt")


@pytest.fixture
def host(tmp_path, monkeypatch):
    """A host of libvirt with a guest that runs, web07."""
    monkeypatch.setattr(find, "is_this_host", lambda root: True)
    monkeypatch.setattr(layout, "own_node", lambda root: "pve1")
    monkeypatch.setattr(libvirt_python, "library", lambda: None)
    monkeypatch.setattr("os.geteuid", lambda: 0)
    stand_in = VirshHost(tmp_path)
    stand_in.on_path(monkeypatch)
    stand_in.definition("web07").write_text(WEB07)
    assert stand_in.run(f"start --domain {UUID}").returncode == 0
    stand_in.processes = FakeProc(tmp_path)
    opened = [("/images/web07.qcow2", "0140002"), "/images/data.raw", "/images/old.raw"]
    stand_in.processes.process(702, LIBVIRT, files=opened)
    (tmp_path / "run/libvirt/qemu/web07.pid").write_text("702\n")
    return stand_in


def read(host, **options):
    return find.read(str(host.root), run=command, **options)


def shown(reading):
    return [(guest["id"], guest["hypervisor"], guest["config"] is not None) for guest in reading.guests]


def test_a_guest_of_libvirt_has_what_its_process_runs_with(host):
    (guest,) = read(host).guests
    assert guest["running"] and guest["qemu"]["running"] == "7.2.22"
    assert guest["disks"][0]["key"] == "vda" and guest["disks"][0]["runs"] is not None


def test_a_process_of_that_name_that_no_pid_file_names_is_another_guest(host):
    """Any user may start one."""
    (host.root / "run/libvirt/qemu/web07.pid").write_text("1\n")
    assert shown(read(host)) == [("web07", "libvirt", True), ("web07", "libvirt", False)]
    assert read(host).guests[0]["disks"][0]["runs"] is None


def test_processes_are_looked_at_once_and_those_that_nobody_knows_come_last(host, monkeypatch):
    add(host.root, "node")
    (host.root / "etc/pve/nodes/pve1/qemu-server/100.conf").write_text("name: a\n")
    host.processes.process(700, PVE, pid_file="8101")
    host.processes.process(703, ["/usr/bin/qemu-system-x86_64", "-name", "by-hand"])
    looked = []
    look = proc.running_guests
    monkeypatch.setattr(proc, "running_guests", lambda root: looked.append(root) or look(root))
    reading = read(host)
    assert looked == [str(host.root)]
    assert shown(reading) == [
        ("100", "pve", True),
        ("web07", "libvirt", True),
        ("8101", "pve", False),
        ("by-hand", "qemu", False),
    ]
    assert [node["name"] for node in reading.nodes] == ["pve1"]


def test_one_hypervisor_that_cannot_be_read_hides_no_other(host):
    add(host.root, "node")
    (host.root / "etc/pve/nodes/pve1/qemu-server/100.conf").write_text("name: a\n")
    host.declare("not-running")
    reading = read(host)
    # What runs is known from its process.
    assert shown(reading) == [("100", "pve", True), ("web07", "libvirt", False)]
    assert "libvirt gives no connection to qemu:///system" in reading.problems[-1]["reason"]
    # Nobody knows whether libvirt has it.
    assert [problem["guest"] for problem in read(host, only=["100", "db"]).problems if problem["guest"]] == []
    host.declare("not-running").unlink()
    assert [problem["guest"] for problem in read(host, only=["100", "db"]).problems if problem["guest"]] == ["db"]


def test_of_one_hypervisor_only_its_own_guests_are_read(host):
    add(host.root, "node")
    (host.root / "etc/pve/nodes/pve1/qemu-server/100.conf").write_text("name: a\n")
    assert shown(read(host, hypervisor="pve")) == [("100", "pve", True)]
    assert shown(read(host, hypervisor="libvirt")) == [("web07", "libvirt", True)]


def test_of_another_node_libvirt_is_not_asked(host):
    add(host.root, "node")
    (host.root / "etc/pve/nodes/pve2/qemu-server").mkdir(parents=True)
    host.log.unlink()
    assert read(host, node="pve2").guests == [] and host.calls() == []
    assert shown(read(host, node="pve1")) == shown(read(host, node="all")) == [("web07", "libvirt", True)]


def test_a_node_that_a_host_of_libvirt_alone_is_not_is_refused(host):
    shutil.rmtree(host.root / "etc/pve", ignore_errors=True)
    with pytest.raises(layout.LayoutError, match="no node 'pve9' here: this host is "):
        read(host, node="pve9")


def test_each_guest_has_the_restarter_of_its_hypervisor(host):
    root = str(host.root)

    def name(guest):
        return type(find_restarter.restarter(root, command, guest=guest)).__name__

    assert (name("web07"), name("101")) == ("LibvirtRestarter", "LibvirtRestarter")
    add(host.root, "node")
    assert (name("web07"), name("101")) == ("LibvirtRestarter", "QmRestarter")
    assert type(find_restarter.restarter(root, command, guest="web07", hypervisor="pve")).__name__ == "QmRestarter"


LOADED = """
import sys
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._backends import find, find_restarter, layout
from ansible_collections.hypervisor.io_hardening.plugins.modules import guest_io_info, guest_io, guest_restart
find.is_this_host = lambda root: True
try:
    find.read(sys.argv[1])
except OSError:
    pass
print(*sorted({name.split(".")[5] for name in sys.modules if "hardening.plugins.module_utils._" in name}))
"""


@pytest.mark.parametrize(("what", "needed", "spared"), [
    ("node", "_pve", "_libvirt"),
    ("definition", "_libvirt", "_pve"),
    ("neither", "_backends", "_libvirt"),
    ("neither", "_backends", "_pve"),
])  # fmt: skip
def test_a_host_loads_the_room_of_its_own_hypervisor_alone(tmp_path, what, needed, spared):
    add(tmp_path, what)
    done = subprocess.run(
        [sys.executable, "-c", LOADED, str(tmp_path)],
        env={**os.environ, "PYTHONPATH": str(Path(find.__file__).parents[6])},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    rooms = done.stdout.split()
    assert needed in rooms and spared not in rooms
