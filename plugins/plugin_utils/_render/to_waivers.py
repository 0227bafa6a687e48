# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""A file of waivers for all that fails the gate now: a baseline, whose author fills in why."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from typing import Any

import yaml

from .._fleet.document import Document, Item, guest_key
from .._policy.literal import literal

_DAYS = 90
_REASON = "fill in why this is accepted"

_HEAD = """\
# Waivers for what failed the gate on {date}, one for each guest or disk: only these findings, no new ones.
# Fill in the reasons, take out what should be mended now, and set the day until which each holds.
"""


def waivers_file(document: Document, findings: Iterable[Item], date: datetime.date) -> str:
    """The YAML of the waivers, as a file of waivers has it.

    findings: those of the document that fail the gate. What is not about a guest that was read cannot be waived; a
    comment names it.
    """
    guests = {guest_key(guest): guest for guest in document["guests"]}
    groups: dict[tuple[Any, ...], list[str]] = {}
    others = []
    for finding in findings:
        guest = guests.get(guest_key(finding))
        if guest is None:
            others.append(finding)
        else:
            rules = groups.setdefault((guest_key(guest), finding.get("disk")), [])
            rules += [] if finding["rule"] in rules else [finding["rule"]]
    entries = [
        {
            "id": f"B-{date:%Y%m%d}-{number:04}",
            "match": _match(guests[key], disk),
            **({"guest_only": True} if disk is None else {}),
            "rules": rules,
            # A date of its own each: YAML would write an alias for the same one, which a file of waivers may not have.
            "until": date + datetime.timedelta(days=_DAYS),
            "reason": _REASON,
        }
        for number, ((key, disk), rules) in enumerate(groups.items(), 1)
    ]
    listed = yaml.safe_dump(entries, sort_keys=False, width=1_000_000) if entries else "[]\n"
    return _HEAD.format(date=date) + "".join(map(_comment, others)) + listed


def _match(guest: Item, disk: Any) -> str:
    by, name = ("address", guest["address"]) if guest.get("address") else ("id", guest["guest"])
    terms = [f"guest.{by} == {literal(name)}"]
    # Several plans may have an address, as several clusters an id.
    terms += [f"guest.node == {literal(guest['node'])}"] if guest.get("node") is not None else []
    terms += [f"key == {literal(disk)}"] if disk is not None else []
    return " && ".join(terms)


def _comment(finding: Item) -> str:
    where = " ".join(str(finding[key]) for key in ("host", "guest", "file") if finding.get(key))
    return f"# Not waived, because no guest was read: {finding['rule']} {ascii(where)}\n"
