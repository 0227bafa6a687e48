# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Apply: carries out a plan for a host's settings and nothing else, object by object: look, write, look again, and keep
a journal.

Check mode ends before the write.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .._journal.file import Journal
from .._model.findings import Change, change
from .._text import word
from .seam import Refused, Settings, SettingsEntry, SettingsError, SettingsResult

_MISSING = object()


def apply(
    plan: Sequence[SettingsEntry],
    subjects: Mapping[str, Settings],
    journal: Journal,
    check: bool = False,
    back: bool = False,
) -> list[SettingsResult]:
    """One result per object, in the plan's order. A failure is that object's alone. ``back``: the plan is undo's."""
    return [_apply_safely(entry, subjects, journal, check, back) for entry in plan]


def _apply_safely(
    entry: SettingsEntry, subjects: Mapping[str, Settings], journal: Journal, check: bool, back: bool
) -> SettingsResult:
    try:
        settings = subjects.get(entry["subject"])
        if settings is None:
            raise SettingsError(f"there is no subject {entry['subject']}; there are {', '.join(subjects)}")
        for asked in entry["changes"]:
            if asked["key"] != entry["key"]:
                raise SettingsError(f"a change of {asked['key']} is among those of {entry['key']}")
            (settings.check_back if back else settings.check)(asked)
        return _apply(entry, settings, journal, check)
    except SettingsError as exc:
        return _result(entry, "failed", reason="refused", detail=f"not written, because of its plan: {exc}")
    except Refused as exc:
        return _result(entry, "failed", reason=exc.reason, detail=str(exc))
    except OSError as exc:
        return _result(entry, "failed", reason="error", detail=_words(exc))


def _apply(entry: SettingsEntry, settings: Settings, journal: Journal, check: bool) -> SettingsResult:
    before = settings.now([entry["key"]])
    changes = _left(entry, before)
    if not changes:
        return _result(entry, "unchanged")
    try:
        journal.check()
    except OSError as exc:
        raise Refused(f"not written, because the journal {journal.path} cannot be: {_words(exc)}", "journal") from exc
    if check:
        return _result(entry, "changed", changes=changes)
    try:
        line = journal.setting(entry["subject"], entry["key"], changes)
    except OSError as exc:
        raise Refused(f"not written, because the journal {journal.path} cannot be: {_words(exc)}", "journal") from exc
    try:
        settings.write(entry["key"], changes)
        wrong = differences(settings.now([entry["key"]]), before, changes)
        if wrong:
            raise Refused("after the write " + "; ".join(wrong), "not_proven")
    except (Refused, OSError) as exc:
        reason = exc.reason if isinstance(exc, Refused) else "error"
        _note(journal, line, _was_written(settings, before, entry["key"]), reason, _words(exc))
        raise
    return _result(entry, "changed", changes=changes, detail=_note(journal, line, True, None, None))


def _left(entry: SettingsEntry, now: Mapping[tuple[str, str], Any]) -> list[Change]:
    """The changes that are not made yet. Raises Refused where somebody changed a setting since it was read."""
    left = []
    for asked in entry["changes"]:
        value = now.get((entry["key"], asked["option"]), _MISSING)
        if value is _MISSING:
            raise Refused(f"{entry['key']} is gone, or has no {asked['option']}", "gone")
        if value == asked["after"]:
            continue
        if value != asked["before"]:
            raise Refused(
                f"{asked['option']} is {told(value)} and was {told(asked['before'])} when it was read; run again",
                "changed_since",
            )
        left.append(change(entry["key"], asked["option"], value, asked["after"]))
    return left


def differences(
    after: Mapping[tuple[str, str], Any], before: Mapping[tuple[str, str], Any], changes: Sequence[Change]
) -> list[str]:
    """What is not as it was to be after the write of one object, its other options among it."""
    wanted = {**before, **{(asked["key"], asked["option"]): asked["after"] for asked in changes}}
    return [
        f"{option} is {told(after.get((key, option)))}, wanted {told(value)}"
        for (key, option), value in wanted.items()
        if after.get((key, option), _MISSING) != value
    ]


def told(value: Any) -> str:
    """A value in a sentence."""
    return "not set" if value is None else word(value)


def _was_written(settings: Settings, before: Mapping[tuple[str, str], Any], key: str) -> bool | None:
    """Whether a write that failed changed something nevertheless; None where that cannot be known."""
    try:
        return settings.now([key]) != before
    except (Refused, OSError):
        return None


def _note(journal: Journal, line: str, written: bool | None, reason: str | None, detail: str | None) -> str | None:
    """Put the outcome into the journal; a sentence where that fails, because the object is written by now."""
    try:
        journal.set(line, written, {"status": "failed" if reason else "changed", "reason": reason, "detail": detail})
    except OSError as exc:
        return f"written, but the journal {journal.path} could not note it: {_words(exc)}"
    return None


def _words(exc: Exception) -> str:
    if isinstance(exc, OSError):
        return ": ".join(str(part) for part in (exc.filename, exc.strerror or exc) if part)
    return str(exc)


def _result(entry: SettingsEntry, status: Any, **more: Any) -> SettingsResult:
    found: SettingsResult = {
        "subject": entry["subject"],
        "key": entry["key"],
        "status": status,
        "changes": [],
        "reason": None,
        "detail": None,
    }
    return {**found, **more}  # type: ignore[typeddict-item]
