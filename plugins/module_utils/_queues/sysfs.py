# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Reads the block devices of a host, and the queue of a disk: /sys/block, /dev/disk/by-id, udev's records. Starts no
process, opens no device.
"""

from __future__ import annotations

import contextlib
import os
import re
from typing import Any

from .._host import meminfo
from .._host.tree import Tree
from .._number import whole_number
from .._sysctl import dirty
from .._sysctl.kernel import read_kernel
from .._text import natural_key
from .topology import Device

_BY_ID = "/dev/disk/by-id"
#: Not disks, or not of hardware and never below a guest's image that a limit reaches.
_LEFT_OUT = re.compile(r"(fd|ram|sr|zd|zram)\d")
#: The best name of a disk first: the one that a new controller or cable does not change.
_BEST = ("wwn-", "nvme-eui.", "nvme-uuid.", "nvme-", "ata-", "scsi-", "dm-name-", "md-name-", "md-uuid-")
#: A name of what is on a disk, which another disk may get.
_OF_CONTENT = "lvm-pv-uuid-"
_SCSI_HOST = re.compile(r"/(host\d+)/")
#: Drivers of controllers that make one disk of several, and keep a queue and a cache of their own.
_RAID = frozenset("3w-9xxx 3w-sas aacraid arcmsr hpsa ips megaraid_sas pmcraid smartpqi".split())
#: In the path of a disk behind iSCSI, Fibre Channel or NVMe over fabrics.
_REMOTE = re.compile(r"/(session\d+|rport-[\d:-]+|nvme-fabrics)/")
_SCHEDULER = re.compile(r"\[([\w-]+)\]", re.ASCII)
#: Of how large a part of the host's limit a device has no limit of its own (BDI_RATIO_SCALE: 10000 parts a percent).
_WHOLE = 1000000
_MIB = 1 << 20


def read_devices(tree: Tree) -> dict[str, Device]:
    """The block devices and their partitions, by name. Raises OSError where /sys/block cannot be listed."""
    found: dict[str, Device] = {}
    names = [name for name in tree.names("/sys/block") if not _LEFT_OUT.match(name)]
    for name in names:
        base = f"/sys/block/{name}"
        is_dm = name.startswith("dm-")
        layer = is_dm or name.startswith(("md", "bcache"))
        below = tuple(tree.names(f"{base}/slaves")) if layer else ()
        # A host with many guests has many devices: only on whole disks can one of several paths lie.
        if is_dm:
            disk = bool(below) and below[0] in names and _has_paths(tree, base)
        else:
            disk = not layer and tree.exists(f"{base}/device")
        found[name] = Device(
            name,
            _text(tree, f"{base}/dev") or "",
            disk,
            below,
            mapped=_text(tree, f"{base}/dm/name") if is_dm else None,
            file=_text(tree, f"{base}/loop/backing_file") if name.startswith("loop") else None,
        )
        if not is_dm:
            for part in tree.names(base):
                if part.startswith(name) and tree.exists(f"{base}/{part}/partition"):
                    found[part] = Device(part, _text(tree, f"{base}/{part}/dev") or "", disk=False, below=(name,))
    for device in list(found.values()):
        if device.mapped and device.disk:
            # The paths to a disk of several paths are not disks of their own.
            found.update({path: found[path]._replace(disk=False) for path in device.below if path in found})
    return found


def _has_paths(tree: Tree, base: str) -> bool:
    """Whether a device of device-mapper is a disk with several paths to it (multipath)."""
    return (_text(tree, f"{base}/dm/uuid") or "").startswith("mpath-")


def block(tree: Tree, name: str) -> str:
    """Where a disk is in /sys, links followed once for all of its files."""
    return tree.resolve(f"/sys/block/{name}")


def read_ids(tree: Tree) -> dict[str, list[str]]:
    """Name of a disk or a device → its names in /dev/disk/by-id, the best one first."""
    found: dict[str, list[str]] = {}
    folder = tree.real(_BY_ID)
    for link in tree.names(_BY_ID):
        if not link.startswith(_OF_CONTENT):
            with contextlib.suppress(OSError):
                # udev's links lead to the device at once.
                found.setdefault(os.readlink(f"{folder}/{link}").rpartition("/")[2], []).append(link)
    return {name: sorted(links, key=_goodness) for name, links in found.items()}


def find(tree: Tree, disk: str) -> str | None:
    """The name, such as ``sda``, of the disk with this name in /dev/disk/by-id; None where there is none now."""
    try:
        name = os.readlink(f"{tree.real(_BY_ID)}/{disk}").rpartition("/")[2]
    except OSError:
        return None
    return name if tree.exists(f"/sys/block/{name}") else None


def _goodness(link: str) -> tuple[int, int, str]:
    rank = next((number for number, start in enumerate(_BEST) if link.startswith(start)), len(_BEST))
    return rank, len(link), link


def read_queue(tree: Tree, name: str) -> dict[str, Any]:
    """What a disk's queue is set to, and what the kernel allows; None for what is not there."""
    base = block(tree, name)
    scheduler = _SCHEDULER.search(_text(tree, f"{base}/queue/scheduler") or "")
    rotational = _number(tree, f"{base}/queue/rotational")
    numbers = {key: _number(tree, f"{base}/queue/{key}") for key in ("nr_requests", "max_sectors_kb")}
    return {
        **numbers,
        "max_hw_sectors_kb": _number(tree, f"{base}/queue/max_hw_sectors_kb"),
        "hw_queues": len(tree.names(f"{base}/mq")) or 1,
        "scheduler": scheduler[1] if scheduler else None,
        "wbt_lat_usec": _number(tree, f"{base}/queue/wbt_lat_usec"),
        "rotational": None if rotational is None else rotational == 1,
        **read_limit(tree, name),
    }


