# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The file systems of a live node's images, and whether they open a file for direct I/O.

Only local file systems are touched: a look-up on one of the network or in user space may never return. Images are not
read.
"""

from __future__ import annotations

import errno
import fcntl
import os
import re
import stat
import struct
from typing import NamedTuple

from .._host.whole_file import read_start
from .._model.records import FileSystem

_LOCAL = frozenset(
    "bcachefs btrfs devtmpfs exfat ext2 ext3 ext4 f2fs jfs ntfs3 overlay ramfs reiserfs tmpfs vfat xfs zfs".split()
)
_ESCAPE = re.compile(rb"\\([0-7]{3})")
_MOST_LINKS = 40
_LARGEST_MOUNTINFO = 16 << 20
# ioctl_iflags(2)
_FS_IOC_GETFLAGS = 0x80086601
_FS_NOCOW_FL = 0x00800000


class FileSystems:
    """The file systems below ``root``; the mounts are read once, from ``mountinfo`` (proc(5))."""

    def __init__(self, root: str = "/", mountinfo: str = "/proc/self/mountinfo") -> None:
        self._root = root
        self._mountinfo = mountinfo
        self._mounts: _Mounts | None = None

    def _read_mounts(self) -> _Mounts:
        if self._mounts is None:
            self._mounts = _Mounts(self._mountinfo)
        return self._mounts

    def of(self, path: str) -> FileSystem | None:
        """The file system of an image's absolute path; None where there is no such regular file, or it is not known."""
        found = self._resolved(os.path.join(self._root, path.lstrip("/")))
        if found is None:
            return None
        real, kind = found
        if kind not in _LOCAL:
            return {"type": kind, "direct_io": None, "copy_on_write": None} if kind else None
        try:
            if not stat.S_ISREG(os.lstat(real).st_mode):
                return None
        except OSError:
            return None
        return {"type": kind, "direct_io": _opens_direct(real), "copy_on_write": _copies_on_write(real, kind)}

    def _resolved(self, path: str) -> tuple[str, str] | None:
        """The path without links, and the type of its file system; the first place on the way that is not local ends it
        untouched.
        """
        mounts = self._read_mounts()
        rest = _parts(path)
        # The directories down to where we are, each with its mount.
        way = [("", mounts.root)]
        links = 0
        while rest:
            part = rest.pop()
            if part == "..":
                way = way[:-1] or way
                continue
            here, mount = way[-1]
            there = f"{here}/{part}"
            mount = mounts.at(mount, there)
            if mount.kind not in _LOCAL:
                return there, mount.kind
            try:
                target = os.readlink(there) if stat.S_ISLNK(os.lstat(there).st_mode) else None
            except OSError:
                return None
            if target is None:
                way.append((there, mount))
                continue
            links += 1
            if links > _MOST_LINKS:
                return None
            way = way[:1] if target.startswith("/") else way
            rest += _parts(target)
        return way[-1][0] or "/", way[-1][1].kind


def _parts(path: str) -> list[str]:
    """A path's names, the first one last."""
    return [part for part in reversed(path.split("/")) if part not in ("", ".")]


class _Mount(NamedTuple):
    number: str
    kind: str


class _Mounts:
    """What is mounted on what; mountinfo lists it in no order."""

    def __init__(self, path: str) -> None:
        self._on: dict[tuple[str, str], _Mount] = {}
        self.root = _Mount("", "")
        lines = _mount_lines(path)
        numbers = {number for number, _parent, _point, _kind in lines}
        for number, parent, point, kind in lines:
            if number == parent or parent not in numbers:
                self.root = _Mount(number, kind) if point == "/" else self.root
            else:
                self._on[parent, point] = _Mount(number, kind)
        self.root = self.at(self.root, "/")

    def at(self, mount: _Mount, point: str) -> _Mount:
        """The mount that is seen at a place of this mount: itself, or the last of those mounted there."""
        while (mount.number, point) in self._on:
            mount = self._on[mount.number, point]
        return mount


def _mount_lines(path: str) -> list[tuple[str, str, str, str]]:
    """(id, parent's id, mount point, type) of each mount (proc(5), mountinfo)."""
    try:
        raw = read_start(path, _LARGEST_MOUNTINFO)
    except OSError:
        return []
    found = []
    for line in raw.split(b"\n"):
        left, _dash, right = line.partition(b" - ")
        fields, kind = left.split(b" "), right.split(b" ")[0]
        if len(fields) > 4 and kind:
            point = _ESCAPE.sub(lambda match: bytes([int(match[1], 8) & 0xFF]), fields[4])
            found.append((os.fsdecode(fields[0]), os.fsdecode(fields[1]), os.fsdecode(point), os.fsdecode(kind)))
    return found


def _opens_direct(path: str) -> bool | None:
    """Whether the file system opens the file with O_DIRECT, as QEMU would; None where it fails for another reason."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECT | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as exc:
        # open(2): "The filesystem does not support the O_DIRECT flag."
        return False if exc.errno in (errno.EINVAL, errno.EOPNOTSUPP) else None
    os.close(descriptor)
    return True


def _copies_on_write(path: str, kind: str) -> bool | None:
    """Whether the file's data is copied on write, with checksums: always on bcachefs, and on btrfs unless the file is
    NOCOW (chattr +C).
    """
    if kind != "btrfs":
        return kind == "bcachefs"
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return True
    try:
        (flags,) = struct.unpack("I", fcntl.ioctl(descriptor, _FS_IOC_GETFLAGS, b"\0" * 8)[:4])
    except OSError:
        return True
    finally:
        os.close(descriptor)
    return not flags & _FS_NOCOW_FL
