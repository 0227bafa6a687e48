# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Known defects of the QEMU that runs a guest or will start it: what they affect already (IO401), and what must not
be planned because of them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

from ...module_utils._model.disk_io import VIRTIO_SCSI
from ...module_utils._model.records import Disk, Guest, Values
from . import defects, qemu
from .defects import VIRTIO_SCSI_RESET, Defect, Trigger
from .disks import after_restart
from .remark import Hold, Remark
from .version import Version

RULE = "IO401"

#: The buses whose disks can have an iothread, and what an iothread there triggers.
_BY_BUS = {
    "scsi": ("virtio-scsi", (defects.IOTHREAD_ON_VIRTIO_SCSI, defects.IOTHREAD)),
    "virtio": ("virtio-blk", (defects.IOTHREAD_ON_VIRTIO_BLK, defects.IOTHREAD)),
}


def holds(guest: Guest, accepted: Collection[str]) -> dict[str, Hold]:
    """Why the guest's disks must not get an iothread, by their bus; ``accepted`` are ids of defects.

    A guest that was read on its own node starts with the QEMU installed there. Where that version could not be read,
    it may be an old one, so what each QEMU below a version has counts. Elsewhere an unknown version is only mentioned
    (``caution``).
    """
    version, live = _version(guest), guest["running"] is not None
    if version is None:
        which = "it is not known which QEMU would start the guest"
        met: tuple[Defect, ...] = (VIRTIO_SCSI_RESET,) if live else ()
    else:
        which = f"QEMU {version} {'would' if live else 'may'} start the guest"
        met = defects.of_qemu(version)
    met = tuple(defect for defect in met if defect.id not in accepted)
    found = {}
    for bus, (name, triggers) in _BY_BUS.items() if met else ():
        hit = [defect for defect in met if defect.hits in triggers]
        if hit:
            found[bus] = _hold(hit, which, name)
    return found


def _hold(hit: list[Defect], which: str, bus: str) -> Hold:
    told = "; ".join(f"{defect.effect} ({defect.id}, fixed in {defect.fixed})" for defect in hit)
    many = len(hit) > 1
    ids = ", ".join(defect.id for defect in hit)
    return Hold(
        f"{which}, and an iothread on {bus} triggers {'known defects' if many else 'a known defect'} of it: {told}",
        f"Install QEMU {max(defect.fixed for defect in hit)} or later, or accept the defect{'s' if many else ''} in the"
        f" policy: accept_defects: [{ids}]. Until then aio=threads prevents most of the freeze.",
    )


def met(guest: Guest, judged: list[Disk], accepted: Collection[str]) -> list[Remark]:
    """IO401 for what the guest runs with, or will start with: one remark for each defect."""
    running, after = qemu.running(guest), qemu.next_start(guest)
    now_has, then_has = defects.of_qemu(running), defects.of_qemu(after)
    found = []
    for defect in defects.QEMU.values() if now_has or then_has else ():
        now = _hit(guest, defect.hits, [(disk["key"], disk["bus"], disk["runs"]) for disk in judged], defect in now_has)
        later = [(disk["key"], disk["bus"], after_restart(disk)) for disk in judged if disk["key"] not in now]
        then = _hit(guest, defect.hits, later, defect in then_has)
        if now or then:
            found.append(_remark(guest, defect, now, then, defect.id in accepted))
    return found


def caution(guest: Guest, accepted: Collection[str]) -> str:
    """A sentence, with a blank before it, for hints that give an iothread on virtio-scsi where it is not known which
    QEMU will start the guest; else "".
    """
    if VIRTIO_SCSI_RESET.id in accepted or guest["running"] is not None or _version(guest) is not None:
        return ""
    return (
        f" It is not known which QEMU will start the guest: make sure that it is {VIRTIO_SCSI_RESET.fixed} or later"
        f" ({RULE})."
    )


def _version(guest: Guest) -> Version | None:
    """The QEMU that starts the guest next: on its own node the installed one, whatever the config proves."""
    return qemu.next_start(guest) if guest["running"] is None else qemu.installed(guest)


def _hit(
    guest: Guest, trigger: Trigger | None, disks: list[tuple[str, str, Values | None]], concerned: bool
) -> list[str]:
    """The keys of the disks that trigger a defect, of (key, bus, values)."""
    if not concerned or trigger is None:
        return []
    triggers = _TRIGGERS[trigger]
    return [key for key, bus, values in disks if values is not None and triggers(guest, bus, values)]


def _cancels(guest: Guest, bus: str, values: Values) -> bool:
    controller = values["controller"]
    # l24 and l26 are Linux, w2k to win11 Windows; no other type begins so.
    known = (guest["ostype"] or "").startswith(("l", "w"))
    return bus == "scsi" and not known and controller is not None and controller["model"] == VIRTIO_SCSI


_TRIGGERS: dict[Trigger, Callable[[Guest, str, Values], bool]] = {
    defects.IOTHREAD_ON_VIRTIO_SCSI: lambda guest, bus, values: bus == "scsi" and bool(values["iothread"]),
    defects.IOTHREAD_ON_VIRTIO_BLK: lambda guest, bus, values: bus == "virtio" and bool(values["iothread"]),
    defects.IOTHREAD: lambda guest, bus, values: bool(values["iothread"]),
    defects.IDE_OR_SATA: lambda guest, bus, values: bus in ("ide", "sata"),
    defects.CANCELS_ON_VIRTIO_SCSI: _cancels,
}


def _remark(guest: Guest, defect: Defect, now: list[str], then: list[str], accepted: bool) -> Remark:
    """``now`` and ``then`` are the disks that trigger it as the guest runs, and after the next cold start only."""
    running, after = qemu.running(guest), qemu.next_start(guest)
    certain = guest["running"] is not None
    verb = "runs" if now else "will start" if certain else "may start"
    version = running if now else after
    words, until = defect.hits or Trigger("")
    if now and after is not None and not defect.concerns(after):
        advice = f"Stop and start the guest: QEMU {after} is installed."
    else:
        advice = f"Install QEMU {defect.fixed} or later and restart the guest{until}."
    return Remark(
        RULE,
        "note" if accepted else "warning",
        f"QEMU {version} {verb} {', '.join(now or then)} {words}: {defect.effect}"
        + ("; the policy accepts that" if accepted else ""),
        advice,
        str(version),
        str(defect.fixed),
    )
