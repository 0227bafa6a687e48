# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Assess: guest records against one policy on one day. Pure; the findings document comes out."""

from __future__ import annotations

import datetime
from collections.abc import Callable

from ...module_utils._model import findings as _findings
from ...module_utils._model.findings import Document, Finding, GuestEntry, PlanEntry, Unresolved
from ...module_utils._model.records import Guest, Problem, Reading
from ...module_utils._text import natural_key
from . import judge_plan
from .hypervisors import paste
from .judge_guest import Judge, judge
from .locality import Locality
from .plan import plan, status
from .policy import Policy
from .remark import Mark
from .selector import guest_subject
from .waivers import Waivers


def assess(reading: Reading, policy: Policy, date: datetime.date, host: str | None = None) -> Document:
    """The findings document of what was read on one host; ``host`` is its inventory name.

    What could not be read is IO100. Raises PolicyError where a selector cannot be evaluated.
    """
    return _Assessment(policy, date, lambda _node: host).document(reading)


def assess_nodes(reading: Reading, policy: Policy, date: datetime.date) -> Document:
    """The same for a tree with the guests of many nodes: the host of a guest is its node."""
    return _Assessment(policy, date, lambda node: node).document(reading)


class _Assessment:
    """The lists of a findings document, as they are filled guest by guest."""

    def __init__(self, policy: Policy, date: datetime.date, host_of: Callable[[str | None], str | None]) -> None:
        self._policy = policy
        self._date = date
        self._host_of = host_of
        self._findings: list[Finding] = []
        self._plan: list[PlanEntry] = []
        self._unresolved: list[Unresolved] = []
        self._guests: list[GuestEntry] = []

    def document(self, reading: Reading) -> Document:
        """Assess all that was read."""
        by = Judge(self._policy, Waivers(self._policy.waivers, self._date), Locality(reading["nodes"]))
        self._findings += [self._unread(problem) for problem in reading["problems"]]
        for guest in sorted(reading["guests"], key=lambda record: (record["node"] or "", natural_key(record["id"]))):
            self._add(guest, by)
        waivers = by.waivers.used()
        return _findings.document(
            date=self._date.isoformat(),
            findings=self._findings + _findings.waiver_findings(waivers),
            plan=self._plan,
            unresolved=self._unresolved,
            guests=self._guests,
            waivers=waivers,
        )

    def _add(self, guest: Guest, by: Judge) -> None:
        """Judge one guest and plan its changes."""
        number, name, node, host = guest["id"], guest["name"], guest["node"], self._host_of(guest["node"])
        marks, disks = judge(guest, by)
        planned = plan(guest, marks, self._policy)
        marks += [by.mark(guest_subject(guest), remark) for remark in judge_plan.judge(guest, planned)]
        self._findings += [_finding(guest, mark, planned.carries_out(mark), host) for mark in marks]
        if planned.changes:
            entry = _findings.plan_entry(
                hypervisor=guest["hypervisor"],
                guest=number,
                name=name,
                node=node,
                config=guest["config"],
                digest=guest["digest"],
                running=guest["running"],
                changes=planned.changes,
            )
            self._plan.append({**entry, "host": host})
        if planned.left:
            reason, detail = planned.left
            self._unresolved.append(
                _findings.unresolved(guest=number, name=name, node=node, host=host, reason=reason, detail=detail)
            )
        self._guests.append(
            _findings.guest_entry(
                hypervisor=guest["hypervisor"],
                guest=number,
                name=name,
                node=node,
                host=host,
                config=guest["config"],
                status=status(planned, marks),
                running=guest["running"],
                started=guest["started"],
                template=guest["template"],
                address=guest["resource"]["address"] if guest["resource"] else None,
                paste=paste(guest, planned.changes),
                disks=disks,
            )
        )

    def _unread(self, problem: Problem) -> Finding:
        return _findings.finding(
            "IO100",
            "error",
            problem["reason"],
            "Fix it and run again; what could not be read was not checked.",
            host=self._host_of(problem["node"]),
            guest=problem["guest"],
            node=problem["node"],
            file=problem["file"],
            line=problem["line"],
        )


def _finding(guest: Guest, mark: Mark, fixable: bool, host: str | None) -> Finding:
    remark = mark.remark
    return _findings.finding(
        remark.rule,
        remark.severity,
        remark.message,
        remark.hint,
        host=host,
        guest=guest["id"],
        name=guest["name"],
        node=guest["node"],
        disk=mark.disk,
        file=guest["config"],
        line=mark.line,
        actual=remark.actual,
        wanted=remark.wanted,
        cure=list(remark.cure),
        fixable=fixable,
        waived=mark.waived,
    )
