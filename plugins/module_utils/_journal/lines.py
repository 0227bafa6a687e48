# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The lines of a journal: what a run is about to write (intent), and what became of it (outcome). No I/O.

Each guest has two lines, so that a run that was killed between them can be recognized: an intent without an outcome may
have been carried out or not, and the guest's config shows which.

Every line is complete in itself: an outcome names the id of its intent, and a line ends with its own checksum. So the
lines of several calls, and of two runs with one name, may be mixed in one file in any order.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from .. import _plan
from .._model.findings import Change
from .._model.operations import Intent, JournalEntry, JournalRun, Outcome
from .._text import natural_key
from .fields import FIELDS, RUN_ID, fault

__all__ = ["RUN_ID", "LineError", "encode", "intent", "last", "outcome", "read", "summary"]

SCHEMA = 1

# How many characters of a command's own words are kept.
_MOST_DETAIL = 4000

#: The lines about a host's own settings, which settings_lines.py reads.
OF_SETTINGS = ("setting", "set")

_OF_OUTCOME = ("status", "reason", "detail")


class LineError(ValueError):
    """A line that a journal cannot have; the message says why."""


def intent(
    run: str,
    time: str,
    line_id: str,
    guest: Mapping[str, Any],
    digest: str,
    changes: list[Change],
    why: Mapping[str, Any],
    config: bytes,
) -> Intent:
    """The line before a write; ``line_id`` is 16 hexadecimal digits that no other line has.

    ``guest`` is the plan's entry, ``why`` has ``policy`` and ``rolls_back``, ``config`` is the whole config before the
    write.
    """
    return {
        "schema": SCHEMA,
        "entry": "intent",
        "id": line_id,
        "run": run,
        "time": time,
        "policy": why.get("policy"),
        "rolls_back": why.get("rolls_back"),
        "hypervisor": guest["hypervisor"],
        "guest": guest["guest"],
        "name": guest.get("name") or "",
        "node": guest.get("node"),
        "config": guest["config"],
        "digest": digest,
        "changes": changes,
        "config_before": base64.b64encode(config).decode("ascii"),
    }


def outcome(run: str, time: str, line_id: str, guest: str, written: bool | None, result: Mapping[str, Any]) -> Outcome:
    """The line after a write, with the ``line_id`` of its intent; ``written`` is None where it is not known."""
    return {
        "schema": SCHEMA,
        "entry": "outcome",
        "id": line_id,
        "run": run,
        "time": time,
        "guest": guest,
        "written": written,
        "status": result["status"],
        "reason": result.get("reason"),
        "detail": limited(result.get("detail")),
        "digest": result.get("digest"),
    }


def limited(detail: str | None) -> str | None:
    """A command's own words up to a limit, with escapes for what is not text, so that the line can be read again."""
    if detail is None:
        return None
    more = len(detail) - _MOST_DETAIL
    short = f"{detail[:_MOST_DETAIL]}… ({more} more characters)" if more > 0 else detail
    return short.encode("utf-8", "backslashreplace").decode("utf-8")


def encode(line: Mapping[str, Any]) -> bytes:
    """A line as it is in the file: one line of ASCII JSON, with its checksum. Raises LineError for one that ``read``
    would refuse.
    """
    raw = json.dumps({**line, "sum": _sum(line)}, separators=(",", ":")).encode("ascii") + b"\n"
    _line(raw, line["run"])
    return raw


def _sum(line: Mapping[str, Any]) -> str:
    """The start of the SHA-256 of a line's values, whatever their order and spacing in the file."""
    values = {key: value for key, value in line.items() if key != "sum"}
    return hashlib.sha256(json.dumps(values, sort_keys=True, separators=(",", ":")).encode("ascii")).hexdigest()[:16]


