# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Waivers at work: which finding is waived by which, which have expired, which match nothing."""

from __future__ import annotations

import datetime
from typing import Any

from .document import Waiver
from .selector import Selector


class Waivers:
    """The policy's waivers on one day; counts what each one waives."""

    def __init__(self, waivers: tuple[Waiver, ...], date: datetime.date) -> None:
        self._waivers = waivers
        self._date = date
        self._matched = {waiver.id: 0 for waiver in waivers}
        # Most waivers name their guest: of thousands only the guest's own are evaluated.
        self._numbered: dict[tuple[str, tuple[str, str] | None], list[tuple[int, Waiver]]] = {}
        for numbered in enumerate(waivers):
            named = numbered[1].match.named
            for rule in dict.fromkeys(numbered[1].rules):
                for guest in (None,) if named is None else named:
                    self._numbered.setdefault((rule, guest), []).append(numbered)
        # Those that name none are evaluated once for a guest, or once for a disk: its findings come one after the
        # other.
        self._guest: Any = None
        self._disk: Any = None
        self._of_guest: dict[str, bool] = {}
        self._of_disk: dict[str, bool] = {}

    def find(self, rule: str, subject: dict[str, Any]) -> dict[str, Any] | None:
        """The first waiver in force that covers the rule on this subject, as a finding's ``waived``.

        A subject is what selectors see: a disk with its guest and controller, or those two alone.
        """
        found = None
        self._turn_to(subject)
        for waiver in self._candidates(rule, subject["guest"]):
            if self._matches(waiver.match, subject):
                self._matched[waiver.id] += 1
                if found is None and waiver.until >= self._date:
                    found = {"id": waiver.id, "until": waiver.until.isoformat(), "reason": waiver.reason}
        return found

    def _turn_to(self, subject: dict[str, Any]) -> None:
        """Forget what was found of another guest or disk."""
        if subject["guest"] is not self._guest:
            self._guest, self._of_guest = subject["guest"], {}
        if subject is not self._disk:
            self._disk, self._of_disk = subject, {}

    def _matches(self, selector: Selector, subject: dict[str, Any]) -> bool:
        known = self._of_disk if selector.of_disk else self._of_guest
        found = known.get(selector.expression)
        if found is None:
            found = known[selector.expression] = selector.matches(subject)
        return found

    def _candidates(self, rule: str, guest: dict[str, Any]) -> list[Waiver]:
        """The waivers of a rule, in their order, without those that name other guests."""
        keys = (None, ("id", guest["id"]), ("name", guest["name"]))
        found = {number: waiver for key in keys for number, waiver in self._numbered.get((rule, key), ())}
        return [found[number] for number in sorted(found)]

    def used(self) -> list[dict[str, Any]]:
        """Every waiver with ``matched``, how many findings it covers, and ``expired``."""
        return [
            {
                "id": waiver.id,
                "rules": list(waiver.rules),
                "until": waiver.until.isoformat(),
                "reason": waiver.reason,
                "expired": waiver.until < self._date,
                "matched": self._matched[waiver.id],
            }
            for waiver in self._waivers
        ]


def findings(used: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """IO121 for the expired waivers and IO122 for those that match nothing, from ``Waivers.used``.

    Of several hosts' documents, add the ``matched`` first: a waiver for one host's guest matches nothing on the others.
    """
    found = []
    for waiver in used:
        if waiver["expired"]:
            message = (
                f"waiver {waiver['id']} ended on {waiver['until']}, it waived {', '.join(waiver['rules'])}:"
                f" {waiver['reason']}"
            )
            found.append(_finding("IO121", message, "Renew it with a new date and reason, or remove it.", waiver))
        elif not waiver["matched"]:
            message = f"waiver {waiver['id']} matches nothing"
            found.append(_finding("IO122", message, "Mend its selector or rules, or remove it.", waiver))
    return found


def _finding(rule: str, message: str, hint: str, waiver: dict[str, Any]) -> dict[str, Any]:
    return {
        "rule": rule,
        "severity": "warning",
        "host": None,
        "guest": None,
        "name": None,
        "node": None,
        "disk": None,
        "file": None,
        "line": None,
        "message": message,
        "hint": hint,
        "actual": waiver["until"],
        "wanted": None,
        "fixable": False,
        "waived": None,
    }
