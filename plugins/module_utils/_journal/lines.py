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
from typing import Any

from .._model import natural_key

SCHEMA = 1

#: What a run may be called: it is the name of its file as well.
RUN_ID = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}\Z", re.ASCII)

_INTENT = ("run", "time", "guest", "config", "digest", "changes")
_OUTCOME = ("run", "time", "guest", "status")


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
        **{key: result.get(key) for key in ("status", "reason", "detail", "digest")},
    }


def encode(line: dict[str, Any]) -> bytes:
    """A line as it stands in the file: one line of ASCII JSON."""
    return json.dumps(line, separators=(",", ":")).encode("ascii") + b"\n"


def read(raw: bytes) -> tuple[list[dict[str, Any]], list[tuple[int, str]]]:
    """The entries of one file, an intent and its outcome in one, and what could not be read: (line number, why).

    An entry is the intent's keys with ``written``, ``status``, ``reason``, ``detail`` and ``digest_after``;
    these are None where there is no outcome.
    """
    entries: list[dict[str, Any]] = []
    problems = []
    open_intents: dict[str, dict[str, Any]] = {}
    for number, text in enumerate(raw.split(b"\n"), 1):
        if not text.strip():
            continue
        line = _line(text)
        if line is None:
            problems.append((number, "is no entry of a journal: cut off by a kill or a full disk, or written by something else"))
        elif line["entry"] == "intent":
            entry = {**line, "written": None, "status": None, "reason": None, "detail": None, "digest_after": None}
            del entry["entry"], entry["schema"]
            entries.append(entry)
            open_intents[line["guest"]] = entry
        else:
            entry = open_intents.pop(line["guest"], None)
            if entry is None:
                problems.append((number, f"tells what became of guest {line['guest']}, and what was to be done is missing"))
                continue
            entry.update({key: line.get(key) for key in ("written", "status", "reason", "detail")}, digest_after=line.get("digest"))
    return entries, problems


def _line(text: bytes) -> dict[str, Any] | None:
    try:
        line = json.loads(text)
    except ValueError:
        return None
    if not isinstance(line, dict) or line.get("schema") != SCHEMA:
        return None
    needed = {"intent": _INTENT, "outcome": _OUTCOME}.get(line.get("entry"))
    if needed is None or not all(key in line for key in needed) or not isinstance(line["guest"], str):
        return None
    return line if line["entry"] == "outcome" or _changes(line["changes"]) else None


def _changes(changes: Any) -> bool:
    keys = {"key", "option", "before", "after"}
    return isinstance(changes, list) and all(isinstance(change, dict) and set(change) == keys for change in changes)


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
