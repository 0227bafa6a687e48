# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Guests that two hosts of a run have: a node that is reached itself, and its cluster, behind an API. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any


def judged_twice(guests: Iterable[Mapping[str, Any]], others: Mapping[str, Iterable[Mapping[str, Any]]]) -> str | None:
    """The sentence for guests of a cluster behind an API that another host of the run has as well; None for none.

    ``guests`` are those of its findings document, ``others`` those of each other host. The same guest has its config at
    the same path, and the same name.
    """
    known = {_identity(guest): host for host, theirs in others.items() for guest in theirs}
    twice = [(guest, known[_identity(guest)]) for guest in guests if _identity(guest) in known]
    if not twice:
        return None
    guest, host = twice[0]
    more = f" and {len(twice) - 1} more" if len(twice) > 1 else ""
    return (
        f"guest {guest['guest']} of node {guest['node']}{more} is a guest of host {host} too: each guest is judged and"
        " changed once. Leave one of the hosts out of the run, or have this one read only the nodes that no other does"
    )


def _identity(guest: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(guest.get(key) for key in ("hypervisor", "config", "guest", "name", "node"))
