# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The plan that gives back what was set before: of one run, or of all runs. What somebody changed since stays."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypedDict

from .._journal.settings_lines import SettingEntry
from .._model.findings import Change, change
from .apply import told
from .seam import Refused, Settings, SettingsEntry, SettingsError

_MISSING = object()


class LeftSetting(TypedDict):
    """An object that is left as it is, or a part of it."""

    subject: str
    key: str
    reason: str
    detail: str


def undo(
    entries: Iterable[SettingEntry], subjects: Mapping[str, Settings]
) -> tuple[list[SettingsEntry], list[LeftSetting]]:
    """``(plan, left)``: what :func:`.apply.apply` puts back, the last written object first, and what is left and why.

    ``entries`` are those of one run or of several, in the order in which they were written.
    """
    plan: list[SettingsEntry] = []
    left: list[LeftSetting] = []
    for (subject, key), options in reversed(_written(entries).items()):
        try:
            changes, others = _split(key, options, subjects, subject)
        except (SettingsError, Refused, OSError) as exc:
            left.append({"subject": subject, "key": key, "reason": "refused", "detail": str(exc)})
            continue
        if others:
            gone = others == [_GONE]
            detail = "; ".join(others)
            left.append(
                {"subject": subject, "key": key, "reason": "gone" if gone else "changed_since", "detail": detail}
            )
        if changes:
            plan.append({"subject": subject, "key": key, "changes": changes})
    return plan, left


_GONE = "it is gone"


def _written(entries: Iterable[SettingEntry]) -> dict[tuple[str, str], dict[str, tuple[Any, Any]]]:
    """(subject, key) → option → (before the first write, after the last)."""
    found: dict[tuple[str, str], dict[str, tuple[Any, Any]]] = {}
    for entry in entries:
        if entry["written"] is False:
            continue
        options = found.setdefault((entry["subject"], entry["key"]), {})
        for made in entry["changes"]:
            first = options.get(made["option"], (made["before"], None))[0]
            options[made["option"]] = (first, made["after"])
    return found


def _split(
    key: str, options: Mapping[str, tuple[Any, Any]], subjects: Mapping[str, Settings], subject: str
) -> tuple[list[Change], list[str]]:
    """What is to be put back of an object, and a sentence for each option that somebody has changed since."""
    settings = subjects.get(subject)
    if settings is None:
        raise SettingsError(f"this version does not know the subject {subject}")
    for option, (before, after) in options.items():
        settings.check(change(key, option, after, before))
    now = settings.now([key])
    if not any(there == key for there, _option in now):
        return [], [_GONE]
    changes, others = [], []
    for option, (before, after) in options.items():
        value = now.get((key, option), _MISSING)
        if value == after and before != after:
            changes.append(change(key, option, value, before))
        elif value not in (before, after):
            others.append(f"{option} is {told(None if value is _MISSING else value)}, {told(after)} was written")
    return changes, others
