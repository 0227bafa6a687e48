# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Reads the queues of a host's disks, what lies on them, and what may flush through them. Decides nothing, changes
nothing, starts no process.
"""

from __future__ import annotations

from typing import Any

from .._host.tree import Tree
from .._model.records import Problem, problem
from .._text import natural_key
from . import mounts, sysfs, udev_rules
from .storages import read_storages
from .topology import Device, Topology

_BLOCK = "/sys/block"
_MOUNTINFO = "/proc/self/mountinfo"
#: Small, and written when a kernel is installed.
_NOT_WRITTEN = ("/boot", "/efi")


def read_facts(tree: Tree) -> dict[str, Any]:
    """The facts of the subject ``queues`` (docs/data.md, "Queues")."""
    problems: list[Problem] = []
    return {
        "sys": tree.exists(_BLOCK),
        **read_disks(tree, problems),
        "dirty": sysfs.read_dirty(tree),
        "rules": read_rules(tree, problems),
        "problems": problems,
    }


def read_disks(tree: Tree, problems: list[Problem]) -> dict[str, list[dict[str, Any]]]:
    """``{disks, storages}``: each disk with its queue, and each device above disks that a file system is mounted on;
    each storage that may hold guests' images.
    """
    try:
        devices = sysfs.read_devices(tree)
    except OSError as error:
        problems.append(problem(_BLOCK, error.strerror or str(error)))
        devices = {}
    mounted = mounts.parse(tree.kernel_text(_MOUNTINFO) or "")
    topology = _topology(tree, devices, mounted)
    storages = read_storages(tree, topology, problems)
    held: dict[str, set[str]] = {}
    for mount in mounted:
        if not mount.point.startswith(_NOT_WRITTEN):
            place = topology.of_mount(mount)
            for name in (*place.disks, place.device):
                held.setdefault(name or "", set()).add(mount.point)
    ids = sysfs.read_ids(tree) if devices else {}
    disks = []
    for device in sorted(devices.values(), key=lambda one: natural_key(one.name)):
        if not (device.disk or (device.name in held and (device.mapped or device.name.startswith("md")))):
            continue
        queue = sysfs.read_queue(tree, device.name)
        del queue["host_limit"]
        if not device.disk:
            queue.update(dict.fromkeys(_OF_A_QUEUE))
        disks.append(
            {
                "name": device.name,
                "kind": "disk" if device.disk else "layer",
                "ids": [name for name in ids.get(device.name, []) if udev_rules.ID.fullmatch(name)],
                **queue,
                "queue_bytes": _queue_bytes(device.name, queue),
                **sysfs.behind(tree, device.name),
                "below": [] if device.disk else sorted(topology.disks_below(device.name), key=natural_key),
                "images": sorted(one["id"] for one in storages if device.disk and device.name in one["disks"]),
                "mounts": sorted(held.get(device.name, ())),
            }
        )
    return {"disks": disks, "storages": storages}


_OF_A_QUEUE = ("nr_requests", "max_sectors_kb", "max_hw_sectors_kb", "hw_queues", "scheduler", "wbt_lat_usec")


def read_rules(tree: Tree, problems: list[Problem]) -> udev_rules.Rules:
    """What our own udev rules set, by the disk's name in /dev/disk/by-id."""
    try:
        raw = tree.read(udev_rules.PATH)
    except OSError as error:
        problems.append(problem(udev_rules.PATH, error.strerror or str(error)))
        return {}
    return udev_rules.parse((raw or b"").decode("utf-8", "replace"))


def _topology(tree: Tree, devices: dict[str, Device], mounted: list[mounts.Mount]) -> Topology:
    zfs = any(mount.kind == "zfs" for mount in mounted) or tree.exists("/proc/spl/kstat/zfs")
    return Topology(
        devices,
        mounted,
        sysfs.read_pools(tree, devices) if zfs else {},
        sysfs.read_groups(tree) if any(mount.kind == "btrfs" for mount in mounted) else (),
    )


def _queue_bytes(name: str, queue: dict[str, Any]) -> int | None:
    """What a disk's queue holds. nr_requests counts for each hardware queue; those of a SCSI controller share it."""
    requests, size = queue["nr_requests"], queue["max_sectors_kb"]
    if requests is None or size is None:
        return None
    times = queue["hw_queues"] if name.startswith(("nvme", "vd")) else 1
    return int(requests * size * 1024 * times)
