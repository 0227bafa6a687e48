# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Which disks carry guests' images and what the host writes, and what their queues hold."""

from __future__ import annotations

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.module_utils._queues import mounts, udev_rules
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._queues.read import read_facts

from .machine import WWN, Machine

MIB = 1 << 20


@pytest.fixture
def machine(tmp_path):
    return Machine(tmp_path)


def disks(machine: Machine) -> dict[str, dict]:
    return {disk["name"]: disk for disk in read_facts(machine.tree)["disks"]}


def where(machine: Machine) -> dict[str, tuple[str, list[str]]]:
    return {one["id"]: (one["kind"], one["disks"]) for one in read_facts(machine.tree)["storages"]}


def test_a_disk_with_all_that_is_known_of_it(machine):
    base = machine.disk("sda", "8:0", "scsi-35000c500a1b2c3d4", WWN, "lvm-pv-uuid-x", partitions=2)
    machine.put(f"{base}/mq/0/cpu_list", "0")
    machine.put("/sys/class/scsi_host/host0/proc_name", "ahci")
    machine.mount("8:2", "/srv/imgs")
    machine.mount("8:1", "/boot/efi", "vfat")
    machine.storages("dir: imgs\n\tpath /srv/imgs/pve\n\tcontent images")
    assert read_facts(machine.tree) == {
        "sys": True,
        "disks": [
            {
                "name": "sda",
                "kind": "disk",
                "ids": [WWN, "scsi-35000c500a1b2c3d4"],
                "nr_requests": 128,
                "max_sectors_kb": 1280,
                "max_hw_sectors_kb": 32767,
                "hw_queues": 1,
                "scheduler": "mq-deadline",
                "wbt_lat_usec": 75000,
                "rotational": True,
                "has_limit": True,
                "max_bytes": None,
                "strict_limit": False,
                "queue_bytes": 160 * MIB,
                "raid": None,
                "remote": False,
                "below": [],
                "images": ["imgs"],
                "mounts": ["/srv/imgs"],
            }
        ],
        "storages": [{"id": "imgs", "type": "dir", "kind": "disks", "disks": ["sda"]}],
        "dirty": {"limit": 2 << 30, "background": 1 << 30, "percent": True},
        "rules": {},
        "problems": [],
    }


def test_nothing_is_known_of_a_tree_without_a_kernel(tmp_path):
    machine = Machine(tmp_path)
    for name in ("dirty_ratio", "dirty_bytes"):
        (tmp_path / "proc/sys/vm" / name).unlink()
    (tmp_path / "sys/block").rmdir()
    assert read_facts(machine.tree) == {
        "sys": False,
        "disks": [],
        "storages": [],
        "dirty": {"limit": None, "background": None, "percent": None},
        "rules": {},
        "problems": [],
    }


def test_lvm_thick_and_thin(machine):
    machine.disk("sda", "8:0", WWN, partitions=3)
    machine.disk("sdb", "8:16", "wwn-0xb")
    machine.mapped(0, "pve-root", "sda3")
    machine.mapped(1, "tank--vg-data_tmeta", "sdb")
    machine.mapped(2, "tank--vg-data_tdata", "sdb")
    machine.mapped(3, "tank--vg-data-tpool", "dm-1", "dm-2")
    machine.mapped(4, "tank--vg-vm--101--disk--0", "dm-3")
    machine.mapped(5, "tank-other", "sda3")
    machine.mapped(6, "pve--x-root", "sdb")
    machine.mount("252:0", "/")
    machine.storages(
        "lvm: thick\n\tvgname pve\n\nlvmthin: thin\n\tvgname tank-vg\n\tthinpool data\n\nlvm: off\n\tvgname gone"
    )
    assert where(machine) == {"thick": ("disks", ["sda"]), "thin": ("disks", ["sdb"]), "off": ("unknown", [])}
    found = disks(machine)
    assert list(found) == ["dm-0", "sda", "sdb"]
    assert (found["sda"]["mounts"], found["sda"]["images"], found["sdb"]["images"]) == (["/"], ["thick"], ["thin"])
    # A file system on LVM counts for the logical volume's own limit: it is a device to be named, without a queue.
    root = found["dm-0"]
    assert (root["kind"], root["ids"], root["below"], root["mounts"]) == ("layer", ["dm-name-pve-root"], ["sda"], ["/"])
    assert (root["nr_requests"], root["queue_bytes"], root["has_limit"], root["images"]) == (None, None, True, [])


