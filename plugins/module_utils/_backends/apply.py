# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Apply: carries out a plan and nothing else, guest by guest: refuse, write, and note it in the journal.

Check mode ends before write: what only that finds out, a run alone says.
"""

from __future__ import annotations

import concurrent.futures
import os
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

from .. import _plan
from .._host import whole_file as _whole_file
from .._host.lock import alone
from .._pve import changes as _changes
from .._pve import config as _config
from .._pve import drive as _drive
from .._text import visible
from . import layout, reader
from .journal import Journal
from .node import Node
from .refuse import refuse, where
from .work import Options, Refused, Work
from .write import write

#: Reasons that are in order for now; every other one fails the run.
SKIPPED = ("locked", "foreign_pending", "unsafe_lines")

_Noted = TypeVar("_Noted")


class Outcome(NamedTuple):
    """A guest's ``result`` (docs/data.md) and its ``diff`` (before, after: config lines; None when nothing changes)."""

    result: dict[str, Any]
    diff: dict[str, str] | None


def apply(plan: list[dict[str, Any]], options: Options) -> list[Outcome]:
    """Carry out a plan; one outcome per guest, in the plan's order. One guest's trouble is that guest's."""
    if options.check or layout.is_live(options.root):
        return _apply_all(plan, options)
    configs = [layout.inside(options.root, entry["config"]) for entry in plan if _sound(entry)]
    directories = {os.path.dirname(config) for config in configs if layout.stays_inside(options.root, config)}
    # Two runs would both find a guest as their plans found it, and both write it.
    with alone(directories, options.timeout) as held_by_another:
        if held_by_another:
            detail = (
                f"another run has been writing in {held_by_another} for {options.timeout} s; run again when it has"
                " ended"
            )
            return [Outcome(_result(entry, "failed", reason="busy", detail=detail), None) for entry in plan]
        for directory in directories:
            _whole_file.remove_leftovers(directory)
        return _apply_all(plan, options)


def _sound(entry: dict[str, Any]) -> bool:
    try:
        _plan.entry(entry)
    except _plan.PlanError:
        return False
    return True


def _apply_all(plan: list[dict[str, Any]], options: Options) -> list[Outcome]:
    options = options._replace(node=Node(options.run, options.timeout))
    with concurrent.futures.ThreadPoolExecutor(max_workers=options.max_parallel) as pool:
        return list(pool.map(lambda entry: _apply_safely(entry, options), plan))


def _apply_safely(entry: dict[str, Any], options: Options) -> Outcome:
    try:
        return _apply_guest(_plan.entry(entry), options)
    except _plan.PlanError as exc:
        return Outcome(
            _result(entry, "failed", reason="refused", detail=f"not written, because of its plan: {exc}"), None
        )
    except Refused as refused:
        status = "skipped" if refused.reason in SKIPPED else "failed"
        return Outcome(_result(entry, status, reason=refused.reason, detail=refused.detail), None)
    except OSError as exc:
        return Outcome(_result(entry, "failed", reason="error", detail=layout.reason(exc)), None)


def _result(entry: dict[str, Any], status: str, **more: Any) -> dict[str, Any]:
    return {
        "guest": entry["guest"],
        "name": entry.get("name") or "",
        "node": entry.get("node"),
        "status": status,
        "changes": [],
        "restart_pending": False,
        "reason": None,
        "detail": None,
        "digest": None,
        **more,
    }


