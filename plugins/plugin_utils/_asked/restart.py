# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Which guests to restart, and in which order. Pure; errors are ValueErrors."""

from __future__ import annotations

from typing import Any

from ...module_utils._model.operations import RestartOrder
from ...module_utils._model.records import Guest
from ...module_utils._restart import blocker, other_pending, waiting
from ...module_utils._text import natural_key, plural
from .._policy.selector import Selector, guest_subject
from .values import value_refusal


def restart_order(guests: list[Guest], match: Any) -> RestartOrder:
    """The guests that ``match`` matches and that have a restart pending, by their ids.

    ``order`` has {guest, name, node, waits, also}, ``skipped`` the guests that must not be restarted, with reason and
    detail, ``nothing_pending`` the ids of the rest; ``names_nobody`` is a sentence when ``match`` matches none.
    """
    selector = _selector(match)
    order: RestartOrder = {"order": [], "skipped": [], "nothing_pending": [], "names_nobody": None}
    matched = [guest for guest in guests if selector.matches(guest_subject(guest))]
    if not matched:
        order["names_nobody"] = f"restart_match matches none of the {plural(len(guests), 'guest')} here: {match}"
    for guest in sorted(matched, key=lambda guest: natural_key(guest["id"])):
        waits, reason = waiting(guest), blocker(guest)
        name, node = guest["name"], guest["node"]
        if not waits:
            order["nothing_pending"].append(guest["id"])
        elif reason:
            order["skipped"].append(
                {"guest": guest["id"], "name": name, "node": node, "reason": reason[0], "detail": reason[1]}
            )
        else:
            order["order"].append(
                {"guest": guest["id"], "name": name, "node": node, "waits": waits, "also": other_pending(guest)}
            )
    return order


def _selector(match: Any) -> Selector:
    if refusal := value_refusal("restart_match", match):
        raise ValueError(refusal)
    if match is None or not match.strip():
        raise ValueError(
            "restart_match is not set, and only guests that it matches are restarted; it takes a JMESPath expression"
            " over the guest, such as: guest.id == '105', or contains(guest.tags, 'restart-ok')"
        )
    return Selector("restart_match", match, guests=True)
