# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The journal's lines about a host's own settings: what was about to be set, and what became of it. No I/O.

They stand in the file of their run, between the lines about guests.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypedDict

from .._model.findings import Change
from . import lines


class SettingEntry(TypedDict):
    """What was to be set of one object, and what became of it; ``written`` is None where that is not known."""

    run: str
    time: str
    policy: str | None
    rolls_back: str | None
    subject: str
    key: str
    changes: list[Change]
    written: bool | None
    status: str | None
    reason: str | None
    detail: str | None


def setting(
    run: str, time: str, line_id: str, subject: str, key: str, changes: list[Change], why: Mapping[str, Any]
) -> dict[str, Any]:
    """The line before a write; ``why`` has ``policy`` and ``rolls_back``."""
    return {
        "schema": lines.SCHEMA,
        "entry": "setting",
        "id": line_id,
        "run": run,
        "time": time,
        "policy": why.get("policy"),
        "rolls_back": why.get("rolls_back"),
        "subject": subject,
        "key": key,
        "changes": changes,
    }


def was_set(run: str, time: str, line_id: str, written: bool | None, result: Mapping[str, Any]) -> dict[str, Any]:
    """The line after a write, with the ``line_id`` of the line before it."""
    return {
        "schema": lines.SCHEMA,
        "entry": "set",
        "id": line_id,
        "run": run,
        "time": time,
        "written": written,
        "status": result["status"],
        "reason": result.get("reason"),
        "detail": lines.limited(result.get("detail")),
    }


def read(raw: bytes, run: str | None = None) -> list[SettingEntry]:
    """The entries of one file about settings, as they were written. What cannot be read is told by ``lines.read``."""
    entries: dict[str, SettingEntry] = {}
    for line in _lines(raw, run):
        if line["entry"] == "setting":
            kept = {key: line[key] for key in ("run", "time", "policy", "rolls_back", "subject", "key", "changes")}
            entries[line["id"]] = {**kept, "written": None, "status": None, "reason": None, "detail": None}  # type: ignore[typeddict-item]
        elif line["id"] in entries:
            became = {key: line[key] for key in ("written", "status", "reason", "detail")}
            entries[line["id"]].update(became)  # type: ignore[typeddict-item]
    return list(entries.values())


def _lines(raw: bytes, run: str | None) -> Iterator[dict[str, Any]]:
    for _number, line in lines.parsed(raw, run):
        if isinstance(line, dict) and line["entry"] in lines.OF_SETTINGS:
            yield line
