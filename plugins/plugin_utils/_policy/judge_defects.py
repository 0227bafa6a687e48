# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Known defects of the QEMU that runs a guest or will start it: what they affect already (IO401), and what must not
be planned because of them.
"""

from __future__ import annotations

from collections.abc import Collection

from ...module_utils._model.records import Disk, Guest
from . import qemu
from .defects import DEFECTS, VIRTIO_SCSI_RESET, Defect
from .disks import after_restart
from .remark import Hold, Remark

RULE = "IO401"


def hold(guest: Guest, accepted: Collection[str]) -> Hold | None:
    """Why the guest's virtio-scsi disks must not get an iothread; ``accepted`` are ids of defects.

    A guest that was read on its own node starts with the QEMU installed there. Where that version could not be read,
    it is not known to be safe. Elsewhere an unknown version is only mentioned (``caution``).
    """
    if VIRTIO_SCSI_RESET.id in accepted:
        return None
    version = _version(guest)
    live = guest["running"] is not None
    if version is None:
        return _because(VIRTIO_SCSI_RESET, "it is not known which QEMU would start the guest") if live else None
    if not VIRTIO_SCSI_RESET.concerns(version):
        return None
    return _because(VIRTIO_SCSI_RESET, f"QEMU {_text(version)} {'would' if live else 'may'} start the guest")


def _because(defect: Defect, which: str) -> Hold:
    return Hold(
        f"{which}, and below {_text(defect.fixed)} {defect.hits} is a known defect: {defect.effect}",
        f"Install QEMU {_text(defect.fixed)} or later, or accept the defect in the policy: accept_defects:"
        f" [{defect.id}]. Until then aio=threads prevents most of the freeze.",
    )


def met(guest: Guest, judged: list[Disk], accepted: Collection[str]) -> list[Remark]:
    """IO401 for what the guest runs with, or will start with: one remark for each defect."""
    found = []
    for defect in DEFECTS.values():
        running, after = qemu.running(guest), qemu.next_start(guest)
        now = _hit(judged, running=True) if running and defect.concerns(running) else []
        then = (
            [key for key in _hit(judged, running=False) if key not in now] if after and defect.concerns(after) else []
        )
        if now or then:
            certain = guest["running"] is not None
            found.append(_remark(defect, now, then, running, after, certain, defect.id in accepted))
    return found


def caution(guest: Guest, accepted: Collection[str]) -> str:
    """A sentence, with a blank before it, for hints that give an iothread on virtio-scsi where it is not known which
    QEMU will start the guest; else "".
    """
    if VIRTIO_SCSI_RESET.id in accepted or guest["running"] is not None or _version(guest) is not None:
        return ""
    return (
        " It is not known which QEMU will start the guest: make sure that it is"
        f" {_text(VIRTIO_SCSI_RESET.fixed)} or later ({RULE})."
    )


def _version(guest: Guest) -> qemu.Version | None:
    """The QEMU that starts the guest next: on its own node the installed one, whatever the config proves."""
    return qemu.next_start(guest) if guest["running"] is None else qemu.version(guest["qemu"]["installed"])


def _hit(disks: list[Disk], running: bool) -> list[str]:
    """The keys of the disks with an iothread on virtio-scsi: as they run, or after the next cold start."""
    values = [
        (disk["key"], disk["runs"] if running else after_restart(disk)) for disk in disks if disk["bus"] == "scsi"
    ]
    return [key for key, now in values if now is not None and now["iothread"]]


def _remark(
    defect: Defect,
    now: list[str],
    then: list[str],
    running: qemu.Version | None,
    after: qemu.Version | None,
    certain: bool,
    accepted: bool,
) -> Remark:
    keys = ", ".join(now or then)
    verb = f"runs {keys} with" if now else f"{'will' if certain else 'may'} start {keys} with"
    version = running if now else after
    if now and after is not None and not defect.concerns(after):
        advice = f"Stop and start the guest: QEMU {_text(after)} is installed."
    else:
        advice = (
            f"Install QEMU {_text(defect.fixed)} or later and restart the guest, or remove the iothread until then."
        )
    return Remark(
        RULE,
        "note" if accepted else "warning",
        f"QEMU {_text(version)} {verb} {defect.hits}: {defect.effect}"
        + ("; the policy accepts that" if accepted else ""),
        advice,
        _text(version),
        _text(defect.fixed),
    )


def _text(version: qemu.Version | None) -> str:
    return "" if version is None else ".".join(str(number) for number in (version if version[2] else version[:2]))
