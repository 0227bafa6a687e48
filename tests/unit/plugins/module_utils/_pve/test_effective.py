# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Effective values, held against what Proxmox VE itself hands to QEMU."""

from __future__ import annotations

import json

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.module_utils._pve import storage
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._pve.record import record
from ansible_collections.hypervisor.io_hardening.tests.unit.facts import facts
from ansible_collections.hypervisor.io_hardening.tests.unit.shared_data import requires_shared_pve, shared_pve

RECORDED = facts("effective_drives")
# What a storage must have to be one; a type takes what is its own.
REQUIRED = (
    "content images,iso",
    "path /a",
    "vgname aa",
    "thinpool aa",
    "pool a",
    "server a",
    "export /a",
    "share a",
    "portal a",
    "target a",
    "iscsiprovider a",
)


def hold_against(effective, given):
    """Fail where our reading of a drive is not what Proxmox VE gave QEMU for it."""
    for name in ("driver", "aio", "cache_direct", "cache_no_flush"):
        if name in given:
            assert effective[name] == given[name], name
    if given.get("cache"):
        assert effective["cache"] == given["cache"]
    if "write_cache" in given:
        assert (effective["cache"] in ("writethrough", "directsync")) == (given["write_cache"] == "off")
    assert effective["iothread"] == bool(given.get("iothread"))


@pytest.mark.parametrize("row", RECORDED, ids=lambda row: f"{row['drive']} {' '.join(row['storage'])}")
def test_as_proxmox_gave_it_to_qemu(row):
    """Drives with what decides about them, and what was on QEMU's command line: from the command lines of Proxmox VE's
    own tests.
    """
    kind, *options = row["storage"] or ["dir: local"]
    storages = {entry["id"]: entry for entry in storage.parse("\n\t".join([kind, *REQUIRED, *options]) + "\n")[0]}
    guest = record("8006", "".join(f"{line}\n" for line in row["config"]).encode(), storages)
    disk = next(disk for disk in guest["disks"] if disk["key"] == row["drive"])
    assert disk["start_fault"] is None
    if row["given"] is None:
        assert disk["effective"] is None
    else:
        hold_against(disk["effective"], row["given"])


def test_all_the_recorded_drives_are_there():
    assert len(RECORDED) == 79 + 5


@requires_shared_pve
def test_the_configs_of_proxmox_ves_own_tests_as_it_gives_them_to_qemu():
    """All the lines of a config at once; which of them decide is in the rows above."""
    shared = shared_pve()
    storages = {entry["id"]: entry for entry in storage.parse((shared / "storage.cfg").read_text())[0]}
    expected = json.loads((shared / "effective.json").read_text())
    assert len(expected) == 33
    for path, entry in expected.items():
        disks = record("8006", (shared / "configs" / path).read_bytes(), storages)["disks"]
        found = {disk["key"]: disk["effective"] for disk in disks if disk["effective"]}
        assert set(found) == set(entry["drives"]), path
        assert [disk["start_fault"] for disk in disks if disk["start_fault"]] == [], path
        for key, given in entry["drives"].items():
            hold_against(found[key], given)


def test_a_storage_whose_content_proxmox_ve_refuses():
    storages = {entry["id"]: entry for entry in storage.parse("dir: noimages\n\tpath /a\n\tcontent iso\n")[0]}
    guest = record("8006", b"scsi0: noimages:8006/vm-8006-disk-0.raw\n", storages)
    assert "does not allow content images" in guest["disks"][0]["start_fault"]


NEEDED = {
    "dir": "path /st",
    "btrfs": "path /st",
    "nfs": "server 10.0.0.9\n\texport /st",
    "cifs": "server 10.0.0.9\n\tshare st",
    "lvm": "vgname st",
    "lvmthin": "vgname st\n\tthinpool st",
    "zfspool": "pool st",
    "zfs": "pool st\n\tportal 10.0.0.9\n\ttarget iqn.st\n\tiscsiprovider LIO",
    "rbd": "pool st",
    "thirdparty": "word st",
}


def effective(line, scsihw=None, kind="dir", more="", **options):
    text = f"bios: seabios\n{line}\n" + (f"scsihw: {scsihw}\n" if scsihw else "") + more
    extra = "".join(f"\t{name} {value}\n" for name, value in options.items())
    storages = {entry["id"]: entry for entry in storage.parse(f"{kind}: st\n\t{NEEDED[kind]}\n{extra}")[0]}
    (disk,) = record("100", text.encode(), storages)["disks"]
    return disk["effective"]