def read(raw: bytes, run: str | None = None) -> tuple[list[JournalEntry], list[tuple[int, str]]]:
    """The entries of one file, and what could not be read: (line number, why).

    The file is named after ``run``, and every line must be of that run. The config before the write is not among what
    is returned.
    """
    entries: list[JournalEntry] = []
    problems = []
    open_intents: dict[str, list[JournalEntry]] = {}
    for number, line in parsed(raw, run):
        if isinstance(line, LineError):
            problems.append((number, f"is not a journal entry: {line}"))
            continue
        if line["entry"] in OF_SETTINGS:
            continue
        # Lines of the first version have no id: their guest tells which belong together.
        mine = open_intents.setdefault(line.get("id") or f"guest {line['guest']}", [])
        if line["entry"] == "intent":
            entry = _entry(line)
            entries.append(entry)
            mine.append(entry)
        elif mine:
            # Of several without an id, it is not known which was not written.
            written = line["written"] if len(mine) == 1 else line["written"] or None
            mine.pop(0).update(_became(line, written))  # type: ignore[typeddict-item]
        else:
            problems.append(
                (number, f"is the outcome for guest {line['guest']}, and the line with its intent cannot be read")
            )
    return entries, problems


def parsed(raw: bytes, run: str | None = None) -> Iterator[tuple[int, dict[str, Any] | LineError]]:
    """Each line of a file that is not blank, with its number; a LineError in place of one that cannot be read."""
    for number, text in enumerate(raw.split(b"\n"), 1):
        if text.strip():
            try:
                yield number, _line(text, run)
            except LineError as exc:
                yield number, exc


def _entry(line: dict[str, Any]) -> JournalEntry:
    found = {key: line[key] for key in FIELDS["intent"]}
    found["hypervisor"] = line.get("hypervisor", _plan.FIRST)
    return {**found, **_became({}, None)}  # type: ignore[typeddict-item]


def _became(line: dict[str, Any], written: bool | None) -> dict[str, Any]:
    return {"written": written, **{key: line.get(key) for key in _OF_OUTCOME}, "digest_after": line.get("digest")}


def _line(text: bytes, run: str | None) -> dict[str, Any]:
    try:
        line = json.loads(text)
        checksum = _sum(line) if isinstance(line, dict) else None
    except (ValueError, RecursionError):
        raise LineError("cut off by a kill or a full disk, or written by something else") from None
    if not isinstance(line, dict) or line.get("schema") != SCHEMA or isinstance(line["schema"], bool):
        raise LineError("written by something else, or by a version of this collection that this one does not know")
    if ("id" in line or "sum" in line) and line.get("sum") != checksum:
        raise LineError("its checksum is wrong: the line was changed after it was written")
    why = fault(line)
    if why:
        raise LineError(why)
    if run is not None and line["run"] != run:
        raise LineError(f"it is of run {line['run']}, and its file is that of run {run}")
    return line


def summary(
    run: str,
    file: str,
    entries: Sequence[JournalEntry],
    settings: Sequence[Mapping[str, Any]],
    stands: list[str],
    settings_stand: list[str],
) -> JournalRun:
    """A run in a few words, from its entries about guests and about settings, of which there is at least one.

    ``stands`` is standing.py's, and ``settings_stand`` the objects of the host that a rollback would put back.
    """
    every: list[Mapping[str, Any]] = [*entries, *settings]
    times = sorted(entry["time"] for entry in every)
    return {
        "run": run,
        "file": file,
        "started": times[0],
        "ended": times[-1],
        "policies": list(dict.fromkeys(entry["policy"] for entry in every if entry.get("policy"))),
        "rolls_back": every[0].get("rolls_back"),
        "guests": len({entry["guest"] for entry in entries if entry["written"] is not False}),
        "unknown": sorted({entry["guest"] for entry in entries if entry["written"] is None}, key=natural_key),
        "stands": stands,
        "settings": settings_stand,
    }


def last(runs: Iterable[Mapping[str, Any]]) -> str | None:
    """The run that 'last' means: the latest that is not a rollback and of whose changes some still stand; None where
    there is none.
    """
    applied = [run for run in runs if (run["stands"] or run["settings"]) and not run["rolls_back"]]
    return max(applied, key=lambda run: (run["started"], run["run"]))["run"] if applied else None
