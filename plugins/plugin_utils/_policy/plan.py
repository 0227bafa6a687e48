# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The plan: the cures of a guest's findings, and the reason why a guest is held back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from ...module_utils._model import findings
from ...module_utils._model.findings import SEVERITIES, Change, GuestStatus
from ...module_utils._model.records import Disk, Guest, foreign_pending_detail
from ...module_utils._shown import piece, some
from ...module_utils._text import plural
from .disks import has_iothread, shares_controller
from .hypervisors import process_only, sets_iothreads
from .policy import Policy
from .remark import Left, Mark


class Planned(NamedTuple):
    """What a run changes in one guest, and why something stays unresolved, None where nothing does."""

    changes: list[Change]
    left: Left | None

    def carries_out(self, mark: Mark) -> bool:
        """Whether the finding is cured."""
        return bool(self.changes and mark.remark.cure and mark.waived is None)


def plan(guest: Guest, marks: Sequence[Mark], policy: Policy) -> Planned:
    """Collect the cures of what is not waived; a guest that must not be written gets none of them."""
    changes = _with_iothreads(guest, _cures(marks), policy)
    held = _held(guest, changes, policy) if changes else None
    if held is not None:
        return Planned([], held)
    return Planned(changes, _left([mark for mark in marks if not mark.remark.cure and mark.violates]))


def status(planned: Planned, marks: Sequence[Mark]) -> GuestStatus:
    """A guest's status in the findings document (``GUEST_STATUSES``)."""
    if planned.changes:
        return "to_change"
    if any(mark.violates for mark in marks):
        return "unresolved"
    if any(mark.remark.restart for mark in marks):
        return "restart_pending"
    return "waived" if any(mark.waived and mark.concerns_policy for mark in marks) else "compliant"


def _cures(marks: Iterable[Mark]) -> list[Change]:
    """Each option is set once: several findings may need the same change."""
    changes: dict[tuple[str, str], Change] = {}
    for mark in marks:
        for change in mark.remark.cure if mark.waived is None else ():
            changes.setdefault((change["key"], change["option"]), change)
    return list(changes.values())


def _with_iothreads(guest: Guest, changes: list[Change], policy: Policy) -> list[Change]:
    """The changes with how many iothreads the guest's disks share, where the policy says so and disks get one."""
    most = policy.iothreads_per_guest
    gets = {change["key"] for change in changes if change["option"] == "iothread" and change["after"]}
    if most is None or not gets or not sets_iothreads(guest):
        return changes
    now = guest["iothreads"]
    having = [disk for disk in guest["disks"] if disk["key"] in gets or has_iothread(disk)]
    # Disks that share a controller share its iothread.
    needed = sum(not shares_controller(disk) for disk in having) + any(map(shares_controller, having))
    return [findings.change("guest", "iothreads", now, max(now or 0, min(most, needed))), *changes]


def _held(guest: Guest, changes: list[Change], policy: Policy) -> Left | None:
    """Why the guest must not be written, None where it may be."""
    if guest["lock"]:
        return Left("locked", f"locked ({piece(guest['lock'])}); run again when the lock is gone")
    if process_only(guest):
        # Of a process alone there is nothing that has a digest.
        known = "transient" if guest["digest"] else "known from its process alone"
        detail = f"{known} ({guest['hypervisor']}); change it where it is defined"
        return Left("no_config", detail)
    if guest["unsafe_lines"]:
        count, first = plural(len(guest["unsafe_lines"]), "line"), guest["unsafe_lines"][0]
        return Left("unsafe_lines", f"a write would drop {count}, the first is line {first['line']}: {first['reason']}")
    if guest["held"]:
        return Left(guest["held"]["reason"], guest["held"]["detail"])
    if rooted := _needing_root(guest, changes):
        return Left("needs_root", f"{rooted[0]['key']}: {rooted[0]['needs_root']}")
    if guest["running"] is False and guest["foreign_pending"] and not policy.apply_foreign_pending:
        return Left("foreign_pending", foreign_pending_detail(some(guest["foreign_pending"])))
    if offline := _offline(guest, changes):
        names = ", ".join(some(offline))
        return Left("storage_offline", f"storage {names} is offline; run again when it is available")
    return None


def _needing_root(guest: Guest, changes: list[Change]) -> list[Disk]:
    """The disks to be written that this way to the guest cannot write; without them the rest is half a cure."""
    keys = {change["key"] for change in changes}
    return [disk for disk in guest["disks"] if disk["key"] in keys and disk["needs_root"]]


def _offline(guest: Guest, changes: list[Change]) -> list[str]:
    """The storages of the disks to be written that their node is known not to reach."""
    keys = {change["key"] for change in changes}
    storages = [disk["storage"] for disk in guest["disks"] if disk["key"] in keys and disk["storage"]]
    return sorted({storage["id"] for storage in storages if storage["active"] is False})


def _left(unfixed: list[Mark]) -> Left | None:
    """Why findings stay: the reason that a judge gives, and else the worst of them speaks for all."""
    if not unfixed:
        return None
    worst = min(unfixed, key=lambda mark: SEVERITIES.index(mark.remark.severity))
    given = next((mark.remark.left for mark in unfixed if mark.remark.left), None)
    return given or Left("not_fixable", _sentence(worst))


def _sentence(mark: Mark) -> str:
    where = f"{mark.disk}: " if mark.disk else ""
    return f"{mark.remark.rule} {where}{mark.remark.message}. {mark.remark.hint}"
