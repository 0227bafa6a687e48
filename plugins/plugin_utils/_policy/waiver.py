# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Waivers as policy documents have them, checked."""

from __future__ import annotations

import datetime
from collections.abc import Collection
from typing import Any, NamedTuple

from ...module_utils._shown import shown
from . import shapes
from .errors import PolicyError
from .rules import RULES
from .selector import GUESTS, Fields, Selector

WAIVER_KEYS = ("id", "match", "rules", "until", "reason")


class Waiver(NamedTuple):
    """An entry of ``waivers``; it is in force up to and including the day ``until``.

    ``guest_only``: it covers what is about the guest as a whole, and nothing about one of its disks.
    """

    id: str
    match: Selector
    rules: tuple[str, ...]
    until: datetime.date
    reason: str
    guest_only: bool = False


def parse_waivers(
    lists: list[tuple[str, Any]], fields: Fields = GUESTS, rules: Collection[str] = RULES, example: str = "IO101"
) -> tuple[Waiver, ...]:
    """The waivers of several lists, each with the name that errors give to it; an id is used once in all of them.

    ``fields`` are what their conditions may use, ``rules`` the ids that they may name, and ``example`` one of them.
    Raises PolicyError.
    """
    found: dict[str, Waiver] = {}
    places: dict[str, str] = {}
    for name, values in lists:
        for number, raw in enumerate(shapes.items(name, values)):
            place = f"{name}[{number}]"
            waiver = _waiver(place, raw, fields, rules, example)
            if waiver.id in found:
                raise PolicyError(f"{place}.id", f"duplicate id {shown(waiver.id)}; {places[waiver.id]} has it too")
            found[waiver.id], places[waiver.id] = waiver, place
    return tuple(found.values())


def _waiver(place: str, raw: Any, fields: Fields, known: Collection[str], example: str) -> Waiver:
    allowed = (*WAIVER_KEYS, "guest_only") if fields is GUESTS else WAIVER_KEYS
    shapes.mapping(place, raw, allowed, required=WAIVER_KEYS)
    guest_only = raw.get("guest_only", False)
    # A file of waivers is read with every value as text.
    if not isinstance(guest_only, (bool, str)) or str(guest_only).lower() not in ("true", "false"):
        raise PolicyError(f"{place}.guest_only", f"is {shown(guest_only)}, it takes true or false")
    rules = shapes.items(f"{place}.rules", raw["rules"])
    for number, rule in enumerate(rules):
        if not isinstance(rule, str) or rule not in known:
            raise PolicyError(f"{place}.rules[{number}]", f"is {shown(rule)}, it takes a rule id such as {example}")
    if not rules:
        raise PolicyError(f"{place}.rules", "is empty, it takes a list of rule ids")
    return Waiver(
        shapes.text(f"{place}.id", raw["id"]),
        Selector(f"{place}.match", raw["match"], fields=fields),
        tuple(str(rule) for rule in rules),
        shapes.date(f"{place}.until", raw["until"]),
        shapes.text(f"{place}.reason", raw["reason"]),
        str(guest_only).lower() == "true",
    )
