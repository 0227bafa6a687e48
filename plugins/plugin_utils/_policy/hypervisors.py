# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""What the policy asks of a hypervisor's room: words for people, and the storage types it has.

A cause and its facts choose the sentence; the guest's hypervisor chooses the words.
"""

from __future__ import annotations

from collections.abc import Sequence

from ...module_utils import _plan
from ...module_utils._libvirt import hints as _libvirt
from ...module_utils._model.disk_io import IOTHREAD_CONTROLLER, VIRTIO_SCSI
from ...module_utils._model.findings import Change
from ...module_utils._model.records import Guest
from ...module_utils._pve import hints as _pve
from ...module_utils._pve import storage_types as _pve_storage_types
from .._terraform.providers import WORDS as _RESOURCES
from .._terraform.words import block as _block

# A new hypervisor is one line here, and a file of sentences in its own room. A guest that a resource defines is changed
# in the words of the resource's provider.
_WORDS = {"libvirt": _libvirt.HINTS, "pve": _pve.HINTS, **{name: one.hints for name, one in _RESOURCES.items()}}

# What changes the guest, so that its provider does something with it.
_SETTINGS = ("controller", "iothread", "aio", "cache")

#: Cause → the sentence for a guest whose hypervisor has none, with facts in braces.
NEUTRAL = {
    "controller": "Give each of its disks a virtio-scsi controller of its own, with an iothread.",
    "iothread": "Give the disk an iothread: virtio-blk has its own, virtio-scsi has one on its controller.",
    "aio": "Set aio={value}.",
    "cache": "Set cache={value}.",
    "storage_unknown": "Define the storage, or set {unset} on the disk itself, where it applies on every storage.",
    "storage_missing": "First define its storage.",
    "no_aio": "Nothing to set; limit the load of backups and migrations on this storage.",
    "copy_on_write": "Set cache=writeback by hand, or store the image without copy-on-write.",
    "start_snapshot": "Remove the temporary overlay, or set a machine version below 10.0.",
    "unsafe_line": "Fix or remove the line by hand: the next write drops it.",
    "unknown_setting": "Check the spelling: a write may drop settings that the hypervisor does not know.",
    "locked": "If no job is running, unlock the guest.",
    "cold_start": "Stop the guest and start it from its definition; a reboot inside the guest is not enough.",
}


def process_only(guest: Guest) -> bool:
    """True for a guest that is known from its process alone: no way to it is known, whatever runs it."""
    return guest["config"] is None and bool(guest["running"])


def wanted_controller(guest: Guest) -> str:
    """What the policy's ``virtio-scsi-single`` is called where the guest is defined.

    Elsewhere than on Proxmox VE one virtio-scsi controller has any number of disks, and they share its iothread.
    """
    of_libvirt = guest["hypervisor"] == "libvirt" and not process_only(guest)
    return VIRTIO_SCSI if of_libvirt else IOTHREAD_CONTROLLER


def sets_controller(guest: Guest) -> bool:
    """Whether a plan can change the guest's controller, or whoever reads the finding can by one setting."""
    return process_only(guest) or _plan.controller_setting(guest["hypervisor"]) is not None


def sets_iothreads(guest: Guest) -> bool:
    """Whether a plan can say how many iothreads the guest has."""
    return _plan.sets_iothreads(guest["hypervisor"])


def overlays_end(guest: Guest) -> bool:
    """Whether a temporary overlay is QEMU's own, which it makes no more from machine version 10.0 on; libvirt makes
    that of a transient disk itself.
    """
    return guest["hypervisor"] == "pve" and not process_only(guest)


def hint(guest: Guest, cause: str, /, **facts: str) -> str:
    """What to do about a cause, in the words of the guest's hypervisor."""
    resource = guest["resource"]
    text = words(_room(guest), cause)
    said = text.format(**facts) if facts else text
    return f"{said} {resource['note']}" if resource and resource["note"] and cause in _SETTINGS else said


def _room(guest: Guest) -> str | None:
    """Whose words are used: those of the provider, of the hypervisor, or neutral ones."""
    if process_only(guest):
        return None
    return guest["resource"]["words"] if guest["resource"] else guest["hypervisor"]


def words(hypervisor: str | None, cause: str) -> str:
    """The sentence for a cause, in the words of a hypervisor that has its own."""
    return _WORDS.get(hypervisor or "", {}).get(cause, NEUTRAL[cause])


def paste(guest: Guest, changes: Sequence[Change]) -> str | None:
    """The changes as text to paste where the guest is defined; None where no text is known."""
    resource = _RESOURCES.get(guest["resource"]["words"]) if guest["resource"] else None
    return _block(resource, guest, changes) or None if resource else None


def knows_storage_type(name: str) -> bool:
    """Whether a hypervisor has this storage type itself, so that QEMU's driver for it is known."""
    return _pve_storage_types.driver(name) is not None
