# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""What is read of a host, from trees and from a machine whose commands answer, hang or fail."""

from __future__ import annotations

import json
import os
import time

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.module_utils._causes.read import read_facts
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._causes.settings import CausesSettings
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._host.run import TIMED_OUT
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._host.tree import Tree
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._model.findings import change
from ansible_collections.hypervisor.io_hardening.tests.unit.plugins.module_utils._causes import host

ALL = (host.ZFS, host.MD, host.DISK, host.GUESTS, {"/etc/pve/storage.cfg": host.STORAGES})
LVS, ZPOOL = (0, host.LVS % ("81.20", "4.13"), ""), (0, host.ZPOOL, "")


def test_every_key_is_always_there(tmp_path):
    empty = tmp_path / "empty"
    empty.mkdir()
    nothing, everything = read_facts(Tree(str(empty))), host.facts(tmp_path / "node", *ALL, lvs=LVS, zpool=ZPOOL)
    assert list(nothing) == list(everything)
    assert list(nothing["boot"]) == list(everything["boot"])
    assert nothing["problems"] == everything["problems"] == []
    assert json.loads(json.dumps(everything)) == everything


def test_a_node_with_zfs_thin_pools_and_arrays(tmp_path):
    found = host.facts(
        tmp_path, *ALL, {"/proc/mounts": host.MOUNTS, "/proc/swaps": host.ZVOL_SWAP}, lvs=LVS, zpool=ZPOOL
    )
    assert found["zfs"]["version"] == "2.3.4-pve1" and found["zfs"]["root"] is True
    assert found["zfs"]["parameters"] == {"zfs_arc_max": 0, "zfs_arc_min": 0, "zfs_dirty_data_max": 4 << 30}
    assert [one["scan"] for one in found["zfs"]["pools"]] == ["scrub", None]
    assert found["zfs_storages"] == ["local-zfs"]
    assert [(one["name"], one["data_percent"]) for one in found["thin_pools"]] == [("pve/data", 81.2)]
    assert found["arrays"] == [{"name": "md0", "sync_action": "idle", "sync_speed_max": 200000, "own_speed": False}]
    assert [one["kind"] for one in found["swaps"]] == ["zvol"]


def test_a_disk_has_the_name_that_stays(tmp_path):
    assert host.facts(tmp_path, host.DISK)["disks"] == [
        {
            "name": "sda",
            "id": "wwn-0x5000c500a1b2c3d4",
            "wbt_lat_usec": 0,
            "rotational": True,
            "scheduler": "mq-deadline",
        }
    ]


def test_nothing_is_run_where_there_is_nothing_to_ask_about(tmp_path):
    tree, asked = host.live(host.host(tmp_path)), []
    read_facts(tree, lambda arguments: asked.append(arguments) or (0, "", ""))
    assert asked == []
    read_facts(Tree(str(host.host(tmp_path / "tree", *ALL))), lambda arguments: asked.append(arguments) or (0, "", ""))
    assert asked == []


def test_both_commands_are_asked_once_and_at_once(tmp_path):
    tree, asked = host.live(host.host(tmp_path, *ALL)), []

    def slow(arguments):
        asked.append(arguments[0])
        time.sleep(0.5)
        return {"lvs": LVS, "zpool": ZPOOL}[arguments[0]]

    begun = time.monotonic()
    read_facts(tree, slow)
    assert sorted(asked) == ["lvs", "zpool"] and time.monotonic() - begun < 0.95


@pytest.mark.parametrize(
    ("lvs", "said"),
    [
        ((TIMED_OUT, "", "lvs: no answer after 10 s"), "lvs: no answer after 10 s"),
        ((127, "", "lvs: No such file or directory"), "lvs: No such file or directory"),
        ((5, "", "  WARNING: a\n  Volume group pve not found\n"), "failed: WARNING: a; Volume group pve not found"),
        ((5, "", ""), "failed: status 5"),
        ((0, "garbage", ""), "its output"),
    ],
)
def test_a_command_that_hangs_fails_or_prints_garbage_is_a_problem_and_the_rest_is_read(tmp_path, lvs, said):
    found = host.facts(tmp_path, *ALL, lvs=lvs, zpool=ZPOOL)
    (problem,) = found["problems"]
    assert said in problem["reason"] and problem["file"].startswith("lvs")
    assert found["thin_pools"] == [] and len(found["zfs"]["pools"]) == 2


