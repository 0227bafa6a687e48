# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""What QEMU's monitor tells of a guest's disks: the texts of ``info`` in, what the disks run with out. No I/O.

It never tells aio, which stays None. Recorded on QEMU 7.2 with the command lines of Proxmox VE (tests/fixtures):

- ``info qtree`` has the devices and their controllers, and does not show which iothread a device has;
- ``info iothreads`` has their ids, which Proxmox VE makes from the device's own (qemu-server);
- ``info block -n`` has the block nodes. Proxmox VE puts a throttle node above all others, which shows a cache mode that
  is not the image's. So the node that opens the image is looked up;
- ``info block`` has the drives of ``-drive`` (machine versions below 10.0), whose names no node has.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping
from typing import Any, NamedTuple

from .._model.disk_io import cache_mode
from .._model.records import DiskController, Values, values
from .collect import cut
from .disks import SCSI_DISKS, model, on_controller
from .options import MAX_DEPTH

DEVICES = "info qtree"
IOTHREADS = "info iothreads"
NODES = "info block -n"
DRIVES = "info block"

_DEVICE = re.compile(r'( *)dev: ([^,]+), id "(.*)"\Z')
_PROPERTY = re.compile(r' *([\w.-]+) = "?(.*?)"?\Z')
_BLOCK = re.compile(r"(\S+)(?: \((\S+)\))?: (.*) \(([\w.-]+)(?:, read-only)?(?:, encrypted)?\)\Z")
_EMPTY = re.compile(r"(\S+): \[not inserted\]\Z")
_CACHE = re.compile(r" +Cache mode: +(\w+)(, direct)?(, ignore flushes)?\Z")
_OF_PVE = re.compile(r"iothread-virtio(?:scsi)?\d+\Z")

# Block drivers that open an image themselves.
_PROTOCOLS = frozenset(("file", "host_device", "host_cdrom", "rbd", "iscsi", "nbd", "gluster"))

# The names of -device that are not those of the tree.
_ALIASES = {"lsi53c895a": "lsi"}


class _Device(NamedTuple):
    indent: int
    driver: str
    id: str
    parent: _Device | None
    properties: dict[str, str]

    @property
    def named(self) -> _Device:
        """The device that has the id: what virtio devices are in, behind their bus."""
        outer = self.parent
        return outer if outer is not None and self.driver.startswith("virtio-") and not self.id else self


class _Block(NamedTuple):
    node: str
    file: str
    driver: str
    cache: re.Match[str] | None


def needs_drives(devices: str, nodes: str) -> bool:
    """Whether there are drives that no node is named after, so that ``DRIVES`` has to be asked too."""
    known = _blocks(nodes)
    return any(disk.properties["drive"] not in known for disk in _disks(devices))


def runs(devices: str, iothreads: str, nodes: str, drives: str = "") -> dict[str, Values]:
    """Disk, such as scsi0 → what it runs with, from the answers to DEVICES, IOTHREADS, NODES and DRIVES.

    What they do not tell is None; drives without a medium are left out. Raises ValueError where the first is not such
    an answer.
    """
    empty = {said[1] for said in map(_EMPTY.match, drives.splitlines()) if said}
    disks = [disk for disk in _disks(devices) if disk.properties["drive"] not in empty]
    threads = [line[:-1] for line in iothreads.splitlines() if re.match(r"\S.*:\Z", line)]
    blocks, named = _blocks(nodes), _blocks(drives)
    on = Counter(id(disk.parent) for disk in disks)
    found = {}
    for disk in disks:
        drive = disk.properties["drive"]
        key = disk.named.id or (drive[len("drive-") :] if drive.startswith("drive-") else drive)
        controller = disk.parent.named if disk.driver in SCSI_DISKS and disk.parent else None
        of = named.get(drive)
        opens = _opens(of.node if of else drive, blocks)
        found[cut(key)] = _values(
            opens,
            _write_cache(disk, of),
            _iothread(disk.named if disk.driver.startswith("virtio-blk") else controller, threads),
            _controller(controller, on[id(disk.parent)]),
        )
    return found