def test_an_array_with_lvm_on_it_and_a_file_system_in_a_file_on_that(machine):
    machine.disk("sda", "8:0", "wwn-0xa", partitions=1)
    machine.disk("sdb", "8:16", "wwn-0xb", partitions=1)
    machine.md("md0", "9:0", "sda1", "sdb1")
    machine.mapped(0, "vg-srv", "md0")
    machine.mount("252:0", "/srv")
    machine.loop("loop0", "7:0", "/srv/disk.raw")
    machine.mount("7:0", "/imgs")
    machine.storages("dir: imgs\n\tpath /imgs\n\tcontent images")
    assert where(machine) == {"imgs": ("disks", ["sda", "sdb"])}
    assert disks(machine)["sdb"]["mounts"] == ["/imgs", "/srv"]


def test_a_loop_device_on_itself_ends(machine):
    machine.loop("loop0", "7:0", "/srv/disk.raw")
    machine.mount("7:0", "/srv")
    machine.storages("dir: imgs\n\tpath /srv\n\tcontent images")
    assert where(machine) == {"imgs": ("unknown", [])}


def test_a_disk_of_several_paths_is_one_disk(machine):
    machine.disk("sda", "8:0")
    machine.disk("sdb", "8:16")
    machine.mapped(0, "mpatha", "sda", "sdb", uuid="mpath-3600a", nr_requests=64, max_sectors_kb=512, rotational=1)
    machine.link(f"/dev/disk/by-id/{WWN}", "../../dm-0")
    machine.mapped(1, "vg-vm--100--disk--0", "dm-0")
    machine.storages("lvm: san\n\tvgname vg")
    assert where(machine) == {"san": ("disks", ["dm-0"])}
    found = disks(machine)
    assert list(found) == ["dm-0"]
    assert (found["dm-0"]["ids"], found["dm-0"]["queue_bytes"]) == ([WWN, "dm-name-mpatha"], 32 * MIB)


def test_a_pool_of_zfs_by_what_udev_recorded(machine):
    for number, name in enumerate(("sda", "sdb", "sdc")):
        machine.disk(name, f"8:{16 * number}", f"wwn-0x{name}", partitions=1)
    for number, pool in ((1, "rpool"), (17, "rpool"), (33, "tank")):
        machine.put(f"/run/udev/data/b8:{number}", f"E:ID_FS_LABEL={pool}\nE:ID_FS_TYPE=zfs_member")
    machine.put("/proc/spl/kstat/zfs/arcstats", "x")
    machine.mount("0:30", "/", "zfs", "rpool/ROOT/pve-1")
    machine.storages("zfspool: zfs\n\tpool rpool/data\n\ndir: file\n\tpath /srv\n\tcontent images")
    assert where(machine) == {"zfs": ("zfs", ["sda", "sdb"]), "file": ("zfs", ["sda", "sdb"])}


def test_a_file_system_of_btrfs_on_two_disks(machine):
    machine.disk("sda", "8:0", "wwn-0xa", partitions=2)
    machine.disk("sdb", "8:16", "wwn-0xb", partitions=2)
    for name in ("sda2", "sdb2"):
        machine.put(f"/sys/fs/btrfs/5d0f0a3e-0001-4b6e-9f0e-000000000001/devices/{name}/x", "")
    machine.put("/sys/fs/btrfs/features/x", "")
    machine.mount("0:33", "/imgs", "btrfs", "/dev/sda2")
    machine.storages("btrfs: imgs\n\tpath /imgs\n\tcontent images")
    assert where(machine) == {"imgs": ("disks", ["sda", "sdb"])}


def test_storages_in_another_machine_and_those_of_another_node(machine):
    machine.put("/etc/hostname", "pve1.example.org")
    machine.mount("0:50", "/mnt/pve/nas", "nfs4", "10.0.0.1:/x")
    machine.storages(
        "nfs: nas\n\tserver 10.0.0.1\n\texport /x\n\tcontent images\n\n"
        "dir: onnas\n\tpath /mnt/pve/nas/sub\n\tcontent rootdir\n\n"
        "rbd: ceph\n\tpool p\n\n"
        "nfs: backups\n\tserver 10.0.0.1\n\texport /y\n\tcontent backup\n\n"
        "dir: off\n\tpath /off\n\tcontent images\n\tdisable 1\n\n"
        "dir: there\n\tpath /there\n\tcontent images\n\tnodes pve2,pve3"
    )
    assert where(machine) == {"nas": ("network", []), "onnas": ("network", []), "ceph": ("network", [])}
    machine.link("/etc/pve/local", "nodes/pve2")
    assert "there" in where(machine)


def test_without_proxmox_ve_images_are_in_libvirts_folder(machine):
    machine.disk("vda", "254:0", "virtio-ROOT", partitions=1)
    machine.mount("254:1", "/")
    assert where(machine) == {}
    machine.put("/var/lib/libvirt/images/a.raw", "")
    assert where(machine) == {"/var/lib/libvirt/images": ("disks", ["vda"])}


