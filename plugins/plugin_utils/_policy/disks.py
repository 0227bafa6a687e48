# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""What the judges ask of a disk's record."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from ...module_utils._model.disk_io import IOTHREAD_CONTROLLER, VIRTIO_SCSI
from ...module_utils._model.findings import Change, change
from ...module_utils._model.records import Disk, DiskController, Guest, Values
from .remark import Hold


class Situation(NamedTuple):
    """What the judgement of a disk depends on besides the disk.

    ``controller`` is the guest's SCSI controller as its hypervisor spells it; ``new_controller`` the change that gives
    each SCSI disk a controller of its own, None where no such change is made. ``old_qemu``: a QEMU below 9 may run the
    guest. ``holds`` are why disks must not get an iothread, by their bus. ``keeps`` are
    the disks that are to stay without one on a controller that several disks share. ``caution`` is a sentence about
    what to check before one on virtio-scsi gets it, with a blank before it.
    """

    guest: Guest
    controller: str
    new_controller: Change | None
    old_qemu: bool
    holds: dict[str, Hold]
    keeps: list[str]
    caution: str


def is_judged(disk: Disk) -> bool:
    """True for the drives that the policy is about: disks that are not about to be removed."""
    return disk["media"] == "disk" and not disk["pending_delete"]


def after_restart(disk: Disk) -> Values | None:
    """The disk's values after the next cold start, as ``effective``."""
    return disk["next"] or disk["effective"]


def configured(disk: Disk, option: str) -> Any:
    """What the next cold start reads of an option, None where it is unset."""
    line: Mapping[str, Any] = disk["pending"] or disk["configured"]
    return line[option]


def setting(disk: Disk, option: str, after: Any) -> Change:
    """The change that sets an option of the disk."""
    return change(disk["key"], option, configured(disk, option), after)


def can_have_iothread(guest: Guest, disk: Disk) -> bool:
    """Whether a SCSI disk has, after the next cold start, a virtio-scsi controller that can give it an iothread."""
    controller = _controller(guest, disk)
    if controller is None:
        return spelled_controller(guest) == IOTHREAD_CONTROLLER
    now = after_restart(disk)
    has_iothread = now is not None and bool(now["iothread"])
    return controller["model"] == VIRTIO_SCSI and (controller["gives_iothread"] or has_iothread)


def has_iothread(disk: Disk) -> bool:
    """Whether the disk has an iothread after the next cold start."""
    now = after_restart(disk)
    return now is not None and bool(now["iothread"])


def shares_controller(disk: Disk) -> bool:
    """Whether the disk is one of several on a controller that gives them one iothread for all."""
    now = after_restart(disk)
    controller = now["controller"] if now else None
    return controller is not None and controller["gives_iothread"] and not controller["dedicated"]


def has_virtio_driver(guest: Guest, disk: Disk) -> bool:
    """Whether the guest already drives a SCSI disk's controller with virtio_scsi."""
    controller = _controller(guest, disk)
    return controller["model"] == VIRTIO_SCSI if controller else spelled_controller(guest).startswith(VIRTIO_SCSI)


def _controller(guest: Guest, disk: Disk) -> DiskController | None:
    """The disk's controller after the next cold start; None where only the guest's is known, as with a drive that has
    no block device then.
    """
    now = disk["next"] if guest["controller"]["pending"] else after_restart(disk)
    return now["controller"] if now else None


def spelled_controller(guest: Guest) -> str:
    """The guest's SCSI controller after the next cold start, as its hypervisor spells it."""
    return guest["controller"]["pending"] or guest["controller"]["effective"]
