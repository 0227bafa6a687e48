# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""IO102 and IO106: a disk without an iothread."""

from __future__ import annotations

from typing import Any

from ...module_utils._model.findings import Severity
from ...module_utils._model.records import Disk, Values
from .disks import Situation, can_have_iothread, configured, setting, shares_controller
from .hypervisors import hint, process_only, sets_controller, wanted_controller
from .policy import KEEP
from .remark import Left, Remark


def judge(disk: Disk, now: Values, wanted: dict[str, Any], at: Situation) -> Remark | None:
    """The remark on a disk without an iothread; ``now`` are its values after the next cold start."""
    if wanted["iothread"] == KEEP or now["iothread"]:
        return None
    if now["iothread"] is None:
        message = "whether it has an iothread is not known: its command line does not name its controller"
        return Remark("IO100", "error", message, "Check this disk by hand, and waive it if it is right.", wanted=True)
    threads = now["aio"] == "threads"
    severity: Severity = "warning" if threads else "error"
    if disk["bus"] not in ("scsi", "virtio"):
        message = f"bus {disk['bus']} cannot have an iothread" + (
            ", aio threads prevents the freeze" if threads else ""
        )
        advice = "Move the disk to scsi or virtio by hand, when the guest has the drivers" + (
            "." if threads else "; until then set aio=threads."
        )
        return Remark("IO106", severity, message, advice, False, True)
    possible = disk["bus"] == "virtio" or at.new_controller is not None or can_have_iothread(at.guest, disk)
    hold = at.holds.get(disk["bus"]) if possible or sets_controller(at.guest) else None
    if hold is not None:
        message = f"no iothread in effect, and it gets none: {hold.reason}"
        return Remark("IO102", severity, message, hold.hint, False, True, left=hold.left)
    if at.keeps and shares_controller(disk):
        named = ", ".join(at.keeps)
        message = (
            f"no iothread in effect, and it gets none: a controller's disks share its iothread, and {named} keeps none"
        )
        advice = "Ask the same of all disks of a controller in the policy and its waivers."
        return Remark("IO102", severity, message, advice, False, True, left=Left("not_fixable", f"{message}. {advice}"))
    advice = hint(at.guest, "iothread", key=disk["key"]) + (at.caution if disk["bus"] == "scsi" else "")
    if configured(disk, "iothread"):
        message = f"the configured iothread is ignored: controller {at.controller} gives none"
        advice = hint(at.guest, "controller", wanted=wanted_controller(at.guest))
        needed = () if at.new_controller is None else (at.new_controller,)
        return Remark("IO102", severity, message, advice, False, True, needed)
    if possible:
        cure = (setting(disk, "iothread", True),)
        return Remark("IO102", severity, "no iothread in effect", advice, False, True, cure)
    if not process_only(at.guest):
        advice = f"Needs controller {wanted_controller(at.guest)}, see IO101."
    message = f"no iothread, and controller {at.controller} cannot give one"
    return Remark("IO102", severity, message, advice, False, True)
