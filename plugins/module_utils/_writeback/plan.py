# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors
"""What ``host_writeback`` is to do (docs/data.md, "Host write-back"). Pure, no I/O."""

from __future__ import annotations

from .._host import meminfo
from .._sysctl import dirty
from . import paths
from .settings import shortened

KERNEL = "/proc/sys/vm"


def refusal(facts, settings):
    """A plan that ``host_writeback`` refuses, because what it would rely on could not be read; ``None`` where that is
    not so.

    Without the record, what was in force before could not be put back, or would be recorded anew from what this role
    itself has set.
    """
    relied_on = [paths.RECORD, paths.FILE, paths.FILE.rpartition("/")[0], KERNEL]
    if settings["state"] == "present" and settings["mode"] == "auto":
        relied_on.append(meminfo.PATH)
    unread = next(((one["file"], one["reason"]) for one in facts["problems"] if one["file"] in relied_on), None)
    was_set = (facts["saved"] or {}).get("set") and (facts["saved"] or {}).get("previous")
    if unread is None and settings["state"] == "absent" and was_set and facts["kernel"] is None:
        unread = KERNEL, "is not there, and its values were set by this role"
    if unread is None:
        return None
    sentence = "{}: {}; nothing was {}: make it readable and run again".format(
        *unread, "taken back" if settings["state"] == "absent" else "written"
    )
    return {
        "state": settings["state"],
        "files": [],
        "kernel": None,
        "record": facts["saved"],
        "saved": facts["saved"],
        "changes": [],
        "refused": sentence,
        "unread": unread[0],
    }


def change(facts, wanted, text, taken):
    """The plan that puts ``wanted`` in force now and at boot, or ``None``."""
    kernel = _kernel_change(facts["kernel"], wanted)
    files, changes = [], []
    if text is not None:
        before = [entry["digest"] for entry in facts["files"] if entry["path"] == paths.FILE]
        files.append({"op": "write", "path": paths.FILE, "before": before[0] if before else None, "text": text})
        changes.append(
            {"key": paths.FILE, "option": None, "before": "other" if before else None, "after": dirty.spell(wanted)}
        )
    by_target = {}
    for one in taken:
        by_target.setdefault(one["file"]["target"], []).append(one)
    for lines in by_target.values():
        files.append(_take_over(lines[0]["file"], lines))
        changes.extend(
            {
                "key": one["file"]["target"],
                "option": "line %d" % one["line"],
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


def _take_over(entry, lines):
    """How one file loses lines: in place where /etc holds it, else masked by a copy in /etc."""
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


def _kernel_change(state, limits):
    if state is None or dirty.in_force(state) == limits:
        return None
    return {
        "before": state,
        "writes": [{"key": key, "value": value} for key, value in dirty.steps(state, limits)],
        "after": limits,
    }


def _kernel_changes(kernel):
    if kernel is None:
        return []
    before = {dirty.pair_of(key): "%s = %d" % (key, value) for key, value in dirty.in_force(kernel["before"]).items()}
    return [
        {
            "key": "vm." + dirty.pair_of(key),
            "option": None,
            "before": before[dirty.pair_of(key)],
            "after": "%s = %d" % (key, value),
        }
        for key, value in kernel["after"].items()
        if before[dirty.pair_of(key)] != "%s = %d" % (key, value)
    ]


def removal(facts):
    """The plan that takes back what was set, and a sentence about what stays."""
    saved, files, changes, notes = facts["saved"], [], [], []
    own = [entry["digest"] for entry in facts["files"] if entry["path"] == paths.FILE]
    if own:
        files.append({"op": "remove", "path": paths.FILE, "before": own[0]})
        changes.append({"key": paths.FILE, "option": None, "before": "present", "after": None})
    kernel = None
    if saved is None:
        if own:
            notes.append("what was in force before is not recorded, so the kernel's values stay")
        if not files:
            return None, "nothing was set by this role"
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
    return plan, "; ".join(notes) or "what the role had set is taken back"


def _back(now, saved):
    """``(back, moved)``: the limits of before of each pair that is as it was set, or back already; the others as they
    are.

    Pair by pair, for a run can be killed between the two.
    """
    back, moved = {}, {}
    for pair in dirty.PAIRS:
        previous = dirty.of_pair(saved["previous"], pair)
        if dirty.of_pair(now, pair) in (previous, dirty.of_pair(saved["set"] or {}, pair)):
            back.update(previous)
        else:
            moved.update(dirty.of_pair(now, pair))
    return back, moved
