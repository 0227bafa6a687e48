# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Which runs of a journal have left something that the guests still have."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .. import _plan
from .._journal.rollback import rollback
from .._text import natural_key
from .backend import Backend, Refused

_NOT_KNOWN = "not known"


def standing(backends: Sequence[Backend[Any]], runs: dict[str, list[dict[str, Any]]]) -> dict[str, list[str]]:
    """Run id → the ids of the guests for which a rollback of that run would put something back now.

    What was rolled back already, or changed by somebody since, or never written, does not stand. A guest that cannot be
    looked at counts as standing; one that is gone does not.
    """
    by_hypervisor = {backend.hypervisor: backend for backend in backends}
    looked: dict[tuple[str, str], Any] = {}
    found = {}
    for run, entries in runs.items():
        here: list[dict[str, Any]] = []
        guests: dict[tuple[str, str], Any] = {}
        unknown: set[str] = set()
        for entry in entries:
            backend = by_hypervisor.get(entry["hypervisor"])
            if entry["written"] is False or (backend and not backend.covers(entry["node"])):
                continue
            here.append(entry)
            place = (entry["hypervisor"], entry["config"])
            if place not in looked:
                looked[place] = _look(backend, entry)
            if looked[place] is _NOT_KNOWN:
                unknown.add(entry["guest"])
            elif looked[place] is not None:
                guests[place] = looked[place]
        plan = rollback(here, list(guests.values()), [entry["node"] for entry in here])["plan"]
        found[run] = sorted(unknown | {planned["guest"] for planned in plan}, key=natural_key)
    return found


def _look(backend: Backend[Any] | None, entry: dict[str, Any]) -> Any:
    """The guest's record; None where it is gone, or where the entry's path is not that of the guest's config."""
    if backend is None:
        return _NOT_KNOWN
    try:
        _plan.place(entry["guest"], entry["node"], entry["config"], entry["hypervisor"])
        return backend.load(entry).guest
    except (Refused, _plan.PlanError):
        return None
    except OSError:
        return _NOT_KNOWN