@pytest.mark.parametrize(
    ("options", "guests"), [("hard", ["101", "105"]), ("", ["101", "105"]), ("soft", []), ("softerr", [])]
)
def test_guests_without_an_iothread_on_a_hard_mount_are_found(tmp_path, options, guests):
    mounts = {"/proc/mounts": host.MOUNTS + host.NFS.replace("hard,", f"{options}," if options else "")}
    (mount,) = host.facts(tmp_path, *ALL, mounts)["nfs_mounts"]
    assert (mount["path"], mount["source"]) == ("/mnt/pve/nas", "10.0.0.5:/export/vm")
    assert mount["guests"] == guests and mount["hard"] is bool(guests)


def test_a_directory_on_a_mount_and_a_mount_elsewhere_carry_guests_too(tmp_path):
    mounts = {"/proc/mounts": host.NFS.replace("/mnt/pve/nas", "/srv/nfs").replace("10.0.0.5:/", "[fd00::5]:/")}
    storages = {
        "/etc/pve/storage.cfg": "dir: below\n\tpath /srv/nfs/vm\n\nnfs: own\n\tserver fd00::5\n\texport /e\n\tpath /srv/nfs\n\n"
        "dir: beside\n\tpath /srv/nfs2\n\tcontent images\n"
    }
    config = "/etc/pve/nodes/pve1/qemu-server/%s.conf"
    guests = {
        "/etc/pve/qemu-server": "-> nodes/pve1/qemu-server",
        config % 201: "scsi0: below:201/vm-201-disk-0.qcow2\n",
        config % 202: "scsi0: own:202/vm-202-disk-0.qcow2\n",
        config % 203: "scsi0: beside:203/vm-203-disk-0.qcow2\n",
        config % 204: "scsi0: garbage\x00,,==\nbelow: own:\n",
    }
    assert host.facts(tmp_path, mounts, storages, guests)["nfs_mounts"][0]["guests"] == ["201", "202"]


def test_what_a_boot_sets_is_read_in_its_order(tmp_path):
    found = host.facts(
        tmp_path,
        {
            "/usr/lib/sysctl.d/10-pve.conf": "vm.swappiness = 10\n",
            "/etc/sysctl.d/99-zz.conf": "vm.swappiness = 60\n",
            "/usr/lib/modprobe.d/zfs.conf": "options zfs zfs_arc_max=1\n",
            "/etc/modprobe.d/zfs.conf": "options zfs zfs_arc_max=2\n",
            host.SYSCTL_FILE: "vm.swappiness = 5\n",
            host.TMPFILES_FILE: "w /sys/kernel/mm/transparent_hugepage/enabled - - - - madvise\n",
        },
    )["boot"]
    assert found["sysctls"]["vm.swappiness"] == {"value": "60", "file": "/etc/sysctl.d/99-zz.conf", "line": 1}
    assert found["zfs_arc_max"] == {"value": "2", "file": "/etc/modprobe.d/zfs.conf", "line": 1}
    assert found["ours"] == {
        "sysctl.d": {"vm.swappiness": "5"},
        "modprobe.d": {},
        "tmpfiles.d": {"transparent_hugepage": "madvise"},
    }


@pytest.mark.parametrize(("made", "older"), [(50, True), (150, False)])
def test_an_initramfs_that_lacks_our_file_is_noticed(tmp_path, made, older):
    initramfs = "/boot/initrd.img-6.14.11-4-pve"
    files = {host.MODPROBE_FILE: "options zfs zfs_arc_max=9\n", initramfs: "x", "/proc/mounts": host.MOUNTS}
    root = host.host(tmp_path, host.ZFS, files)
    os.utime(root / host.MODPROBE_FILE[1:], (100, 100))
    os.utime(root / initramfs[1:], (made, made))
    assert read_facts(Tree(str(root)))["zfs"]["initramfs_is_older"] is older


