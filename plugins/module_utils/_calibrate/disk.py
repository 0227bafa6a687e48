# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors
"""The disks under a directory, their queues, their device's dirty limit, and who else uses them. Reads only."""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Iterable, Iterator
from typing import Any

from .._host.tree import Tree
from .._host.whole_file import read_start
from .._model.records import RunningGuest
from .._qemu_process.proc import running_guests
from .._queues.sysfs import read_ids
from .._queues.udev_rules import ID
from .._stall.device import Devices

QUEUE = ("nr_requests", "max_sectors_kb")
"""Of each disk's request queue."""
DIRTY = ("max_bytes", "strict_limit")
"""Of the device that holds the file system: how much of it may be dirty in memory."""

_DEPTH = 8
_GUEST_VOLUME = re.compile(r"vm--[0-9]+--disk")

Facts = dict[str, Any]


def file_of(option: str) -> str:
    """Where an option is below /sys/block/NAME."""
    return f"queue/{option}" if option in QUEUE else f"bdi/{option}"


def number(tree: Tree, name: str, file: str) -> int | None:
    """The number in a file below /sys/block/NAME, None where there is none."""
    try:
        return int(read_start(tree.real(f"/sys/class/block/{name}/{file}"), 64))
    except (OSError, ValueError):
        return None


def _text(tree: Tree, path: str) -> str:
    try:
        return read_start(tree.real(path), 4096).decode("utf-8", "backslashreplace").strip()
    except OSError:
        return ""


def _whole(tree: Tree, name: str) -> str:
    """The disk that a partition is on; any other device is its own."""
    path = tree.real(f"/sys/class/block/{name}")
    return posixpath.basename(posixpath.dirname(path)) if os.path.exists(f"{path}/partition") else name


def _chain(tree: Tree, name: str, depth: int = _DEPTH) -> Iterator[tuple[str, bool]]:
    """The device, those below it, and whether there is none below: a disk."""
    name = _whole(tree, name)
    below = tree.names(f"/sys/class/block/{name}/slaves")
    yield name, not below
    if depth:
        for slave in below:
            yield from _chain(tree, slave, depth - 1)


def ids(tree: Tree) -> dict[str, str]:
    """{kernel's name of a whole device: its stable name in /dev/disk/by-id}, the best that a policy takes."""
    named = {name: [one for one in links if ID.fullmatch(one)] for name, links in read_ids(tree).items()}
    return {name: links[0] for name, links in named.items() if links}


def facts(tree: Tree, directory: str) -> Facts:
    """{device, disks, around}: what is under a directory.

    device is {name, id, max_bytes, strict_limit} of the block device that the file system is on, null where there is
    none of its own (ZFS, btrfs, NFS); disks are {name, id, scheduler, hw_queues, nr_requests, max_sectors_kb} of the
    disks below it; around are the names of all devices between and including these. An id or a value is null where
    there is none. nr_requests counts for each of the hw_queues.
    """
    status = os.stat(tree.real(directory))
    numbers = f"{os.major(status.st_dev)}:{os.minor(status.st_dev)}"
    try:
        mounted = posixpath.basename(os.readlink(tree.real("/sys/dev/block") + f"/{numbers}"))
    except OSError:
        return {"device": None, "disks": [], "around": []}
    named = ids(tree)
    around = dict(_chain(tree, mounted))
    device = _whole(tree, mounted)
    return {
        "device": {
            "name": device,
            "id": named.get(device),
            **{key: number(tree, device, f"bdi/{key}") for key in DIRTY},
        },
        "disks": [
            {
                "name": name,
                "id": named.get(name),
                "hw_queues": _hardware_queues(tree, name),
                "scheduler": _scheduler(_text(tree, f"/sys/class/block/{name}/queue/scheduler")),
                **{key: number(tree, name, f"queue/{key}") for key in QUEUE},
            }
            for name, lowest in around.items()
            if lowest
        ],
        "around": list(around),
    }


def _hardware_queues(tree: Tree, name: str) -> int:
    """How often the disk has nr_requests: those of a SCSI controller share it, NVMe and VirtIO have it for each."""
    return (len(tree.names(f"/sys/class/block/{name}/mq")) if name.startswith(("nvme", "vd")) else 0) or 1


def _scheduler(text: str) -> str | None:
    """The one in use, in brackets: ``none [mq-deadline]``."""
    found = re.search(r"\[(\S+)\]", text)
    return found.group(1) if found else None


def moved_bytes(tree: Tree, name: str) -> int:
    """What the device has read and written since it is there (Documentation/block/stat.rst: sectors of 512 bytes)."""
    fields = _text(tree, f"/sys/class/block/{name}/stat").split()
    return (int(fields[2]) + int(fields[6])) * 512 if len(fields) > 6 else 0


def production(tree: Tree, directory: str, around: Iterable[str]) -> list[str]:
    """Why the storage is in production: a sentence for each guest that runs on these devices, and for guests' images.

    Empty where nothing shows that it is.
    """
    names = set(around)
    found = [
        f"guest {guest['id'] or guest['name'] or guest['pid']} runs on it"
        for guest in running_guests(tree.root or "/", cross_check=False)[0]
        if _images_of(tree, guest) & names
    ]
    place = os.path.abspath(tree.real(directory))
    device = os.stat(place).st_dev
    while os.path.exists(place) and os.stat(place).st_dev == device:
        if any(_is_in_use(entry.path) for entry in _folders(f"{place}/images")):
            found.append(f"guests' images are in {place}/images")
        if place == os.path.dirname(place):
            break
        place = os.path.dirname(place)
    for name in tree.names("/sys/class/block"):
        volume = _text(tree, f"/sys/class/block/{name}/dm/name")
        if _GUEST_VOLUME.search(volume) and names & {one for one, _lowest in _chain(tree, name)}:
            found.append(f"the guest's volume {volume.replace('--', '-')} is on it")
    return found


def _images_of(tree: Tree, guest: RunningGuest) -> set[str | None]:
    try:
        return Devices(tree, guest["pid"], guest["disks"]).of_images()
    except (OSError, ValueError):
        return set()


def _is_in_use(path: str) -> bool:
    """Whether a guest's directory has images; one that may not be read may have some."""
    try:
        return bool(os.listdir(path))
    except OSError:
        return True


def _folders(path: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(path) as entries:
            return [entry for entry in entries if entry.is_dir(follow_symlinks=False)]
    except OSError:
        return []
