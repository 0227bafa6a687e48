# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Which whole disks lie below a path, a volume group or a pool of ZFS: values in, names out. No I/O.

A disk is what has a queue of its own: hardware, or the device-mapper's node for several paths to one disk (multipath).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import NamedTuple

from . import mounts
from .mounts import Mount

#: File systems of another machine.
NETWORK = frozenset("ceph cifs fuse.sshfs nfs nfs4 smb3".split())


class Device(NamedTuple):
    """A block device as /sys/block has it. ``below`` are the devices it lies on; ``mapped`` is its name in /dev/mapper,
    ``file`` what lies under a loop device.
    """

    name: str
    number: str
    disk: bool
    below: tuple[str, ...] = ()
    mapped: str | None = None
    file: str | None = None


class Place(NamedTuple):
    """Where something lies: ``kind`` is disks, zfs, network or unknown, ``disks`` are names as ``sda``, sorted.

    ``device`` is what its file system is on, such as ``dm-1``; None where it has no device of its own.
    """

    kind: str
    disks: tuple[str, ...] = ()
    device: str | None = None


UNKNOWN = Place("unknown")
REMOTE = Place("network")


class Topology:
    """``pools`` has the devices of each pool of ZFS, ``groups`` those that share a file system of btrfs."""

    def __init__(
        self,
        devices: Mapping[str, Device],
        mounted: list[Mount],
        pools: Mapping[str, Collection[str]],
        groups: Collection[Collection[str]] = (),
    ) -> None:
        self._devices = devices
        self._numbers = {device.number: device.name for device in devices.values()}
        self._mapped = {device.mapped: device.name for device in devices.values() if device.mapped}
        self._mounted = mounted
        self._pools = pools
        self._groups = groups

    def disks_below(self, name: str) -> set[str]:
        """The disks below a device, the device itself where it is one."""
        found: set[str] = set()
        left, seen = [name], {name}
        while left:
            device = self._devices.get(left.pop())
            if device is None:
                continue
            if device.disk:
                found.add(device.name)
                continue
            below = set(device.below)
            mount = mounts.of_path(self._mounted, device.file) if device.file else None
            under = self._device(mount) if mount else None
            below |= {under} if under else set()
            left += below - seen
            seen |= below
        return found

    def of_path(self, path: str) -> Place:
        """Where a directory or file lies; its links are followed already."""
        mount = mounts.of_path(self._mounted, path)
        return UNKNOWN if mount is None else self.of_mount(mount)

    def of_mount(self, mount: Mount) -> Place:
        """Where a mounted file system lies."""
        if mount.kind == "zfs":
            return self.of_pool(mount.source)
        if mount.kind in NETWORK:
            return REMOTE
        device = self._device(mount)
        if device is None:
            return UNKNOWN
        members = next((group for group in self._groups if device in group), (device,))
        disks = {disk for member in members for disk in self.disks_below(member)}
        return Place("disks", tuple(sorted(disks)), device) if disks else UNKNOWN

    def of_pool(self, name: str) -> Place:
        """Where a pool of ZFS, or a data set of it, lies."""
        devices = self._pools.get(name.partition("/")[0], ())
        return Place("zfs", tuple(sorted({disk for device in devices for disk in self.disks_below(device)})))

    def of_volume_group(self, name: str) -> Place:
        """Where the volume group's active volumes lie. LVM doubles the dashes of both names."""
        prefix = name.replace("-", "--") + "-"
        volumes = (
            device.name
            for mapped, node in self._mapped.items()
            for device in (self._devices[node],)
            if mapped.startswith(prefix) and not mapped.startswith(f"{prefix}-")
        )
        disks = {disk for volume in volumes for disk in self.disks_below(volume)}
        return Place("disks", tuple(sorted(disks))) if disks else UNKNOWN

    def _device(self, mount: Mount) -> str | None:
        """What a file system is on; btrfs makes up a number, and only its source tells."""
        name = mount.source.rpartition("/")[2]
        if mount.number in self._numbers:
            return self._numbers[mount.number]
        if mount.source.startswith("/dev/mapper/"):
            return self._mapped.get(name)
        return name if mount.source.startswith("/dev/") and name in self._devices else None
