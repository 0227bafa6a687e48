# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""What an image lies on is told without touching what may not answer, and without reading the image."""

from __future__ import annotations

import errno
import os

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.module_utils._backends import filesystems
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._backends.filesystems import FileSystems

DIRECT = {"type": "ext4", "direct_io": True, "copy_on_write": False}


@pytest.fixture
def host(tmp_path, monkeypatch):
    """A mount table over a folder; every path that is touched; and, in ``refuses``, the error that O_DIRECT gives."""
    return Host(tmp_path, monkeypatch)


class Host:
    def __init__(self, tmp_path, monkeypatch):
        self.top = tmp_path
        self.touched = []
        self.refuses = None
        self.mounts = ["22 27 0:21 / /proc rw - proc proc rw", "27 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw"]
        self._number = 100
        for name in ("lstat", "readlink", "open"):
            monkeypatch.setattr(filesystems.os, name, self._watched(getattr(os, name), name))

    def _watched(self, real, name):
        def call(path, *arguments):
            if str(path).startswith(str(self.top)):
                self.touched.append((name, str(path)[len(str(self.top)) :]))
            if name == "open" and arguments[0] & os.O_DIRECT:
                if self.refuses:
                    raise OSError(self.refuses, os.strerror(self.refuses))
                arguments = (arguments[0] & ~os.O_DIRECT,)
            return real(path, *arguments)

        return call

    def mount(self, kind, place, parent=27):
        self._number += 1
        point = str(self.top / place).replace(" ", "\\040")
        self.mounts.insert(0, f"{self._number} {parent} 0:{self._number} / {point} rw,relatime - {kind} source rw")
        (self.top / place).mkdir(parents=True, exist_ok=True)
        return self._number

    def image(self, place):
        path = self.top / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"data")
        return str(path)

    def of(self, path):
        table = self.top / "mountinfo"
        table.write_text("\n".join(self.mounts) + "\n")
        return FileSystems("/", str(table)).of(str(path))


def test_an_image_on_a_local_file_system(host):
    assert host.of(host.image("images/100/d.raw")) == DIRECT


def test_a_file_system_that_refuses_direct_io(host):
    host.mount("ramfs", "ram")
    host.refuses = errno.EINVAL
    assert host.of(host.image("ram/d.raw")) == {"type": "ramfs", "direct_io": False, "copy_on_write": False}


def test_an_image_that_may_not_be_opened_tells_nothing(host):
    host.refuses = errno.EACCES
    assert host.of(host.image("d.raw"))["direct_io"] is None


@pytest.mark.parametrize("kind", ["nfs4", "cifs", "fuse.mergerfs", "fuse", "9p", "ceph", "autofs", "new-net-fs"])
def test_what_may_not_answer_is_not_touched(host, kind):
    image = host.image("net/images/d.raw")
    host.mount(kind, "net")
    assert host.of(image) == {"type": kind, "direct_io": None, "copy_on_write": None}
    assert not [path for _name, path in host.touched if path.startswith("/net")]


@pytest.mark.parametrize("target", ["../net/d.raw", "{top}/net/d.raw", "up/../../net/d.raw"])
def test_a_link_to_what_may_not_answer_is_not_followed(host, target):
    host.image("net/d.raw")
    host.mount("nfs4", "net")
    (host.top / "images/up").mkdir(parents=True)
    (host.top / "images/d.raw").symlink_to(target.format(top=host.top))
    assert host.of(host.top / "images/d.raw")["type"] == "nfs4"
    assert not [path for _name, path in host.touched if path.startswith("/net")]


def test_links_are_followed_on_local_file_systems(host):
    host.mount("xfs", "disk")
    host.image("disk/d.raw")
    (host.top / "one").symlink_to("two")
    (host.top / "two").symlink_to(host.top / "disk")
    assert host.of(host.top / "one/d.raw") == {**DIRECT, "type": "xfs"}


def test_a_mount_on_a_mount_hides_what_is_below_it(host):
    first = host.mount("xfs", "a")
    host.mount("nfs4", "a/b", first)
    host.mount("ext4", "a", first)
    assert host.of(host.image("a/b/d.raw")) == DIRECT


def test_a_mount_point_with_a_blank(host):
    host.mount("xfs", "my disk")
    assert host.of(host.image("my disk/d.raw"))["type"] == "xfs"


@pytest.mark.parametrize(("flags", "copies"), [(0, True), (0x00800000, False), (None, True)])
def test_btrfs_copies_on_write_unless_the_file_says_otherwise(host, monkeypatch, flags, copies):
    def ioctl(_descriptor, _request, buffer):
        if flags is None:
            raise OSError(errno.ENOTTY, "no")
        return flags.to_bytes(4, "little") + buffer[4:]

    monkeypatch.setattr(filesystems.fcntl, "ioctl", ioctl)
    monkeypatch.setattr(filesystems.struct, "unpack", lambda _form, raw: (int.from_bytes(raw, "little"),))
    host.mount("btrfs", "b")
    assert host.of(host.image("b/d.raw")) == {"type": "btrfs", "direct_io": True, "copy_on_write": copies}


def test_bcachefs_always_does(host):
    host.mount("bcachefs", "b")
    assert host.of(host.image("b/d.raw"))["copy_on_write"] is True


def test_what_is_not_a_file_is_told_nothing_of(host):
    os.mkfifo(host.top / "pipe")
    (host.top / "loop").symlink_to("loop")
    for path in (host.top / "pipe", host.top / "loop", host.top, host.top / "gone/d.raw", host.top / "mountinfo/x"):
        assert host.of(path) is None
    assert "open" not in {name for name, _path in host.touched}


def test_without_a_mount_table_nothing_is_told(host):
    assert FileSystems("/", str(host.top / "gone")).of(host.image("d.raw")) is None and host.touched == []


@pytest.mark.parametrize(
    "line",
    ["", "x", "1 2 3 4", "- ext4", "27 27 0:1 / / rw - ext4 x rw", "\\777 \\9 a b c - - -", "1 1 0:1 / / rw - ext4"],
)
def test_an_odd_mount_table_ends_nothing(host, line):
    host.mounts.append(line)
    host.of(host.image("d.raw"))
    host.mounts = [line]
    host.of(host.image("d.raw"))


def test_an_image_is_opened_and_not_read(host, monkeypatch):
    monkeypatch.setattr(filesystems.os, "read", lambda *_arguments: pytest.fail("read"))
    path = host.image("d.raw")
    os.utime(path, (1, 1))
    assert host.of(path) == DIRECT and os.stat(path).st_atime == 1


def test_this_machine():
    found = FileSystems().of(os.path.realpath(__file__))
    assert found is None or found["direct_io"] in (True, False, None) and found["type"]
