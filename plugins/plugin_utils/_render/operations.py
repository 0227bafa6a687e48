# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Restarts and rollbacks on the terminal: a line per guest, then what was skipped, and why."""

from __future__ import annotations

from typing import Any

from ...module_utils._text import plural, visible
from .text import brief, plain


def rollback_lines(plan: dict[str, Any], results: list[dict[str, Any]], check: bool = False) -> list[str]:
    """The lines of one host's rollback: ``plan`` comes from rollback_plan, ``results`` from guest_io."""
    result_of = {result["guest"]: result for result in results}
    policy = f", made by policy {visible(plan['policy'])}" if plan["policy"] else ""
    lines = [f"Rollback of run {visible(plan['run'])}{policy}"]
    lines += [
        f"  {_guest(entry)}: {_rolled_back(entry, result_of.get(entry['guest']), check)}" for entry in plan["plan"]
    ]
    lines += _skipped(plan["skipped"])
    if plan["unchanged"]:
        lines.append(f"  already as before the run: {', '.join(map(visible, plan['unchanged']))}")
    if plan["not_in_run"]:
        lines.append(f"  not changed by that run: {', '.join(map(visible, plan['not_in_run']))}")
    lines += _problems(plan["problems"])
    return lines if len(lines) > 1 else [f"{lines[0]}: it changed nothing here"]


def _rolled_back(entry: dict[str, Any], result: dict[str, Any] | None, check: bool) -> str:
    changes = ", ".join(map(_change, entry["changes"]))
    result = result or {"status": "failed", "detail": "was not reached", "restart_pending": False}
    if result["status"] != "changed":
        return f"{_STATUS[result['status']]}{_more(result)} (not put back: {changes})"
    waits = ", waits for a cold start" if result["restart_pending"] else ""
    return f"{'would be put back' if check else 'put back'}: {changes}{waits}{_more(result)}"


def restart_lines(order: dict[str, Any], results: list[dict[str, Any]], check: bool = False) -> list[str]:
    """The lines of one host's restarts: ``order`` comes from restart_order, ``results`` from guest_restart.

    There may be fewer results than guests: a run stops at the first guest that fails.
    """
    result_of = {result["guest"]: result for result in results}
    done = sum(result["status"] == "restarted" for result in results)
    verb = "would be restarted" if check else "restarted"
    lines = [f"{done} of {plural(len(order['order']), 'guest')} {verb}"]
    for number, entry in enumerate(order["order"], 1):
        lines.append(f"  {number}. {_guest(entry)}: {_restarted(entry, result_of.get(entry['guest']), check)}")
    lines += _skipped(order["skipped"])
    if order["nothing_pending"]:
        lines.append(f"  nothing pending: {', '.join(map(visible, order['nothing_pending']))}")
    return lines


def _restarted(entry: dict[str, Any], result: dict[str, Any] | None, check: bool) -> str:
    applied = ", ".join(map(visible, entry["waits"]))
    applied += f"; also pending, and applied with it: {', '.join(map(visible, entry['also']))}" if entry["also"] else ""
    if result is None:
        return f"not restarted ({applied})"
    if result["status"] != "restarted":
        return _STATUS[result["status"]] + _more(result)
    words = f"restarted in {result['seconds']:.0f} s, now in force: {applied}"
    return (f"would be restarted ({applied})" if check else words) + (
        f"; {visible(result['detail'])}" if result.get("detail") else ""
    )


_STATUS = {"failed": "FAILED", "skipped": "skipped", "unchanged": "unchanged"}


def _change(change: dict[str, Any]) -> str:
    what = change["key"] if change["key"] == "controller" else f"{change['key']} {change['option']}"
    return f"{visible(what)} {plain(change['before'])} → {plain(change['after'])}"


def _skipped(entries: list[dict[str, Any]]) -> list[str]:
    return [f"  {_guest(entry)}: skipped: {brief(entry['detail'])}" for entry in entries]


def _guest(entry: dict[str, Any]) -> str:
    return f"{visible(entry['guest'])} {visible(entry['name'])}".rstrip()


def _more(result: dict[str, Any]) -> str:
    return f": {brief(result['detail'])}" if result["detail"] else ""


def _problems(problems: list[dict[str, Any]]) -> list[str]:
    return [
        f"  NOT READ: {visible(problem['file'])}{' line ' + str(problem['line']) if problem['line'] else ''}:"
        f" {brief(problem['reason'])}"
        for problem in problems
    ]
