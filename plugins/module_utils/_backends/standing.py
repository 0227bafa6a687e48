# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Which runs of a journal have left something that is still in the guests' configs."""

from __future__ import annotations

from typing import Any

from .. import _plan
from .._journal.rollback import rollback
from .._pve.record import record
from .._text import natural_key
from . import layout


def standing(root: str, runs: dict[str, list[dict[str, Any]]], node: str | None = None) -> dict[str, list[str]]:
    """Run id → the ids of the guests for which a roll back of it would put something back, by their configs as they are
    now.

    What was rolled back already, or changed by somebody since, or never written, does not stand. Of a config that
    cannot be read it is not known, and counts as standing; one that is gone does not. ``node`` is that of the guests,
    as of ``reader.read``.
    """
    if node is None and layout.is_live(root):
        node = layout.own_node(root)
    looked: dict[str, dict[str, Any] | OSError | None] = {}
    found = {}
    for run, written in runs.items():
        entries = [
            entry
            for entry in written
            if entry["written"] is not False and (node in (None, "all") or entry["node"] in (None, node))
        ]
        for entry in entries:
            if entry["config"] not in looked:
                looked[entry["config"]] = _look(root, entry)
        seen = {entry["config"]: looked[entry["config"]] for entry in entries}
        guests = [guest for guest in seen.values() if isinstance(guest, dict)]
        plan = rollback(entries, guests, [entry["node"] for entry in entries])["plan"]
        unknown = {entry["guest"] for entry in entries if isinstance(seen[entry["config"]], OSError)}
        found[run] = sorted(unknown | {planned["guest"] for planned in plan}, key=natural_key)
    return found


def _look(root: str, entry: dict[str, Any]) -> dict[str, Any] | OSError | None:
    """The guest's record; the error where it cannot be read, None where it is gone or the path is not that of the
    guest's config.
    """
    try:
        _plan.place(entry["guest"], entry["node"], entry["config"])
        return record(entry["guest"], layout.read_config(root, entry["config"]), {}, entry["node"], entry["config"])
    except (FileNotFoundError, _plan.PlanError):
        return None
    except OSError as exc:
        return exc