def test_files_that_are_garbage_or_no_files_are_problems_or_nothing(tmp_path):
    garbage = dict.fromkeys(
        (*host.BASE, *host.ZFS, *host.MD, "/etc/pve/storage.cfg", host.SYSCTL_FILE), "\ufffd\x00 [\n=\n"
    )
    files = {"/etc/modprobe.d/loop.conf": "-> loop.conf", "/etc/sysctl.d/b.conf/a": "a folder"}
    found = host.facts(tmp_path, garbage, files)
    assert {one["file"] for one in found["problems"]} == {"/etc/modprobe.d/loop.conf", "/etc/sysctl.d/b.conf"}
    assert found["memory"] == {"total": None, "available": None} and found["swaps"] == [] and found["thp"] is None
    assert found["sysctls"] == {"vm.swappiness": None, "dev.raid.speed_limit_max": None}


def test_what_may_not_be_read_is_said(tmp_path, monkeypatch):
    tree = host.live(host.host(tmp_path, {"/etc/pve/storage.cfg": host.STORAGES}))
    read = tree.read

    def forbidden(path, *more):
        if path == "/etc/pve/storage.cfg":
            raise PermissionError(13, "Permission denied", path)
        return read(path, *more)

    kernel_text = tree.kernel_text
    monkeypatch.setattr(tree, "read", forbidden)
    monkeypatch.setattr(tree, "kernel_text", lambda path: None if path == "/proc/swaps" else kernel_text(path))
    found = read_facts(tree, lambda _arguments: (0, "", ""))
    assert [(one["file"], one["reason"]) for one in found["problems"]] == [
        ("/etc/pve/storage.cfg", "Permission denied"),
        ("/proc/swaps", "cannot be read"),
    ]


def test_a_disk_has_the_stable_name_that_the_queues_know_it_by(tmp_path):
    names = {
        "/dev/disk/by-id/ata-{{ 7*7 }}": "-> ../../sda",
        "/dev/disk/by-id/nvme-uuid.x": "-> ../../sda",
        "/dev/disk/by-id/ata-A=1": "-> ../../sdb",
        "/sys/block/sdb/queue/wbt_lat_usec": "0\n",
        "/dev/disk/by-id/ata-a'b;rm": "-> ../../sdc",
        "/sys/block/sdc/queue/wbt_lat_usec": "0\n",
    }
    disks = host.facts(tmp_path, host.DISK, names)["disks"]
    assert [one["id"] for one in disks] == ["wwn-0x5000c500a1b2c3d4", "ata-A=1", "sdc"]
    for one in disks:
        settings = CausesSettings(Tree(str(tmp_path)))
        settings.check(change(f"disk {one['id']}", "wbt_lat_usec", "0", "75000"))
        assert settings.now([f"disk {one['id']}"]) == {(f"disk {one['id']}", "wbt_lat_usec"): "0"}


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ({"/etc/hostname": "pve1.lan\n"}, ["101", "105"]),
        ({"/etc/pve/local": "-> nodes/pve1"}, ["101", "105"]),
        ({"/etc/hostname": "pve2\n"}, ["201"]),
        ({}, ["101", "105", "201"]),
    ],
)
def test_the_guests_of_a_tree_that_is_shaped_as_a_cluster_are_found(tmp_path, names, expected):
    guests = {path: text for path, text in host.GUESTS.items() if "/nodes/" in path}
    guests["/etc/pve/nodes/pve2/qemu-server/201.conf"] = "scsi0: nas:201/vm-201-disk-0.qcow2,size=8G\n"
    files = {"/etc/pve/storage.cfg": host.STORAGES, "/proc/mounts": host.NFS}
    (mount,) = host.facts(tmp_path, guests, files, names)["nfs_mounts"]
    assert sorted(mount["guests"]) == expected
