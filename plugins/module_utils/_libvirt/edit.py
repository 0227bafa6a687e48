# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""A domain's XML with the options of a plan set: other attributes and elements in libvirt's order, every other byte as
it is. Pure.

Disks of virtio-blk have an iothread in their driver. Those of virtio-scsi share that of their controller.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from .._model.disk_io import OPTIONS
from .._model.findings import Value, Wanted
from .._number import whole_number
from . import devices
from . import iothreads as _iothreads
from .splice import EditError, Splice, attributes, first_taken_out, put_first, quote, spliced, with_attributes
from .xml import Element

#: What the domain itself is called in a plan, and its option.
GUEST = "guest"
IOTHREADS = "iothreads"

#: A plan's option → the attribute of a disk's driver.
ATTRIBUTES = {"aio": "io", "cache": "cache"}

# The attributes of a driver in the order in which libvirt prints them, up to those that a plan sets
# (virDomainDiskDefFormatDriver and virDomainControllerDriverFormat, domain_conf.c).
_ORDERS = {
    "disk": (
        "name",
        "type",
        "cache",
        "error_policy",
        "rerror_policy",
        "io",
        "ioeventfd",
        "event_idx",
        "copy_on_read",
        "discard",
        "iothread",
    ),
    "controller": ("queues", "cmd_per_lun", "max_sectors", "ioeventfd", "iothread"),
}


def value(domain: Element, key: str, option: str) -> Value:
    """What an option of a plan is set to, None where it is not; ``cache='default'`` says nothing either.

    Raises EditError where there is no such disk.
    """
    return _iothreads.read(domain).number if key == GUEST else _value(domain, _disk(domain, key), option)


def values(domain: Element) -> dict[tuple[str, str], Value]:
    """The same of every key and option that a plan can have."""
    found: dict[tuple[str, str], Value] = {(GUEST, IOTHREADS): _iothreads.read(domain).number}
    for disk in devices.disks(domain):
        for option in OPTIONS:
            found[devices.key(disk), option] = _value(domain, disk, option)
    return found


def _value(domain: Element, disk: Element, option: str) -> Value:
    if option == "iothread":
        device = _with_iothread(domain, disk)
        return True if device is not None and _iothreads.of(device) else None
    driver = disk.child("driver")
    written = driver.attributes.get(ATTRIBUTES[option]) if driver else None
    return None if option == "cache" and written == "default" else written


def edited(raw: bytes, domain: Element, wanted: Wanted) -> bytes:
    """The text with these options set. Raises EditError."""
    drivers = _Drivers(domain)
    having: dict[str, Element] = {}
    lacking: dict[str, Element] = {}
    for key, options in wanted.items():
        for option, new in options.items() if key != GUEST else ():
            disk = _disk(domain, key)
            if option != "iothread":
                if new != _value(domain, disk, option):
                    drivers.set(disk, ATTRIBUTES[option], new)
            elif new:
                having[key] = _to_have_one(domain, key, disk)
            else:
                lacking.update(_to_lack_one(domain, key, disk))
    splices: list[Splice] = []
    if having or lacking or GUEST in wanted:
        number = wanted[GUEST][IOTHREADS] if GUEST in wanted else _enough(domain, having, lacking)
        splices, iothreads = _iothread_changes(raw, domain, cast("int | None", number), having, lacking)
        for device, iothread in iothreads:
            drivers.set(device, "iothread", iothread)
    return spliced(raw, splices + drivers.splices(raw))


class _Drivers:
    """What is to be set in the drivers of devices."""

    def __init__(self, domain: Element) -> None:
        self._devices = domain.at("devices")
        self._values: list[tuple[Element, dict[str, str | None]]] = []

    def set(self, device: Element, attribute: str, new: Value) -> None:
        """Set an attribute of a device's driver; None takes it out."""
        for known, values in self._values:
            if known is device:
                values[attribute] = None if new is None else str(new)
                return
        self._values.append((device, {attribute: None if new is None else str(new)}))

    def splices(self, raw: bytes) -> list[Splice]:
        """The changes of the text."""
        return [_driver(raw, device, self._devices[0], values) for device, values in self._values]


def _driver(raw: bytes, device: Element, around: Element, values: Mapping[str, str | None]) -> Splice:
    """A device's driver with these attributes: a new one where it has none, none where nothing is left in it."""
    driver, order = device.child("driver"), _ORDERS[device.name]
    if driver is None:
        # The tag that the attributes go into has the quotes of the device's own.
        mark = quote(raw[device.start : device.open_end])
        tag = with_attributes(b"<driver/>", values, order).replace(b"'", mark)
        return put_first(raw, device, around, tag)
    is_empty = not raw[driver.open_end : driver.end].rpartition(b"</")[0].strip()
    _refuse_what_says_nothing(device, driver, is_empty, values)
    tag = with_attributes(raw[driver.start : driver.open_end], values, order)
    if not attributes(tag) and is_empty:
        return first_taken_out(raw, device, driver)
    return Splice(driver.start, driver.open_end, tag)


