# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The disks of a domain, and the SCSI controllers that they are on. Pure.

What libvirt fills in, this fills in likewise: a definition that was not made by libvirt leaves it out.
"""

from __future__ import annotations

import re

from .._number import whole_number
from .xml import Element

#: The controllers that the guest drives with its virtio_scsi driver, and that take an iothread
#: (virDomainControllerDefPostParse, domain_postparse.c).
VIRTIO_SCSI_MODELS = ("virtio-scsi", "virtio-transitional", "virtio-non-transitional")

# virDiskNameParse, virutil.c.
_NAME = re.compile(r"(?:fd|hd|vd|sd|xvd|ubd)([a-z]+)[0-9]*", re.ASCII)
# virDomainDiskDefPostParse, domain_postparse.c.
_BUSES = (("hd", "ide"), ("sd", "scsi"), ("vd", "virtio"), ("xvd", "xen"), ("ubd", "uml"))
#: How many disks without an address a SCSI controller takes (virDomainDiskDefAssignAddress, recorded: scsi-many).
DISKS_ON_A_CONTROLLER = 7


def disks(domain: Element) -> list[Element]:
    """The drives of a domain, in their order."""
    return domain.at("devices/disk")


def key(disk: Element) -> str:
    """What a plan and virsh call a drive, its target; "" where it has none."""
    target = disk.child("target")
    return target.attributes.get("dev", "") if target else ""


def bus(disk: Element) -> str:
    """The bus of a drive: ``virtio``, ``scsi``, ``ide``, ``sata``, ``usb``, ``fdc``."""
    target = disk.child("target")
    written = target.attributes.get("bus") if target else None
    if written:
        return written
    if disk.attributes.get("device") == "floppy":
        return "fdc"
    return next((bus for start, bus in _BUSES if key(disk).startswith(start)), "ide")


def controller_index(disk: Element) -> int | None:
    """The index of the SCSI controller that a drive of bus scsi is on; None where libvirt refuses the drive."""
    address = disk.child("address")
    if address is not None and address.attributes.get("type") == "drive":
        return whole_number(address.attributes.get("controller", "0"))
    number = index(key(disk))
    return None if number is None else number // DISKS_ON_A_CONTROLLER


def index(target: str) -> int | None:
    """The number of a target: 0 for ``vda``, 26 for ``vdaa``; None where libvirt takes no such name."""
    name = _NAME.fullmatch(target)
    if not name or len(name[1]) > 6:
        return None
    number = 0
    for letter in name[1]:
        number = number * 26 + ord(letter) - ord("a") + 1
    return number - 1


def scsi_controllers(domain: Element) -> dict[int, Element]:
    """The SCSI controllers that the definition writes, by their index; libvirt adds those that disks need besides."""
    written = [each for each in domain.at("devices/controller") if each.attributes.get("type") == "scsi"]
    found: dict[int, Element] = {}
    for controller in written:
        index = whole_number(controller.attributes.get("index", ""))
        if index is not None:
            found.setdefault(index, controller)
    for controller in written:
        if "index" not in controller.attributes:
            # virDomainAssignControllerIndexes: the lowest that is free.
            found[next(index for index in range(len(written)) if index not in found)] = controller
    return found
