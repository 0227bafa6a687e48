# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""What a guest runs with, held against what it is configured with: what waits for a cold start, and drift."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .._model import IOTHREAD_CONTROLLER, OPTIONS
from .judge_disk import Remark

_COLD_START = "Stop and start the guest (qm shutdown, qm start, or qm reboot); a reboot inside the guest is not enough."


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
        old, new = _different(now, after, moved)
        if new:
            yield disk, _waits(old, new)


def drift(guest: dict[str, Any], judged: list[dict[str, Any]]) -> Iterator[tuple[dict[str, Any], Remark]]:
    """IO109 for each disk whose process runs with something else than the config it should have been started from."""
    if guest["config"] is None:
        return
    for disk in judged:
        if disk["runs"] is None or disk["effective"] is None:
            continue
        runs, configured = _different(disk["runs"], disk["effective"], OPTIONS)
        if runs:
            yield (
                disk,
                Remark(
                    "IO109",
                    "warning",
                    "runs with " + ", ".join(f"{option} {_word(runs[option])}, configured is {_word(configured[option])}" for option in runs),
                    _COLD_START,
                    runs,
                    configured,
                ),
            )


def disagreements(guest: dict[str, Any]) -> Iterator[tuple[str | None, Remark]]:
    """IO109 for what a process has open that speaks against its own command line; with the disk's key, None for the process."""
    for said in guest["disagreements"]:
        yield said["key"], Remark("IO109", "warning", said["detail"], _COLD_START, said["seen"], said["cmdline"])


def _waits(old: dict[str, Any], new: dict[str, Any]) -> Remark:
    change = ", ".join(f"{option} {_word(old[option])} → {_word(new[option])}" for option in new)
    return Remark("IO108", "warning", f"waits for a cold start: {change}", _COLD_START, old, new)


def _word(value: Any) -> str:
    return {True: "on", False: "off"}.get(value, str(value)) if isinstance(value, bool) else str(value)


def _different(old: dict[str, Any], new: dict[str, Any], options: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Of some options the old and the new values that differ; what is not known on either side does not."""
    names = [option for option in options if old[option] != new[option] and None not in (old[option], new[option])]
    return {name: old[name] for name in names}, {name: new[name] for name in names}