def read_limit(tree: Tree, name: str) -> dict[str, Any]:
    """A device's own limit on written data: ``{has_limit, max_bytes, strict_limit, host_limit}``, kernel 6.2 and
    later.

    ``max_bytes`` is in whole MiB, because the kernel keeps a share of the host's limit and what it shows is rounded;
    None where the share is the whole: it has no limit of its own, and the kernel shows the host's, ``host_limit``.
    """
    base = f"{block(tree, name)}/bdi"
    shown, share = _number(tree, f"{base}/max_bytes"), _number(tree, f"{base}/max_ratio_fine")
    strict = _number(tree, f"{base}/strict_limit")
    limited = shown is not None and share != _WHOLE
    return {
        "has_limit": shown is not None and strict is not None,
        "max_bytes": (int(shown or 0) + _MIB // 2) // _MIB * _MIB if limited else None,
        "strict_limit": None if strict is None else strict == 1,
        "host_limit": None if limited else shown,
    }


def read_dirty(tree: Tree) -> dict[str, Any]:
    """``{limit, background, percent}``: how much written data may wait in memory, in bytes, None where not known; and
    whether the limit is a percentage of the available memory, which moves.
    """
    state = read_kernel(tree)
    if state is None:
        return {"limit": None, "background": None, "percent": None}
    limits = dirty.in_force(state)
    available = meminfo.parse(tree.kernel_text(meminfo.PATH) or "").get("MemAvailable")
    in_bytes = dirty.bytes_of(limits, available)
    return {
        "limit": in_bytes["dirty"],
        "background": in_bytes["dirty_background"],
        "percent": "dirty_ratio" in limits,
    }


def behind(tree: Tree, name: str) -> dict[str, Any]:
    """``{raid, remote}``: the driver of the RAID controller that a disk is behind, and whether it is in another
    machine.
    """
    base = block(tree, name)
    host = _SCSI_HOST.search(base)
    driver = _text(tree, f"/sys/class/scsi_host/{host[1]}/proc_name") if host else None
    return {"raid": driver if driver in _RAID else None, "remote": bool(_REMOTE.search(base))}


def read_pools(tree: Tree, devices: dict[str, Device]) -> dict[str, list[str]]:
    """Pool of ZFS → its devices, as blkid found them for udev: /run/udev/data has a file for each device."""
    found: dict[str, list[str]] = {}
    for device in devices.values():
        text = _text(tree, f"/run/udev/data/b{device.number}") or ""
        if "E:ID_FS_TYPE=zfs_member" in text:
            label = re.search(r"^E:ID_FS_LABEL=(.+)$", text, re.MULTILINE)
            if label:
                found.setdefault(label[1], []).append(device.name)
    return found


def read_groups(tree: Tree) -> list[list[str]]:
    """The devices of each file system of btrfs."""
    return [
        sorted(tree.names(f"/sys/fs/btrfs/{name}/devices"), key=natural_key)
        for name in tree.names("/sys/fs/btrfs")
        if name.count("-") == 4
    ]


def _text(tree: Tree, path: str) -> str | None:
    text = tree.kernel_text(path)
    return None if text is None else text.strip()


def _number(tree: Tree, path: str) -> int | None:
    text = tree.kernel_text(path)
    return None if text is None else whole_number(text)
