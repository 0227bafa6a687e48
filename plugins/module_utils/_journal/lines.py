# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The lines of a journal: what a run is about to write (intent), and what became of it (outcome). No I/O.

Two lines a guest, so that a run that is killed between them can be told: an intent
without an outcome may have been carried out or not, and the guest's config tells which.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from .._model import natural_key

SCHEMA = 1

#: What a run may be called: it is the name of its file as well.
RUN_ID = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}\Z", re.ASCII)

_TIME = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\Z", re.ASCII)


def intent(
    run: str, time: str, guest: dict[str, Any], digest: str, changes: list[dict[str, Any]], why: dict[str, Any]
) -> dict[str, Any]:
    """The line before a write. ``guest`` is the plan's entry, ``why`` has ``policy`` and ``rolls_back``."""
    return {
        "schema": SCHEMA,
        "entry": "intent",
        "run": run,
        "time": time,
        "policy": why.get("policy"),
        "rolls_back": why.get("rolls_back"),
        "guest": guest["guest"],
        "name": guest.get("name") or "",
        "node": guest.get("node"),
        "config": guest["config"],
        "digest": digest,
        "changes": changes,
    }


def outcome(run: str, time: str, guest: str, written: bool | None, result: dict[str, Any]) -> dict[str, Any]:
    """The line after a write. ``written`` is None where it is not known whether the config was changed."""
    return {
        "schema": SCHEMA,
        "entry": "outcome",
        "run": run,
        "time": time,
        "guest": guest,
        "written": written,
        **{key: result.get(key) for key in ("status", "reason", "digest")},
        "detail": _whole(result.get("detail")),
    }


def _whole(detail: str | None) -> str | None:
    """A command's own words with what is no text in them spelled out, as a line that is read again must have it."""
    return None if detail is None else detail.encode("utf-8", "backslashreplace").decode("utf-8")


def encode(line: dict[str, Any]) -> bytes:
    """A line as it stands in the file: one line of ASCII JSON."""
    return json.dumps(line, separators=(",", ":")).encode("ascii") + b"\n"


def read(raw: bytes, run: str | None = None) -> tuple[list[dict[str, Any]], list[tuple[int, str]]]:
    """The entries of one file, an intent and its outcome in one, and what could not be read: (line number, why).

    ``run`` is the one that the file is named by, and every line of it is of.

    An entry is the intent's keys with ``written``, ``status``, ``reason``, ``detail`` and ``digest_after``;
    these are None where there is no outcome.
    """
    entries: list[dict[str, Any]] = []
    problems = []
    open_intents: dict[str, dict[str, Any]] = {}
    for number, text in enumerate(raw.split(b"\n"), 1):
        if not text.strip():
            continue
        try:
            line = _line(text, run)
        except _NoEntry as exc:
            problems.append((number, f"is no entry of a journal: {exc}"))
            continue
        if line["entry"] == "intent":
            entry = {key: line[key] for key in _FIELDS["intent"]}
            entry.update(written=None, status=None, reason=None, detail=None, digest_after=None)
            entries.append(entry)
            open_intents[line["guest"]] = entry
        else:
            entry = open_intents.pop(line["guest"], None)
            if entry is None:
                problems.append((number, f"tells what became of guest {line['guest']}, and what was to be done is missing"))
                continue
            entry.update({key: line.get(key) for key in ("written", "status", "reason", "detail")}, digest_after=line.get("digest"))
    return entries, problems


class _NoEntry(ValueError):
    """A line that is none; the message says why."""


def _line(text: bytes, run: str | None) -> dict[str, Any]:
    try:
        line = json.loads(text)
    except (ValueError, RecursionError):
        raise _NoEntry("cut off by a kill or a full disk, or written by something else") from None
    if not isinstance(line, dict) or line.get("schema") != SCHEMA or isinstance(line["schema"], bool):
        raise _NoEntry("written by something else, or by a version of this collection that this one does not know")
    fields = _FIELDS.get(line["entry"]) if isinstance(line.get("entry"), str) else None
    if fields is None:
        raise _NoEntry("it is neither an intent nor an outcome")
    for key, fits in fields.items():
        if key not in line:
            raise _NoEntry(f"its {key} is missing")
        if not fits(line[key]):
            raise _NoEntry(f"its {key} is {_shown(line[key])}")
    if run is not None and line["run"] != run:
        raise _NoEntry(f"it is of run {line['run']}, and its file is that of run {run}")
    return line


def _shown(value: Any) -> str:
    shown = json.dumps(value)
    return shown if len(shown) <= 40 else f"{shown[:37]}..."


def _is_text(value: Any) -> bool:
    """Text that can be written down: JSON may spell half a character, which no output takes."""
    return isinstance(value, str) and not any("\ud800" <= character <= "\udfff" for character in value)


def _is_name(value: Any) -> bool:
    return _is_text(value) and value != ""


def _is_text_or_null(value: Any) -> bool:
    return value is None or _is_text(value)


def _is_true_false_or_null(value: Any) -> bool:
    return value is None or isinstance(value, bool)


def _is_run(value: Any) -> bool:
    return isinstance(value, str) and RUN_ID.match(value) is not None


def _is_time(value: Any) -> bool:
    return isinstance(value, str) and _TIME.match(value) is not None


def _is_changes(value: Any) -> bool:
    return isinstance(value, list) and all(map(_is_change, value))


def _is_change(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and set(value) == {"key", "option", "before", "after"}
        and _is_name(value["key"])
        and _is_name(value["option"])
        and all(isinstance(value[side], bool) or _is_text_or_null(value[side]) for side in ("before", "after"))
    )


#: What a line must have for a roll back to rely on it: key → whether a value fits.
_FIELDS: dict[str, dict[str, Callable[[Any], bool]]] = {
    "intent": {
        "run": _is_run,
        "time": _is_time,
        "policy": _is_text_or_null,
        "rolls_back": _is_text_or_null,
        "guest": _is_name,
        "name": _is_text,
        "node": _is_text_or_null,
        "config": _is_name,
        "digest": _is_name,
        "changes": _is_changes,
    },
    "outcome": {
        "run": _is_run,
        "time": _is_time,
        "guest": _is_name,
        "written": _is_true_false_or_null,
        "status": _is_name,
        "reason": _is_text_or_null,
        "detail": _is_text_or_null,
        "digest": _is_text_or_null,
    },
}


def summary(run: str, file: str, entries: list[dict[str, Any]]) -> dict[str, Any]:
    """A run in a few words, from its entries, of which there is at least one."""
    times = sorted(entry["time"] for entry in entries)
    return {
        "run": run,
        "file": file,
        "started": times[0],
        "ended": times[-1],
        "policy": entries[0].get("policy"),
        "rolls_back": entries[0].get("rolls_back"),
        "guests": len({entry["guest"] for entry in entries if entry["written"] is not False}),
        "unknown": sorted({entry["guest"] for entry in entries if entry["written"] is None}, key=natural_key),
    }


def last(runs: list[dict[str, Any]]) -> str | None:
    """The run that 'last' means: the latest that wrote guests and was no roll back; None where there is none."""
    applied = [run for run in runs if run["guests"] and not run["rolls_back"]]
    return max(applied, key=lambda run: (run["started"], run["run"]))["run"] if applied else None
