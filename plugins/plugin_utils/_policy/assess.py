# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Assess and plan: guest records against one policy on one day. Pure; the findings document comes out."""

from __future__ import annotations

import datetime
from typing import Any

from ...module_utils._model.findings import SEVERITIES
from ...module_utils._text import natural_key
from . import waivers as _waivers
from .document import parse
from .judge_guest import GuestJudge
from .locality import Locality, require_netaddr
from .selector import Selector

SCHEMA = 1
STATUSES = ("compliant", "to_change", "restart_pending", "unresolved", "waived")


def assess(
    guests: list[dict[str, Any]],
    policy: Any,
    date: datetime.date,
    nodes: list[dict[str, Any]] | None = None,
    problems: list[dict[str, Any]] | None = None,
    migrate_controllers: str | None = None,
    host: str | None = None,
    waivers: Any = None,
    named_waivers: tuple[str, Any] | None = None,
    apply_foreign_pending: bool = False,
) -> dict[str, Any]:
    """The findings document of docs/data.md.

    ``nodes`` are the read nodes' addresses, against which storages' servers are classified; ``problems`` are
    what could not be read: each is an IO100. ``migrate_controllers`` selects the guests whose
    driver may change; ``waivers`` stand beside the policy's, and ``named_waivers``,
    with what they are called in errors. ``apply_foreign_pending`` plans guests as a run does that may apply what
    somebody else left pending. Raises PolicyError where policy or selector are wrong.
    """
    require_netaddr()
    rules = parse(policy, waivers, named_waivers)
    used = _waivers.Waivers(rules.waivers, date)
    migrate = (
        Selector("guest_io_migrate_controllers", migrate_controllers, guests=True) if migrate_controllers else None
    )
    judge = GuestJudge(rules, used, Locality(nodes or []), migrate, apply_foreign_pending)
    document: dict[str, Any] = {
        "schema": SCHEMA,
        "date": date.isoformat(),
        "findings": [_problem(problem) for problem in problems or ()],
        "plan": [],
        "unresolved": [],
        "guests": [],
        "waivers": [],
    }
    for guest in sorted(guests, key=lambda record: (record["node"] or "", natural_key(record["id"]))):
        _add(document, guest, judge.judge(guest))
    document["waivers"] = used.used()
    document["findings"] += _waivers.findings(document["waivers"])
    for finding in document["findings"]:
        finding["host"] = host
    for entry in (*document["guests"], *document["unresolved"]):
        entry["host"] = host
    document["summary"] = summarize(document)
    return document


def _add(document: dict[str, Any], guest: dict[str, Any], verdict: Any) -> None:
    who = {"guest": guest["id"], "name": guest["name"], "node": guest["node"]}
    document["findings"] += verdict.findings
    document["guests"].append(
        {
            **who,
            "host": None,
            "config": guest["config"],
            "status": verdict.status,
            "running": guest["running"],
            "template": guest["template"],
            "disks": verdict.disks,
        }
    )
    if verdict.changes:
        document["plan"].append(
            {
                **who,
                "config": guest["config"],
                "digest": guest["digest"],
                "running": guest["running"],
                "changes": verdict.changes,
            }
        )
    if verdict.unresolved:
        reason, detail = verdict.unresolved
        document["unresolved"].append({**who, "host": None, "reason": reason, "detail": detail})


def _problem(problem: dict[str, Any]) -> dict[str, Any]:
    return {
        "rule": "IO100",
        "severity": "error",
        "host": None,
        "guest": problem["guest"],
        "name": None,
        "node": problem.get("node"),
        "disk": None,
        "file": problem["file"],
        "line": problem["line"],
        "message": problem["reason"],
        "hint": "Mend the file; what could not be read was not checked.",
        "actual": None,
        "wanted": None,
        "fixable": False,
        "waived": None,
    }


def summarize(document: dict[str, Any]) -> dict[str, Any]:
    """The counts of a findings document, from its findings and guests."""
    counts = {status: 0 for status in STATUSES}
    for guest in document["guests"]:
        counts[guest["status"]] += 1
    open_ones = {severity: 0 for severity in SEVERITIES}
    waived = 0
    for finding in document["findings"]:
        if finding["waived"]:
            waived += 1
        else:
            open_ones[finding["severity"]] += 1
    return {
        "guests": len(document["guests"]),
        "disks": sum(len(guest["disks"]) for guest in document["guests"]),
        **counts,
        "findings": open_ones,
        "waived_findings": waived,
    }