def _refuse_what_says_nothing(
    device: Element, driver: Element, is_empty: bool, values: Mapping[str, str | None]
) -> None:
    """Raise EditError for what libvirt never prints, and a rollback would take for what is not there."""
    nothing = "a <driver> without attributes" if is_empty and not driver.attributes else ""
    for name in values:
        written = driver.attributes.get(name)
        if (name, written) == ("cache", "default") or (name == "iothread" and whole_number(written or "") == 0):
            nothing = f"{name}='{written}' in its <driver>"
    if nothing:
        raise EditError(
            f"{_iothreads.name(device)} has {nothing}, which sets nothing, and which a rollback could not give back;"
            " take it out of the definition"
        )


def _enough(domain: Element, having: Mapping[str, Element], lacking: Mapping[str, Element]) -> int | None:
    """How many iothreads the domain needs, so that each device that is to get one gets one that nobody else has."""
    now = _iothreads.read(domain)
    used = _iothreads.users(domain, but=_losing(lacking))
    new = len(_getting(having)) - sum(not used.get(each) for each in now.every)
    return (now.number or 0) + new if new > 0 else now.number


def _iothread_changes(
    raw: bytes, domain: Element, number: int | None, having: Mapping[str, Element], lacking: Mapping[str, Element]
) -> tuple[list[Splice], list[tuple[Element, int | None]]]:
    """The changes of <iothreads> for so many, and the devices whose iothread changes with the one that they get."""
    for key, device in having.items():
        for other, same in lacking.items():
            if device is same:
                raise EditError(
                    f"{key} is to have an iothread and {other} none, and they share that of their controller"
                )
    losing, getting = _losing(lacking), _getting(having)
    used = _iothreads.users(domain, but=losing)
    splices, ids = _iothreads.changed(raw, domain, number, used)
    if getting and not ids:
        raise EditError(f"{', '.join(having)} is to have an iothread, and the guest is to have none")
    found: list[tuple[Element, int | None]] = [(device, None) for device in losing]
    for device in getting:
        iothread = _iothreads.least_used(ids, used)
        used.setdefault(iothread, []).append("")
        found.append((device, iothread))
    return splices, found


def _getting(having: Mapping[str, Element]) -> list[Element]:
    return [device for device in _distinct(having) if not _iothreads.of(device)]


def _losing(lacking: Mapping[str, Element]) -> list[Element]:
    return [device for device in _distinct(lacking) if _iothreads.of(device)]


def _distinct(devices_of: Mapping[str, Element]) -> list[Element]:
    """The devices in the order of the text, each once: disks of one controller have the same."""
    return list({device.start: device for device in sorted(devices_of.values(), key=lambda each: each.start)}.values())


def _disk(domain: Element, key: str) -> Element:
    found = [disk for disk in devices.disks(domain) if devices.key(disk) == key]
    if not found:
        raise EditError(f"the guest has no disk {key}")
    if len(found) > 1:
        raise EditError(f"{len(found)} disks of the guest have the target {key}; one alone may have it")
    return found[0]


def _with_iothread(domain: Element, disk: Element) -> Element | None:
    """The device whose driver has the iothread of a disk: itself, or its controller where that is written."""
    bus = devices.bus(disk)
    index = devices.controller_index(disk) if bus == "scsi" else None
    if index is not None:
        return devices.scsi_controllers(domain).get(index)
    return disk if bus == "virtio" else None


def _to_have_one(domain: Element, key: str, disk: Element) -> Element:
    """The device that is to have an iothread. Raises EditError where it can have none."""
    bus = devices.bus(disk)
    if bus == "virtio":
        return disk
    if bus != "scsi":
        raise EditError(f"{key} is on {bus}, where a disk has no iothread; it takes virtio, or scsi on virtio-scsi")
    device = _with_iothread(domain, disk)
    index = devices.controller_index(disk)
    if device is None:
        raise EditError(
            f"{key} is on SCSI controller {index}, which the definition leaves to libvirt; write it into the"
            " definition, with model='virtio-scsi'"
        )
    model = device.attributes.get("model", "")
    if model not in devices.VIRTIO_SCSI_MODELS:
        raise EditError(
            f"{key} is on SCSI controller {index}, whose model is {model or 'not set'}; it takes an iothread as"
            " virtio-scsi"
        )
    return device


def _to_lack_one(domain: Element, key: str, disk: Element) -> dict[str, Element]:
    """The device that is to have no iothread, none where the disk cannot have one. Raises EditError where that would
    lose more.
    """
    device = _with_iothread(domain, disk)
    if device is not None and _iothreads.is_mapped(device):
        raise EditError(f"{key} has its queues mapped to iothreads in its driver; that is left alone")
    return {} if device is None else {key: device}
