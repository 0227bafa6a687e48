# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""What the judges of this room return: remarks, which become findings once their guest and waiver are known."""

from __future__ import annotations

from typing import Any, NamedTuple

from ...module_utils._model.findings import Change, Severity, UnresolvedReason, Waived

#: Rules about what a cold start puts right. They ask for no change, so they are not against the policy.
RESTART_RULES = ("IO108", "IO109")


class Left(NamedTuple):
    """Why something stays unresolved: the reason is for programs, the detail is for people."""

    reason: UnresolvedReason
    detail: str


class Hold(NamedTuple):
    """Why disks of a bus must not get an iothread (a sentence without its full stop), and what to do about it."""

    reason: str
    hint: str

    @property
    def left(self) -> Left:
        """The same for what stays unresolved because of it."""
        return Left("known_defect", f"{self.reason}. {self.hint}")


class Remark(NamedTuple):
    """What is found about a disk or a guest.

    ``cure`` are the changes that cure it; it is empty where no change does, or none is allowed. ``left`` tells why a
    change that would cure it is not in ``cure``. ``restart``: a cold start cures it.
    """

    rule: str
    severity: Severity
    message: str
    hint: str
    actual: Any = None
    wanted: Any = None
    cure: tuple[Change, ...] = ()
    left: Left | None = None
    restart: bool = False


class Mark(NamedTuple):
    """A remark with the disk and line that it is about, None for a guest as a whole, and the waiver that covers it."""

    remark: Remark
    disk: str | None = None
    line: int | None = None
    waived: Waived | None = None

    @property
    def violates(self) -> bool:
        """Whether it is against the policy."""
        return self.waived is None and self.concerns_policy and self.remark.severity != "note"

    @property
    def concerns_policy(self) -> bool:
        """Whether it is about what the policy wants, and not about what waits for a cold start."""
        return self.remark.rule not in RESTART_RULES
