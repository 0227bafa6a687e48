# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Where libvirt puts a disk, and what QEMU's device of it is called.

A definition that libvirt wrote has every disk's address, a running guest's XML also its alias. Source: libvirt's
src/conf/domain_conf.c (virDomainDiskDefAssignAddress), src/qemu/qemu_alias.c (qemuAssignDeviceDiskAlias) and
qemu_domain.c (qemuDomainGetSCSIControllerModel).
"""

from __future__ import annotations

from collections.abc import Callable

from .devices import DISKS_ON_A_CONTROLLER, index
from .disks import Address, DiskElement
from .domain import ControllerElement, Domain

#: The buses on which a disk has a drive's address.
DRIVE_BUSES = ("scsi", "ide", "sata", "fdc")

_LSILOGIC = "lsilogic"
# Where no controller of a domain has a model, its architecture decides.
_DEFAULT_MODELS = {"aarch64": "virtio-scsi", "armv7l": "virtio-scsi", "riscv64": "virtio-scsi", "s390x": "virtio-scsi"}
_DEFAULT_MODELS.update(loongarch64="virtio-scsi", ppc64="ibmvscsi", ppc64le="ibmvscsi")


def model(domain: Domain, controller: int) -> str:
    """The model of a SCSI controller: its own, or the default of the domain's architecture."""
    found = domain.scsi.get(controller)
    if found is not None and found.model and found.model != "auto":
        return found.model
    return _DEFAULT_MODELS.get(domain.arch or "", _LSILOGIC)


def address(disk: DiskElement) -> Address | None:
    """Where a disk is on its bus; None on a bus without such addresses, and for a target that libvirt does not take."""
    if disk.bus not in DRIVE_BUSES:
        return None
    if disk.address:
        return disk.address
    number = index(disk.target)
    return None if number is None else _DEFAULT_PLACES[disk.bus](number)


def _ide(number: int) -> Address:
    controller, rest = divmod(number, 4)
    return Address(controller, rest // 2, 0, rest % 2)


def _row(units: int) -> Callable[[int], Address]:
    def place(number: int) -> Address:
        controller, unit = divmod(number, units)
        return Address(controller, 0, 0, unit)

    return place


# How many disks each controller takes of those that have no address.
_DEFAULT_PLACES: dict[str, Callable[[int], Address]] = {
    "scsi": _row(DISKS_ON_A_CONTROLLER),
    "sata": _row(6),
    "fdc": _row(2),
    "ide": _ide,
}


def controller(domain: Domain, disk: DiskElement) -> ControllerElement | None:
    """The element of a SCSI disk's controller; None off the SCSI bus, and where the domain has none for it."""
    at = address(disk) if disk.bus == "scsi" else None
    return domain.scsi.get(at.controller) if at else None


def device_id(domain: Domain, disk: DiskElement) -> str:
    """The id of a disk's device in QEMU: ``virtio-disk0``, ``scsi0-0-0-1``, or the alias that its element has."""
    if disk.alias:
        return disk.alias
    at = address(disk)
    if at is None:
        number = index(disk.target)
        return f"{disk.bus}-disk{-1 if number is None else number}"
    if disk.bus != "scsi" or model(domain, at.controller) == _LSILOGIC:
        return f"{disk.bus}{at.controller}-{at.bus}-{at.unit}"
    return f"scsi{at.controller}-{at.bus}-{at.target}-{at.unit}"


def targets(domain: Domain) -> dict[str, str]:
    """The target of each disk by the id of its device."""
    return {device_id(domain, disk): disk.target for disk in domain.disks}
