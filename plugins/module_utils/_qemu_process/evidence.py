# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""What a QEMU process has open, compared with what its command line says. No I/O.

Three traces, from the most to the least reliable:
- O_DIRECT in the flags of an open image (fdinfo) is its cache.direct;
- ``[aio]`` in maps: a context of Linux AIO exists. It is made when the first disk with aio=native is opened or used
  (QEMU 10.0: at its first request), so its absence proves nothing;
- a descriptor of io_uring: the same for aio=io_uring below QEMU 10.2. From 10.2 on QEMU's own event loop has one too,
  whatever the disks use, so it proves nothing.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Collection, Iterable, Mapping
from typing import TypedDict

from .._model.disk_io import AIO_DRIVERS
from .._model.records import Disagreement, RunningDisk, disagreement
from .._number import whole_number
from .version import version_tuple

# Linux, include/uapi/asm-generic/fcntl.h and arch/arm64: O_DIRECT differs between architectures.
O_DIRECT = {"aarch64": 0o200000, "armv7l": 0o200000, "ppc64le": 0o400000, "ppc64": 0o400000}
O_DIRECT_USUAL = 0o40000
_ACCESS_MODE = 0o3

_RINGS_ARE_DISKS_BEFORE = (10, 2)
_DELETED = " (deleted)"
_NOT_IMAGES = ("/dev/", "/proc/", "/sys/", "/run/", "/var/run/", "/memfd:", "/anon_hugepage", "/SYSV")
# A guest's memory, where it is a file in a folder that was named (QEMU's softmmu/physmem.c).
_MEMORY = "qemu_back_mem."
_DESCRIPTOR = re.compile(r"(?:/dev/fd|/proc/([^/]+)/fd)/([0-9]{1,10})$")
# How many of the files that no disk names are listed, and how many are in a sentence.
_MOST_LISTED = 100
_MOST_NAMED = 10
_DESCRIPTOR_SET = "/dev/fdset/"
_FLAGS = re.compile(r"\s*[0-7]{1,22}\s*\Z")
_BLOCK_DEVICE = re.compile(r"/dev/(?:dm-|sd|vd|xvd|hd|nvme\d|zd|rbd|nbd|drbd|loop|md|sr|bcache)[^/]*$")


class OpenFile(TypedDict):
    """An open image: ``direct`` is O_DIRECT."""

    file: str
    direct: bool
    writable: bool


class Seen(TypedDict):
    """What a process has open; None where that cannot be read. ``native``: it has a context of Linux AIO; ``rings``:
    how many io_urings.
    """

    native: bool | None
    rings: int | None
    files: list[OpenFile] | None


def parse_fdinfo(text: str) -> dict[str, int]:
    """``flags`` and ``mnt_id`` of /proc/PID/fdinfo/N; a key is missing where the text lacks it."""
    values: dict[str, int] = {}
    for line in text.splitlines():
        name, _colon, value = line.partition(":")
        if name == "flags" and _FLAGS.match(value):
            values["flags"] = int(value, 8)
        elif name == "mnt_id":
            number = whole_number(value)
            values.update({} if number is None else {"mnt_id": number})
    return values


def without_deleted(target: str) -> str:
    """Where a link of /proc led before the file was removed or replaced."""
    return target[: -len(_DELETED)] if target.endswith(_DELETED) else target


def open_file(target: str, flags: int, machine: str) -> OpenFile:
    """One open image. ``machine`` is uname's, for O_DIRECT's value."""
    return {
        "file": without_deleted(target),
        "direct": bool(flags & O_DIRECT.get(machine, O_DIRECT_USUAL)),
        "writable": flags & _ACCESS_MODE != 0,
    }


def may_be_image(target: str, others: Collection[str] = ()) -> bool:
    """Whether an open descriptor's target may be a disk's image, by its name alone.

    ``others``, a set, are the files and folders that options other than drives name.
    """
    path = without_deleted(target)
    if _BLOCK_DEVICE.match(path):
        return True
    if not path.startswith("/") or path.startswith(_NOT_IMAGES) or path.endswith((".pid", ".log")):
        return False
    return not posixpath.basename(path).startswith(_MEMORY) and not (others and _is_below(path, others))


def _is_below(path: str, folders: Collection[str]) -> bool:
    while path:
        if path in folders:
            return True
        path = path.rpartition("/")[0]
    return False


def descriptor(name: str) -> tuple[str, str] | None:
    """(process, number) of the open descriptor that a file name such as /proc/self/fd/3 means; None for other names."""
    match = _DESCRIPTOR.match(name)
    return (match.group(1) or "self", match.group(2)) if match else None


