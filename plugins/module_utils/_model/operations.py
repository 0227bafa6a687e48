# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The shapes of the journal, of a rollback and of restarts; docs/data.md explains each key, and a test holds the two
equal.
"""

from __future__ import annotations

from typing import Literal, TypedDict, Union

from .findings import Change, PlanEntry, ResultReason, ResultStatus
from .records import Problem

#: Why a rollback leaves a guest as it is, or a part of it.
RollbackReason = Literal["changed_since", "gone"]

#: What a restart comes to.
RestartStatus = Literal["restarted", "unchanged", "skipped", "failed"]

#: Why a guest is not restarted, or was not as it should be.
RestartReason = Literal[
    "busy",
    "error",
    "ha_managed",
    "ha_state",
    "locked",
    "moved",
    "no_shutdown",
    "not_here",
    "not_in_force",
    "not_running",
    "not_started",
    "nothing_pending",
    "refused",
    "template",
    "would_not_start",
]

#: Why a guest is refused, whatever was to be done to it.
Reason = Union[ResultReason, RestartReason]


class _Line(TypedDict):
    schema: int
    id: str
    run: str
    time: str
    guest: str


class Intent(_Line):
    """The journal's line before a write."""

    entry: Literal["intent"]
    hypervisor: str
    policy: str | None
    rolls_back: str | None
    name: str
    node: str | None
    config: str
    digest: str
    changes: list[Change]
    config_before: str


class Outcome(_Line):
    """The journal's line after a write."""

    entry: Literal["outcome"]
    written: bool | None
    status: ResultStatus
    reason: ResultReason | None
    detail: str | None
    digest: str | None


class JournalEntry(TypedDict):
    """An intent with its outcome, as it is read; the outcome's keys are None where there is none."""

    hypervisor: str
    run: str
    time: str
    policy: str | None
    rolls_back: str | None
    guest: str
    name: str
    node: str | None
    config: str
    digest: str
    changes: list[Change]
    written: bool | None
    status: ResultStatus | None
    reason: ResultReason | None
    detail: str | None
    digest_after: str | None


class JournalRun(TypedDict):
    """A run in a host's journal."""

    run: str
    file: str
    started: str
    ended: str
    policies: list[str]
    rolls_back: str | None
    guests: int
    unknown: list[str]
    stands: list[str]
    settings: list[str]


class LeftByRollback(TypedDict):
    """A guest that a rollback leaves as it is, or a part of it."""

    guest: str
    name: str
    node: str | None
    reason: RollbackReason
    detail: str


class RollbackPlan(TypedDict):
    """What of a run is to be put back on a host."""

    run: str
    policies: list[str]
    plan: list[PlanEntry]
    skipped: list[LeftByRollback]
    unchanged: list[str]
    not_in_run: list[str]
    named: dict[str, bool] | None
    settings: list[str]
    problems: list[Problem]
    not_whole: str | None


class RestartEntry(TypedDict):
    """A guest to restart."""

    guest: str
    name: str
    node: str | None
    waits: list[str]
    also: list[str]


class NotRestarted(TypedDict):
    """A guest that waits for a restart and gets none."""

    guest: str
    name: str
    node: str | None
    reason: RestartReason
    detail: str


class RestartOrder(TypedDict):
    """The guests to restart, in their order."""

    order: list[RestartEntry]
    skipped: list[NotRestarted]
    nothing_pending: list[str]
    names_nobody: str | None


class RestartResult(TypedDict):
    """What became of a restart."""

    guest: str
    name: str
    node: str | None
    status: RestartStatus
    reason: Reason | None
    detail: str | None
    in_force: list[str]
    seconds: float
