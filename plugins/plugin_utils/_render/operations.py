# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Restarts and rollbacks on the terminal: a line for each guest as it goes, and one table of all hosts at the end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ...module_utils._text import plural, visible
from .._fleet.document import Item
from .._fleet.operations import Done, answered, restarted, rolled_back, stopped
from .count_table import count_table
from .guest_lists import guest_lines, reason_lines
from .text import brief, plain, toned, wrap_all
from .words import UNKNOWN

# The columns, each with its head; one without a guest is left out, the first never.
_RESTARTS = {"restarted": "restarted", "unchanged": "unchanged"}
_ROLLBACKS = {"changed": "put back", "unchanged": "unchanged"}
_OTHERS = {"skipped": "skipped", "failed": "failed", "not_reached": "not reached"}


def restart_line(entry: Item, result: Item, check: bool = False) -> str:
    """What became of one guest: ``entry`` comes from restart_order, ``result`` from guest_restart."""
    applied = ", ".join(map(visible, entry["waits"]))
    applied += f"; also pending, and applied with it: {', '.join(map(visible, entry['also']))}" if entry["also"] else ""
    detail = brief(result.get("detail"))
    if result["status"] != "restarted":
        status = "FAILED" if result["status"] == "failed" else result["status"]
        return f"  {status}: {detail}"
    words = "would be restarted; in force then" if check else f"restarted in {result['seconds']:.0f} s; in force now"
    return f"  {words}: {applied}{'; ' if detail else ''}{detail}"


def restart_table(done: Done, check: bool = False, width: int = 80, limit: int = 40) -> list[str]:
    """One table of all hosts' restarts, and who needs a person, by reason; at most ``limit`` of each are named."""
    guests, hosts = restarted(done), answered(done, "order")
    waiting = plural(len(guests), "guest that waits", "guests that wait")
    head = f"Restarts: {waiting} on {plural(len(hosts), 'host')}"
    heads = {**_RESTARTS, **({"restarted": "would restart"} if check else {}), **_OTHERS}
    lines = _sections(guests, len(done) > 1, limit)
    nothing = {host: found["order"]["nothing_pending"] for host, found in hosts.items()}
    lines += _by_host("Nothing pending", nothing, limit)
    unmatched = [host for host, found in hosts.items() if found["order"]["names_nobody"]]
    lines += ["", f"The selector matches no guest on {_hosts(unmatched)}."] if unmatched else []
    return _whole(head, done, list(hosts), guests, heads, lines, width)


def rollback_table(done: Done, check: bool = False, width: int = 80, limit: int = 40) -> list[str]:
    """One table of all hosts' rollbacks, what was put back, and who needs a person, by reason."""
    guests, hosts = rolled_back(done), answered(done, "rollback")
    plans = {host: found["rollback"] for host, found in hosts.items()}
    policies = list(dict.fromkeys(visible(name) for plan in plans.values() for name in plan["policies"]))
    head = f"Rollback of run {visible(next((plan['run'] for plan in plans.values()), ''))}"
    word = "policy" if len(policies) == 1 else "policies"
    head += f", made by {word} {', '.join(policies)}" if policies else ""
    several = len(done) > 1
    put_back = [{**guest, "detail": _changes(guest)} for guest in guests if guest["status"] == "changed"]
    title = "WOULD BE PUT BACK" if check else "PUT BACK"
    lines = ["", f"{title} ({len(put_back)})", *_guests(put_back, several, limit)] if put_back else []
    waits = [guest for guest in put_back if guest["restart_pending"]]
    named = [{**guest, "detail": None} for guest in waits]
    lines += toned("waits", ["", f"RESTART PENDING ({len(waits)})", *_guests(named, several, limit)]) if waits else []
    lines += _sections([{**guest, "detail": _left(guest)} for guest in guests], several, limit)
    lines += _settings(hosts, check)
    lines += _by_host("As before the run already", {host: plan["unchanged"] for host, plan in plans.items()}, limit)
    lines += _by_host("Not changed by that run", {host: plan["not_in_run"] for host, plan in plans.items()}, limit)
    problems = [_problem(host, problem) for host, plan in plans.items() for problem in plan["problems"]]
    counted = [guest for guest in guests if not guest.get("partly")]
    heads = {**_ROLLBACKS, **({"changed": "would put back"} if check else {}), **_OTHERS}
    table = _whole(head, done, list(hosts), counted, heads, lines, width)
    # Not wrapped, so that the file can be copied.
    return table + toned("error", ["", *problems] if problems else [])


