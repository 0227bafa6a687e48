# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The resource of dmacvicar/libvirt: ``libvirt_domain`` of 0.9.1 and later, whose attributes are libvirt's elements.

internal/provider/domain_resource.go and internal/codegen at v0.9.7 (6bd1e07), docs/resources/domain.md of v0.9.1 to
v0.9.7. What is not set is not in the XML, so libvirt's defaults hold. An update stops the guest, defines it anew from
the resource, and starts it only where ``running`` is true: what somebody else has changed in its XML is lost. 0.9.0
has other attributes, and none for what decides here.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple
from xml.etree.ElementTree import Element

from ...module_utils._model.disk_io import AIO_MODES, CACHE_MODES
from ...module_utils._shown import shown
from . import domain_xml, libvirt_0_8
from .attributes import UNKNOWN, Block, Deciding, ShapeError, Text, Unknown, plain
from .defined import Defined, Drive, not_known
from .domain_xml import element
from .libvirt_words import paste
from .words import Words

#: The words of a domain of 0.9, and of one of 0.8.
WORDS = {
    "dmacvicar": Words(
        {
            "controller": (
                'Write model = "{wanted}" for the scsi controller in devices.controllers, after a test of the guest'
                " with it."
            ),
            "iothread": (
                "Write io_threads, and the number of one as io_thread in the driver of {key}; for a disk on virtio-scsi"
                " in the driver of its controller."
            ),
            "aio": 'Write io = "{value}" in the driver of {key}.',
            "cache": 'Write cache = "{value}" in the driver of {key}.',
        },
        None,
        {},
        "",
        paste=paste,
    ),
    **libvirt_0_8.WORDS,
}

_DECIDE = ("target", "driver", "device", "source", "shareable", "transient")
# The kind of a source, and its type in XML, with the attributes of the element that tell where it is.
_SOURCES = {
    "file": ("file", {"file": "file"}),
    "block": ("block", {"dev": "dev"}),
    "volume": ("volume", {"pool": "pool", "volume": "volume"}),
    "network": ("network", {"protocol": "protocol", "name": "name"}),
    "dir": ("dir", {"dir": "dir"}),
    "nvme": ("nvme", {}),
    "vhost_user": ("vhostuser", {}),
    "vhost_vdpa": ("vhostvdpa", {}),
}


def domain(block: Block) -> Defined:
    """A ``libvirt_domain``. Raises ShapeError."""
    block.require("disk", "devices")
    if not block.has("devices"):
        return libvirt_0_8.domain(block)
    if not block.has("io_threads"):
        raise ShapeError("version 0.9.0 of its provider is not known here, so it is not judged: take a later one")
    seen = Deciding()
    devices = block.block("devices")
    listed = [_disk(*numbered) for numbered in enumerate(_blocks(devices, "disks", seen))]
    controllers = list(_controllers(_blocks(devices, "controllers", seen), seen))
    if isinstance(devices, Unknown):
        seen.text(devices, "devices")
    made = [*controllers, *(one.xml for one in listed if one.xml is not None)]
    iothreads = _iothreads(block, made, seen)
    system = block.block("os")
    known = system if isinstance(system, Block) else None
    name = block.label("name")
    machine = known.label("type_machine") if known else None
    return Defined(
        words="dmacvicar",
        hypervisor="libvirt",
        name=name or "",
        id=name,
        xml=domain_xml.domain(
            made,
            *iothreads,
            type=block.label("type"),
            arch=known.label("type_arch") if known else None,
            machine=machine,
        ),
        drives=tuple(one.drive for one in listed),
        unknown=seen.names,
        sensitive=block.is_sensitive("io_threads", "io_thread_i_ds")
        or (isinstance(devices, Block) and devices.is_sensitive("controllers")),
        restarts=_restarts(block),
    )


#: Type of a resource to what reads it.
TYPES = {"libvirt_domain": domain}


def _restarts(block: Block) -> str:
    starts = "starts it again" if block.flag("running") is True else "leaves it off, unless running is true"
    return (
        f"The apply asks the guest to shut down, powers it off after {_patience(block)}, defines it anew and {starts}."
    )


def _patience(block: Block) -> str:
    """How long an update waits for a guest: 5 seconds up to 0.9.5, since then 30 or what is set."""
    if not block.has("update"):
        return "5 s"
    update = block.block("update")
    shutdown = update.block("shutdown") if isinstance(update, Block) else None
    seconds = plain(shutdown.number("timeout")) if isinstance(shutdown, Block) else None
    return f"{seconds if seconds not in (None, '0') else 30} s (update.shutdown.timeout)"


def _blocks(devices: Block | Unknown | None, name: str, seen: Deciding) -> list[Block | Unknown]:
    """The devices of a kind; that all are not known is noted."""
    found = devices.blocks(name) if isinstance(devices, Block) else []
    if isinstance(found, Unknown):
        seen.text(found, f"devices.{name}")
        return []
    return found


class _Listed(NamedTuple):
    """A disk; ``xml`` is None where what decides about it is not known, or libvirt refuses it."""

    drive: Drive
    xml: Element | None


