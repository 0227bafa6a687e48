# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""What a QEMU process has open, held against what its command line says. No I/O.

Three traces, from least to most doubtful:
- O_DIRECT in the flags of an open image (fdinfo) is its cache.direct, neither more nor less;
- ``[aio]`` in maps: a context of Linux AIO exists. It is made when the first disk with aio=native is
  opened or used (QEMU 10.0: at its first request), so its absence proves nothing;
- a descriptor of io_uring: the same for aio=io_uring below QEMU 10.2. From 10.2 on QEMU's own event
  loop has one as well, whatever the disks use, so it is counted and nothing is concluded from it.
"""

from __future__ import annotations

import posixpath
import re

from .._model.disk_io import AIO_DRIVERS
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
# Of files that no disk names, as many are listed, and as many named in a sentence.
_MOST_LISTED = 100
_MOST_NAMED = 10
_DESCRIPTOR_SET = "/dev/fdset/"
_FLAGS = re.compile(r"\s*[0-7]{1,22}\s*\Z")
_BLOCK_DEVICE = re.compile(r"/dev/(?:dm-|sd|vd|xvd|hd|nvme\d|zd|rbd|nbd|drbd|loop|md|sr|bcache)[^/]*$")


def parse_fdinfo(text):
    """{"flags": int, "mnt_id": int} of /proc/PID/fdinfo/N, a key missing where the text lacks it."""
    values = {}
    for line in text.splitlines():
        name, _colon, value = line.partition(":")
        if name == "flags" and _FLAGS.match(value):
            values["flags"] = int(value, 8)
        elif name == "mnt_id":
            number = whole_number(value)
            values.update({} if number is None else {"mnt_id": number})
    return values


def open_file(target, flags, machine):
    """One open image: {file, direct, writable, deleted}. `machine` is uname's, for O_DIRECT's value."""
    deleted = target.endswith(_DELETED)
    return {
        "file": target[: -len(_DELETED)] if deleted else target,
        "direct": bool(flags & O_DIRECT.get(machine, O_DIRECT_USUAL)),
        "writable": flags & _ACCESS_MODE != 0,
        "deleted": deleted,
    }


def may_be_image(target, others=()):
    """Whether an open descriptor's target may be a disk's image, judged by its name alone.

    `others`, a set, are what options of the command line that are no drives name: files, and folders with what is in
    them.
    """
    path = target[: -len(_DELETED)] if target.endswith(_DELETED) else target
    if _BLOCK_DEVICE.match(path):
        return True
    if not path.startswith("/") or path.startswith(_NOT_IMAGES) or path.endswith((".pid", ".log")):
        return False
    return not posixpath.basename(path).startswith(_MEMORY) and not (others and _is_below(path, others))


def _is_below(path, folders):
    while path:
        if path in folders:
            return True
        path = path.rpartition("/")[0]
    return False


def descriptor(name):
    """(process, number) of the open descriptor that a file name such as /proc/self/fd/3 means, None where it means
    none.
    """
    match = _DESCRIPTOR.match(name)
    return (match.group(1) or "self", match.group(2)) if match else None


def cross_check(disks, seen, version, resolved):
    """Hold the disks of cmdline.parse() against what was seen.

    seen      {native: bool or None, rings: int or None, files: list of open_file() or None}; None = unreadable
    version   the version the process runs, None where unknown
    resolved  {file name on the command line: where it really is}, for names that are links, relative or descriptors

    Returns ``(evidence, disagreements, moved)``:
    evidence       {aio_native, io_uring_rings, files_open, direct: {key: bool}, unlisted: [file]}; null where not
                   readable; `direct` has the disks whose image was found open, `unlisted` what is open for
                   writing and no disk on the command line names (plugged in or moved later)
    disagreements  [{key, option, cmdline, seen, detail}], key null where it is about the process. What is unlisted is
    one of
                   them, but where it may be what disks without a name of their own opened
    moved          keys of disks whose image is no longer open under its name: what they run with is not known
    """
    files = seen["files"]
    evidence = {
        "aio_native": seen["native"],
        "io_uring_rings": seen["rings"],
        "files_open": None if files is None else len(files),
        "direct": {},
        "unlisted": [],
    }
    disagreements = []
    moved = []
    if files is not None:
        by_name = _by_name(files)
        listed = set()
        nameless = 0
        for disk in disks:
            path = resolved.get(disk["file"], disk["file"])
            matching = [name for name in dict.fromkeys((path, disk["file"])) if name in by_name]
            listed.update(matching)
            if disk["overlay"] or not (_opens_a_file(disk) and _is_place(path)):
                # An overlay is a file of a random name, beside the image.
                nameless += disk["overlay"] or _opens_a_file(disk)
            elif matching:
                _check_direct(disk, [by_name[name] for name in matching], evidence, disagreements)
            else:
                moved.append(disk["key"])
                if not disk["device"].endswith("-cd"):
                    disagreements.append(_not_open(disk))
        evidence["unlisted"] = sorted(set(by_name) - listed)[:_MOST_LISTED]
        if len(evidence["unlisted"]) > nameless:
            disagreements.append(_unlisted(evidence["unlisted"]))
    if files is not None and not evidence["unlisted"] and not moved:
        _check_aio(disks, seen, version, disagreements)
    return evidence, disagreements, moved


def _by_name(files):
    """{file: {writable: {direct of each descriptor}}}."""
    by_name = {}
    for one in files:
        by_name.setdefault(one["file"], {True: set(), False: set()})[one["writable"]].add(one["direct"])
    return by_name


def _opens_a_file(disk):
    return disk["runs"] is not None and disk["runs"]["driver"] in AIO_DRIVERS and isinstance(disk["file"], str)


def _is_place(path):
    return posixpath.isabs(path) and not path.startswith(_DESCRIPTOR_SET) and descriptor(path) is None


def _check_direct(disk, matching, evidence, disagreements):
    # A writer's descriptor is the one in use; a second, read-only one may belong to a probe.
    values = set().union(*(one[True] for one in matching)) or set().union(*(one[False] for one in matching))
    if len(values) != 1:
        return
    direct = values.pop()
    evidence["direct"][disk["key"]] = direct
    said = disk["runs"]["cache_direct"]
    if direct != said:
        disagreements.append(
            {
                "key": disk["key"],
                "option": "cache_direct",
                "cmdline": said,
                "seen": direct,
                "detail": (
                    f"{disk['file']} is open {'with' if direct else 'without'} O_DIRECT,"
                    f" its command line says cache.direct={'on' if said else 'off'}"
                ),
            }
        )


def _not_open(disk):
    return {
        "key": disk["key"],
        "option": "file",
        "cmdline": disk["file"],
        "seen": None,
        "detail": (
            f"{disk['file']} is not open: the disk was moved or unplugged after the start,"
            " what it runs with now is not known"
        ),
    }


def _unlisted(files):
    return {
        "key": None,
        "option": "file",
        "cmdline": None,
        "seen": files,
        "detail": (
            f"{_named(files)}: open for writing, and named by no disk on its command line. A disk was plugged in, moved"
            " or mirrored after the start, what it runs with is not known"
        ),
    }


def _named(files):
    more = len(files) - _MOST_NAMED
    return ", ".join(files[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


def _check_aio(disks, seen, version, disagreements):
    said = {disk["runs"]["aio"] for disk in disks if disk["runs"] is not None}
    if any(disk["runs"] is None for disk in disks):
        return
    if seen["native"] and "native" not in said:
        disagreements.append(_other_aio("native", "has a context of Linux AIO", said))
    older = version_tuple(version)
    if seen["rings"] and "io_uring" not in said and older is not None and older < _RINGS_ARE_DISKS_BEFORE:
        disagreements.append(_other_aio("io_uring", "has an io_uring", said))


def _other_aio(aio, what, said):
    named = ", ".join(sorted(one for one in said if one)) or "none"
    return {
        "key": None,
        "option": "aio",
        "cmdline": sorted(one for one in said if one),
        "seen": aio,
        "detail": f"the process {what}, its command line asks for aio {named} only",
    }