@pytest.mark.parametrize(
    ("name", "at", "known"),
    [
        (
            "sda",
            "pci0000:00/0000:00:06.0/host0/target0:2:0/0:2:0:0/block/sda",
            {"raid": "megaraid_sas", "remote": False},
        ),
        ("sda", "platform/host0/session1/target0:0:0/0:0:0:1/block/sda", {"raid": "megaraid_sas", "remote": True}),
        ("sda", "pci0000:00/host1/rport-1:0-2/target1:0:0/1:0:0:0/block/sda", {"raid": None, "remote": True}),
        ("nvme0n1", "virtual/nvme-fabrics/ctl/nvme0/nvme0n1", {"raid": None, "remote": True}),
        ("nvme0n1", "pci0000:00/0000:00:05.0/nvme/nvme0/nvme0n1", {"raid": None, "remote": False}),
    ],
)
def test_what_a_disk_is_behind(machine, name, at, known):
    machine.disk(name, "8:0", at=at)
    machine.put("/sys/class/scsi_host/host0/proc_name", "megaraid_sas")
    machine.put("/sys/class/scsi_host/host1/proc_name", "lpfc")
    found = disks(machine)[name]
    assert {key: found[key] for key in known} == known


def test_hardware_queues_count_where_each_has_requests_of_its_own(machine):
    for name, number in (("nvme0n1", "259:0"), ("sda", "8:0")):
        base = machine.disk(name, number, at=f"pci0000:00/host0/{name}", nr_requests=16, max_sectors_kb=128)
        for queue in range(4):
            machine.put(f"{base}/mq/{queue}/cpu_list", "0")
    found = disks(machine)
    assert (found["nvme0n1"]["queue_bytes"], found["sda"]["queue_bytes"]) == (8 * MIB, 2 * MIB)


@pytest.mark.parametrize(
    ("shown", "share", "known"),
    [
        (33554364, 199265, 32 * MIB),  # recorded: 32 MiB written at a limit of 160 MiB
        (13372447, 199265, 13 * MIB),  # recorded: the same after vm.dirty_bytes was set to 64 MiB
        (67108864, 1000000, None),
        (0, 0, 0),
    ],
)
def test_a_limit_of_a_devices_own(machine, shown, share, known):
    machine.limit(machine.disk("sda", "8:0", WWN), shown, share, strict=1)
    assert (disks(machine)["sda"]["max_bytes"], disks(machine)["sda"]["strict_limit"]) == (known, True)


def test_a_kernel_without_limits_of_a_devices_own(machine, tmp_path):
    base = machine.disk("sda", "8:0", WWN, wbt_lat_usec=None)
    for name in ("max_bytes", "max_ratio_fine", "strict_limit"):
        (tmp_path / base.lstrip("/") / "bdi" / name).unlink()
    found = disks(machine)["sda"]
    assert (found["has_limit"], found["max_bytes"], found["strict_limit"]) == (False, None, None)
    assert found["wbt_lat_usec"] is None


def test_the_best_name_comes_first_and_one_that_udev_would_take_for_a_pattern_is_left_out(machine):
    machine.disk("nvme0n1", "259:0", "nvme-X_1", "nvme-eui.0025", "nvme-X", "nvme-a\\x20b", at="pci0000:00/nvme0n1")
    assert disks(machine)["nvme0n1"]["ids"] == ["nvme-eui.0025", "nvme-X", "nvme-X_1"]


def test_what_our_own_rules_set(machine):
    machine.put(udev_rules.PATH, udev_rules.edit("", WWN, {"nr_requests": "16"}))
    assert read_facts(machine.tree)["rules"] == {WWN: {"nr_requests": "16"}}


def test_what_cannot_be_read_is_a_problem(machine, tmp_path):
    machine.put(f"{udev_rules.PATH}/x", "")
    machine.put("/etc/pve/storage.cfg/x", "")
    (tmp_path / "sys/block").rmdir()
    (tmp_path / "sys/block").symlink_to("block")
    assert [(one["file"], one["reason"]) for one in read_facts(machine.tree)["problems"]] == [
        ("/sys/block", "Too many levels of symbolic links"),
        ("/etc/pve/storage.cfg", "is not a regular file"),
        (udev_rules.PATH, "is not a regular file"),
    ]


def test_mounts_are_read_with_their_escapes_and_the_last_one_hides_the_others():
    text = (
        "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n23 22 0:5 / /proc rw - proc proc rw\nnonsense\n"
        "24 22 8:2 / /srv/a\\040b rw shared:1 - xfs /dev/sda2 rw\n25 22 8:3 / /srv/a\\040b rw - xfs /dev/sda3 rw\n"
    )
    found = mounts.parse(text)
    assert [mount.number for mount in found] == ["8:1", "8:2", "8:3"]
    for path, number in (("/srv/a b/c", "8:3"), ("/srv/a bc", "8:1"), ("/", "8:1")):
        mount = mounts.of_path(found, path)
        assert mount is not None and mount.number == number
    assert mounts.of_path([], "/") is None
