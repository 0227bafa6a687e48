# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""What restarts or rollbacks did on all hosts, guest by guest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .document import Item

#: A host's name to what its restarts or its rollback returned; None where nothing did.
Done = Mapping[str, Mapping[str, Any] | None]

#: Of a guest that the run did not come to.
NOT_REACHED = "not_reached"

_NO_RESULT = {"status": NOT_REACHED, "reason": NOT_REACHED, "detail": None}


def answered(done: Done, key: str) -> dict[str, Mapping[str, Any]]:
    """The hosts that returned something; ``key`` is what an answer has: ``order`` or ``rollback``."""
    return {host: found for host, found in done.items() if found and found.get(key)}


def stopped(done: Done) -> list[str]:
    """The hosts that the run did not come to, because it stopped before."""
    return [host for host, found in done.items() if found and found.get("stopped")]


def restarted(done: Done) -> list[Item]:
    """Each guest that waits: {host, guest, name, node, status, reason, detail, ...}.

    ``status`` is restarted, unchanged, skipped, failed or not_reached.
    """
    guests: list[Item] = []
    for host, found in answered(done, "order").items():
        results = {_key(result): result for result in found["results"]}
        for entry in found["order"]["order"]:
            guests.append({**entry, **results.get(_key(entry), _NO_RESULT), "host": host})
        guests += [{**entry, "status": "skipped", "host": host} for entry in found["order"]["skipped"]]
    return guests


def rolled_back(done: Done) -> list[Item]:
    """Each guest of the run that differs from before it, with the same keys; ``changes`` are the plan's.

    ``status`` is changed, unchanged, skipped, failed or not_reached. A guest of which only a part is put back is there
    twice, skipped for the rest, with ``partly``.
    """
    guests: list[Item] = []
    for host, found in answered(done, "rollback").items():
        plan, results = found["rollback"], {_key(result): result for result in found["results"]}
        for entry in plan["plan"]:
            done_here = {**results.get(_key(entry), _NO_RESULT), "changes": entry["changes"]}
            guests.append({**entry, **done_here, "host": host})
        planned = {_key(entry) for entry in plan["plan"]}
        guests += [
            {**entry, "status": "skipped", "host": host, "partly": _key(entry) in planned} for entry in plan["skipped"]
        ]
    return guests


def _key(item: Item) -> tuple[Any, Any]:
    return item["guest"], item["node"]