def cross_check(
    disks: list[RunningDisk], seen: Seen, version: str | None, resolved: Mapping[str, str]
) -> tuple[list[Disagreement], set[str]]:
    """Compare the disks of cmdline.parse() with what the process has open: ``(disagreements, moved)``.

    ``version`` is what the process runs, None where unknown. ``resolved`` maps a file name of the command line that is
    a link, relative or a descriptor to where it leads.

    A disagreement's ``key`` is None where it is about the process. ``moved`` are keys of disks whose image is no longer
    open under its name: what they run with is not known.
    """
    if seen["files"] is None:
        return [], set()
    found: list[Disagreement] = []
    moved: set[str] = set()
    by_name = _by_name(seen["files"])
    listed: set[str] = set()
    nameless = 0
    for disk in disks:
        file = disk["file"]
        path = resolved.get(file, file) if file is not None else None
        matching = [name for name in dict.fromkeys((path, file)) if name is not None and name in by_name]
        listed.update(matching)
        if disk["overlay"] or not (_opens_a_file(disk) and path is not None and _is_place(path)):
            # An overlay is a file with a random name, next to the image.
            nameless += disk["overlay"] or _opens_a_file(disk)
        elif matching:
            found += _check_direct(disk, [by_name[name] for name in matching])
        else:
            moved.add(disk["key"])
            if not disk["device"].endswith("-cd"):
                found.append(_not_open(disk))
    unlisted = sorted(set(by_name) - listed)
    # A file of a disk without a name of its own does not count against the guest.
    if len(unlisted) > nameless:
        found.append(_unlisted(unlisted[:_MOST_LISTED]))
    if not unlisted and not moved:
        found += _check_aio(disks, seen, version)
    return found, moved


_Opened = dict[bool, set[bool]]


def _by_name(files: Iterable[OpenFile]) -> dict[str, _Opened]:
    """{file: {writable: {direct of each descriptor}}}."""
    by_name: dict[str, _Opened] = {}
    for one in files:
        by_name.setdefault(one["file"], {True: set(), False: set()})[one["writable"]].add(one["direct"])
    return by_name


def _opens_a_file(disk: RunningDisk) -> bool:
    return disk["runs"] is not None and disk["runs"]["driver"] in AIO_DRIVERS and disk["file"] is not None


def _is_place(path: str) -> bool:
    return posixpath.isabs(path) and not path.startswith(_DESCRIPTOR_SET) and descriptor(path) is None


def _check_direct(disk: RunningDisk, matching: list[_Opened]) -> list[Disagreement]:
    # A writer's descriptor is the one in use; a second, read-only one may belong to a probe.
    seen = set().union(*(one[True] for one in matching)) or set().union(*(one[False] for one in matching))
    said = disk["runs"]["cache_direct"] if disk["runs"] else None
    if len(seen) != 1 or said in seen:
        return []
    direct = seen.pop()
    detail = (
        f"{disk['file']} is open {'with' if direct else 'without'} O_DIRECT,"
        f" its command line says cache.direct={'on' if said else 'off'}"
    )
    return [disagreement(key=disk["key"], option="cache_direct", cmdline=said, seen=direct, detail=detail)]


def _not_open(disk: RunningDisk) -> Disagreement:
    detail = (
        f"{disk['file']} is not open: the disk was moved or unplugged after the start,"
        " what it runs with now is not known"
    )
    return disagreement(key=disk["key"], option="file", cmdline=disk["file"], seen=None, detail=detail)


def _unlisted(files: list[str]) -> Disagreement:
    detail = (
        f"{_named(files)}: open for writing, and named by no disk on its command line. A disk was plugged in, moved"
        " or mirrored after the start, what it runs with is not known"
    )
    return disagreement(option="file", seen=files, detail=detail)


def _named(files: list[str]) -> str:
    more = len(files) - _MOST_NAMED
    return ", ".join(files[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


def _check_aio(disks: list[RunningDisk], seen: Seen, version: str | None) -> list[Disagreement]:
    runs = [disk["runs"] for disk in disks]
    if None in runs:
        return []
    said = sorted({values["aio"] for values in runs if values and values["aio"]})
    found = []
    if seen["native"] and "native" not in said:
        found.append(_other_aio("native", "has a context of Linux AIO", said))
    older = version_tuple(version)
    if seen["rings"] and "io_uring" not in said and older is not None and older < _RINGS_ARE_DISKS_BEFORE:
        found.append(_other_aio("io_uring", "has an io_uring", said))
    return found


def _other_aio(aio: str, what: str, said: list[str]) -> Disagreement:
    detail = f"the process {what}, its command line asks for aio {', '.join(said) or 'none'} only"
    return disagreement(option="aio", cmdline=said, seen=aio, detail=detail)
