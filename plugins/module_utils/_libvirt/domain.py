# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""What the XML of a domain says of its guest: name, machine, disks, SCSI controllers and iothreads. Pure.

Source: libvirt's "Domain XML format", and its src/conf/domain_conf.c (virDomainDefParseXML).
"""

from __future__ import annotations

from typing import NamedTuple

from .._shown import piece
from . import devices as _devices
from . import disks as _disks
from .disks import DiskElement
from .xml import Element, XmlError, parse

#: How long a name may be; no file system takes a longer one, and libvirt names files by it.
MOST_OF_A_NAME = 255

# Those of QEMU's driver (virDomainVirtType).
_TYPES = ("kvm", "qemu", "hvf")


class ControllerElement(NamedTuple):
    """A SCSI controller as its element says it: its model, None where it has none, and whether its driver names an
    iothread.
    """

    model: str | None
    iothread: bool
    alias: str | None
    element: Element


class Domain(NamedTuple):
    """A domain. ``scsi`` are its SCSI controllers by index, ``iothreads`` the number of its iothreads, None where it
    does not say it. ``machine`` and ``arch`` are as written.
    """

    name: str
    machine: str | None
    arch: str | None
    disks: list[DiskElement]
    scsi: dict[int, ControllerElement]
    iothreads: int | None
    root: Element


def read(raw: bytes) -> Domain:
    """The domain of a text, or of a snapshot's. Raises XmlError: no XML, another root element, another
    hypervisor's, no name, two disks of one target, a word that libvirt does not take.
    """
    root = _domain(parse(raw))
    if root.name not in ("domain", "inactiveDomain"):
        raise XmlError(f"its root element is {piece(root.name)}, not domain", root.line)
    if root.attributes.get("type", "kvm") not in _TYPES:
        raise XmlError(f"its type is {piece(root.attributes['type'])}; only guests of QEMU are read", root.line)
    disks: list[DiskElement] = []
    has_scsi = False
    for element in (one for devices in root.all("devices") for one in devices.children):
        if element.name == "disk":
            disks.append(_disks.read(element))
        elif element.name == "controller" and element.attributes.get("type") == "scsi":
            has_scsi = True
    scsi = {number: _controller(one) for number, one in _devices.scsi_controllers(root).items()} if has_scsi else {}
    if len({disk.target for disk in disks}) != len(disks):
        seen: set[str] = set()
        for disk in disks:
            if disk.target in seen:
                raise XmlError(f"two disks have the target {piece(disk.target)}", disk.element.line)
            seen.add(disk.target)
    os = root.at("os/type")
    said = os[0].attributes if os else {}
    return Domain(
        name=_name(root),
        machine=said.get("machine"),
        arch=said.get("arch"),
        disks=disks,
        scsi=scsi,
        iothreads=_iothreads(root),
        root=root,
    )


def _domain(root: Element) -> Element:
    """The domain element, in a snapshot that of its definition (virDomainSnapshotDefFormat)."""
    if root.name == "domainsnapshot":
        return root.child("inactiveDomain") or root.child("domain") or root
    return root


def _name(root: Element) -> str:
    name = root.child("name")
    if name is None or not name.text:
        raise XmlError("it has no name", root.line)
    if len(name.text) > MOST_OF_A_NAME or "/" in name.text or "\n" in name.text:
        # libvirt refuses them too (virDomainDefPostParseCheck…).
        raise XmlError(f"its name is {piece(name.text)}, which libvirt takes for no domain", name.line)
    return name.text


def _controller(element: Element) -> ControllerElement:
    alias = element.child("alias")
    return ControllerElement(
        model=element.attributes.get("model"),
        iothread=_disks.uses_iothread(element.child("driver")),
        alias=alias.attributes.get("name") if alias is not None else None,
        element=element,
    )


def _iothreads(root: Element) -> int | None:
    """How many iothreads it has: ``<iothreads>``, or those of ``<iothreadids>`` where they are more."""
    count, ids = root.child("iothreads"), root.child("iothreadids")
    listed = len(ids.all("iothread")) if ids is not None else 0
    said = _disks.number(count.text.strip(), count, "the number of iothreads") if count is not None else 0
    return max(said, listed) if count is not None or listed else None
