# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""From what a run wrote and what stands in the configs now to a plan that puts back only that. No I/O."""

from __future__ import annotations

from typing import Any

from .._text import natural_key, word

#: Reasons of what is left alone; docs/data.md.
CHANGED_SINCE = "changed_since"
GONE = "gone"

_MISSING = object()


def rollback(
    entries: list[dict[str, Any]],
    guests: list[dict[str, Any]],
    nodes: list[str],
    only: list[str] | None = None,
) -> dict[str, Any]:
    """``{plan, skipped, unchanged}`` for the entries of one run (docs/data.md, "Journal").

    ``guests`` are the records as they are now, ``nodes`` the nodes these were read of: entries of other
    nodes are not this reading's. ``only`` are ids of guests; None is all.
    """
    records = {_guest_key(guest, "id"): guest for guest in guests if guest["config"] is not None}
    plan, skipped, unchanged = [], [], []
    for (hypervisor, node, guest), mine in _by_guest(entries, nodes, only).items():
        record = records.get((hypervisor, node, guest))
        if record is None:
            skipped.append(_left(mine[0], GONE, f"it is not on node {node} any more" if node else "its config is gone"))
            continue
        changes, others = _split(record, _written(mine))
        if others:
            skipped.append(_left({**mine[0], "name": record["name"]}, CHANGED_SINCE, "; ".join(others)))
        if changes:
            plan.append(
                {
                    **{key: record[key] for key in ("name", "node", "config", "digest", "running")},
                    "hypervisor": hypervisor,
                    "guest": guest,
                    "changes": changes,
                }
            )
        elif not others:
            unchanged.append(guest)
    missing = sorted(set(only or ()) - {entry["guest"] for entry in entries}, key=natural_key)
    return {"plan": plan, "skipped": skipped, "unchanged": unchanged, "not_in_run": missing}


def of_run(problems: list[dict[str, Any]], run: str) -> list[dict[str, Any]]:
    """Those problems of a host's journal for which it may hide a part of what the run did: of its own file, or of all
    files.
    """
    return [problem for problem in problems if run_of(problem) in (run, None)]


def run_of(problem: dict[str, Any]) -> str | None:
    """The run whose file a problem of the journal is about, None where it is the journal as a whole."""
    name = problem["file"].rpartition("/")[2]
    return name[: -len(".jsonl")] if name.endswith(".jsonl") else None


def _by_guest(
    entries: list[dict[str, Any]], nodes: list[str], only: list[str] | None
) -> dict[tuple[str, str | None, str], list[dict[str, Any]]]:
    found: dict[tuple[str, str | None, str], list[dict[str, Any]]] = {}
    for entry in entries:
        here = entry["node"] is None or entry["node"] in nodes
        if here and entry["written"] is not False and (only is None or entry["guest"] in only):
            found.setdefault(_guest_key(entry, "guest"), []).append(entry)
    return {place: found[place] for place in sorted(found, key=lambda place: natural_key(place[2]))}


def _guest_key(of: dict[str, Any], name: str) -> tuple[str, str | None, str]:
    return of["hypervisor"], of["node"], of[name]


def _written(entries: list[dict[str, Any]]) -> dict[tuple[str, str], tuple[Any, Any]]:
    """(key, option) → (before the run, after it), over everything the run did to one guest."""
    written: dict[tuple[str, str], tuple[Any, Any]] = {}
    for entry in entries:
        for change in entry["changes"]:
            place = (change["key"], change["option"])
            written[place] = (written.get(place, (change["before"],))[0], change["after"])
    return {place: pair for place, pair in written.items() if pair[0] != pair[1]}


def _split(
    record: dict[str, Any], written: dict[tuple[str, str], tuple[Any, Any]]
) -> tuple[list[dict[str, Any]], list[str]]:
    """What is to be put back, and a sentence for each option that somebody has changed since."""
    changes, others = [], []
    for (key, option), (before, after) in sorted(
        written.items(), key=lambda item: (natural_key(item[0][0]), item[0][1])
    ):
        now = _now(record, key, option)
        if now is _MISSING:
            others += [f"{key} is gone"] if f"{key} is gone" not in others else []
        elif now == after:
            changes.append({"key": key, "option": option, "before": now, "after": before})
        elif now != before:
            others.append(f"{key} {option} is {_word(now)}, the run wrote {_word(after)}")
    return changes, others


def _now(record: dict[str, Any], key: str, option: str) -> Any:
    """An option as it is configured, with what waits in [PENDING] counted; _MISSING where its drive is gone."""
    if key == "controller":
        controller = record["controller"]
        if "delete:scsihw" in record["pending"]:
            return None
        return controller["pending"] if controller["pending"] is not None else controller["configured"]
    disk = next((disk for disk in record["disks"] if disk["key"] == key), None)
    if disk is None or disk["pending_delete"]:
        return _MISSING
    return (disk["pending"] or disk["configured"]).get(option)


def _word(value: Any) -> str:
    return "unset" if value is None else word(value)


def _left(entry: dict[str, Any], reason: str, detail: str) -> dict[str, Any]:
    return {**{key: entry[key] for key in ("guest", "name", "node")}, "reason": reason, "detail": detail}
