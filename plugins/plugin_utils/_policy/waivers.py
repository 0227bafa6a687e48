# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Waivers in force: which waiver covers which finding, of a guest, a disk or a host."""

from __future__ import annotations

import datetime

from ...module_utils._model.findings import Waived, waiver
from ...module_utils._model.findings import Waiver as Entry
from .selector import Selector, Subject
from .waiver import Waiver


class Waivers:
    """The policy's waivers on one day; counts the findings that each one matches."""

    def __init__(self, waivers: tuple[Waiver, ...], date: datetime.date) -> None:
        self._waivers = waivers
        self._date = date
        self._matched = {waiver.id: 0 for waiver in waivers}
        # Most waivers name their guest: out of thousands only that guest's own are evaluated.
        self._numbered: dict[tuple[str, tuple[str, str] | None], list[tuple[int, Waiver]]] = {}
        for numbered in enumerate(waivers):
            named = numbered[1].match.named
            for rule in dict.fromkeys(numbered[1].rules):
                for guest in (None,) if named is None else named:
                    self._numbered.setdefault((rule, guest), []).append(numbered)
        # The others are evaluated once for each guest or disk: its findings come one after another.
        self._guest: Subject | None = None
        self._disk: Subject | None = None
        self._of_guest: dict[str, bool] = {}
        self._of_disk: dict[str, bool] = {}

    def find(self, rule: str, subject: Subject) -> Waived | None:
        """The first waiver in force that covers the rule for this subject; each that matches is counted."""
        matching = self._matching(rule, subject)
        for one in matching:
            self._matched[one.id] += 1
        in_force = next(filter(self._in_force, matching), None)
        return in_force and {"id": in_force.id, "until": in_force.until.isoformat(), "reason": in_force.reason}

    def cover(self, rule: str, subject: Subject) -> bool:
        """Whether a waiver in force covers the rule for this subject."""
        return any(map(self._in_force, self._matching(rule, subject)))

    def _in_force(self, one: Waiver) -> bool:
        return one.until >= self._date

    def _matching(self, rule: str, subject: Subject) -> list[Waiver]:
        self._turn_to(subject)
        of_guest = "key" not in subject
        found = (one for one in self._candidates(rule, subject.get("guest")) if of_guest or not one.guest_only)
        return [one for one in found if self._matches(one.match, subject)]

    def _turn_to(self, subject: Subject) -> None:
        """Forget the results for another guest or disk."""
        whole = subject.get("guest", subject)
        if whole is not self._guest:
            self._guest, self._of_guest = whole, {}
        if subject is not self._disk:
            self._disk, self._of_disk = subject, {}

    def _matches(self, selector: Selector, subject: Subject) -> bool:
        known = self._of_disk if selector.of_disk else self._of_guest
        found = known.get(selector.expression)
        if found is None:
            found = known[selector.expression] = selector.matches(subject)
        return found

    def _candidates(self, rule: str, guest: Subject | None) -> list[Waiver]:
        """The waivers of a rule, in their order, without those that name other guests."""
        if not self._numbered:
            return []
        keys = (None, ("id", guest["id"]), ("name", guest["name"])) if guest else (None,)
        found = {number: waiver for key in keys for number, waiver in self._numbered.get((rule, key), ())}
        return [found[number] for number in sorted(found)]

    def used(self) -> list[Entry]:
        """Every waiver, with the number of findings that it matches."""
        return [
            waiver(
                id=one.id,
                rules=list(one.rules),
                until=one.until.isoformat(),
                reason=one.reason,
                expired=not self._in_force(one),
                matched=self._matched[one.id],
            )
            for one in self._waivers
        ]
