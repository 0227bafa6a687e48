# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""What a process has open and mapped, read from /proc in bounded pieces.

Nothing here touches an image or its file system: a descriptor is looked at by its link and its fdinfo,
which answer even when a network storage does not.
"""

from __future__ import annotations

import contextlib
import os
import posixpath

from . import evidence
from .files import link, read

_DELETED = " (deleted)"
_STANDARD_STREAMS = ("0", "1", "2")
_CHUNK = 1 << 16
# A QEMU process has some hundred mappings and descriptors; any process may have millions.
_MOST_MAPS = 16 << 20
_MOST_DESCRIPTORS = 8192
_MOST_LINKS = 40
_NETWORK_FILE_SYSTEMS = ("nfs", "cifs", "smb", "ceph", "gluster", "fuse", "9p", "afs", "ocfs2", "gfs2", "lustre")


class TooMany(OSError):
    """More than is read of one process."""


def has_native_context(path):
    """Whether the process (`path` below /proc) has a context of Linux AIO, None where that cannot be read."""
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


def open_files(path, named, others, machine):
    """(number of io_urings, list of evidence.open_file()) of the process. Raises OSError, TooMany for over 8,192
    descriptors.

    `named` are files that count whatever they are, `others` those that are no images (evidence.may_be_image).
    """
    rings = 0
    files = []
    for number in descriptors(path):
        with contextlib.suppress(FileNotFoundError):
            target = link(f"{path}/fd/{number}")
            if target == "anon_inode:[io_uring]":
                rings += 1
            if target not in named and not evidence.may_be_image(target, others):
                continue
            info = evidence.parse_fdinfo(read(f"{path}/fdinfo/{number}", 4096).decode("utf-8", "replace"))
            if "flags" in info:
                opened = evidence.open_file(target, info["flags"], machine)
                if opened["writable"] or opened["file"] in named:
                    files.append(opened)
    return rings, files


def descriptors(path):
    """The numbers of the descriptors that the process has open, but for its standard streams, as text.

    Raises OSError, TooMany for over 8,192 of them.
    """
    names = []
    with os.scandir(f"{path}/fd") as entries:
        for entry in entries:
            if len(names) >= _MOST_DESCRIPTORS:
                raise TooMany(0, f"has more than {_MOST_DESCRIPTORS} files open")
            if entry.name not in _STANDARD_STREAMS:
                names.append(entry.name)
    return names


class Places:
    """Where file names of command lines lead, as far as no network storage is asked."""

    def __init__(self, root, proc):
        self._is_live = root == "/"
        self._proc = proc
        self._mounts = None

    def resolved(self, path, disks):
        """{name on the command line: absolute path without links} for the disks of the process `path`."""
        resolved = {}
        for disk in disks:
            name = disk["file"]
            if not isinstance(name, str) or name in resolved:
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

    def is_remote(self, path):
        """Whether a path lies on a network or user-space file system, whose look-ups may never return."""
        parts = path.split("/")
        return any("/".join(parts[:count]) in self._remote() for count in range(2, len(parts) + 1))

    def _descriptor(self, path, owner, number):
        """Where a descriptor leads, the QEMU process's own (self) or another's; None where that cannot be told any
        more.
        """
        process = path if owner in ("self", "thread-self") else f"{self._proc}/{owner}"
        try:
            target = link(f"{process}/fd/{number}")
        except OSError:
            return None
        target = target[: -len(_DELETED)] if target.endswith(_DELETED) else target
        return target if posixpath.isabs(target) else None

    def _real_path(self, path):
        """The path without links; as it is where it, or a link on its way, leads to network storage, or to nothing."""
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

    def _remote(self):
        if self._mounts is None:
            self._mounts = _remote_mounts(f"{self._proc}/self/mountinfo")
        return self._mounts


def _remote_mounts(path):
    mounts = set()
    try:
        text = read(path, 16 << 20).decode("utf-8", "backslashreplace")
    except OSError:
        return mounts
    for line in text.splitlines():
        left, _dash, right = line.partition(" - ")
        fields = left.split()
        if len(fields) > 4 and right.startswith(_NETWORK_FILE_SYSTEMS):
            mounts.add(fields[4].replace("\\040", " "))
    return mounts
