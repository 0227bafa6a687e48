# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""What a guest runs with against what it is configured with: pending changes, and drift."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ...module_utils._model.disk_io import IOTHREAD_CONTROLLER, OPTIONS, differing, running
from ...module_utils._model.findings import Severity
from ...module_utils._model.records import Disk, Guest
from ...module_utils._text import word
from .hypervisors import hint, process_only
from .remark import Remark

_UNJUDGED: tuple[str, Severity] = ("IO100", "error")
_DRIFT: tuple[str, Severity] = ("IO109", "warning")


def pending(guest: Guest, judged: list[Disk]) -> Iterator[tuple[Disk | None, Remark]]:
    """IO108 for the controller (None) and each disk that the next cold start changes."""
    controller = guest["controller"]
    if controller["pending"] == IOTHREAD_CONTROLLER and any(disk["bus"] == "scsi" for disk in judged):
        sides = {"controller": controller["effective"]}, {"controller": controller["pending"]}
        yield None, _pending(guest, *sides)
    for disk in judged:
        configured: Mapping[str, Any] | None = disk["effective"]
        after: Mapping[str, Any] | None = disk["next"]
        now = running(disk["runs"], disk["effective"])
        if after is None or now is None:
            continue
        changed = [option for option in OPTIONS if configured is None or configured[option] != after[option]]
        found = differing(now, after, changed)
        if found:
            yield disk, _pending(guest, *_sides(found))


def drift(guest: Guest, judged: list[Disk]) -> Iterator[tuple[Disk, Remark]]:
    """IO109 for each disk whose process runs with something else than it is configured with."""
    if guest["config"] is None:
        return
    for disk in judged:
        found = differing(disk["runs"], disk["effective"])
        if found:
            said = ", ".join(
                f"{option} {word(runs)}, configured is {word(configured)}"
                for option, (runs, configured) in found.items()
            )
            advice = hint(guest, "cold_start")
            yield disk, Remark("IO109", "warning", f"runs with {said}", advice, *_sides(found), restart=True)


def disagreements(guest: Guest) -> Iterator[tuple[str | None, Remark]]:
    """Where a process has something else open than its command line says; with the disk's key, None for the process.

    IO109. A file that no disk names is IO100 where there is no config that could name it either: it was not judged.
    """
    for said in guest["disagreements"]:
        unlisted = said["key"] is None and said["option"] == "file"
        if unlisted and guest["lock"]:
            # A backup, a snapshot or a migration opens files of its own while it runs.
            continue
        rule, severity = _UNJUDGED if unlisted and process_only(guest) else _DRIFT
        advice = hint(guest, "cold_start")
        yield said["key"], Remark(rule, severity, said["detail"], advice, said["seen"], said["cmdline"])


def _pending(guest: Guest, old: dict[str, Any], new: dict[str, Any]) -> Remark:
    change = ", ".join(f"{option} {word(old[option])} → {word(new[option])}" for option in new)
    message = f"waits for a cold start: {change}"
    return Remark("IO108", "warning", message, hint(guest, "cold_start"), old, new, restart=True)


def _sides(found: dict[str, tuple[Any, Any]]) -> tuple[dict[str, Any], dict[str, Any]]:
    return (
        {option: old for option, (old, _new) in found.items()},
        {option: new for option, (_old, new) in found.items()},
    )
