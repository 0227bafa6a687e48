# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Known defects of the QEMU that runs a guest or will start it: what they hit already (IO401), and what must not be
planned because of them.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from . import qemu
from .defects import DEFECTS, VIRTIO_SCSI_RESET, Defect
from .judge_disk import Hold, Remark, settings

RULE = "IO401"


def hold(guest: dict[str, Any], accepted: Collection[str]) -> Hold | None:
    """Whether the guest's virtio-scsi disks must be left without an iothread; ``accepted`` are ids of defects.

    A guest whose state was read on its own node runs what is installed there: where that version could not be read,
    nothing tells that it is safe. Elsewhere a version that nothing proves is said (``caution``) and holds nothing back.
    """
    if VIRTIO_SCSI_RESET.id in accepted:
        return None
    version = _version(guest)
    if version is None:
        return (
            _because(VIRTIO_SCSI_RESET, "it is not known which QEMU would start the guest")
            if guest["running"] is not None
            else None
        )
    if not VIRTIO_SCSI_RESET.concerns(version):
        return None
    return _because(
        VIRTIO_SCSI_RESET,
        (
            f"QEMU {_text(version)} would start the guest"
            if guest["running"] is not None
            else f"QEMU {_text(version)} may start the guest"
        ),
    )


def _because(defect: Defect, which: str) -> Hold:
    return Hold(
        f"{which}, and below {_text(defect.fixed)} {defect.hits} is a known defect: {defect.effect}",
        f"Install QEMU {_text(defect.fixed)} or later, or accept the defect in the policy: accept_defects:"
        f" [{defect.id}]. Until then aio=threads keeps most of the freeze away.",
    )


def met(guest: dict[str, Any], judged: list[dict[str, Any]], accepted: Collection[str]) -> list[Remark]:
    """IO401 for what the guest runs with, or will start with: one remark a defect."""
    found = []
    for defect in DEFECTS.values():
        running, after = qemu.running(guest), qemu.next_start(guest)
        now = _hit(judged, "runs") if running and defect.concerns(running) else []
        then = [key for key in _hit(judged, None) if key not in now] if after and defect.concerns(after) else []
        if now or then:
            certain = guest["running"] is not None
            found.append(_remark(defect, now, then, running, after, certain, defect.id in accepted))
    return found


def caution(guest: dict[str, Any], accepted: Collection[str]) -> str:
    """A sentence for the hint of what gives an iothread on virtio-scsi, where nothing tells which QEMU will start the
    guest; else "".
    """
    if VIRTIO_SCSI_RESET.id in accepted or guest["running"] is not None or _version(guest) is not None:
        return ""
    return (
        f" Which QEMU will start the guest is not known: make sure that it is {_text(VIRTIO_SCSI_RESET.fixed)} or later"
        f" ({RULE})."
    )


def _version(guest: dict[str, Any]) -> qemu.Version | None:
    """The QEMU that starts the guest next: on its own node only the installed one counts, whatever the config
    proves.
    """
    return qemu.next_start(guest) if guest["running"] is None else qemu.version(guest["qemu"]["installed"])


def _hit(disks: list[dict[str, Any]], state: str | None) -> list[str]:
    """The keys of the disks that have an iothread on virtio-scsi, as they run (``runs``) or after the next cold start
    (None).
    """
    return [
        disk["key"]
        for disk in disks
        if disk["bus"] == "scsi" and ((disk[state] if state else settings(disk)) or {}).get("iothread")
    ]


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
    mended = bool(now) and after is not None and not defect.concerns(after)
    cure = (
        f"Stop and start the guest: QEMU {_text(after)} is installed."
        if mended
        else f"Install QEMU {_text(defect.fixed)} or later and restart the guest, or take the iothread back until then."
    )
    return Remark(
        RULE,
        "note" if accepted else "warning",
        f"QEMU {_text(version)} {verb} {defect.hits}: {defect.effect}"
        + ("; the policy accepts that" if accepted else ""),
        cure,
        _text(version),
        _text(defect.fixed),
    )


def _text(version: qemu.Version | None) -> str:
    return "" if version is None else ".".join(str(number) for number in (version if version[2] else version[:2]))