def _apply_guest(entry: dict[str, Any], options: Options) -> Outcome:
    raw = _current(entry, options)
    config = _config.parse(_config.decode(raw))
    live = layout.is_live(options.root)
    running = reader.is_running(options.root, entry["guest"]) if live else None
    try:
        values = _changes.values(config, entry["changes"])
    except _drive.DriveError as exc:
        raise Refused("refused", f"the plan does not fit the guest: {exc}") from exc
    if not values:
        return Outcome(_result(entry, "unchanged", digest=_config.digest(raw)), None)
    work = Work(entry, config, values, _config.edit(config.text, values, _changes.pending_keys(config, values)))
    refuse(work, running, options)
    diff = _diff(config, values)
    done = {"changes": entry["changes"], "restart_pending": _would_wait(work, running)}
    _refuse_without_journal(options, lambda journal: journal.check())
    if options.check:
        return Outcome(_result(entry, "changed", digest=_config.digest(raw), **done), diff)
    noted = _changes.differing(config, entry["changes"])
    intent = _refuse_without_journal(options, lambda journal: journal.intent(entry, entry["digest"], noted, raw))
    try:
        after = write(work, bool(running), options)
    except (Refused, OSError) as exc:
        reason = exc.reason if isinstance(exc, Refused) else "error"
        _note(
            intent,
            options,
            _was_written(entry, reason, options),
            _result(entry, "failed", reason=reason, detail=str(exc)),
        )
        raise
    done["restart_pending"] = _changes.waiting(_config.parse(_config.decode(after)), values)
    result = _result(entry, "changed", digest=_config.digest(after), **done)
    result["detail"] = _note(intent, options, True, result)
    return Outcome(result, diff)


def _would_wait(work: Work, running: bool | None) -> bool:
    """Whether one of the values will wait for a cold start once they are written, as a run that is none of check mode
    finds it.
    """
    if running is None:
        return _changes.waiting(_config.parse(work.edited), work.values)
    # qm takes a key out of [PENDING] that is set to what the main section has.
    return running and any(not _same(key, work.config.main.get(key), value) for key, value in work.values.items())


def _same(key: str, one: str | None, other: str | None) -> bool:
    return one is other if one is None or other is None else _changes.normal(key, one) == _changes.normal(key, other)


def _refuse_without_journal(options: Options, use: Callable[[Journal], _Noted]) -> _Noted | None:
    """A guest is not written where the journal cannot be: nobody could roll it back. Gives what the use of the journal
    gives.
    """
    if options.journal is None:
        return None
    try:
        return use(options.journal)
    except OSError as exc:
        raise Refused(
            "journal", f"not written, because the journal {options.journal.path} cannot be: {layout.reason(exc)}"
        ) from exc


def _note(intent: str | None, options: Options, written: bool | None, result: dict[str, Any]) -> str | None:
    """Put the outcome into the journal; a sentence where it cannot be, for by now the guest is as it is."""
    if options.journal is None or intent is None:
        return None
    try:
        options.journal.outcome(intent, result["guest"], written, result)
    except OSError as exc:
        return f"written; that it was could not be noted in the journal {options.journal.path}: {layout.reason(exc)}"
    return None


def _was_written(entry: dict[str, Any], reason: str, options: Options) -> bool | None:
    """Whether a write that failed changed the config all the same; None where that cannot be known.

    A qm that gave no answer was ended, and the worker it had started may write still.
    """
    if reason in ("digest_moved", "locked", "moved"):
        return False
    try:
        changed = _config.digest(layout.read(options.root, entry["config"])) != entry["digest"]
    except OSError:
        return None
    return None if reason == "busy" and not changed else changed


def _current(entry: dict[str, Any], options: Options) -> bytes:
    if entry["config"].endswith(".json"):
        raise Refused("refused", "its config is JSON, a copy that can be judged but not written")
    try:
        raw = layout.read_config(options.root, entry["config"])
    except FileNotFoundError as exc:
        raise Refused("moved", where(entry, options)) from exc
    if _config.digest(raw) != entry["digest"]:
        raise Refused("digest_moved", "its config changed after it was read; read it again")
    return raw


def _diff(config: _config.Config, values: dict[str, str | None]) -> dict[str, str]:
    before = {key: _changes.current(config, key) for key in values}
    return {
        "before": "".join(
            f"{key}: {visible(_config.printable(old))}\n" for key, old in sorted(before.items()) if old is not None
        ),
        "after": "".join(
            f"{key}: {visible(_config.printable(new))}\n" for key, new in sorted(values.items()) if new is not None
        ),
    }
