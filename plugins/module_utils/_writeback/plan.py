# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors
"""The plan that ``host_writeback`` carries out (docs/data.md, "Host write-back"). Pure, no I/O."""

from __future__ import annotations

from typing import Any

from .._host import meminfo
from .._sysctl import dirty
from .._sysctl.kernel import KERNEL
from . import paths
from .settings import shortened

Facts = dict[str, Any]
Plan = dict[str, Any]


def refusal(facts: Facts, settings: dict[str, Any]) -> Plan | None:
    """A plan that ``host_writeback`` refuses, because something it would rely on could not be read; None where all was.

    Without the record, the limits of before could not be restored, or the limits of an earlier run would be recorded as
    those of before.
    """
    relied_on = [paths.RECORD, paths.FILE, paths.FILE.rpartition("/")[0], KERNEL]
    if settings["state"] == "present" and settings["mode"] == "auto":
        relied_on.append(meminfo.PATH)
    unread = next(((one["file"], one["reason"]) for one in facts["problems"] if one["file"] in relied_on), None)
    was_set = (facts["saved"] or {}).get("set") and (facts["saved"] or {}).get("previous")
    if unread is None and settings["state"] == "absent" and was_set and facts["kernel"] is None:
        unread = KERNEL, "is missing, and an earlier run set its values"
    if unread is None:
        return None
    file, reason = unread
    done = "taken back" if settings["state"] == "absent" else "written"
    return {
        "state": settings["state"],
        "files": [],
        "kernel": None,
        "record": facts["saved"],
        "saved": facts["saved"],
        "changes": [],
        "refused": f"{file}: {reason}; nothing was {done}: make it readable and run again",
        "unread": file,
    }


def change(facts: Facts, wanted: dirty.Limits, text: str | None, taken: list[dict[str, Any]]) -> Plan | None:
    """The plan that puts ``wanted`` in force now and at boot; None where nothing is to do.

    ``text`` is what our file is to contain, None to leave it; ``taken`` are the conflicts to take over.
    """
    kernel = _kernel_change(facts["kernel"], wanted)
    files, changes = [], []
    if text is not None:
        before = [entry["digest"] for entry in facts["files"] if entry["path"] == paths.FILE]
        files.append({"op": "write", "path": paths.FILE, "before": before[0] if before else None, "text": text})
        changes.append(
            {"key": paths.FILE, "option": None, "before": "other" if before else None, "after": dirty.spell(wanted)}
        )
    with_targets: dict[str, list[dict[str, Any]]] = {}
    for one in taken:
        with_targets.setdefault(one["file"]["target"], []).append(one)
    for lines in with_targets.values():
        files.append(_take_over(lines[0]["file"], lines))
        changes.extend(
            {
                "key": one["file"]["target"],
                "option": f"line {one['line']}",
                "before": shortened(one["text"]),
                "after": None,
            }
            for one in lines
        )
    if kernel is None and not files:
        return None
    changes.extend(_kernel_changes(kernel))
    saved = facts["saved"] or {}
    previous = saved.get("previous")
    if previous is None and facts["kernel"] is not None:
        previous = dirty.in_force(facts["kernel"])
    record = {
        "schema": 1,
        "previous": previous,
        "set": wanted if facts["kernel"] is not None else None,
        "taken": saved.get("taken", []),
    }
    return {
        "state": "present",
        "files": files,
        "kernel": kernel,
        "record": record,
        "saved": facts["saved"],
        "changes": changes,
    }


def _take_over(entry: dict[str, Any], lines: list[dict[str, Any]]) -> dict[str, Any]:
    """How one file loses lines: in place where it is in /etc, else masked by a copy in /etc."""
    numbers = sorted({one["line"] for one in lines})
    in_etc = entry["target"].startswith("/etc/")
    target = entry["target"] if in_etc else "/etc/sysctl.d/" + entry["path"].rpartition("/")[2]
    empty = not entry["others"] and len(entry["assignments"]) == len(numbers)
    return {
        "op": "take_over",
        "source": entry["target"],
        "path": target,
        "before": entry["digest"],
        "lines": numbers,
        "aside": target + paths.ASIDE if in_etc else None,
        "remove": empty and in_etc and entry["path"] == entry["target"],
    }


def _kernel_change(state: dirty.State | None, limits: dirty.Limits) -> dict[str, Any] | None:
    if state is None or dirty.in_force(state) == limits:
        return None
    return {
        "before": state,
        "writes": [{"key": key, "value": value} for key, value in dirty.steps(state, limits)],
        "after": limits,
    }


def _kernel_changes(kernel: dict[str, Any] | None) -> list[dict[str, Any]]:
    if kernel is None:
        return []
    before, after = _by_pair(dirty.in_force(kernel["before"])), _by_pair(kernel["after"])
    return [
        {"key": f"vm.{pair}", "option": None, "before": before[pair], "after": text}
        for pair, text in after.items()
        if before[pair] != text
    ]


def _by_pair(limits: dirty.Limits) -> dict[str, str]:
    return {dirty.pair_of(key): f"{key} = {value}" for key, value in limits.items()}


def removal(facts: Facts) -> tuple[Plan | None, str]:
    """The plan that takes back what was set, and a sentence about what stays."""
    saved, files, changes, notes = facts["saved"], [], [], []
    own = [entry["digest"] for entry in facts["files"] if entry["path"] == paths.FILE]
    if own:
        files.append({"op": "remove", "path": paths.FILE, "before": own[0]})
        changes.append({"key": paths.FILE, "option": None, "before": "present", "after": None})
    kernel = None
    if saved is None:
        if own:
            notes.append("the limits of before are not recorded, so the kernel's values stay")
        if not files:
            return None, "nothing was set"
    else:
        for taken in saved["taken"]:
            files.append(dict(taken, op="restore"))
            changes.append({"key": taken["path"], "option": None, "before": "taken over", "after": "as before"})
        if facts["kernel"] is not None and saved["previous"]:
            back, moved = _back(dirty.in_force(facts["kernel"]), saved)
            kernel = _kernel_change(facts["kernel"], {**back, **moved})
            changes.extend(_kernel_changes(kernel))
            if back:
                notes.append(f"{dirty.spell(back)} is in force again")
            if moved:
                notes.append(f"somebody set {dirty.spell(moved)} since, so that stays")
    plan = {"state": "absent", "files": files, "kernel": kernel, "record": None, "saved": saved, "changes": changes}
    return plan, "; ".join(notes) or "what was written is removed"


def _back(now: dirty.Limits, saved: dict[str, Any]) -> tuple[dirty.Limits, dirty.Limits]:
    """``(back, moved)``: the limits of before, of each pair that still has what was set or is back already; and the
    present limits of the others.

    Pair by pair, because a run can be killed between the two.
    """
    back, moved = {}, {}
    for pair in dirty.PAIRS:
        previous = dirty.of_pair(saved["previous"], pair)
        if dirty.of_pair(now, pair) in (previous, dirty.of_pair(saved["set"] or {}, pair)):
            back.update(previous)
        else:
            moved.update(dirty.of_pair(now, pair))
    return back, moved
