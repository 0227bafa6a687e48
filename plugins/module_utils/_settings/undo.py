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
        for reason in dict.fromkeys(reason for reason, _said in others):
            detail = "; ".join(said for why, said in others if why == reason)
            left.append({"subject": subject, "key": key, "reason": reason, "detail": detail})
        if changes:
            plan.append({"subject": subject, "key": key, "changes": changes})
    return plan, left


def _written(entries: Iterable[SettingEntry]) -> dict[tuple[str, str], dict[str, tuple[Any, Any]]]:
    """(subject, key) → option → (before the first write, after the last).

    A write that found another value than the one before it had left begins anew: somebody had set that meanwhile, and
    it is what is given back.
    """
    found: dict[tuple[str, str], dict[str, tuple[Any, Any]]] = {}
    for entry in entries:
        if entry["written"] is False:
            continue
        options = found.setdefault((entry["subject"], entry["key"]), {})
        for made in entry["changes"]:
            first, last = options.get(made["option"], (made["before"], made["before"]))
            options[made["option"]] = (first if last == made["before"] else made["before"], made["after"])
    return found


def _split(
    key: str, options: Mapping[str, tuple[Any, Any]], subjects: Mapping[str, Settings], subject: str
) -> tuple[list[Change], list[tuple[str, str]]]:
    """What is to be put back of an object, and (reason, sentence) for each option that is not."""
    settings = subjects.get(subject)
    if settings is None:
        raise SettingsError(f"this version does not know the subject {subject}")
    refused: dict[str, str] = {}
    for option, (before, after) in options.items():
        try:
            settings.check_back(change(key, option, after, before))
        except SettingsError as exc:
            refused[option] = f"{option} is not put back: {exc}; set it by hand to what you want"
    others = [("refused", said) for said in refused.values()]
    now = settings.now([key])
    if not any(there == key for there, _option in now):
        return [], [("gone", "it is gone")]
    changes = []
    for option, (before, after) in options.items():
        value = now.get((key, option), _MISSING)
        if option in refused or value == before:
            continue
        if value == after:
            changes.append(change(key, option, value, before))
        else:
            said = f"{option} is {told(None if value is _MISSING else value)}, {told(after)} was written"
            others.append(("changed_since", said))
    return changes, others
