# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Findings and what follows from them, up to the findings document: one type per shape, and one function that makes it.

docs/data.md explains each key; a test holds it, findings.schema.json and these types equal.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, TypedDict, Union, get_args

#: The version of the findings document.
SCHEMA = 2

Severity = Literal["error", "warning", "note"]
#: The severities, the worst first.
SEVERITIES: tuple[Severity, ...] = get_args(Severity)

GuestStatus = Literal["compliant", "to_change", "restart_pending", "unresolved", "waived"]
#: What a guest is in the findings document.
GUEST_STATUSES: tuple[GuestStatus, ...] = get_args(GuestStatus)

#: What carrying out a guest's plan comes to.
ResultStatus = Literal["changed", "unchanged", "skipped", "failed"]

#: Why the plan does not make a guest compliant.
UnresolvedReason = Literal[
    "by_hand",
    "driver_change",
    "foreign_pending",
    "known_defect",
    "locked",
    "needs_root",
    "no_config",
    "not_asked",
    "not_fixable",
    "read_only",
    "storage_offline",
    "unsafe_lines",
]

#: Why a guest of the plan is skipped or failed.
ResultReason = Literal[
    "busy",
    "by_hand",
    "digest_moved",
    "error",
    "foreign_pending",
    "journal",
    "locked",
    "moved",
    "needs_root",
    "not_asked",
    "not_proven",
    "read_only",
    "refused",
    "storage_offline",
    "unsafe_lines",
    "would_not_start",
]


#: What an option is set to; None means unset.
Value = Union[str, bool, int, None]

#: Changes keyed as they are used: ``{scsi0: {aio: threads, iothread: true}, controller: {type: …}}``, ``guest`` for how
#: many ``iothreads`` it has.
Wanted = Mapping[str, Mapping[str, Value]]


class Change(TypedDict):
    """One option of one disk, the ``type`` of the guest's controller, or how many ``iothreads`` the ``guest`` has. An
    ``after`` of None removes the option.
    """

    key: str
    option: str
    before: Any
    after: Any


class Waived(TypedDict):
    """The waiver that covers a finding."""

    id: str
    until: str
    reason: str


class Finding(TypedDict):
    """What is against the policy, where, and what cures it."""

    rule: str
    severity: Severity
    host: str | None
    guest: str | None
    name: str | None
    node: str | None
    disk: str | None
    file: str | None
    line: int | None
    message: str
    hint: str
    actual: Any
    wanted: Any
    cure: list[Change]
    fixable: bool
    waived: Waived | None


class _OfHost(TypedDict, total=False):
    """Of a document that knows its host."""

    host: str | None


class PlanEntry(_OfHost):
    """What is to be changed of one guest."""

    hypervisor: str
    guest: str
    name: str
    node: str | None
    config: str | None
    digest: str | None
    running: bool | None
    changes: list[Change]


class Result(_OfHost):
    """What became of one entry of the plan."""

    guest: str
    name: str
    node: str | None
    status: ResultStatus
    changes: list[Change]
    restart_pending: bool
    reason: ResultReason | None
    detail: str | None
    digest: str | None


class Unresolved(TypedDict):
    """A guest that the plan does not make compliant, and why."""

    guest: str
    name: str
    node: str | None
    host: str | None
    reason: UnresolvedReason
    detail: str | None


class StorageName(TypedDict):
    """A disk's storage in the findings document."""

    id: str | None
    type: str | None


class DiskEntry(TypedDict):
    """A disk in the findings document."""

    key: str
    storage: StorageName | None
    compliant: bool
    waived: bool


class GuestEntry(TypedDict):
    """A guest in the findings document."""

    hypervisor: str
    guest: str
    name: str
    node: str | None
    host: str | None
    config: str | None
    status: GuestStatus
    running: bool | None
    started: str | None
    template: bool
    address: str | None
    paste: str | None
    disks: list[DiskEntry]