def _whole(
    head: str,
    done: Done,
    hosts: Sequence[str],
    guests: Sequence[Item],
    heads: dict[str, str],
    lines: Sequence[str],
    width: int,
) -> list[str]:
    """Head, what was not done, the table, and the sections."""
    late = stopped(done)
    silent = [host for host in done if host not in hosts and host not in late]
    seen = toned("error", [f"NO REPORT from {_hosts(silent)}. {UNKNOWN}."]) if silent else []
    seen += toned("error", [f"NOT REACHED: {_hosts(late)}. The run stopped before."]) if late else []
    first, *others = heads
    shown = [first, *(status for status in others if any(guest["status"] == status for guest in guests))]
    rows = [(host, [guest["status"] for guest in guests if guest["host"] == host]) for host in hosts]
    counts = [(host, [len(found), *map(found.count, shown)]) for host, found in rows]
    table = count_table("host", ["guests", *(heads[status] for status in shown)], counts, width) if rows else []
    return [*wrap_all(["", head, *seen, ""], width), *table, *wrap_all(lines, width)]


def _sections(guests: Sequence[Item], several: bool, limit: int) -> list[str]:
    """Who failed, was not reached or was skipped, by reason."""
    lines: list[str] = []
    for status in ("failed", "not_reached", "skipped"):
        mine = [{**guest, "on": None} for guest in guests if guest["status"] == status]
        title = f"{_OTHERS[status].upper()} ({len(mine)})"
        section = ["", title, *reason_lines(mine, several, limit)] if mine else []
        lines += toned(None if status == "skipped" else "error", section)
    return lines


def _guests(guests: Sequence[Item], several: bool, limit: int) -> list[str]:
    return guest_lines([{**guest, "on": None} for guest in guests], several, limit, "  ")


def _by_host(title: str, ids: dict[str, Sequence[str]], limit: int) -> list[str]:
    """The ids of each host that has some."""
    total = sum(map(len, ids.values()))
    lines = []
    for host, of_host in ids.items():
        more = f" and {len(of_host) - limit} more" if len(of_host) > limit else ""
        lines += [f"  {visible(host)}: {', '.join(map(visible, of_host[:limit]))}{more}"] if of_host else []
    return ["", f"{title} ({total})", *lines] if lines else []


def _settings(hosts: Mapping[str, Item], check: bool) -> list[str]:
    """What was put back of the hosts themselves, what failed, and what stays."""
    every = [(host, one) for host, found in hosts.items() for one in found.get("settings") or ()]
    made = [f"  {visible(host)}: {_changes({'changes': one['changes']})}" for host, one in every if one["changes"]]
    title = "SETTINGS THAT WOULD BE PUT BACK" if check else "SETTINGS PUT BACK"
    lines = ["", f"{title} ({len(made)})", *made] if made else []
    failed = [_setting(host, one) for host, one in every if one["status"] == "failed"]
    lines += toned("error", ["", f"SETTINGS NOT PUT BACK ({len(failed)})", *failed]) if failed else []
    left = [_setting(host, one) for host, found in hosts.items() for one in found.get("left") or ()]
    return lines + (["", f"SETTINGS THAT STAY ({len(left)})", *left] if left else [])


def _setting(host: str, one: Item) -> str:
    return f"  {visible(host)}: {visible(one['key'])}: {brief(one['detail'])}"


def _hosts(hosts: Sequence[str]) -> str:
    return f"{plural(len(hosts), 'host')}: {', '.join(map(visible, hosts))}"


def _left(guest: Item) -> str:
    """Why a guest was not put back, and what was not."""
    told = [guest["detail"] or "", f"not put back: {_changes(guest)}" if guest.get("changes") else ""]
    return "; ".join(filter(None, told))


def _changes(guest: Item) -> str:
    return ", ".join(
        f"{visible(change['key'] if change['key'] == 'controller' else change['key'] + ' ' + change['option'])}"
        f" {plain(change['before'])} → {plain(change['after'])}"
        for change in guest["changes"]
    )


def _problem(host: str, problem: Item) -> str:
    line = f" line {problem['line']}" if problem["line"] else ""
    return f"NOT READ: {visible(host)}: {visible(problem['file'])}{line}: {brief(problem['reason'])}"
