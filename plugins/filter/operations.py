# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Filters of restarts and roll backs. Documentation: rollback_*.yml, restart_order.yml, restart_limits.yml and
restart_lines.yml.
"""

from __future__ import annotations

import re
from typing import Any

from ansible.errors import AnsibleFilterError

from ..module_utils._journal.lines import last
from ..module_utils._journal.rollback import of_run, run_of
from ..module_utils._journal.rollback import rollback as _rollback
from ..module_utils._restart import blocker, other_pending, waiting
from ..module_utils._shown import shown
from ..module_utils._text import builtin, natural_key, plural
from ..plugin_utils._asked.values import from_one_on
from ..plugin_utils._policy.errors import PolicyError
from ..plugin_utils._policy.selector import Selector, guest_subject
from ..plugin_utils._render.operations import restart_lines, rollback_lines

_MOST_TOLD = 5
_USUAL = {"restart_timeout": 300, "restart_start_timeout": 120}
_ID = re.compile(r"[0-9]+\Z")
# How a run is named by its time.
_TIME = re.compile(r"[0-9]{8}T[0-9]{6}Z\Z")


def rollback_run(journals: Any, run: str = "last", guests: Any = "all") -> str:
    """See rollback_run.yml."""
    _ids(guests)
    if not isinstance(journals, list) or not all(
        isinstance(journal, dict) and "runs" in journal for journal in journals
    ):
        raise AnsibleFilterError("rollback_run takes a list of what guest_io_journal_info returned")
    if not isinstance(run, str) or not run.strip():
        raise AnsibleFilterError(
            f"rollback_run is {shown(run)}; it takes a run's name, or last, which is the same as to leave it out"
        )
    runs = [known for journal in journals for known in journal["runs"]]
    names = sorted({known["run"] for known in runs})
    problems = [problem for journal in journals for problem in journal.get("problems", ())]
    if run == "last":
        found = last(runs)
        if found is None:
            lead = "no journal knows of a run that changed guests and of whose changes some still stand"
            raise AnsibleFilterError(
                f"{lead}{_unread(problems)}" if problems else f"{lead}; there is nothing to roll back"
            )
        hidden = [problem for problem in problems if _may_be_later(run_of(problem), found, runs)]
        if hidden:
            raise AnsibleFilterError(
                "which run was the last cannot be told, name it: rollback_run takes one of:"
                f" {', '.join(names)}{_unread(hidden)}"
            )
        return found
    if run not in names:
        raise AnsibleFilterError(
            f"no journal knows of a run {shown(run)}; rollback_run takes one of:"
            f" {', '.join(['last', *names])}{_unread(problems)}"
        )
    return run


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


def _unread(problems: list[dict[str, Any]]) -> str:
    """What could not be read, as the end of a sentence; "" where all could."""
    told = [
        f"{problem['file']}{' line ' + str(problem['line']) if problem['line'] else ''} {problem['reason']}"
        for problem in problems[:_MOST_TOLD]
    ]
    told += [f"and {len(problems) - _MOST_TOLD} more"] if len(problems) > _MOST_TOLD else []
    return f". Not read: {'; '.join(told)}" if told else ""


def rollback_plan(journal: Any, read: Any, run: str, guests: Any = "all") -> dict[str, Any]:
    """See rollback_plan.yml."""
    if not isinstance(journal, dict) or "entries" not in journal or not isinstance(read, dict) or "guests" not in read:
        raise AnsibleFilterError(
            "rollback_plan takes what guest_io_journal_info returned, and what guest_io_info returned"
        )
    if journal.get("run", run) != run:
        lead = (
            f"rollback_plan is to plan run {shown(run)}, and guest_io_journal_info returned run {shown(journal['run'])}"
        )
        raise AnsibleFilterError(f"{lead}; give that module the run")
    entries = [entry for entry in journal["entries"] if entry["run"] == run]
    only = _ids(guests)
    plan = _rollback(entries, read["guests"], [node["name"] for node in read["nodes"]], only)
    policy = entries[0]["policy"] if entries else None
    not_whole = _not_whole(journal, run)
    named = None if not_whole else {guest: guest not in plan["not_in_run"] for guest in only or ()}
    return {
        "run": run,
        "policy": policy,
        **plan,
        "named": named,
        "problems": journal["problems"],
        "not_whole": not_whole,
    }


def _ids(guests: Any) -> list[str] | None:
    """The ids in what a person gives: a list of them, one, or text with commas, as Ansible takes a list. None is all.

    What names nobody is refused, for it would be taken for all.
    """
    if guests == "all":
        return None
    given = guests if isinstance(guests, list) else guests.split(",") if isinstance(guests, str) else [guests]
    ids = [str(guest).strip() for guest in given if isinstance(guest, (str, int)) and not isinstance(guest, bool)]
    if not ids or len(ids) != len(given) or not all(_ID.match(guest) for guest in ids):
        raise AnsibleFilterError(
            f"rollback_guests is {shown(guests)}; it takes ids of guests, such as 102, or 102,105, or a list of them; "
            "leave it out to roll back all guests of the run"
        )
    return ids


def _not_whole(journal: dict[str, Any], run: str) -> str | None:
    """Why a part of the run may not be put back: what cannot be read."""
    unread = _unread(of_run(journal["problems"], run))
    return f"not all that run {run} did is known, and what is not known was not put back{unread}" if unread else None


def restart_order(read: Any, match: Any) -> dict[str, Any]:
    """See restart_order.yml."""
    if not isinstance(read, dict) or "guests" not in read:
        raise AnsibleFilterError("restart_order takes what guest_io_info returned")
    if isinstance(match, list) and match:
        raise AnsibleFilterError(
            f"restart_match is a list, {shown(match)}; it takes one JMESPath expression, and several become one with ||"
            " between them, such as: guest.id == '105' || guest.id == '106', or contains(['105', '106'], guest.id)"
        )
    if match is not None and not isinstance(match, str):
        raise AnsibleFilterError(
            f"restart_match is {shown(match)}; it takes a JMESPath expression over the guest, such as: guest.id =="
            " '105'"
        )
    if match is None or not match.strip():
        raise AnsibleFilterError(
            "restart_match is not set, and no guest is restarted that is not named; it takes a JMESPath expression over"
            " the guest, such as: guest.id == '105', or contains(guest.tags, 'restart-ok')"
        )
    order: dict[str, Any] = {"order": [], "skipped": [], "nothing_pending": [], "names_nobody": None}
    try:
        selector = Selector("restart_match", match, guests=True)
        named = [guest for guest in builtin(read["guests"]) if selector.matches(guest_subject(guest))]
    except PolicyError as exc:
        raise AnsibleFilterError(str(exc)) from exc
    if not named:
        order["names_nobody"] = f"restart_match names none of the {plural(len(read['guests']), 'guest')} here: {match}"
    for guest in sorted(named, key=lambda guest: natural_key(guest["id"])):
        waits, reason = waiting(guest), blocker(guest)
        place = {"guest": guest["id"], "name": guest["name"], "node": guest["node"]}
        if not waits:
            order["nothing_pending"].append(guest["id"])
        elif reason:
            order["skipped"].append({**place, "reason": reason[0], "detail": reason[1]})
        else:
            order["order"].append({**place, "waits": waits, "also": other_pending(guest)})
    return order


def restart_limits(limits: Any) -> dict[str, int]:
    """See restart_limits.yml."""
    if not isinstance(limits, dict):
        raise AnsibleFilterError("restart_limits takes a dictionary from variable to value")
    return {name: _from_one_on(name, value) for name, value in limits.items()}


def _from_one_on(name: str, value: Any) -> int:
    if not from_one_on(value):
        raise AnsibleFilterError(
            f"{name} is {shown(value)}; it takes a whole number from 1 on, such as {_USUAL.get(name, 1)}. Nothing was"
            " restarted"
        )
    return int(value)


class FilterModule:
    """Ansible's entry point."""

    def filters(self) -> dict[str, Any]:
        """Name to function."""
        return {
            "rollback_run": rollback_run,
            "rollback_plan": rollback_plan,
            "rollback_lines": rollback_lines,
            "restart_limits": restart_limits,
            "restart_order": restart_order,
            "restart_lines": restart_lines,
        }
