# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Restarts and roll backs on the terminal: a line a guest, then what was skipped, and why."""

from __future__ import annotations

from typing import Any

from ...module_utils._text import plural
from .text import brief, plain, visible


def rollback_lines(plan: dict[str, Any], results: list[dict[str, Any]], check: bool = False) -> list[str]:
    """The lines of one host's roll back: ``plan`` is rollback_plan's, ``results`` are guest_io's."""
    told = {result["guest"]: result for result in results}
    lines = [
        f"Roll back of run {visible(plan['run'])}"
        + (f", made by policy {visible(plan['policy'])}" if plan["policy"] else "")
    ]
    for entry in plan["plan"]:
        result = told.get(entry["guest"], {"status": "failed", "detail": "was not reached", "restart_pending": False})
        changes = ", ".join(map(_change, entry["changes"]))
        if result["status"] == "changed":
            word = "would be put back" if check else "put back"
            waits = ", waits for a cold start" if result["restart_pending"] else ""
            lines.append(f"  {_guest(entry)}: {word}: {changes}{waits}" + _more(result))
        else:
            lines.append(f"  {_guest(entry)}: {_STATUS[result['status']]}{_more(result)} (not put back: {changes})")
    lines += [f"  {_guest(entry)}: skipped: {brief(entry['detail'])}" for entry in plan["skipped"]]
    if plan["unchanged"]:
        lines.append(f"  as before the run already: {', '.join(map(visible, plan['unchanged']))}")
    if plan["not_in_run"]:
        lines.append(f"  not changed by that run: {', '.join(map(visible, plan['not_in_run']))}")
    lines += _problems(plan["problems"])
    return lines if len(lines) > 1 else [f"{lines[0]}: it has changed nothing here"]


def restart_lines(order: dict[str, Any], results: list[dict[str, Any]], check: bool = False) -> list[str]:
    """The lines of one host's restarts: ``order`` is restart_order's, ``results`` are guest_restart's, as far as it
    got.
    """
    told = {result["guest"]: result for result in results}
    done = sum(result["status"] == "restarted" for result in results)
    verb = "would be restarted" if check else "restarted"
    lines = [f"{done} of {plural(len(order['order']), 'guest')} {verb}"]
    for number, entry in enumerate(order["order"], 1):
        result = told.get(entry["guest"])
        waits = ", ".join(map(visible, entry["waits"]))
        also = f"; and with it what else waits: {', '.join(map(visible, entry['also']))}" if entry["also"] else ""
        if result is None:
            word = f"not restarted ({waits}{also})"
        elif result["status"] == "restarted":
            word = (
                f"would be restarted ({waits}{also})"
                if check
                else f"restarted in {result['seconds']:.0f} s, in force now: {waits}{also}"
            )
            word += f"; {visible(result['detail'])}" if result.get("detail") else ""
        else:
            word = _STATUS[result["status"]] + _more(result)
        lines.append(f"  {number}. {_guest(entry)}: {word}")
    lines += [f"  {_guest(entry)}: skipped: {brief(entry['detail'])}" for entry in order["skipped"]]
    if order["nothing_pending"]:
        lines.append(f"  nothing pending: {', '.join(map(visible, order['nothing_pending']))}")
    return lines


_STATUS = {"failed": "FAILED", "skipped": "skipped", "unchanged": "unchanged"}


def _change(change: dict[str, Any]) -> str:
    what = change["key"] if change["key"] == "controller" else f"{change['key']} {change['option']}"
    return f"{visible(what)} {plain(change['before'])} → {plain(change['after'])}"


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