class Waiver(TypedDict):
    """A waiver of the policy, and how many findings it covers."""

    id: str
    rules: list[str]
    until: str
    reason: str
    expired: bool
    matched: int


class BySeverity(TypedDict):
    """How many findings have each severity."""

    error: int
    warning: int
    note: int


class Summary(TypedDict):
    """The counts of a findings document."""

    guests: int
    disks: int
    compliant: int
    to_change: int
    restart_pending: int
    unresolved: int
    waived: int
    findings: BySeverity
    waived_findings: int


class Assessment(TypedDict):
    """What was assessed of a host itself: one subject, such as its write-back limits."""

    subject: str
    status: str | None
    changed: bool | None
    detail: str | None


class HostEntry(TypedDict):
    """A host in the findings document. ``reported`` is False where no document came from it."""

    host: str
    reported: bool
    assessments: list[Assessment]


class Gate(TypedDict):
    """The gate's verdict."""

    fail_on: str
    passed: bool
    reason: str


class _Joined(TypedDict, total=False):
    """What only some documents have: of a directory, of several hosts, of a run that applied, of a gate."""

    not_read: list[str]
    hosts: list[HostEntry]
    complete: bool
    guests_asked: bool
    results: list[Result]
    gate: Gate


class Document(_Joined):
    """The findings document: what ``assess`` returns, and what reports are made from."""

    schema: int
    date: str
    findings: list[Finding]
    plan: list[PlanEntry]
    unresolved: list[Unresolved]
    guests: list[GuestEntry]
    waivers: list[Waiver]
    summary: Summary


def change(key: str, option: str, before: Any, after: Any) -> Change:
    """One option of one disk, or of the guest's controller."""
    return {"key": key, "option": option, "before": before, "after": after}


def finding(
    rule: str,
    severity: Severity,
    message: str,
    hint: str,
    *,
    host: str | None = None,
    guest: str | None = None,
    name: str | None = None,
    node: str | None = None,
    disk: str | None = None,
    file: str | None = None,
    line: int | None = None,
    actual: Any = None,
    wanted: Any = None,
    cure: list[Change] | None = None,
    fixable: bool = False,
    waived: Waived | None = None,
) -> Finding:
    """A finding; about a host or the policy where it names no guest."""
    return {
        "rule": rule,
        "severity": severity,
        "host": host,
        "guest": guest,
        "name": name,
        "node": node,
        "disk": disk,
        "file": file,
        "line": line,
        "message": message,
        "hint": hint,
        "actual": actual,
        "wanted": wanted,
        "cure": cure or [],
        "fixable": fixable,
        "waived": waived,
    }


def plan_entry(
    *,
    hypervisor: str,
    guest: str,
    name: str,
    node: str | None,
    config: str | None,
    digest: str | None,
    running: bool | None,
    changes: list[Change],
) -> PlanEntry:
    """What is to be changed of one guest."""
    return {
        "hypervisor": hypervisor,
        "guest": guest,
        "name": name,
        "node": node,
        "config": config,
        "digest": digest,
        "running": running,
        "changes": changes,
    }


def result(
    *,
    guest: str,
    name: str,
    node: str | None,
    status: ResultStatus,
    changes: list[Change] | None = None,
    restart_pending: bool = False,
    reason: ResultReason | None = None,
    detail: str | None = None,
    digest: str | None = None,
) -> Result:
    """What became of one entry of the plan."""
    return {
        "guest": guest,
        "name": name,
        "node": node,
        "status": status,
        "changes": changes or [],
        "restart_pending": restart_pending,
        "reason": reason,
        "detail": detail,
        "digest": digest,
    }


def unresolved(
    *, guest: str, name: str, node: str | None, reason: UnresolvedReason, detail: str | None, host: str | None = None
) -> Unresolved:
    """A guest that the plan does not make compliant, and why."""
    return {"guest": guest, "name": name, "node": node, "host": host, "reason": reason, "detail": detail}


