# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The lines of a journal: what a run is about to write (intent), and what became of it (outcome). No I/O.

Two lines a guest, so that a run that is killed between them can be told: an intent
without an outcome may have been carried out or not, and the guest's config tells which.

Every line stands for itself: an outcome names the id of its intent, and a line ends with its own checksum. So lines of
several calls, and of two runs of one name, may be mixed in one file in any order.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Callable
from typing import Any

from .. import _plan
from .._shown import shown
from .._text import natural_key

SCHEMA = 1

#: What a run may be called: it is the name of its file as well.
RUN_ID = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}\Z", re.ASCII)

_TIME = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\Z", re.ASCII)
_ID = re.compile(r"[0-9a-f]{16}")

# A command's own words are kept up to here.
_MOST_DETAIL = 4000


class LineError(ValueError):
    """A line that a journal cannot have; the message says why."""


def intent(
    run: str,
    time: str,
    line_id: str,
    guest: dict[str, Any],
    digest: str,
    changes: list[dict[str, Any]],
    why: dict[str, Any],
    config: bytes,
) -> dict[str, Any]:
    """The line before a write; ``line_id`` is 16 hexadecimal digits that no other has.

    ``guest`` is the plan's entry, ``why`` has ``policy`` and ``rolls_back``, ``config`` is the whole config as it is
    before.
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


def outcome(
    run: str, time: str, line_id: str, guest: str, written: bool | None, result: dict[str, Any]
) -> dict[str, Any]:
    """The line after a write; ``line_id`` is its intent's, ``written`` None where it is not known whether the config
    was changed.
    """
    return {
        "schema": SCHEMA,
        "entry": "outcome",
        "id": line_id,
        "run": run,
        "time": time,
        "guest": guest,
        "written": written,
        **{key: result.get(key) for key in ("status", "reason", "digest")},
        "detail": _whole(result.get("detail")),
    }


def _whole(detail: str | None) -> str | None:
    """A command's own words, not without end, with what is no text in them spelled out: a line that is read again must
    have it so.
    """
    if detail is None:
        return None
    short = (
        detail
        if len(detail) <= _MOST_DETAIL
        else f"{detail[:_MOST_DETAIL]}… ({len(detail) - _MOST_DETAIL} more characters)"
    )
    return short.encode("utf-8", "backslashreplace").decode("utf-8")


def encode(line: dict[str, Any]) -> bytes:
    """A line as it stands in the file: one line of ASCII JSON, with its checksum. Raises LineError for one that
    ``read`` would refuse.
    """
    raw = json.dumps({**line, "sum": _sum(line)}, separators=(",", ":")).encode("ascii") + b"\n"
    _line(raw, line["run"])
    return raw


def _sum(line: dict[str, Any]) -> str:
    """The start of the SHA-256 of a line's values, whatever the order and spacing in which they are written down."""
    canonical = json.dumps(
        {key: value for key, value in line.items() if key != "sum"}, sort_keys=True, separators=(",", ":")
    )
    return hashlib.sha256(canonical.encode("ascii")).hexdigest()[:16]


def read(raw: bytes, run: str | None = None) -> tuple[list[dict[str, Any]], list[tuple[int, str]]]:
    """The entries of one file, an intent and its outcome in one, and what could not be read: (line number, why).

    ``run`` is the one that the file is named by, and every line of it is of.

    An entry is the intent's keys, but for the config as it was, with ``written``, ``status``, ``reason``, ``detail``
    and ``digest_after``; these are None where there is no outcome.
    """
    entries: list[dict[str, Any]] = []
    problems = []
    open_intents: dict[str, list[dict[str, Any]]] = {}
    for number, text in enumerate(raw.split(b"\n"), 1):
        if not text.strip():
            continue
        try:
            line = _line(text, run)
        except LineError as exc:
            problems.append((number, f"is no entry of a journal: {exc}"))
            continue
        # Lines of the first versions have no id: their guest tells which belong together.
        mine = open_intents.setdefault(line.get("id") or f"guest {line['guest']}", [])
        if line["entry"] == "intent":
            entry = {
                "hypervisor": _plan.FIRST,
                **{key: line[key] for key in (*_FIELDS["intent"], "hypervisor") if key in line},
            }
            entry.update(written=None, status=None, reason=None, detail=None, digest_after=None)
            entries.append(entry)
            mine.append(entry)
        elif not mine:
            problems.append(
                (
                    number,
                    (
                        f"tells what became of guest {line['guest']}, and the line that tells what was to be done"
                        " cannot be read"
                    ),
                )
            )
        else:
            written = line["written"] if len(mine) == 1 else line["written"] or None
            entry = mine.pop(0)
            entry.update(
                {key: line.get(key) for key in ("status", "reason", "detail")},
                written=written,
                digest_after=line.get("digest"),
            )
    return entries, problems


def _line(text: bytes, run: str | None) -> dict[str, Any]:
    try:
        line = json.loads(text)
        checksum = _sum(line) if isinstance(line, dict) else None
    except (ValueError, RecursionError):
        raise LineError("cut off by a kill or a full disk, or written by something else") from None
    if not isinstance(line, dict) or line.get("schema") != SCHEMA or isinstance(line["schema"], bool):
        raise LineError("written by something else, or by a version of this collection that this one does not know")
    fields = _FIELDS.get(line["entry"]) if isinstance(line.get("entry"), str) else None
    if fields is None:
        raise LineError("it is neither an intent nor an outcome")
    if ("id" in line or "sum" in line) and line.get("sum") != checksum:
        raise LineError("its checksum is wrong: it is not as it was written")
    for key in fields:
        if key not in line:
            raise LineError(f"its {key} is missing")
    for key, fits in {**fields, **_LATER}.items():
        if key in line and not fits(line[key]):
            raise LineError(f"its {key} is {shown(line[key])}")
    for change in line["changes"] if "changes" in fields else ():
        if not _is_change(change, line.get("hypervisor", _plan.FIRST)):
            raise LineError(f"its changes is {shown(line['changes'])}")
    if run is not None and line["run"] != run:
        raise LineError(f"it is of run {line['run']}, and its file is that of run {run}")
    return line


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


def _is_list(value: Any) -> bool:
    return isinstance(value, list)


def _is_change(value: Any, hypervisor: str) -> bool:
    """What a plan may ask for, there and back."""
    if not isinstance(value, dict) or set(value) != {"key", "option", "before", "after"}:
        return False
    try:
        return _plan.change(value, hypervisor, sides=("before", "after")) == value
    except _plan.PlanError:
        return False


def _is_id(value: Any) -> bool:
    return isinstance(value, str) and _ID.fullmatch(value) is not None


def _is_config(value: Any) -> bool:
    try:
        base64.b64decode(value, validate=True)
    except (ValueError, TypeError):
        return False
    return isinstance(value, str)


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
        "changes": _is_list,
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

#: What lines of the first versions do not have.
_LATER: dict[str, Callable[[Any], bool]] = {"id": _is_id, "config_before": _is_config, "hypervisor": _plan.knows}


def summary(run: str, file: str, entries: list[dict[str, Any]], stands: list[str]) -> dict[str, Any]:
    """A run in a few words, from its entries, of which there is at least one; ``stands`` are the guests that still have
    what it wrote.
    """
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
        "stands": stands,
    }


def last(runs: list[dict[str, Any]]) -> str | None:
    """The run that 'last' means: the latest that was no roll back and of whose changes some still stand; None where
    there is none.
    """
    applied = [run for run in runs if run["stands"] and not run["rolls_back"]]
    return max(applied, key=lambda run: (run["started"], run["run"]))["run"] if applied else None
