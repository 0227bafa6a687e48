# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""What a boot makes of a host's sysctl files: systemd-sysctl reads them, then tuned applies some. Pure, no I/O."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .. import _tuned
from .._sysctl import dirty
from .._sysctl.assignments import is_glob
from . import paths

Facts = dict[str, Any]
Entry = dict[str, Any]
Assignment = dict[str, Any]


def files_with(facts: Facts, text: str | None = None) -> list[Entry]:
    """The files in systemd's order; with ``text``, as if :data:`.paths.FILE` contained it."""
    files = list(facts["files"])
    if text is not None:
        own = {
            "path": paths.FILE,
            "target": paths.FILE,
            "assignments": dirty.parse_relevant(text),
            "others": 0,
            "digest": None,
            "read_at_boot": True,
            "read_by_tuned": True,
        }
        files = sorted([*(entry for entry in files if entry["path"] != paths.FILE), own], key=_name)
    return files


def _sysctl(files: Iterable[Entry], gone: Iterable[Assignment]) -> tuple[dirty.State, dict[str, Any]]:
    """What systemd-sysctl makes of the files without the lines ``gone``: ``(state, deciders)``."""
    return dirty.replay(
        [one for entry in files if entry["read_at_boot"] for one in without(entry, gone)["assignments"]]
    )


def after_boot(facts: Facts, files: list[Entry], gone: Iterable[Assignment] = ()) -> tuple[dirty.State, dict[str, Any]]:
    """The limits after systemd-sysctl and, where it starts, tuned: ``(state, deciders)`` as of dirty.replay().

    ``gone`` are lines to leave out. A decider is an assignment with its ``file``, or a setting of tuned's profile, with
    its ``section``.
    """
    state, deciders = _sysctl(files, gone)
    if not tuned_starts(facts):
        return state, deciders
    applied = sorted((one for one in files if one["read_by_tuned"] and one["path"] != _tuned.SYSCTL_CONF), key=_name)
    applied += [one for one in files if one["target"] == _tuned.SYSCTL_CONF][:1]
    state, changed = dirty.write_all(state, _tuned.writes(facts["tuned"], [without(entry, gone) for entry in applied]))
    return state, {**deciders, **{pair: one for pair, one in changed.items() if one is not None}}


def must_write(facts: Facts, wanted: dirty.Limits, text: str) -> bool:
    """Whether our file has to be written: it is there with another content, or it is missing and needed.

    It can be needed only for tuned, which applies the files in /etc after its profile, and none in /usr.
    """
    own = [entry for entry in facts["files"] if entry["path"] == paths.FILE]
    if own:
        return bool(own[0]["digest"] != paths.digest(text))
    state, _deciders = _sysctl(files_with(facts), ())
    if dirty.in_force(state) != wanted:
        return True
    _lines, as_it_is, _deciders = conflicts(facts, wanted, None)
    _lines, with_ours, _deciders = conflicts(facts, wanted, text)
    return dirty.in_force(as_it_is) not in (wanted, dirty.in_force(with_ours))


def conflicts(
    facts: Facts, wanted: dirty.Limits, text: str | None
) -> tuple[list[Assignment], dirty.State, dict[str, Any]]:
    """The lines that have to go for ``wanted`` to be in force after a boot: ``(conflicts, state, deciders)``.

    The deciding line is taken away until none of somebody else's file decides; then our file does, tuned's profile, or
    the kernel's default. State and deciders are those of a boot without the conflicts. Each conflict has its ``file``,
    ``by_tuned`` (the boot has it right, and tuned then applies the line) and ``can_take``.
    """
    files = files_with(facts, text)
    gone: list[Assignment] = []
    while True:
        state, deciders = _sysctl(files, gone)
        wrong = _wrong(state, deciders, wanted)
        if not wrong and dirty.in_force(state) != wanted:
            # An exclusion after our file takes our assignment out of systemd's list.
            wrong = [
                one
                for entry in files
                if entry["read_at_boot"] and entry["path"] != paths.FILE
                for one in without(entry, gone)["assignments"]
                if one["value"] is None and one["key"].partition("/")[2] in wanted
            ]
        by_tuned = not wrong
        if by_tuned:
            state, deciders = after_boot(facts, files, gone)
            wrong = _wrong(state, deciders, wanted)
        if not wrong:
            return gone, state, deciders
        gone.append({**wrong[0], "by_tuned": by_tuned, "can_take": _can_take(wrong[0], facts)})


def _can_take(assignment: Assignment, facts: Facts) -> bool:
    """Whether the line can go without touching other keys, or a file that is not the administrator's.

    A file of /run is masked by a copy in /etc for the boot, but not for tuned.
    """
    entry = assignment["file"]
    leads_out = entry["path"].startswith("/etc/") and not entry["target"].startswith("/etc/")
    stays_for_tuned = entry["path"].startswith("/run/") and tuned_starts(facts) and facts["tuned"]["reapplies"]
    return not is_glob(assignment["key"]) and not leads_out and not stays_for_tuned


def _wrong(state: dirty.State, deciders: dict[str, Any], wanted: dirty.Limits) -> list[Assignment]:
    """The assignments in others' files that decide against ``wanted``."""
    return [
        one
        for pair, one in deciders.items()
        if one is not None and dirty.of_pair(dirty.in_force(state), pair) != dirty.of_pair(wanted, pair)
        if "section" not in one and one["file"]["path"] != paths.FILE
    ]


def without(entry: Entry, gone: Iterable[Assignment]) -> Entry:
    """A file without the lines ``gone``; each remaining assignment has its ``file``."""
    places = {_place(one) for one in gone}
    left = [{**one, "file": entry} for one in entry["assignments"]]
    return {**entry, "assignments": [one for one in left if _place(one) not in places]}


def _place(assignment: Assignment) -> tuple[str, int]:
    return assignment["file"]["target"], assignment["line"]


def _name(entry: Entry) -> bytes:
    path: str = entry["path"]
    return path.rpartition("/")[2].encode("utf-8", "surrogateescape")


def tuned_starts(facts: Facts) -> bool:
    """Whether tuned runs now or starts at boot."""
    return bool(facts["tuned"]) and bool(facts["tuned"]["running"] or facts["tuned"]["enabled"])
