# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""What the XML of a domain says of its guest: name, machine, disks, SCSI controllers and iothreads. Pure.

Source: libvirt's "Domain XML format", and its src/conf/domain_conf.c (virDomainDefParseXML).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from .._number import whole_number
from .._shown import piece
from . import devices as _devices
from . import disks as _disks
from . import iothreads as _iothreads
from .disks import DiskElement
from .splice import EditError
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
    hypervisor's, no name, two disks of one target, a word that libvirt does not take, an iothread that is not there.
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
    iothreads = _iothreads_of(root)
    _refuse_iothreads(iothreads, disks, scsi)
    os = root.at("os/type")
    said = os[0].attributes if os else {}
    return Domain(
        name=_name(root),
        machine=said.get("machine"),
        arch=said.get("arch"),
        disks=disks,
        scsi=scsi,
        iothreads=iothreads.number,
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
        # libvirt takes a 0 as none here, and on no disk.
        iothread=any(word != "0" for word in _disks.iothreads(element.child("driver"))),
        alias=alias.attributes.get("name") if alias is not None else None,
        element=element,
    )


def _iothreads_of(root: Element) -> _iothreads.Iothreads:
    try:
        return _iothreads.read(root)
    except EditError as error:
        place = root.child("iothreads") or root.child("iothreadids") or root
        raise XmlError(str(error), place.line) from None


def _refuse_iothreads(
    iothreads: _iothreads.Iothreads, disks: Iterable[DiskElement], scsi: Mapping[int, ControllerElement]
) -> None:
    """Raise XmlError where a device has an iothread that libvirt refuses (qemuDomainCheckIOThreadUsage and
    virDomainControllerDefValidate, of libvirt 9.0; seen with ``virsh define``).
    """
    for disk in disks:
        for word in disk.iothreads:
            if disk.bus != "virtio":
                raise XmlError(
                    f"disk {piece(disk.target)} has an iothread in its <driver>; on {piece(disk.bus)} libvirt takes"
                    " none",
                    disk.element.line,
                )
            _refuse_iothread(iothreads, word, f"disk {piece(disk.target)}", disk.element)
    for index, controller in scsi.items():
        for word in _disks.iothreads(controller.element.child("driver")) if controller.iothread else ():
            if controller.model and controller.model not in _devices.VIRTIO_SCSI_MODELS:
                raise XmlError(
                    f"SCSI controller {index} has an iothread; with the model {piece(controller.model)} libvirt takes"
                    " none",
                    controller.element.line,
                )
            _refuse_iothread(iothreads, word, f"SCSI controller {index}", controller.element)


def _refuse_iothread(iothreads: _iothreads.Iothreads, word: str, what: str, element: Element) -> None:
    # libvirt takes blanks in front of a number, and none behind it (virStrToLong_uip).
    number = whole_number(word) if word == word.rstrip() else None
    if not number:
        raise XmlError(f"{what} has iothread='{piece(word)}'; libvirt takes a number from 1 on", element.line)
    if not iothreads.has(number):
        raise XmlError(f"{what} has iothread {number}, and the guest has no iothread of that number", element.line)
