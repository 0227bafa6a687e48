# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Which runs of a journal have left something that the guests still have."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .. import _plan
from .._journal.rollback import rollback
from .._model.operations import JournalEntry
from .._model.records import Guest
from .._text import natural_key
from .backend import Backend, Refused


class _NotKnown(Exception):
    """Whether the guest still has what was written."""


def standing(backends: Sequence[Backend[Any]], runs: dict[str, list[JournalEntry]]) -> dict[str, list[str]]:
    """Run id → the ids of the guests for which a rollback of that run would put something back now.

    What was rolled back already, or changed by somebody since, or never written, does not stand. A guest that cannot be
    looked at counts as standing; one that is gone does not.
    """
    look = _Look(backends)
    found = {}
    for run, written in runs.items():
        guests: dict[str, Guest] = {}
        unknown: set[str] = set()
        entries = [entry for entry in written if entry["written"] is not False and look.covers(entry)]
        for entry in entries:
            try:
                guest = look.at(entry)
            except _NotKnown:
                unknown.add(entry["guest"])
            else:
                guests.update({entry["config"]: guest} if guest else {})
        plan = rollback(entries, guests.values(), [entry["node"] for entry in entries])["plan"]
        found[run] = sorted(unknown | {planned["guest"] for planned in plan}, key=natural_key)
    return found


class _Look:
    """The guests of journal entries as they are now, each looked at once."""

    def __init__(self, backends: Sequence[Backend[Any]]) -> None:
        self._backends = {backend.hypervisor: backend for backend in backends}
        self._seen: dict[tuple[str, str], Guest | _NotKnown | None] = {}

    def covers(self, entry: JournalEntry) -> bool:
        """Whether the entry is of a guest that would be looked at here."""
        backend = self._backends.get(entry["hypervisor"])
        return backend is None or backend.covers(entry["node"])

    def at(self, entry: JournalEntry) -> Guest | None:
        """The guest; None where it is gone, or the entry's path is not that of its config. Raises _NotKnown."""
        place = (entry["hypervisor"], entry["config"])
        if place not in self._seen:
            try:
                self._seen[place] = self._load(entry)
            except (_NotKnown, OSError):
                self._seen[place] = _NotKnown()
        seen = self._seen[place]
        if isinstance(seen, _NotKnown):
            raise seen
        return seen

    def _load(self, entry: JournalEntry) -> Guest | None:
        backend = self._backends.get(entry["hypervisor"])
        if backend is None:
            raise _NotKnown
        try:
            _plan.place(entry["guest"], entry["node"], entry["config"], entry["hypervisor"])
            guest: Guest = backend.load(entry["guest"], entry["node"], entry["config"]).guest
        except (Refused, _plan.PlanError):
            return None
        return guest
