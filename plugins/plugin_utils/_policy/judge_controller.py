# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""IO101: a guest's SCSI controller against the one the policy wants."""

from __future__ import annotations

from collections.abc import Callable

from ...module_utils._model.findings import Severity, change
from ...module_utils._model.records import Disk, Guest
from .disks import after_restart, can_have_iothread, has_virtio_driver, spelled_controller
from .hypervisors import hint, process_only, sets_controller, wanted_controller
from .literal import literal, yaml_text
from .remark import Hold, Left, Remark


def judge(
    guest: Guest, disks: list[Disk], hold: Hold | None, caution: str, may_migrate: Callable[[], bool]
) -> Remark | None:
    """IO101 where a disk of ``disks``, those on SCSI, has no controller that can give it an iothread of its own.

    ``hold`` is why the controller must not be changed. ``may_migrate``: it may be changed although the guest then
    needs another driver.
    """
    if all(can_have_iothread(guest, disk) for disk in disks):
        return None
    before, wanted = spelled_controller(guest), wanted_controller(guest)
    unset = guest["controller"]["configured"] is None and not process_only(guest)
    message = f"SCSI controller {before}{' (unset)' if unset else ''}, the policy wants {wanted}"
    severity: Severity = "warning" if all(_has_threads(disk) for disk in disks) else "error"
    if hold is not None and sets_controller(guest):
        message = f"{message}; it is not changed: {hold.reason}"
        return Remark("IO101", severity, message, hold.hint, before, wanted, left=hold.left)
    advice = hint(guest, "controller", wanted=wanted)
    if not sets_controller(guest):
        return Remark("IO101", severity, message, advice, before, wanted)
    if guest["resource"] and not all(has_virtio_driver(guest, disk) for disk in disks):
        advice += " The guest needs the driver virtio_scsi (Windows: vioscsi)."
    if all(has_virtio_driver(guest, disk) for disk in disks) or may_migrate():
        cure = (change("controller", "type", before, wanted),)
        return Remark("IO101", severity, message, advice + caution, before, wanted, cure)
    if not process_only(guest):
        match = f"guest.id == {literal(guest['id'])}"
        advice = (
            f"{wanted} needs another driver in the guest. Make sure that it has virtio_scsi (Windows: vioscsi), then"
            f" allow the change with migrate_controllers: {yaml_text(match)}"
        )
    return Remark("IO101", severity, message, advice, before, wanted, left=Left("driver_change", f"IO101 {message}"))


def _has_threads(disk: Disk) -> bool:
    now = after_restart(disk)
    return now is not None and now["aio"] == "threads"
