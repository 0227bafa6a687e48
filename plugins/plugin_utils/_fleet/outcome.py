# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""What became of each guest: one word per guest, out of the document's verdict and the apply results.

Every guest is in exactly one state, so the states of a host add up to its guests.
"""

from __future__ import annotations

from collections.abc import Mapping

from .document import doubled, owner, place

# in the order a person needs them
STATES = ("failed", "unresolved", "restart_pending", "to_change", "changed", "waived", "compliant")

# the document's word for a guest -> the state when nothing was applied to it
_FROM_STATUS = {
    "compliant": "compliant",
    "to_change": "to_change",
    "restart_pending": "restart_pending",
    "unresolved": "unresolved",
    "waived": "waived",
}


def outcomes(document: Mapping, check: bool = False) -> list[dict]:
    """One entry per guest: {host, guest, name, node, on, state, changed, restart_pending, reason, detail}, by host and
    guest.

    document: a findings document; with `results` (see `join_documents`) what was applied counts.
    check: the results are those of a check run: what they call changed is still to be changed.
    `changed` tells whether this run wrote the guest, `restart_pending` whether it waits for a cold start. reason and
    detail say why a guest was left as it is, wholly or in part (a guest may be changed and still violate the policy);
    reason is null for every other guest.
    A result of a guest that the document does not list has its entry, too. `on` is the node where the host has a guest
    of the same number on another one, and else null.
    """
    results = {owner(result): result for result in document.get("results") or ()}
    left = {owner(item): item for item in document["unresolved"]}
    entries = []
    for guest in document["guests"]:
        key = owner(guest)
        said = left.get(key, {})
        entry = _entry(guest, _FROM_STATUS.get(guest.get("status"), "unresolved"), said)
        if key in results:
            _apply(entry, results.pop(key), check)
        entries.append(entry)
    for result in results.values():
        entry = _entry(result, "to_change", {})
        _apply(entry, result, check)
        entries.append(entry)
    several = doubled(entries)
    for entry in entries:
        entry["on"] = entry["node"] if (entry["host"], entry["guest"]) in several else None
    return sorted(entries, key=place)


def _entry(item: Mapping, state: str, said: Mapping) -> dict:
    entry = {key: item.get(key) for key in ("host", "guest", "name", "node")}
    entry.update(state=state, changed=False, restart_pending=state == "restart_pending", reason=None, detail=None)
    if said or state == "unresolved":
        entry.update(reason=said.get("reason") or "unknown", detail=said.get("detail"))
    return entry


def _apply(entry: dict, result: Mapping, check: bool) -> None:
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
