# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Volumes that Proxmox VE does not start a guest with."""

from __future__ import annotations

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.module_utils._pve import drive, volume

EVERYTHING = ["backup", "images", "import", "iso", "rootdir", "snippets", "vztmpl"]


def fault(kind, line, node=None, blockdev=True, **facts):
    key, _colon, text = line.partition(": ")
    read = drive.parse(key, text)
    storage = {
        "id": "st",
        "type": kind,
        "krbd": False,
        "nocow": False,
        "shared": False,
        "servers": [],
        "disabled": False,
        "nodes": None,
        "content": EVERYTHING,
        **facts,
    }
    return volume.fault(read, storage, node, blockdev)


@pytest.mark.parametrize(
    ("kind", "line", "words"),
    [
        ("dir", "scsi0: st:vm-110-disk-0", "of type dir has no volume 'vm-110-disk-0'"),
        ("nfs", "scsi0: st:vm-110-disk-0.qcow2", "has no volume"),
        ("cifs", "scsi0: st:110/vm-110-disk-0", "has no volume"),
        ("cephfs", "scsi0: st:32", "has no volume"),
        ("btrfs", "scsi0: st:110/x.qed", "has no volume"),
        ("dir", "scsi0: st:110/snap-a-vm-110-disk-0.qcow2", "has no volume"),
        ("dir", "scsi0: st:120/base-120-disk-0/121/vm-121-disk-0.qcow2", "has no volume"),
        ("dir", "scsi0: st:images/110/vm-110-disk-0.raw", "has no volume"),
        ("dir", "ide2: st:vm-110-cloudinit,media=cdrom", "has no volume"),
        ("dir", "efidisk0: st:vm-110-disk-1", "has no volume"),
        ("lvm", "scsi0: st:110/vm-110-disk-0.raw", "has no volume"),
        ("lvm", "scsi0: st:base-110-disk-0", "has no volume"),
        ("lvmthin", "scsi0: st:disk-0", "has no volume"),
        ("lvmthin", "scsi0: st:vm-110-disk-0-", "has no volume"),
        ("zfspool", "scsi0: st:110/vm-110-disk-0.raw", "has no volume"),
        ("zfs", "scsi0: st:disk", "has no volume"),
        ("rbd", "scsi0: st:110/vm-110-disk-0.raw", "has no volume"),
        ("iscsi", "scsi0: st:vm-110-disk-0", "has no volume"),
        ("iscsidirect", "scsi0: st:0", "has no volume"),
        ("dir", "ide2: st:iso/x.iso", "an ISO image without media=cdrom"),
        ("nfs", "scsi0: st:iso/x.IMG", "an ISO image without media=cdrom"),
        (
            "dir",
            "scsi0: st:110/vm-110-disk-0.qcow2,format=raw",
            "format=raw, but the volume's format on this storage is qcow2",
        ),
        ("lvmthin", "scsi0: st:vm-110-disk-0,format=qcow2", "format on this storage is raw"),
        ("lvm", "scsi0: st:vm-110-disk-0.qcow2,format=raw", "format on this storage is qcow2"),
        ("dir", "scsi0: st:110/subvol-110-disk-0.subvol", "a subvolume of a container"),
        ("zfspool", "scsi0: st:subvol-110-disk-0", "a subvolume of a container"),
        ("esxi", "scsi0: st:vm-106", "of type esxi has no volume 'vm-106'"),
        ("esxi", "scsi0: st:dc/ds/vm/vm.vmx", "to import is not a disk"),
        ("pbs", "scsi0: st:pbs-107-disk-0", "of type pbs has no volume"),
        ("pbs", "scsi0: st:backup/vm/100/2026-01-31T00:00:00Z", "content backup is not a disk"),
        ("dir", "scsi0: st:snippets/x", "content snippets is not a disk"),
        ("dir", "ide2: st:vztmpl/a,media=cdrom", "has no volume 'vztmpl/a'"),
        ("nfs", "scsi0: st:vztmpl/a.tar.zst", "content vztmpl is not a disk"),
        ("dir", "scsi0: st:backup/vzdump-qemu-100.vma.zst", "content backup is not a disk"),
        ("dir", "scsi0: st:import/a.ova/b.vmdk", "inside an OVA"),
        ("dir", "scsi0: st:import/a.ova", "to import is not a disk"),
        ("dir", "scsi0: st:import/a", "has no volume"),
        (None, "scsi0: none", "'none' is an empty drive, which needs media=cdrom"),
        (None, "virtio1: none,cache=none", "'none' is an empty drive"),
        (None, "ide0: none", "'none' is an empty drive"),
    ],
)
def test_a_guest_that_does_not_start(kind, line, words):
    assert words in fault(kind, line)


