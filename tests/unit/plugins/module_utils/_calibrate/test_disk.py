# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

from __future__ import annotations

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.module_utils._calibrate import disk
from ansible_collections.hypervisor.io_hardening.tests.unit.plugins.module_utils._calibrate import host as hosts


def test_a_volume_has_the_limit_and_the_disk_below_it_the_queue(tmp_path):
    host, path = hosts.lvm(tmp_path)
    assert disk.facts(host.tree, path) == {
        "device": {"name": "dm-1", "id": "dm-name-pve-root", "max_bytes": 4725473280, "strict_limit": 0},
        "disks": [
            {
                "name": "sda",
                "id": "wwn-0x5000c500a1b2c3d4",
                "hw_queues": 1,
                "scheduler": "none",
                "nr_requests": 128,
                "max_sectors_kb": 1280,
            }
        ],
        "around": ["dm-1", "sda"],
    }


def test_a_partition_s_limit_is_its_disk_s(tmp_path):
    host = hosts.Host(tmp_path)
    host.device("vda", {**hosts.QUEUE, **hosts.BDI})
    host.device("vda1", below="vda")
    found = disk.facts(host.tree, host.mounts("vda1"))
    assert found["device"]["name"] == "vda" and found["device"]["id"] is None
    assert found["around"] == ["vda"]


def test_all_disks_of_an_array_are_meant(tmp_path):
    host = hosts.Host(tmp_path)
    host.device("sda", hosts.QUEUE)
    host.device("sdb", {**hosts.QUEUE, "queue/nr_requests": "64"})
    host.device("md0", hosts.BDI, slaves=["sda", "sdb"])
    found = disk.facts(host.tree, host.mounts("md0"))
    assert [(one["name"], one["nr_requests"]) for one in found["disks"]] == [("sda", 128), ("sdb", 64)]


def test_a_file_system_without_a_device_of_its_own(tmp_path):
    host = hosts.Host(tmp_path)
    (tmp_path / "storage").mkdir()
    assert disk.facts(host.tree, "/storage") == {"device": None, "disks": [], "around": []}


def test_a_kernel_without_these_files_has_null(tmp_path):
    host = hosts.Host(tmp_path)
    host.device("sda", {"queue/nr_requests": "many"})
    found = disk.facts(host.tree, host.mounts("sda"))
    assert found["device"]["max_bytes"] is None
    assert (found["disks"][0]["nr_requests"], found["disks"][0]["scheduler"]) == (None, None)


@pytest.mark.parametrize(
    ("names", "best"),
    [
        (["ata-X", "wwn-0x5", "scsi-3"], "wwn-0x5"),
        (["nvme-Samsung", "nvme-eui.0025"], "nvme-eui.0025"),
        (["nvme-Samsung_b", "nvme-Samsung_a"], "nvme-Samsung_a"),
        (["usb-Stick", "dm-name-x", "dm-uuid-y", "lvm-pv-uuid-z"], "dm-name-x"),
        (["usb-Stick"], "usb-Stick"),
    ],
)
def test_the_stable_name_is_the_best_that_there_is(tmp_path, names, best):
    host = hosts.Host(tmp_path)
    for name in names:
        host.named(name, "sda")
    assert disk.ids(host.tree) == {"sda": best}


def test_only_some_kinds_of_disks_have_their_requests_for_each_queue(tmp_path):
    host = hosts.Host(tmp_path)
    for name in ("nvme0n1", "sdb"):
        host.device(name, {**hosts.QUEUE, "mq/0/cpu_list": "0", "mq/1/cpu_list": "1"})
    host.device("md0", slaves=["nvme0n1", "sdb"])
    found = disk.facts(host.tree, host.mounts("md0"))
    assert [(one["name"], one["hw_queues"]) for one in found["disks"]] == [("nvme0n1", 2), ("sdb", 1)]


def test_what_moved_is_what_was_read_and_written(tmp_path):
    host, _path = hosts.lvm(tmp_path)
    assert disk.moved_bytes(host.tree, "sda") == 300 * 512
    assert disk.moved_bytes(host.tree, "sda3") == 0


def test_a_storage_with_nothing_of_guests_is_not_in_production(tmp_path):
    host, path = hosts.lvm(tmp_path)
    (tmp_path / "storage/images/101").mkdir(parents=True)
    assert disk.production(host.tree, path, ["dm-1", "sda"]) == []


def test_guests_images_at_or_above_the_directory_show_production(tmp_path):
    host, path = hosts.lvm(tmp_path)
    (tmp_path / "storage/images/101").mkdir(parents=True)
    (tmp_path / "storage/images/101/vm-101-disk-0.raw").touch()
    (tmp_path / "storage/below").mkdir()
    assert disk.production(host.tree, path, [])[0] == f"guests' images are in {tmp_path}/storage/images"
    assert disk.production(host.tree, "/storage/below", []) == disk.production(host.tree, path, [])


def test_a_guest_s_volume_on_the_same_disk_shows_production(tmp_path):
    host, path = hosts.lvm(tmp_path)
    host.device("dm-7", {"dm/name": "pve-vm--101--disk--0"}, slaves=["sda3"])
    host.device("sdz", hosts.QUEUE)
    host.device("dm-8", {"dm/name": "other-vm--102--disk--0"}, slaves=["sdz"])
    assert disk.production(host.tree, path, ["dm-1", "sda"]) == ["the guest's volume pve-vm-101-disk-0 is on it"]


def test_a_guest_that_runs_on_the_disk_shows_production(tmp_path, monkeypatch):
    host, path = hosts.lvm(tmp_path)
    guests = [{"id": "101", "name": None, "pid": 7, "disks": []}, {"id": None, "name": "web", "pid": 8, "disks": []}]
    monkeypatch.setattr(disk, "running_guests", lambda *_given, **_options: (guests, []))

    class Devices:
        def __init__(self, _tree, pid, _disks):
            self.pid = pid

        def of_images(self):
            if self.pid == 8:
                raise OSError("it ended")
            return {"sda", None}

    monkeypatch.setattr(disk, "Devices", Devices)
    assert disk.production(host.tree, path, ["dm-1", "sda"]) == ["guest 101 runs on it"]
    assert disk.production(host.tree, path, ["sdb"]) == []