@pytest.mark.parametrize(
    ("line", "scsihw", "expected"),
    [
        ("scsi0: st:d,iothread=1", "virtio-scsi-single", True),
        ("scsi0: st:d,iothread=1", "virtio-scsi-pci", False),
        ("scsi0: st:d,iothread=1", None, False),
        ("scsi0: st:d", "virtio-scsi-single", False),
        ("virtio0: st:d,iothread=1", None, True),
        ("virtio0: st:d,iothread=0", "virtio-scsi-single", False),
    ],
)
def test_an_iothread_is_in_effect_only_where_qemu_makes_one(line, scsihw, expected):
    assert effective(line, scsihw)["iothread"] is expected


@pytest.mark.parametrize(
    ("line", "scsihw", "expected"),
    [
        ("scsi0: st:d", None, ("lsi", False)),
        ("scsi0: st:d", "lsi53c810", ("lsi53c810", False)),
        ("scsi0: st:d", "virtio-scsi-pci", ("virtio-scsi", False)),
        ("scsi0: st:d", "virtio-scsi-single", ("virtio-scsi", True)),
        ("scsi0: st:d", "megasas", ("megasas", False)),
        ("virtio0: st:d", "virtio-scsi-single", None),
        ("sata0: st:d", "virtio-scsi-single", None),
    ],
)
def test_the_controller_of_a_disk_in_qemus_word(line, scsihw, expected):
    controller = effective(line, scsihw)["controller"]
    assert (controller and (controller["model"], controller["dedicated"])) == expected


def test_a_pending_controller_is_that_of_the_next_start():
    text = b"scsihw: lsi\nscsi0: local:1/vm-1-disk-0.raw\n\n[PENDING]\nscsihw: virtio-scsi-single\n"
    (disk,) = record("100", text, {})["disks"]
    assert disk["effective"]["controller"] == {"model": "lsi", "dedicated": False, "gives_iothread": False}
    assert disk["next"]["controller"] == {"model": "virtio-scsi", "dedicated": True, "gives_iothread": True}


@pytest.mark.parametrize(
    ("machine", "more", "blockdev"),
    [
        ("pc-q35-10.0", "", True),
        ("pc-q35-9.2", "", False),
        ("pc-i440fx-10.0+pve1", "", True),
        (None, "", True),
        (None, "ostype: win11\nmeta: creation-qemu=10.0.2\n", True),
        (None, "ostype: win11\nmeta: creation-qemu=9.2.0\n", False),
        (None, "ostype: win11\n", False),
    ],
)
def test_an_empty_drive_reaches_qemu_below_machine_10_alone(machine, more, blockdev):
    """From machine version 10.0 on there is no block device for it."""
    lines = more + (f"machine: {machine}\n" if machine else "")
    assert (effective("ide2: none,media=cdrom", more=lines) is None) == blockdev


@pytest.mark.parametrize(
    ("kind", "options", "drive", "driver", "aio", "cache"),
    [
        ("dir", {}, "", "file", "io_uring", "none"),
        ("nfs", {}, "", "file", "io_uring", "none"),
        ("zfspool", {}, "", "host_device", "io_uring", "none"),
        ("lvmthin", {}, "", "host_device", "io_uring", "none"),
        ("lvm", {}, "", "host_device", "native", "none"),
        ("lvm", {}, ",cache=writeback", "host_device", "threads", "writeback"),
        ("lvm", {}, ",cache=writethrough,aio=io_uring", "host_device", "io_uring", "writethrough"),
        ("cifs", {}, ",cache=unsafe", "file", "threads", "unsafe"),
        ("rbd", {}, ",aio=threads", "rbd", None, "none"),
        ("rbd", {"krbd": 1}, "", "host_device", "io_uring", "none"),
        ("rbd", {"krbd": 1}, ",cache=writeback", "host_device", "threads", "writeback"),
        ("zfs", {}, ",aio=threads", "iscsi", None, "none"),
        ("btrfs", {}, "", "file", "io_uring", "writeback"),
        ("btrfs", {"nocow": 1}, "", "file", "io_uring", "none"),
        ("thirdparty", {}, ",aio=threads", None, "threads", "none"),
    ],
)
def test_by_storage_type(kind, options, drive, driver, aio, cache):
    found = effective(f"scsi0: st:d{drive}", kind=kind, **options)
    assert (found["driver"], found["aio"], found["cache"]) == (driver, aio, cache)


def test_the_next_start_is_that_of_the_machine_that_waits():
    text = b"machine: pc-q35-10.0\nefidisk0: local:1/e.raw\n\n[PENDING]\nmachine: viommu=virtio,type=pc-q35-9.0\n"
    (disk,) = record("100", text, {entry["id"]: entry for entry in storage.parse("")[0]})["disks"]
    assert (
        disk["effective"] is not None and disk["next"] is not None and disk["effective"]["aio"] != disk["next"]["aio"]
    )
    guest = record("100", text, {})
    assert (guest["machine"], guest["next_start"]) == ("pc-q35-10.0", {"machine": "pc-q35-9.0", "ostype": None})