def disk_entry(*, key: str, storage: StorageName | None, compliant: bool, waived: bool = False) -> DiskEntry:
    """A disk in the findings document."""
    return {"key": key, "storage": storage, "compliant": compliant, "waived": waived}


def guest_entry(
    *,
    hypervisor: str,
    guest: str,
    name: str,
    node: str | None,
    config: str | None,
    status: GuestStatus,
    running: bool | None,
    started: str | None,
    template: bool,
    disks: list[DiskEntry],
    host: str | None = None,
    address: str | None = None,
    paste: str | None = None,
) -> GuestEntry:
    """A guest in the findings document."""
    return {
        "hypervisor": hypervisor,
        "guest": guest,
        "name": name,
        "node": node,
        "host": host,
        "config": config,
        "status": status,
        "running": running,
        "started": started,
        "template": template,
        "address": address,
        "paste": paste,
        "disks": disks,
    }


def waiver(*, id: str, rules: list[str], until: str, reason: str, expired: bool, matched: int) -> Waiver:
    """A waiver of the policy, and how many findings it covers."""
    return {"id": id, "rules": rules, "until": until, "reason": reason, "expired": expired, "matched": matched}


def assessment(*, subject: str, status: str | None, changed: bool | None, detail: str | None) -> Assessment:
    """What was assessed of a host itself; its findings are in the document's list."""
    return {"subject": subject, "status": status, "changed": changed, "detail": detail}


def host_entry(host: str, *, reported: bool = True, assessments: list[Assessment] | None = None) -> HostEntry:
    """A host in the findings document."""
    return {"host": host, "reported": reported, "assessments": assessments or []}


def gate(*, fail_on: str, passed: bool, reason: str) -> Gate:
    """The gate's verdict."""
    return {"fail_on": fail_on, "passed": passed, "reason": reason}


def summary(findings: list[Finding], guests: list[GuestEntry]) -> Summary:
    """The counts of a findings document, of one host or of many."""
    status = [guest["status"] for guest in guests]
    unwaived = [finding["severity"] for finding in findings if not finding["waived"]]
    return {
        "guests": len(guests),
        "disks": sum(len(guest["disks"]) for guest in guests),
        "compliant": status.count("compliant"),
        "to_change": status.count("to_change"),
        "restart_pending": status.count("restart_pending"),
        "unresolved": status.count("unresolved"),
        "waived": status.count("waived"),
        "findings": {
            "error": unwaived.count("error"),
            "warning": unwaived.count("warning"),
            "note": unwaived.count("note"),
        },
        "waived_findings": len(findings) - len(unwaived),
    }


def document(
    *,
    date: str,
    findings: list[Finding],
    plan: list[PlanEntry],
    unresolved: list[Unresolved],
    guests: list[GuestEntry],
    waivers: list[Waiver],
) -> Document:
    """The findings document with its counts; a joined document's further keys are added to it."""
    return {
        "schema": SCHEMA,
        "date": date,
        "findings": findings,
        "plan": plan,
        "unresolved": unresolved,
        "guests": guests,
        "waivers": waivers,
        "summary": summary(findings, guests),
    }


def waiver_findings(waivers: list[Waiver], complete: bool = True) -> list[Finding]:
    """IO121 for expired waivers and IO122 for those that match nothing, of one host or of many.

    A waiver for a guest of one host matches nothing on the others: add their ``matched`` first. ``complete``: all hosts
    are there, so that what matches nothing is not on another.
    """
    found = []
    for waiver in waivers:
        if waiver["expired"]:
            rules = ", ".join(waiver["rules"])
            message = f"waiver {waiver['id']} ended on {waiver['until']}, it waived {rules}: {waiver['reason']}"
            found.append(("IO121", message, "Renew it with a new date and reason, or remove it.", waiver["until"]))
        elif complete and not waiver["matched"]:
            message = f"waiver {waiver['id']} matches nothing"
            found.append(("IO122", message, "Fix its selector or rules, or remove it.", waiver["until"]))
    return [finding(rule, "warning", message, hint, actual=until) for rule, message, hint, until in found]
