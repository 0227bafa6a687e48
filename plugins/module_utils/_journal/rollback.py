# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The plan of a rollback: what a run wrote, and the guests still have, is put back, and nothing else. No I/O."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from .. import _plan
from .._model import findings
from .._model.findings import Change, PlanEntry
from .._model.operations import JournalEntry, LeftByRollback, RollbackReason
from .._model.records import Guest
from .._text import natural_key, word

CHANGED_SINCE: RollbackReason = "changed_since"
GONE: RollbackReason = "gone"

_MISSING = object()

_GuestKey = tuple[str, "str | None", str]


def rollback(
    entries: Sequence[JournalEntry],
    guests: Iterable[Guest],
    nodes: Collection[str | None],
    only: Collection[str] | None = None,
) -> dict[str, Any]:
    """``{plan, skipped, unchanged, not_in_run}`` for the entries of one run (docs/data.md, "Journal").

    ``guests`` are the records as they are now, ``nodes`` the nodes they were read of: entries of other nodes are left
    out. A guest that has moved from one of them to another is found there: its id is the same on all nodes of a
    cluster. ``only`` are ids of guests; None is all.
    """
    records = {(guest["hypervisor"], guest["node"], guest["id"]): guest for guest in guests if guest["config"]}
    moved = {(hypervisor, guest): record for (hypervisor, _node, guest), record in records.items()}
    plan: list[PlanEntry] = []
    skipped, unchanged = [], []
    groups = _by_guest(entries, nodes, only)
    for key, mine in groups.items():
        record = records.get(key)
        there = moved.get((key[0], key[2]))
        if record is None and there is not None and (key[0], there["node"], key[2]) not in groups:
            record = there
        if record is None:
            node = mine[0]["node"]
            gone = f"it is no longer on node {node}" if node else "its config is gone"
            skipped.append(_skipped(mine[0], mine[0]["name"], GONE, gone))
            continue
        changes, others = _split(record, _written(mine))
        if others:
            skipped.append(_skipped(mine[0], record["name"], CHANGED_SINCE, "; ".join(others)))
        if changes:
            plan.append(_planned(record, changes))
        elif not others:
            unchanged.append(record["id"])
    missing = sorted(set(only or ()) - {entry["guest"] for entry in entries}, key=natural_key)
    return {"plan": plan, "skipped": skipped, "unchanged": unchanged, "not_in_run": missing}


def of_run(problems: Iterable[dict[str, Any]], run: str) -> list[dict[str, Any]]:
    """Those problems of a host's journal that may hide a part of what the run did: of its own file, or of all files."""
    return [problem for problem in problems if run_of(problem) in (run, None)]


def run_of(problem: Mapping[str, Any]) -> str | None:
    """The run whose file a problem of the journal is about, None where it is about the whole journal."""
    name: str = problem["file"].rpartition("/")[2]
    return name[: -len(".jsonl")] if name.endswith(".jsonl") else None


def _by_guest(
    entries: Iterable[JournalEntry], nodes: Collection[str | None], only: Collection[str] | None
) -> dict[_GuestKey, list[JournalEntry]]:
    found: dict[_GuestKey, list[JournalEntry]] = {}
    for entry in entries:
        here = entry["node"] is None or entry["node"] in nodes
        if here and entry["written"] is not False and (only is None or entry["guest"] in only):
            found.setdefault((entry["hypervisor"], entry["node"], entry["guest"]), []).append(entry)
    return dict(sorted(found.items(), key=lambda item: natural_key(item[0][2])))


def _written(entries: Iterable[JournalEntry]) -> dict[tuple[str, str], tuple[Any, Any]]:
    """(key, option) → (before the run, after it), over everything that the run did to one guest."""
    written: dict[tuple[str, str], tuple[Any, Any]] = {}
    for entry in entries:
        for change in entry["changes"]:
            place = (change["key"], change["option"])
            written[place] = (written.get(place, (change["before"],))[0], change["after"])
    return {place: pair for place, pair in written.items() if pair[0] != pair[1]}


def _split(record: Guest, written: Mapping[tuple[str, str], tuple[Any, Any]]) -> tuple[list[Change], list[str]]:
    """What is to be put back, and a sentence for each option that somebody has changed since."""
    changes: list[Change] = []
    others: dict[str, None] = {}
    for key, option in sorted(written, key=lambda place: (natural_key(place[0]), place[1])):
        before, after = written[key, option]
        now = _now(record, key, option)
        if now is _MISSING:
            others[f"{key} is gone"] = None
        elif now == after:
            changes.append(findings.change(key, option, now, before))
        elif now != before:
            others[f"{key} {option} is {_word(now)}, the run wrote {_word(after)}"] = None
    return changes, list(others)


def _now(record: Guest, key: str, option: str) -> Any:
    """What an option is set to for the next cold start; _MISSING where its disk is gone."""
    if key == "controller":
        controller = record["controller"]
        if f"delete:{_plan.controller_setting(record['hypervisor'])}" in record["pending"]:
            return None
        return controller["pending"] if controller["pending"] is not None else controller["configured"]
    if key == "guest":
        return record["iothreads"]
    disk = next((disk for disk in record["disks"] if disk["key"] == key), None)
    if disk is None or disk["pending_delete"]:
        return _MISSING
    return dict(disk["pending"] or disk["configured"]).get(option)


def _planned(record: Guest, changes: list[Change]) -> PlanEntry:
    return findings.plan_entry(
        hypervisor=record["hypervisor"],
        guest=record["id"],
        name=record["name"],
        node=record["node"],
        config=record["config"],
        digest=record["digest"],
        running=record["running"],
        changes=changes,
    )


def _word(value: Any) -> str:
    return "unset" if value is None else word(value)


def _skipped(entry: JournalEntry, name: str, reason: RollbackReason, detail: str) -> LeftByRollback:
    return {"guest": entry["guest"], "name": name, "node": entry["node"], "reason": reason, "detail": detail}
