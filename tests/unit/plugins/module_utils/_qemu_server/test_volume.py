# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Volumes that Proxmox VE does not start a guest with."""

from __future__ import annotations

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.module_utils._qemu_server import drive, volume


def fault(kind, line):
    key, _colon, text = line.partition(": ")
    read = drive.parse(key, text)
    storage = {"id": "st", "type": kind, "krbd": False, "nocow": False, "shared": False, "servers": [], "disabled": False}
    return volume.fault(read, storage)


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
        ("dir", "scsi0: st:110/vm-110-disk-0.qcow2,format=raw", "format=raw, and the volume's format on this storage is qcow2"),
        ("lvmthin", "scsi0: st:vm-110-disk-0,format=qcow2", "format on this storage is raw"),
        ("lvm", "scsi0: st:vm-110-disk-0.qcow2,format=raw", "format on this storage is qcow2"),
        ("dir", "scsi0: st:110/subvol-110-disk-0.subvol", "a subvolume of a container"),
        ("zfspool", "scsi0: st:subvol-110-disk-0", "a subvolume of a container"),
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


def test_of_a_path_nothing_is_said():
    assert volume.fault(drive.parse("scsi0", "/dev/sdb,format=qcow2"), None) is None
