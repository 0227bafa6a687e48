# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Which disk an open image lies on."""

from __future__ import annotations

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.module_utils._host.tree import Tree
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._stall.device import Devices


class Host:
    """A made-up /proc and /sys: sdb with a partition and ext4 on it, LVM on sdc, a mirror of two, ZFS."""

    def __init__(self, root):
        self.root = root
        block = root / "sys/class/block"
        block.mkdir(parents=True)
        numbers = root / "sys/dev/block"
        numbers.mkdir(parents=True)
        for name, number, below in [
            ("sdb", "8:16", []),
            ("sdb/sdb1", "8:17", []),
            ("sdc", "8:32", []),
            ("sdd", "8:48", []),
            ("dm-0", "253:0", ["sdc"]),
            ("md0", "9:0", ["sdc", "sdd"]),
        ]:
            path = root / "sys/devices" / name
            path.mkdir(parents=True)
            (path / "slaves").mkdir()
            for one in below:
                (path / "slaves" / one).mkdir()
            last = name.rpartition("/")[2]
            (block / last).symlink_to(f"/sys/devices/{name}")
            (numbers / number).symlink_to(f"/sys/devices/{name}")
        (root / "sys/devices/sdb/sdb1/partition").write_text("1\n")
        self.path = root / "proc/7"
        (self.path / "fd").mkdir(parents=True)
        (self.path / "fdinfo").mkdir()
        (self.path / "mountinfo").write_text(
            "29 1 8:17 / / rw - ext4 /dev/sdb1 rw\n30 1 253:0 / /lvm rw - xfs /dev/dm-0 rw\n31 1 0:55 / /tank rw - zfs"
            " tank/vm rw\n"
        )

    def open(self, number, target, mount, flags="02140002"):
        (self.path / "fd" / str(number)).symlink_to(target)
        (self.path / "fdinfo" / str(number)).write_text(f"pos:\t0\nflags:\t{flags}\nmnt_id:\t{mount}\n")


@pytest.fixture
def host(tmp_path):
    return Host(tmp_path)


def of_wait(host, syscall, argument, *files):
    return Devices(Tree(str(host.root)), 7, [{"file": file} for file in files]).of_wait(syscall, argument)


@pytest.mark.parametrize(
    ("target", "mount", "expected"),
    [
        ("/images/a.raw", 29, "sdb"),
        ("/lvm/a.raw", 30, "sdc"),
        ("/tank/a.raw", 31, "tank/vm"),
        ("/images/a.raw", 99, None),
        ("/dev/dm-0", 5, "sdc"),
        ("/dev/md0", 5, "md0"),
        ("/dev/sdb1", 5, "sdb"),
        ("socket:[9]", 5, None),
    ],
)
def test_the_device_of_a_system_call_s_descriptor(host, target, mount, expected):
    host.open(12, target, mount)
    assert of_wait(host, "pwritev", 12) == expected


def test_a_submission_names_a_disk_only_if_all_images_are_on_it(host):
    host.open(12, "/images/a.raw", 29)
    host.open(13, "/images/b.raw", 29)
    host.open(14, "/tmp/guest.pid", 30)
    host.open(15, "/usr/share/rom", 30, flags="0100000")
    assert of_wait(host, "io_submit", 0x7F00, "/images/a.raw", "/images/b.raw") == "sdb"
    host.open(16, "/dev/dm-0", 5)
    assert of_wait(host, "io_submit", 0x7F00, "/images/a.raw", "/images/b.raw") is None


def test_an_unknown_device_is_not_named(host):
    assert of_wait(host, "futex", 12) is None
    assert of_wait(host, "pwritev", 99) is None
    assert of_wait(host, None, None) is None
    assert Devices(Tree(str(host.root)), 8, []).of_wait("io_submit", 1) is None
