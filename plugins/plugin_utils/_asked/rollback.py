# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Which run to roll back, for which guests, and the plan that does it. Pure; errors are ValueErrors."""

from __future__ import annotations

import re
from typing import Any

from ...module_utils._journal.lines import last
from ...module_utils._journal.rollback import of_run, rollback, run_of
from ...module_utils._model.operations import RollbackPlan
from ...module_utils._shown import shown, some
from ...module_utils._text import natural_key
from .values import ids, value_refusal

_MOST_TOLD = 5
# A run's name that is its time.
_TIME = re.compile(r"[0-9]{8}T[0-9]{6}Z\Z")


def choose_run(journals: list[dict[str, Any]], run: Any = "last") -> str:
    """The name of the run to roll back, the same on all hosts: ``run`` where a journal knows it.

    "last" is the latest run of all hosts that was not a rollback and whose changes are still there. It is refused
    when a journal that cannot be read may hide a later run. ``journals`` are what guest_io_journal_info returned.
    """
    if refusal := value_refusal("rollback_run", run):
        raise ValueError(refusal)
    runs = [known for journal in journals for known in journal["runs"]]
    names = sorted({known["run"] for known in runs})
    problems = [problem for journal in journals for problem in journal.get("problems", ())]
    if run == "last":
        found = last(runs)
        if found is None:
            lead = "no journal knows of a run whose changes are still there"
            raise ValueError(f"{lead}{unread(problems)}" if problems else f"{lead}; there is nothing to roll back")
        hidden = [problem for problem in problems if _may_be_later(run_of(problem), found, runs)]
        if hidden:
            raise ValueError(
                f"cannot tell which run was the last; set rollback_run to one of: {', '.join(names)}{unread(hidden)}"
            )
        return found
    if run not in names:
        raise ValueError(
            f"no journal knows of a run {shown(run)}; rollback_run takes one of:"
            f" {', '.join(['last', *names])}{unread(problems)}"
        )
    return str(run)


def _may_be_later(run: str | None, than: str, runs: list[dict[str, Any]]) -> bool:
    """Whether a run of which a part cannot be read on some host may be the last one in place of ``than``.

    What else is known of it, on that host or another, tells when it started; only names that are times tell it as well.
    """
    known = [other for other in runs if other["run"] == run]
    if run == than or any(other["rolls_back"] for other in known):
        return False
    if known:
        started = min(other["started"] for other in runs if other["run"] == than)
        return (max(other["started"] for other in known), run) > (started, than)
    return run is None or not (_TIME.match(run) and _TIME.match(than)) or run > than


def unread(problems: list[dict[str, Any]]) -> str:
    """What could not be read, as the end of a sentence; "" where all could."""
    told = [
        f"{problem['file']}{' line ' + str(problem['line']) if problem['line'] else ''} {problem['reason']}"
        for problem in problems[:_MOST_TOLD]
    ]
    told += [f"and {len(problems) - _MOST_TOLD} more"] if len(problems) > _MOST_TOLD else []
    return f". Not read: {'; '.join(told)}" if told else ""


def plan_rollback(journal: dict[str, Any], read: dict[str, Any], run: str, only: list[str] | None) -> RollbackPlan:
    """The plan for guest_io that puts back what ``run`` wrote to the guests ``only`` (None is all of the run).

    ``journal`` is what guest_io_journal_info returned for that run, ``read`` what guest_io_info returned. Next to the
    plan: ``run``, ``policies``, ``skipped``, ``unchanged``, ``not_in_run``, ``problems``; ``named``, whether the run
    changed each of ``only`` here, None where that is not known; ``settings``, the objects of the host that are put back
    as well where no guests are named; ``not_whole``, a sentence where a part of the run may
    not be put back, or None.
    """
    entries = [entry for entry in journal["entries"] if entry["run"] == run]
    plan = rollback(entries, read["guests"], [node["name"] for node in read["nodes"]], only)
    known = next((one for one in journal["runs"] if one["run"] == run), None)
    not_whole = _not_whole(journal, run) or _not_reached(entries, read, only)
    named = None if not_whole else {guest: guest not in plan["not_in_run"] for guest in only or ()}
    return {
        "run": run,
        "policies": known["policies"] if known else [],
        "plan": plan["plan"],
        "skipped": plan["skipped"],
        "unchanged": plan["unchanged"],
        "not_in_run": plan["not_in_run"],
        "named": named,
        "settings": known["settings"] if known and only is None else [],
        "problems": journal["problems"],
        "not_whole": not_whole,
    }


def _not_reached(entries: list[dict[str, Any]], read: dict[str, Any], only: list[str] | None) -> str | None:
    """The sentence for guests of the run whose node did not answer, as one of several behind an API may not."""
    silent = {problem["node"] for problem in read.get("problems", ()) if problem["node"] and not problem["guest"]}
    silent -= {node["name"] for node in read["nodes"]}
    left = [entry for entry in entries if entry["node"] in silent and (only is None or entry["guest"] in only)]
    if not left:
        return None
    guests = ", ".join(some(sorted({entry["guest"] for entry in left}, key=natural_key)))
    nodes = ", ".join(sorted({str(entry["node"]) for entry in left}))
    return f"not put back, because node {nodes} does not answer: {guests}"


def guest_ids(guests: Any) -> list[str] | None:
    """The ids in rollback_guests: a list of them, one, or text with commas, as Ansible takes a list. None is all.

    A value that names no guest is refused: it would be taken for all.
    """
    if guests == "all":
        return None
    if refusal := value_refusal("rollback_guests", guests):
        raise ValueError(refusal)
    return ids(guests)


def _not_whole(journal: dict[str, Any], run: str) -> str | None:
    """Why a part of the run may not be put back: what cannot be read."""
    parts = unread(of_run(journal["problems"], run))
    return (
        f"not everything that run {run} did is known, and what is not known was not put back{parts}" if parts else None
    )
