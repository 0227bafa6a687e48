# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""What a process has open and mapped, read from /proc in bounded pieces.

Nothing here touches an image or its file system: of a descriptor it reads the link and the fdinfo, which answer even
when a network storage does not.
"""

from __future__ import annotations

import contextlib
import os
import posixpath
from collections.abc import Collection, Iterable

from .._host.whole_file import read_start
from .._model.records import RunningDisk
from . import evidence
from .files import link

_STANDARD_STREAMS = ("0", "1", "2")
_CHUNK = 1 << 16
# A QEMU process has some hundred mappings and descriptors; any process may have millions.
_MOST_MAPS = 16 << 20
_MOST_DESCRIPTORS = 8192
_MOST_LINKS = 40
_NETWORK_FILE_SYSTEMS = ("nfs", "cifs", "smb", "ceph", "gluster", "fuse", "9p", "afs", "ocfs2", "gfs2", "lustre")


class TooMany(OSError):
    """More than is read of one process."""


def has_native_context(path: str) -> bool | None:
    """Whether the process (``path`` below /proc) has a context of Linux AIO, None where that cannot be read."""
    try:
        with open(f"{path}/maps", "rb", buffering=0) as stream:
            before = b""
            for _number in range(_MOST_MAPS // _CHUNK):
                chunk = stream.read(_CHUNK)
                if not chunk:
                    return False
                # libaio.so is mapped in every QEMU; the context's own mapping is named "/[aio]".
                if b"/[aio]" in before + chunk:
                    return True
                before = chunk[-5:]
    except OSError:
        pass
    return None


def open_files(
    path: str, named: Collection[str], others: Collection[str], machine: str
) -> tuple[int, list[evidence.OpenFile]]:
    """How many io_urings the process has, and its open images. Raises OSError, TooMany for over 8,192 descriptors.

    ``named`` are files that count whatever they are, ``others`` those that are not images (evidence.may_be_image).
    """
    rings = 0
    files: list[evidence.OpenFile] = []
    for number in descriptors(path):
        with contextlib.suppress(FileNotFoundError):
            target = link(f"{path}/fd/{number}")
            if target == "anon_inode:[io_uring]":
                rings += 1
            if target not in named and not evidence.may_be_image(target, others):
                continue
            info = evidence.parse_fdinfo(read_start(f"{path}/fdinfo/{number}", 4096).decode("utf-8", "replace"))
            if "flags" in info:
                opened = evidence.open_file(target, info["flags"], machine)
                if opened["writable"] or opened["file"] in named:
                    files.append(opened)
    return rings, files


def descriptors(path: str) -> list[str]:
    """The numbers of the descriptors that the process has open, but for its standard streams, as text.

    Raises OSError, TooMany for over 8,192 of them.
    """
    names: list[str] = []
    with os.scandir(f"{path}/fd") as entries:
        for entry in entries:
            if len(names) >= _MOST_DESCRIPTORS:
                raise TooMany(0, f"has more than {_MOST_DESCRIPTORS} files open")
            if entry.name not in _STANDARD_STREAMS:
                names.append(entry.name)
    return names


class Places:
    """Where file names of command lines lead, without asking a network storage."""

    def __init__(self, root: str, proc: str) -> None:
        self._is_live = root == "/"
        self._proc = proc
        self._mounts: set[str] | None = None

    def resolved(self, path: str, disks: Iterable[RunningDisk]) -> dict[str, str]:
        """{name on the command line: absolute path without links} for the disks of the process ``path``."""
        resolved: dict[str, str] = {}
        for disk in disks:
            name = disk["file"]
            if name is None or name in resolved:
                continue
            meant = evidence.descriptor(name)
            if meant is not None:
                resolved[name] = self._descriptor(path, *meant) or name
                continue
            absolute = name
            if not posixpath.isabs(name):
                try:
                    absolute = posixpath.join(link(f"{path}/cwd"), name)
                except OSError:
                    continue
            resolved[name] = self._real_path(posixpath.normpath(absolute))
        return resolved

    def is_remote(self, path: str) -> bool:
        """Whether a path lies on a network or user-space file system, whose look-ups may never return."""
        parts = path.split("/")
        return any("/".join(parts[:count]) in self._remote() for count in range(2, len(parts) + 1))

    def _descriptor(self, path: str, owner: str, number: str) -> str | None:
        """Where a descriptor leads, the QEMU process's own (self) or another's; None where that cannot be read."""
        process = path if owner in ("self", "thread-self") else f"{self._proc}/{owner}"
        try:
            target = evidence.without_deleted(link(f"{process}/fd/{number}"))
        except OSError:
            return None
        return target if posixpath.isabs(target) else None

    def _real_path(self, path: str) -> str:
        """The path without links; as it is where it, or a link on its way, leads to network storage or nowhere."""
        if not self._is_live:
            return path
        parts, real, links = path.split("/")[::-1], "", 0
        while parts:
            part = parts.pop()
            if part in ("", "."):
                continue
            if part == "..":
                real = posixpath.dirname(real).rstrip("/")
                continue
            here = f"{real}/{part}"
            if here in self._remote():
                return path
            try:
                target = link(here)
            except (OSError, ValueError):
                real = here
                continue
            links += 1
            if links > _MOST_LINKS:
                return path
            real = "" if target.startswith("/") else real
            parts += target.split("/")[::-1]
        return real or "/"

    def _remote(self) -> set[str]:
        if self._mounts is None:
            self._mounts = _remote_mounts(f"{self._proc}/self/mountinfo")
        return self._mounts


def _remote_mounts(path: str) -> set[str]:
    mounts: set[str] = set()
    try:
        text = read_start(path, 16 << 20).decode("utf-8", "backslashreplace")
    except OSError:
        return mounts
    for line in text.splitlines():
        left, _dash, right = line.partition(" - ")
        fields = left.split()
        if len(fields) > 4 and right.startswith(_NETWORK_FILE_SYSTEMS):
            mounts.add(fields[4].replace("\\040", " "))
    return mounts
