# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""What a guest runs with, held against what it is configured with: what waits for a cold start, and drift."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ...module_utils._model.disk_io import IOTHREAD_CONTROLLER, OPTIONS, differing
from ...module_utils._text import word
from .judge_disk import Remark

_COLD_START = "Stop and start the guest (qm shutdown, qm start, or qm reboot); a reboot inside the guest is not enough."
_COLD_START_ELSEWHERE = (
    "Stop and start the guest, with what it is defined with; a reboot inside the guest is not enough."
)


def process_only(guest: dict[str, Any]) -> bool:
    """True for a guest that is known from its process alone: nothing here changes it, and Proxmox VE's commands are not
    its.
    """
    return guest["config"] is None and bool(guest["running"])


def waiting(guest: dict[str, Any], judged: list[dict[str, Any]]) -> Iterator[tuple[dict[str, Any] | None, Remark]]:
    """IO108 for the controller (None) and each disk: in order after the next cold start, and not before."""
    controller = guest["controller"]
    if controller["pending"] == IOTHREAD_CONTROLLER and any(disk["bus"] == "scsi" for disk in judged):
        yield None, _waits({"controller": controller["effective"]}, {"controller": controller["pending"]})
    for disk in judged:
        now, after = disk["runs"] or disk["effective"], disk["next"]
        if after is None or now is None:
            continue
        configured = disk["effective"]
        moved = [option for option in OPTIONS if configured is None or configured[option] != after[option]]
        found = differing(now, after, moved)
        if found:
            yield disk, _waits(*_sides(found))


def drift(guest: dict[str, Any], judged: list[dict[str, Any]]) -> Iterator[tuple[dict[str, Any], Remark]]:
    """IO109 for each disk whose process runs with something else than the config it should have been started from."""
    if guest["config"] is None:
        return
    for disk in judged:
        found = differing(disk["runs"], disk["effective"])
        if found:
            said = ", ".join(
                f"{option} {word(runs)}, configured is {word(configured)}"
                for option, (runs, configured) in found.items()
            )
            yield disk, Remark("IO109", "warning", f"runs with {said}", _COLD_START, *_sides(found))


def disagreements(guest: dict[str, Any]) -> Iterator[tuple[str | None, Remark]]:
    """What a process has open that speaks against its own command line; with the disk's key, None for the process.

    IO109. A file that no disk names is IO100 where no config tells either what the guest has: nobody judged it.
    """
    for said in guest["disagreements"]:
        unlisted = said["key"] is None and said["option"] == "file"
        if unlisted and guest["lock"]:
            # A backup, a snapshot or a migration opens files of its own for as long as it lasts.
            continue
        if unlisted and process_only(guest):
            yield None, Remark("IO100", "error", said["detail"], _COLD_START_ELSEWHERE, said["seen"], said["cmdline"])
        else:
            hint = _COLD_START_ELSEWHERE if process_only(guest) else _COLD_START
            yield said["key"], Remark("IO109", "warning", said["detail"], hint, said["seen"], said["cmdline"])


def _waits(old: dict[str, Any], new: dict[str, Any]) -> Remark:
    change = ", ".join(f"{option} {word(old[option])} → {word(new[option])}" for option in new)
    return Remark("IO108", "warning", f"waits for a cold start: {change}", _COLD_START, old, new)


def _sides(found: dict[str, tuple[Any, Any]]) -> tuple[dict[str, Any], dict[str, Any]]:
    return {option: old for option, (old, _new) in found.items()}, {
        option: new for option, (_old, new) in found.items()
    }
