# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Which runs of a journal have left something that is still in the guests' configs."""

from __future__ import annotations

from typing import Any

from .. import _plan
from .._journal.rollback import rollback
from .._model import natural_key
from .._qemu_server.record import record
from . import layout


def standing(root: str, runs: dict[str, list[dict[str, Any]]], node: str | None = None) -> dict[str, list[str]]:
    """Run id → the ids of the guests for which a roll back of it would put something back, by their configs as they are now.

    What was rolled back already, or changed by somebody since, or never written, does not stand. Of a config that cannot be
    read it is not known, and counts as standing; one that is gone does not. ``node`` is that of the guests, as of ``reader.read``.
    """
    if node is None and layout.is_live(root):
        node = layout.own_node(root)
    read: dict[str, dict[str, Any] | None] = {}
    found = {}
    for run, written in runs.items():
        entries = [entry for entry in written if node in (None, "all") or entry["node"] in (None, node)]
        stands = set()
        for entry in entries:
            try:
                _plan.place(entry["guest"], entry["node"], entry["config"])
            except _plan.PlanError:
                continue
            if entry["config"] not in read:
                try:
                    raw = layout.read_config(root, entry["config"])
                    read[entry["config"]] = record(entry["guest"], raw, {}, entry["node"], entry["config"])
                except FileNotFoundError:
                    read[entry["config"]] = None
                except OSError:
                    stands |= {entry["guest"]} if entry["written"] is not False else set()
        guests = [read[path] for path in dict.fromkeys(entry["config"] for entry in entries) if read.get(path)]
        nodes = sorted({entry["node"] for entry in entries if entry["node"]})
        stands |= {planned["guest"] for planned in rollback(entries, guests, nodes)["plan"]}
        found[run] = sorted(stands, key=natural_key)
    return found
