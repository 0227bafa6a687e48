# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""What a cold start would bring into force, in words, from a guest's record (docs/data.md). No I/O."""

from __future__ import annotations

from typing import Any

from . import _plan
from ._model.disk_io import differing, refused_at_start, running
from ._model.operations import RestartReason
from ._model.records import Disk, Guest
from ._shown import piece
from ._text import word


def waiting(guest: Guest) -> list[str]:
    """What the guest does not run with yet: its controller, and each disk's iothread, aio and cache.

    They are compared with what its process runs with, each value where that is known, and else with its config.
    """
    controller = guest["controller"]
    words = []
    if controller["pending"] is not None and controller["pending"] != controller["effective"]:
        words.append(f"controller {controller['effective']} → {controller['pending']}")
    for disk in guest["disks"]:
        words += [f"{disk['key']} {option} {word(old)} → {word(new)}" for option, (old, new) in _changes(disk).items()]
    return words


def _changes(disk: Disk) -> dict[str, tuple[Any, Any]]:
    return differing(running(disk["runs"], disk["effective"]), disk["next"] or disk["effective"])


def other_pending(guest: Guest) -> list[str]:
    """The other settings that wait and that the restart will also apply: those that ``waiting`` does not name."""
    drives = {disk["key"] for disk in guest["disks"] if _changes(disk)}
    controller = _plan.controller_setting(guest["hypervisor"])
    return [key for key in guest["pending"] if key not in drives and key != controller]


def unstartable(guest: Guest) -> str | None:
    """Why QEMU would refuse to start the guest with its pending values; None where it would start it."""
    faults = (refused_at_start(disk["key"], disk["next"] or disk["effective"]) for disk in guest["disks"])
    return next(filter(None, faults), None)


def blocker(guest: Guest) -> tuple[RestartReason, str] | None:
    """Why a guest with a restart pending is not restarted, (reason, sentence), as far as its record tells."""
    if guest["template"]:
        return "template", "a template, which never runs"
    if guest["running"] is None:
        return "not_here", "whether it runs is not known here; run this on its node"
    if not guest["running"]:
        return "not_running", _plan.stopped(guest["hypervisor"])
    if guest["lock"]:
        return "locked", f"locked ({piece(guest['lock'])}); run again when that has ended"
    fault = unstartable(guest)
    return ("would_not_start", f"would not start again: {fault}") if fault else None
