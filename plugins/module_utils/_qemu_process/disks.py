# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The disks of a QEMU command line: each device with its drive or block nodes and its controller. No I/O."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

from .._model.disk_io import VIRTIO_SCSI, cache_mode
from .._model.records import DiskController, RunningDisk, Values, values
from .._number import whole_number
from . import block
from .collect import Collected, cut, shorten
from .options import as_bool

# The device of a -drive that makes its own. ide is the default of the usual machine types.
_OWN_DEVICES = {"virtio": "virtio-blk", "ide": "ide-hd", "scsi": "scsi-hd"}
_UNITS_PER_BUS = {"ide": 2, "scsi": 7}
_LONGEST_FILE = 4096
#: The devices on a SCSI bus that have a drive.
SCSI_DISKS = ("scsi-hd", "scsi-cd", "scsi-block", "scsi-generic", "scsi-disk")
_SCSI_CONTROLLERS = (
    "virtio-scsi",
    "vhost-scsi",
    "lsi",
    "megasas",
    "pvscsi",
    "mptsas",
    "am53c974",
    "dc390",
    "spapr-vscsi",
)
_TRANSPORT = re.compile(r"-(?:pci|ccw|device)(?:-(?:non-)?transitional)?\Z")

Options = dict[str, Any]


def disks(found: Collected) -> list[RunningDisk]:
    """The disks in the order of their devices; what is not understood is added to ``found.problems``."""
    drives, own = _drives(found)
    pairs: list[tuple[str, Options]] = [
        (device["drive"], device) for device in found.devices if isinstance(device.get("drive"), str)
    ]
    used = {name for name, _device in pairs}
    pairs += [(name, {"driver": driver}) for name, driver in own if name not in used]
    pairs += [(found.machine[slot], {"driver": "pflash"}) for slot in ("pflash0", "pflash1") if slot in found.machine]
    controllers = _Controllers(found.devices, [device for _name, device in pairs])
    read = [_disk(found, drives, controllers, name, device) for name, device in pairs]
    return [disk for disk in read if disk is not None]


def _drives(found: Collected) -> tuple[dict[str, dict[str, str]], list[tuple[str, str]]]:
    """The -drive options by name, and of those that make their own device the name and the device's driver."""
    drives: dict[str, dict[str, str]] = {}
    own: list[tuple[str, str]] = []
    units: dict[str, int] = {}
    for options in found.drives:
        kind = options.get("if", "ide")
        name = options.get("id") or _automatic_name(options, kind, units)
        drives[name] = options
        if kind != "none":
            own.append((name, _OWN_DEVICES.get(kind, kind)))
    return drives, own


def _automatic_name(options: dict[str, str], kind: str, units: dict[str, int]) -> str:
    """QEMU's name of a drive without an id, such as ide0-hd1 and virtio0."""
    number = whole_number(options.get("index") or options.get("unit") or "")
    number = units.get(kind, 0) if number is None else number
    units[kind] = number + 1
    media = "cd" if options.get("media") == "cdrom" else "hd"
    if kind in _UNITS_PER_BUS:
        bus, unit = divmod(number, _UNITS_PER_BUS[kind])
        return f"{kind}{bus}-{media}{unit}"
    return f"{kind}{number}"


def model(driver: str) -> str:
    """QEMU's word for a controller, without the transport."""
    return _TRANSPORT.sub("", driver)


def on_controller(model: str, disks: int) -> DiskController:
    """The controller of a disk as docs/data.md has it, by its model and how many disks it has.

    One that several disks share would give its iothread to all of them: that is for whoever defines the guest.
    """
    alone = disks == 1
    return {"model": model, "dedicated": alone, "gives_iothread": alone and model == VIRTIO_SCSI}


class _Controllers:
    """The SCSI controllers, and how many disks are on each."""

    def __init__(self, devices: list[Options], disks: list[Options]) -> None:
        self._all = [one for one in devices if str(one.get("driver")).startswith(_SCSI_CONTROLLERS)]
        self._by_id = {one["id"]: one for one in self._all if one.get("id")}
        self._disks_on = Counter(id(self.of(disk)) for disk in disks)

    def of(self, device: Options) -> Options | None:
        """The options of a disk's controller; None off the SCSI bus, and where several could be meant."""
        if device.get("driver") not in SCSI_DISKS:
            return None
        bus = device.get("bus")
        if isinstance(bus, str):
            return self._by_id.get(bus.rpartition(".")[0])
        return self._all[0] if len(self._all) == 1 else None

    def record(self, controller: Options) -> DiskController:
        """A controller as docs/data.md has it."""
        return on_controller(cut(model(str(controller.get("driver")))), self._disks_on[id(controller)])


def _disk(
    found: Collected, drives: dict[str, dict[str, str]], controllers: _Controllers, name: str, device: Options
) -> RunningDisk | None:
    """The disk of a device and the drive or node that it names; None for a drive without a medium."""
    key = device.get("id") or (name[len("drive-") :] if name.startswith("drive-") else name)
    controller = controllers.of(device)
    disk: RunningDisk = {
        "key": cut(str(key)),
        "device": cut(str(device.get("driver"))),
        "controller": controllers.record(controller) if controller is not None else None,
        "file": None,
        "format": None,
        "overlay": False,
        "runs": None,
    }
    try:
        backend = _backend(found, drives, name)
    except ValueError as error:
        found.problems.append(f"disk {shorten(disk['key'])}: {error}; what it runs with is not known")
        return disk
    if backend is None:
        return None
    disk["file"] = cut(backend["file"], _LONGEST_FILE)
    disk["format"] = backend["format"]
    disk["overlay"] = backend["overlay"]
    if not found.overridden:
        write_cache = as_bool(device.get("write-cache"), backend["write_cache"])
        iothread = _iothread(found, device, controller, disk["key"])
        disk["runs"] = _values(backend, write_cache, iothread, disk["controller"])
    return disk


def _backend(found: Collected, drives: dict[str, dict[str, str]], name: str) -> block.Backend | None:
    """What opens a disk's image, None for a drive without a medium; raises ValueError where that is not known."""
    if name in found.nodes:
        backend = block.resolve(name, found.nodes)
        if backend is None:
            raise ValueError(f"the block nodes of {shorten(name)} lead nowhere")
        return backend
    if name not in drives:
        raise ValueError(f"its drive {shorten(name)} is not on the command line")
    try:
        return block.from_drive(drives[name], found.snapshot)
    except ValueError as error:
        raise ValueError(f"its drive {shorten(name)} cannot be read: {error}") from None


def _values(
    backend: block.Backend, write_cache: bool, iothread: bool | None, controller: DiskController | None
) -> Values:
    return values(
        driver=cut(backend["driver"]),
        aio=cut(backend["aio"]),
        cache=cache_mode(backend["direct"], backend["no_flush"], write_cache),
        cache_direct=backend["direct"],
        cache_no_flush=backend["no_flush"],
        iothread=iothread,
        controller=controller,
    )


def _iothread(found: Collected, device: Options, controller: Options | None, key: str) -> bool | None:
    driver = str(device.get("driver"))
    if driver in SCSI_DISKS and controller is None:
        found.problems.append(f"disk {shorten(key)}: its SCSI controller, and so its iothread, is not known")
        return None
    owner = device if driver.startswith("virtio-blk") else controller or {}
    return bool(owner.get("iothread") or owner.get("iothread-vq-mapping"))