def _disks(text: str) -> list[_Device]:
    """The devices that have a drive."""
    if not text.startswith("bus: "):
        raise ValueError(f"{DEVICES} gave no tree of devices")
    found: list[_Device] = []
    above: _Device | None = None
    for line in text.splitlines():
        device = _DEVICE.match(line)
        if device:
            indent = len(device[1])
            while above is not None and above.indent >= indent:
                above = above.parent
            above = _Device(indent, device[2], device[3], above, {})
            found.append(above)
            continue
        said = _PROPERTY.match(line)
        if said and above is not None:
            above.properties.setdefault(said[1], said[2])
    return [device for device in found if device.properties.get("drive") not in (None, "", "<null>")]


def _blocks(text: str) -> dict[str, _Block]:
    """The entries of ``info block`` by their names."""
    found: dict[str, _Block] = {}
    name = ""
    for line in text.splitlines():
        entry = _BLOCK.match(line)
        if entry:
            name = entry[1]
            found[name] = _Block(entry[2] or name, entry[3], entry[4], None)
        elif not line.startswith(" "):
            name = ""
        elif name:
            found[name] = found[name]._replace(cache=_CACHE.match(line) or found[name].cache)
    return found


def _opens(node: str, blocks: Mapping[str, _Block]) -> _Block | None:
    """The block node below a node that opens its image; None where it cannot be told."""
    top = blocks.get(node)
    if top is None:
        return None
    leaf = _leaf(top.file)
    below = [block for block in blocks.values() if _leaf(block.file) == leaf and _is_protocol(block, leaf)]
    modes = {block.cache.groups() if block.cache else None for block in below}
    return below[0] if len(modes) == 1 else None


def _leaf(file: str) -> Any:
    """The innermost ``file`` of a node's name: a file's name, or options where there is none."""
    if not file.startswith("json:"):
        return file
    try:
        node: Any = json.loads(file[len("json:") :])
    except (ValueError, RecursionError):
        return None
    for _level in range(MAX_DEPTH):
        if not isinstance(node, dict):
            return None
        if "file" not in node:
            return node.get("filename", node)
        node = node["file"]
    return None


def _is_protocol(block: _Block, leaf: Any) -> bool:
    """Whether a node opens what it is named after itself: no format, and no filter."""
    if leaf is None:
        return False
    return block.driver in _PROTOCOLS and (not isinstance(leaf, dict) or leaf.get("driver") == block.driver)


def _write_cache(disk: _Device, of: _Block | None) -> bool:
    said = disk.properties.get("write-cache")
    if said in ("on", "off"):
        return said == "on"
    # Not set, so it is the drive's; a block node of its own always has one.
    return not (of and of.cache and of.cache[1] == "writethrough")


def _iothread(device: _Device | None, threads: list[str]) -> bool | None:
    if device is None:
        return False
    if f"iothread-{device.id}" in threads:
        return True
    # One that `args` adds could be the device's.
    return False if all(_OF_PVE.match(name) for name in threads) else None


def _controller(controller: _Device | None, disks: int) -> DiskController | None:
    if controller is None:
        return None
    driver = _ALIASES.get(controller.driver, controller.driver)
    return on_controller(cut(model(driver)), disks)


def _values(
    opens: _Block | None, write_cache: bool, iothread: bool | None, controller: DiskController | None
) -> Values:
    cache = opens.cache if opens else None
    direct, no_flush = (bool(cache[2]), bool(cache[3])) if cache else (None, False)
    return values(
        driver=opens.driver if opens else None,
        aio=None,
        cache=None if direct is None else cache_mode(direct, no_flush, write_cache),
        cache_direct=direct,
        cache_no_flush=no_flush,
        iothread=iothread,
        controller=controller,
    )
