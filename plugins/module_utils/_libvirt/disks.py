# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""What a disk element of domain XML says. Elements in, values out.

Source: libvirt's "Domain XML format", and its src/conf/domain_conf.c (virDomainDiskDefParseXML).
"""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from .._model.disk_io import AIO_MODES, CACHE_MODES
from .._shown import piece
from . import devices as _devices
from .xml import Element, XmlError

#: A source is of this type where the element names none.
_FILE = "file"
# Where a source that is no path says what it opens.
_PATHS = {"file": "file", "block": "dev", "dir": "dir", "vhostuser": "path", "vhostvdpa": "dev"}


class Address(NamedTuple):
    """Where a disk is on its bus: ``<address type='drive'>``."""

    controller: int
    bus: int
    target: int
    unit: int


class DiskElement(NamedTuple):
    """A disk as its element says it; None where the element does not.

    ``type`` is what its source is (file, block, network, volume, …), ``volume`` that source in one word, None without
    a medium. ``protocol`` is that of a network disk, ``pool`` and ``mode`` are those of a volume. ``iothreads`` are
    those of its own driver element, as written. ``cache`` is None for "default".
    """

    target: str
    bus: str
    device: str
    type: str
    volume: str | None
    protocol: str | None
    pool: str | None
    mode: str | None
    format: str | None
    io: str | None
    cache: str | None
    iothreads: tuple[str, ...]
    address: Address | None
    alias: str | None
    read_only: bool
    shareable: bool
    transient: bool
    element: Element


def read(element: Element) -> DiskElement:
    """A disk element as a disk. Raises XmlError where it has no target, or a value that libvirt does not take."""
    parts: dict[str, Element] = {}
    for child in element.children:
        parts.setdefault(child.name, child)
    target = parts["target"].attributes.get("dev") if "target" in parts else None
    if not target:
        raise XmlError("a disk has no target: <target dev='vda' bus='virtio'/>", element.line)
    device = element.attributes.get("device", "disk")
    driver = parts.get("driver")
    said = driver.attributes if driver is not None else {}
    kind = element.attributes.get("type", _FILE)
    source = parts.get("source")
    opened = source.attributes if source is not None else {}
    return DiskElement(
        target=target,
        bus=parts["target"].attributes.get("bus") or _devices.bus(element),
        device=device,
        type=kind,
        volume=_volume(kind, opened),
        protocol=opened.get("protocol") if kind == "network" else None,
        pool=opened.get("pool") if kind == "volume" else None,
        mode=opened.get("mode"),
        format=said.get("type"),
        io=_word(said, "io", AIO_MODES, element),
        cache=_word(said, "cache", CACHE_MODES, element),
        iothreads=iothreads(driver),
        address=_address(parts["address"]) if "address" in parts else None,
        alias=parts["alias"].attributes.get("name") if "alias" in parts else None,
        read_only="readonly" in parts,
        shareable="shareable" in parts,
        transient="transient" in parts,
        element=element,
    )


def _word(said: dict[str, str], name: str, words: Collection[str], element: Element) -> str | None:
    value = said.get(name)
    if value is None or (value == "default" and name == "cache"):
        return None  # libvirt takes no io='default' (virDomainDiskDefDriverParseXML).
    if value not in words:
        raise XmlError(f"a disk has {name}='{piece(value)}'; libvirt takes {', '.join(words)}", element.line)
    return value


def iothreads(driver: Element | None) -> tuple[str, ...]:
    """The ids that the driver element of a disk or a controller has as its iothread or maps its queues to, as written;
    "" where a mapping has none.
    """
    if driver is None:
        return ()
    own = (driver.attributes["iothread"],) if "iothread" in driver.attributes else ()
    mapped = driver.at("iothreads/iothread") if driver.children else ()
    return (*own, *(each.attributes.get("id", "") for each in mapped))


def number(text: str | None, element: Element, what: str) -> int:
    """The number of an attribute, 0 where it is not there. Raises XmlError."""
    if not text:
        return 0
    if not (text.isascii() and text.isdigit() and len(text) <= 9):
        raise XmlError(f"{what} is {piece(text)}, which is no number", element.line)
    return int(text)


def _address(element: Element) -> Address | None:
    said = element.attributes
    if said.get("type") != "drive":
        return None
    return Address(*(number(said.get(part), element, f"the {part} of an address") for part in Address._fields))


def _volume(kind: str, source: dict[str, str]) -> str | None:
    """The source in one word: a path, ``POOL/VOLUME`` or ``PROTOCOL:NAME``."""
    if kind == "volume":
        return f"{source['pool']}/{source.get('volume', '')}" if source.get("pool") else None
    if kind == "network":
        return f"{source['protocol']}:{source.get('name', '')}" if source.get("protocol") else None
    if kind == "nvme":
        return f"nvme:{source.get('namespace', '')}" if source else None
    return source.get(_PATHS.get(kind, _FILE)) or None
