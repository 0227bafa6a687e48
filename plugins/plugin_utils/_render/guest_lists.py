# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors
"""Lists of guests on the terminal, those with the same reason and the same detail together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ...module_utils._text import visible
from .._fleet.document import Item
from .text import ARROW, NO_BREAK, brief, called, short
from .words import reason_words


def reason_lines(
    entries: Sequence[Item], several: bool, limit: int, advice: Callable[[Any, Sequence[Item]], str] = lambda *_: ""
) -> list[str]:
    """The guests by ``reason``, the most frequent first, each with what to do about it."""
    lines: list[str] = []
    groups: dict[Any, list[Item]] = {}
    for entry in entries:
        groups.setdefault(entry["reason"], []).append(entry)
    for reason, members in sorted(groups.items(), key=lambda item: (-len(item[1]), str(item[0]))):
        lines.append(f"  {visible(reason_words(reason))} ({len(members)})")
        lines += guest_lines(members, several, limit, "    ")
        what_to_do = advice(reason, members)
        lines += [f"    {ARROW}{what_to_do}"] if what_to_do else []
    return lines


def guest_lines(members: Sequence[Item], several: bool, limit: int, indent: str) -> list[str]:
    """Guests with their details: those with the same detail together under it, each of the others with its own.

    ``members`` are {host, guest, name, detail} and, where the host has the id on more than one node, ``on``. At most
    ``limit`` are named, with their host where there are ``several``.
    """
    lines: list[str] = []
    by_detail: dict[str, list[Item]] = {}
    for entry in members:
        by_detail.setdefault(_detail(entry), []).append(entry)
    left = limit
    for detail, same in by_detail.items():
        named = same[: max(left, 0)]
        left -= len(named)
        if not named:
            continue
        if detail and len(same) == 1:
            lines.append(f"{indent}{guest_place(same[0], several)}: {brief(same[0]['detail'])}")
            continue
        if detail:
            lines.append(f"{indent}{detail.rstrip('.')}:")
        lines += _names(named, several, indent + ("  " if detail else ""))
    more = len(members) - limit
    return lines + ([f"{indent}... and {more} more; the reports name them all"] if more > 0 else [])


def _detail(entry: Item) -> str:
    """A guest's detail without its own id, so that guests with the same problem are together."""
    return brief(entry["detail"]).replace(f"'{visible(entry['guest'])}'", "'ID'")


def _names(entries: Sequence[Item], several: bool, indent: str) -> list[str]:
    per_host: dict[Any, list[str]] = {}
    for entry in entries:
        per_host.setdefault(entry["host"], []).append(guest_place(entry, False))
    return [f"{indent}{f'{short(host)}: ' if several else ''}{', '.join(names)}" for host, names in per_host.items()]


def guest_place(entry: Item, several: bool) -> str:
    """A guest's id and name, and its host where there are ``several``."""
    words = [*map(short, called(entry))]
    words += ["on", short(entry["on"])] if entry.get("on") else []
    return NO_BREAK.join(filter(None, [short(entry["host"]) if several else "", *words]))
