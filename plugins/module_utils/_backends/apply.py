# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Apply: carries out a plan and nothing else, guest by guest: load, edit, refuse, write, prove, and keep a journal.

Check mode ends before the write.
"""

from __future__ import annotations

import concurrent.futures
import contextlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar, cast

from .. import _plan
from .._journal.file import Journal
from .._model import findings
from .._model.findings import Change, PlanEntry, Result, ResultStatus
from .._text import visible
from .backend import Backend, Definition, Refused

#: Reasons that do not fail the run; every other one fails the run.
SKIPPED = ("locked", "foreign_pending", "needs_root", "unsafe_lines")

# With these a write ended before anything was written.
_NOT_WRITTEN = ("digest_moved", "locked", "moved")

_Noted = TypeVar("_Noted")


class Options(NamedTuple):
    """How to apply; without a journal none is kept, without a number as many at once as suit the backends."""

    check: bool = False
    max_parallel: int | None = None
    journal: Journal | None = None


class Outcome(NamedTuple):
    """A guest's ``result`` (docs/data.md) and its ``diff`` (before, after: lines; None when nothing changes)."""

    result: Result
    diff: dict[str, str] | None


def apply(
    plan: list[dict[str, Any]], backends: Sequence[Backend[Any]], options: Options | None = None
) -> list[Outcome]:
    """Carry out a plan; one outcome per guest, in the plan's order. A failure is that guest's alone."""
    options = options or Options()
    ways = {backend.hypervisor: backend for backend in backends}
    busy: dict[str, Refused] = {}
    with contextlib.ExitStack() as stack:
        for hypervisor, backend in ways.items() if not options.check else ():
            try:
                stack.enter_context(backend.alone(_configs(plan, hypervisor)))
            except Refused as refused:
                busy[hypervisor] = refused
        workers = options.max_parallel or min((backend.at_once for backend in backends), default=1)
        with concurrent.futures.ThreadPoolExecutor(max_workers=workers) as pool:
            return list(pool.map(lambda entry: _apply_safely(entry, ways, busy, options), plan))


def _configs(plan: list[dict[str, Any]], hypervisor: str) -> list[str]:
    """The configs of a hypervisor's guests in the plan; of entries that will be refused, none."""
    found = []
    for given in plan:
        with contextlib.suppress(_plan.PlanError):
            entry = _plan.entry(given)
            found += [str(entry["config"])] if entry["hypervisor"] == hypervisor else []
    return found


def _apply_safely(
    given: dict[str, Any], ways: Mapping[str, Backend[Any]], busy: Mapping[str, Refused], options: Options
) -> Outcome:
    try:
        entry = _plan.entry(given)
        hypervisor = entry["hypervisor"]
        if hypervisor not in ways:
            here = ", ".join(ways) or "no known hypervisor"
            raise _plan.PlanError(f"it is for a guest of {hypervisor}, and this host has {here}")
        if hypervisor in busy:
            raise busy[hypervisor]
        return _apply_guest(entry, ways[hypervisor], options)
    except _plan.PlanError as exc:
        refused = Refused("refused", f"not written, because of its plan: {exc}")
    except Refused as exc:
        refused = exc
    except OSError as exc:
        refused = Refused("error", exc.strerror or str(exc))
    status: ResultStatus = "skipped" if refused.reason in SKIPPED else "failed"
    return Outcome(_result(given, status, reason=refused.reason, detail=refused.detail), None)


def _result(entry: Mapping[str, Any], status: ResultStatus, **more: Any) -> Result:
    return findings.result(
        guest=entry["guest"], name=entry.get("name") or "", node=entry.get("node"), status=status, **more
    )


def _apply_guest(entry: PlanEntry, backend: Backend[Any], options: Options) -> Outcome:
    now = _load(entry, backend)
    if now.digest != entry["digest"]:
        raise Refused("digest_moved", "its config changed after it was read; read it again")
    edited = backend.edit(now, _plan.wanted(entry["changes"]))
    if edited is now:
        return Outcome(_result(entry, "unchanged", digest=now.digest), None)
    backend.refuse(now, edited)
    diff = _diff(now, edited)
    _with_journal(options, lambda journal: journal.check())
    if options.check:
        return Outcome(_changed(entry, now, backend.waits(now, edited)), diff)
    made = _differing(now, [*entry["changes"], *backend.also(now, edited)])
    intent = _with_journal(options, lambda journal: journal.intent(entry, now.digest, made, now.raw))
    try:
        after = backend.write(now, edited)
        lost = backend.lost(now, edited, after)
        if lost:
            raise Refused("not_proven", "after the write " + "; ".join(lost))
    except (Refused, OSError) as exc:
        reason = exc.reason if isinstance(exc, Refused) else "error"
        failed = _result(entry, "failed", reason=reason, detail=str(exc))
        _note(intent, options, _was_written(entry, reason, backend), failed)
        raise
    result = _changed(entry, after, backend.waits(now, edited, after))
    result["detail"] = _note(intent, options, True, result)
    return Outcome(result, diff)


def _load(entry: PlanEntry, backend: Backend[Any]) -> Definition:
    return cast(Definition, backend.load(entry["guest"], entry["node"], str(entry["config"])))


def _changed(entry: PlanEntry, definition: Definition, waits: bool) -> Result:
    return _result(entry, "changed", changes=entry["changes"], digest=definition.digest, restart_pending=waits)


def _differing(now: Definition, changes: list[Change]) -> list[Change]:
    """Those of the changes that the definition does not have, each with ``before`` as it has it.

    A plan's own ``before`` may be the default of an unset option; a rollback puts back that it was unset.
    """
    found = [
        findings.change(key, option, now.value(key, option), after)
        for key, options in _plan.wanted(changes).items()
        for option, after in options.items()
    ]
    return [change for change in found if change["before"] != change["after"]]


def _with_journal(options: Options, use: Callable[[Journal], _Noted]) -> _Noted | None:
    """What a use of the journal gives. Raises Refused where it fails: nobody could roll the guest back."""
    if options.journal is None:
        return None
    try:
        return use(options.journal)
    except OSError as exc:
        raise Refused(
            "journal",
            f"not written, because the journal {options.journal.path} cannot be: {exc.strerror or exc}",
        ) from exc


def _note(intent: str | None, options: Options, written: bool | None, result: Result) -> str | None:
    """Put the outcome into the journal; a sentence where that fails, because the guest is written by now."""
    if options.journal is None or intent is None:
        return None
    try:
        options.journal.outcome(intent, result["guest"], written, result)
    except OSError as exc:
        return f"written, but the journal {options.journal.path} could not note it: {exc.strerror or exc}"
    return None


def _was_written(entry: PlanEntry, reason: str, backend: Backend[Any]) -> bool | None:
    """Whether a write that failed changed the guest nevertheless; None where that cannot be known.

    A command that gave no answer was ended, and the worker it had started may still write.
    """
    if reason in _NOT_WRITTEN:
        return False
    try:
        changed = _load(entry, backend).digest != entry["digest"]
    except (Refused, OSError):
        return None
    return None if reason == "busy" and not changed else changed


def _diff(now: Definition, edited: Definition) -> dict[str, str]:
    before, after = now.lines(), edited.lines()
    keys = [key for key in sorted({*before, *after}) if before.get(key) != after.get(key)]
    return {
        side: "".join(f"{key}: {visible(lines[key])}\n" for key in keys if key in lines)
        for side, lines in (("before", before), ("after", after))
    }
