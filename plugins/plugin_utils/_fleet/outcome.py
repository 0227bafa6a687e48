# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""What became of each guest: one state per guest, from the document's status and the results of guest_io.

Every guest is in exactly one state, so the states of a host add up to its guests.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ...module_utils._model.findings import GUEST_STATUSES
from .document import Document, Item, guest_key, on_several_nodes, sort_key

#: In the order in which a person needs them.
STATES = ("failed", "unresolved", "restart_pending", "to_change", "changed", "waived", "compliant")


def outcomes(document: Document, check: bool = False) -> list[dict[str, Any]]:
    """One entry per guest, sorted by host and guest.

    An entry is {host, guest, address, name, node, hypervisor, on, state, changed, restart_pending, reason, detail}:
    ``changed`` tells whether this run wrote the guest, ``restart_pending`` whether it waits for a cold start.
    ``reason`` and ``detail`` say why a guest still violates the policy, wholly or in part (one that was changed may,
    too); they are null for every other guest. ``on`` is the node where the host has a guest of the same id on another
    node, else null. A result for a guest that the document does not list has an entry, too.

    document: a findings document; its ``results``, where it has them (see ``join_documents``), decide the state.
    check: the results are those of a check run: what they call changed is still to be changed.
    """
    results = {guest_key(result): result for result in document.get("results") or ()}
    unresolved = {guest_key(item): item for item in document["unresolved"]}
    entries = []
    for guest in document["guests"]:
        key = guest_key(guest)
        status = guest.get("status")
        entry = _entry(guest, status if status in GUEST_STATUSES else "unresolved", unresolved.get(key))
        if key in results:
            _apply(entry, results.pop(key), check)
        entries.append(entry)
    for result in results.values():
        entry = _entry(result, "to_change", None)
        _apply(entry, result, check)
        entries.append(entry)
    several = on_several_nodes(entries)
    for entry in entries:
        entry["on"] = entry["node"] if (entry["host"], entry["guest"]) in several else None
    return sorted(entries, key=sort_key)


def count_states(entries: Iterable[Item]) -> dict[str, int]:
    """State to the number of guests in it."""
    counts = dict.fromkeys(STATES, 0)
    for entry in entries:
        counts[entry["state"]] += 1
    return counts


def _entry(item: Item, state: str, why: Item | None) -> dict[str, Any]:
    entry = {key: item.get(key) for key in ("host", "guest", "address", "name", "node", "hypervisor")}
    entry.update(state=state, changed=False, restart_pending=state == "restart_pending", reason=None, detail=None)
    if why or state == "unresolved":
        why = why or {}
        entry.update(reason=why.get("reason") or "unknown", detail=why.get("detail"))
    return entry


def _apply(entry: dict[str, Any], result: Item, check: bool) -> None:
    status = result.get("status")
    if status == "unchanged" or (status == "changed" and not check):
        entry["changed"] = status == "changed"
        entry["restart_pending"] = entry["restart_pending"] or bool(result.get("restart_pending"))
        if entry["reason"] is not None:
            entry["state"] = "unresolved"
        elif entry["restart_pending"]:
            entry["state"] = "restart_pending"
        elif entry["changed"]:
            entry["state"] = "changed"
        elif entry["state"] == "to_change":
            entry["state"] = "compliant"
    elif status != "changed":
        state = "unresolved" if status == "skipped" else "failed"
        entry.update(state=state, reason=result.get("reason") or "unknown", detail=result.get("detail"))