def _disk(number: int, disk: Block | Unknown) -> _Listed:
    place = f"devices.disks[{number}]"
    if isinstance(disk, Unknown):
        return _Listed(not_known(place, place), None)
    seen = Deciding()
    target = _inner(disk, "target", seen)
    key = seen.text(target.text("dev"), "target.dev") if target else None
    bus = seen.text(target.text("bus"), "target.bus") if target else None
    driver = _driver(_inner(disk, "driver", seen), seen)
    type, source = _source(disk, seen)
    flags = {name: seen.flag(disk.flag(name), name) for name in ("read_only", "shareable")}
    made = element(
        "disk",
        driver,
        source,
        element("target", dev=key, bus=bus),
        element("readonly") if flags["read_only"] else None,
        element("shareable") if flags["shareable"] else None,
        element("transient") if _inner(disk, "transient", seen) else None,
        type=type,
        device=seen.text(disk.text("device"), "device") or "disk",
    )
    is_sensitive = disk.is_sensitive(*_DECIDE)
    fault = None if seen.names else _fault(key, driver, is_sensitive)
    drive = Drive(key or place, place, unknown=seen.names, sensitive=is_sensitive, fault=fault)
    return _Listed(drive, None if seen.names or fault else made)


def _fault(key: str | None, driver: Element | None, is_sensitive: bool) -> str | None:
    """Why libvirt refuses a disk, None where it takes it."""
    if not key:
        return "it has no target, which libvirt wants"
    for name, allowed in (("io", AIO_MODES), ("cache", (*CACHE_MODES, "default"))):
        value = driver.get(name) if driver is not None else None
        if value is not None and value not in allowed:
            return f"{name} is {'a value' if is_sensitive else shown(value)} that libvirt does not have"
    return None


def _inner(disk: Block, name: str, seen: Deciding) -> Block | None:
    """A block in a disk; one that is not known is noted."""
    found = disk.block(name)
    if isinstance(found, Unknown):
        seen.text(found, name)
        return None
    return found


def _driver(driver: Block | None, seen: Deciding) -> Element | None:
    """The driver of a disk or a controller."""
    if driver is None:
        return None
    options = {
        name: seen.text(driver.text(name), f"driver.{name}")
        for name in ("name", "type", "cache", "io")
        if driver.has(name)
    }
    thread = seen.text(driver.number("io_thread"), "driver.io_thread") if driver.has("io_thread") else None
    mapped = driver.block("io_threads") if driver.has("io_threads") else None
    if isinstance(mapped, Unknown):
        seen.text(mapped, "driver.io_threads")
    spread = _numbered(mapped, "io_thread", "driver.io_threads", seen) if isinstance(mapped, Block) else []
    return element("driver", element("iothreads", *spread) if spread else None, iothread=thread, **options)


def _numbered(block: Block, name: str, place: str, seen: Deciding) -> list[Element]:
    """The iothreads of a list, each with its id: those that a driver's queues are spread over, or those of a guest."""
    found = block.blocks(name)
    if isinstance(found, Unknown):
        seen.text(found, f"{place}.{name}")
        return []
    return [
        element("iothread", id=seen.text(UNKNOWN if isinstance(one, Unknown) else one.number("id"), f"{place}.id"))
        for one in found
    ]


def _iothreads(block: Block, devices: list[Element], seen: Deciding) -> list[Element]:
    """The elements that say which iothreads the guest has. Where that is not known, they are those that it uses."""
    known = Deciding()
    count = known.text(block.number("io_threads"), "io_threads")
    listed = block.block("io_thread_i_ds") if block.has("io_thread_i_ds") else None
    if isinstance(listed, Unknown):
        known.text(listed, "io_thread_i_ds")
    ids = _numbered(listed, "io_threads", "io_thread_i_ds", known) if isinstance(listed, Block) else []
    for name in known.names:
        seen.text(UNKNOWN, name)
    if known.names:
        drivers = [driver for device in devices for driver in device.findall("driver")]
        used = [driver.get("iothread") for driver in drivers]
        used += [one.get("id") for driver in drivers for one in driver.findall("iothreads/iothread")]
        ids = [element("iothread", id=id) for id in sorted({id for id in used if id and id.strip("0")})]
    elements = [element("iothreads", text=count)] if count else []
    return [*elements, element("iothreadids", *ids)] if ids else elements


def _source(disk: Block, seen: Deciding) -> tuple[str, Element | None]:
    """The type of a disk, and its source; of a source that is not there, as of an empty drive, ``file``."""
    source = _inner(disk, "source", seen)
    for name, (type, attributes) in _SOURCES.items() if source else ():
        found = source.block(name) if source and source.has(name) else None
        if isinstance(found, Unknown):
            return type, element("source", **dict.fromkeys(attributes, domain_xml.NEW))
        if found is not None:
            where = {
                key: _where(found.text(attribute)) for key, attribute in attributes.items() if found.has(attribute)
            }
            return type, element("source", **where)
    return "file", None


def _where(value: Text) -> str | None:
    return domain_xml.NEW if isinstance(value, Unknown) else value


def _controllers(controllers: list[Block | Unknown], seen: Deciding) -> Iterator[Element]:
    """The SCSI controllers."""
    for number, one in enumerate(controllers):
        place = f"devices.controllers[{number}]"
        if isinstance(one, Unknown):
            seen.text(one, place)
            continue
        inner = Deciding()
        type = inner.text(one.text("type"), "type")
        driver = _driver(_inner(one, "driver", inner), inner)
        model, index = inner.text(one.text("model"), "model"), inner.text(one.number("index"), "index")
        if type in ("scsi", None):
            for name in inner.names:
                seen.text(UNKNOWN, f"{place}.{name}")
            yield element("controller", driver, type="scsi", model=model, index=index)
