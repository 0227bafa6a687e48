# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The block device of a process's open file, as far as it can be known.

Reads links, fdinfo, mountinfo and /sys, but never the file or its file system, which may not respond.
"""

from __future__ import annotations

import os
import posixpath

from .._host.tree import Tree
from .._host.whole_file import read_start
from .._model.records import RunningDisk
from .._qemu_process.evidence import may_be_image, parse_fdinfo
from .._qemu_process.opened import descriptors
from . import waits

_DELETED = " (deleted)"
_DEPTH = 8
_MOST_BYTES = 16 << 20


class Devices:
    """The devices of one process's open files."""

    def __init__(self, tree: Tree, pid: int, disks: list[RunningDisk]) -> None:
        self._tree = tree
        self._proc = tree.real(f"/proc/{pid}")
        self._named = {disk["file"] for disk in disks if isinstance(disk["file"], str)}
        self._images: set[str | None] | None = None

    def of_wait(self, syscall: str | None, argument: int | None) -> str | None:
        """The device that a system call works on: that of its descriptor, or else that of the guest's images.

        io_submit and io_uring_enter do not say which image they work on: a device is named only if all of the guest's
        images are on the same one. None if it is not known.
        """
        try:
            if syscall in waits.ON_DESCRIPTOR:
                return self._of_descriptor(str(argument))
            if syscall in waits.SUBMITTING:
                if self._images is None:
                    self._images = self.of_images()
                return next(iter(self._images)) if len(self._images) == 1 else None
        except (OSError, ValueError):
            pass
        return None

    def of_images(self) -> set[str | None]:
        """The devices of the process's images, as of_wait() names them. Raises OSError, ValueError."""
        found: set[str | None] = set()
        for number in descriptors(self._proc):
            target = os.readlink(f"{self._proc}/fd/{number}")
            if not (target in self._named or may_be_image(target)):
                continue
            info = parse_fdinfo(_read(f"{self._proc}/fdinfo/{number}"))
            if info.get("flags", 0) & 3 or target in self._named:
                found.add(self._of_descriptor(number))
        return found

    def _of_descriptor(self, number: str) -> str | None:
        target = os.readlink(f"{self._proc}/fd/{number}")
        if target.endswith(_DELETED):
            target = target[: -len(_DELETED)]
        if target.startswith("/dev/"):
            return self._disk(posixpath.basename(target))
        if not target.startswith("/"):
            return None
        mount = parse_fdinfo(_read(f"{self._proc}/fdinfo/{number}")).get("mnt_id")
        for line in _read(f"{self._proc}/mountinfo").splitlines():
            left, _dash, right = line.partition(" - ")
            fields = left.split()
            if len(fields) > 2 and fields[0] == str(mount):
                return self._of_mount(fields[2], right.split())
        return None

    def _of_mount(self, number: str, described: list[str]) -> str | None:
        try:
            return self._disk(posixpath.basename(os.readlink(self._tree.real("/sys/dev/block") + f"/{number}")))
        except OSError:
            # btrfs, ZFS, NFS and the like have no device of their own; only what was mounted is known.
            return described[1] if len(described) > 1 else None

    def _disk(self, name: str) -> str:
        """The disk below a partition, and below device-mapper and md as long as there is only one."""
        for _level in range(_DEPTH):
            path = self._tree.real(f"/sys/class/block/{name}")
            if os.path.exists(f"{path}/partition"):
                name = posixpath.basename(posixpath.dirname(path))
                continue
            try:
                below = os.listdir(f"{path}/slaves")
            except OSError:
                below = []
            if len(below) != 1:
                break
            name = below[0]
        return name


def _read(path: str) -> str:
    return read_start(path, _MOST_BYTES).decode("utf-8", "backslashreplace")
