# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors
"""The waivers as the page shows them: whom each covers, and how long it still holds."""

from __future__ import annotations

import datetime
from typing import Any

from ...module_utils._text import plural, visible
from .._fleet.document import Document, Item, guest_key
from .._host_policy.waivers import object_of
from .text import short, who

# A waiver that ends within so many days is marked.
_SOON_DAYS = 30


def waivers(document: Document) -> list[dict[str, Any]]:
    """Each waiver as {id, until, reason, sign, left, rules, covers}, the first to end first.

    ``sign`` is the mark of a waiver that has ended (error) or ends soon (warning), else None; ``left`` says how long it
    holds; ``covers`` are the guests that it covers, and the hosts with what of them, in words.
    """
    covered: dict[str, dict[tuple[Any, ...], str]] = {}
    known = {visible(waiver.get("id")): waiver for waiver in document.get("waivers") or ()}
    for finding in document["findings"]:
        waived = finding.get("waived")
        if waived:
            known.setdefault(visible(waived.get("id")), waived)
            whom = _about(finding)
            covered.setdefault(visible(waived.get("id")), {})[(*guest_key(finding), whom)] = whom
    rows = []
    for name, waiver in sorted(known.items(), key=lambda item: (visible(item[1].get("until")), item[0])):
        sign, left = _left(waiver, document)
        about = {key: waiver.get(key) for key in ("until", "reason")}
        own = list(covered.get(name, {}).values())
        rows.append(
            {"id": name, **about, "sign": sign, "left": left, "rules": waiver.get("rules") or (), "covers": own}
        )
    return rows


def _about(finding: Item) -> str:
    """Whom a finding is about: a guest, or a host and what of it."""
    if finding.get("guest") is not None:
        return who(finding)
    return " ".join(filter(None, (short(finding.get("host")), short(object_of(finding) or ""))))


def _left(waiver: Item, document: Document) -> tuple[str | None, str]:
    """(mark, words): how long a waiver still holds."""
    try:
        days = (_day(waiver.get("until")) - _day(document.get("date"))).days
    except ValueError:
        return None, "no date"
    if days < 0:
        return "error", "ended"
    return "warning" if days <= _SOON_DAYS else None, f"{plural(days, 'day')} left" if days else "ends today"


def _day(value: Any) -> datetime.date:
    return datetime.date.fromisoformat(str(value)[:10])