@pytest.mark.parametrize(
    ("kind", "line"),
    [
        ("dir", "scsi0: st:110/vm-110-disk-0.qcow2"),
        ("dir", "scsi0: st:120/base-120-disk-0.qcow2/121/vm-121-disk-0.qcow2,format=qcow2"),
        ("dir", "ide2: st:iso/x y.iso,media=cdrom"),
        ("dir", "ide2: st:iso/x.iso,media=disk"),
        ("dir", "ide2: st:110/vm-110-cloudinit.qcow2,media=cdrom"),
        ("dir", "scsi0: st:import/x.qcow2"),
        ("btrfs", "scsi0: st:110/vm-110-disk-0.raw,format=raw"),
        ("lvm", "scsi0: st:vm-110-disk-0"),
        ("lvm", "scsi0: st:vm-110-disk-0.qcow2,format=qcow2"),
        ("lvmthin", "scsi0: st:base-110-disk-0,format=raw"),
        ("lvmthin", "ide2: st:vm-110-cloudinit,media=cdrom"),
        ("zfspool", "scsi0: st:base-110-disk-0/vm-111-disk-0"),
        ("zfs", "scsi0: st:vm-110-disk-0"),
        ("rbd", "scsi0: st:base-110-disk-0/vm-111-disk-0"),
        ("iscsi", "scsi0: st:0.0.0.scsi-36001405b8f3c"),
        ("iscsidirect", "scsi0: st:lun0"),
        ("plugin", "scsi0: st:whatever"),
        (None, "scsi0: st:whatever"),
    ],
)
def test_a_guest_that_starts(kind, line):
    assert fault(kind, line) is None


@pytest.mark.parametrize("line", ["ide2: none,media=cdrom", "scsi0: st:x"])
def test_an_empty_cdrom_drive_starts(line):
    assert fault(None, line) is None


def test_below_machine_10_a_file_of_any_content_is_opened():
    assert fault("dir", "scsi0: st:snippets/x", blockdev=False) is None


@pytest.mark.parametrize(
    ("kind", "line", "content", "words"),
    [
        (
            "dir",
            "scsi0: st:110/vm-110-disk-0.qcow2",
            ["backup", "iso"],
            "does not allow content images, which this volume is; it allows backup, iso",
        ),
        ("dir", "ide2: st:iso/x.iso,media=cdrom", ["images", "rootdir"], "does not allow content iso"),
        ("lvm", "efidisk0: st:vm-110-disk-0", ["rootdir"], "does not allow content images"),
        ("iscsi", "scsi0: st:0.0.0.scsi-36001405b8f3c", ["none"], "does not allow content images"),
        ("esxi", "scsi0: st:dc/ds/vm/vm.vmdk", ["import"], "does not allow content images"),
        ("nfs", "ide2: st:110/vm-110-cloudinit.qcow2,media=cdrom", ["iso"], "does not allow content images"),
    ],
)
def test_a_storage_that_does_not_allow_its_volume(kind, line, content, words):
    assert words in fault(kind, line, content=content)


@pytest.mark.parametrize("kind", ["dir", "plugin"])
def test_a_storage_that_is_disabled_or_on_other_nodes(kind):
    line = "scsi0: st:110/vm-110-disk-0.raw"
    assert "st is disabled in storage.cfg" in fault(kind, line, disabled=True)
    assert "not available on node n1: its nodes are n2, n3" in fault(kind, line, "n1", nodes=["n2", "n3"])
    assert fault(kind, line, "n2", nodes=["n2"]) is None
    assert fault(kind, line, None, nodes=["n2"]) is None


def test_of_a_plugins_storage_the_content_is_not_judged():
    assert fault("plugin", "scsi0: st:whatever", content=None) is None


def test_of_a_path_nothing_is_said():
    assert volume.fault(drive.parse("scsi0", "/dev/sdb,format=qcow2"), None) is None
