# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors
"""What needs a person, by reason: who it is about, what to do, and what to paste. Pure; the page's first section."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from ...module_utils._text import one_line, visible
from .._asked.commands import guest_list
from .._fleet.document import Document, Item, guest_key, of_directory
from .next_steps import Step, selector
from .page_need import MOST_NAMED, Paste, first, need, of_kind, pastes, said_pastes
from .page_needs_elsewhere import of_hosts, of_waivers, unreported, unseen
from .text import brief, count, location, short, who
from .words import (
    CHANGE_AT_SOURCE,
    DRIVER_ADVICE,
    NO_HOST,
    STATE_WORDS,
    driver_guests,
    driver_setting,
    reason_words,
    restart_advice,
)

# A longer detail is cut; the table of guests has all of it.
_LONGEST = 500
# More blocks to paste than a person reads; the JSON report has all.
_MOST_PASTES = 50
# The reasons about which a person writes an override or a waiver: both take a selector.
_BY_SELECTOR = ("known_defect", "not_fixable")
# Reason to what to do about all its guests; what differs from guest to guest is in its detail.
_ADVICE = {
    "busy": "Run again when the other process is done.",
    "by_hand": "Change what these set by hand in their definitions, then run again.",
    "digest_moved": "Run again: it reads the new config first.",
    "driver_change": f"{DRIVER_ADVICE.rstrip(': ')}. Leave out the guests that do not have it.",
    "error": "Fix what is named below, then run again.",
    "foreign_pending": "Apply these changes or take them back, then run again.",
    "journal": "Nothing is written without it: make its folder writable, then run again.",
    "known_defect": "Update QEMU on the host, then restart these guests.",
    "locked": "Run again when the lock is gone.",
    "moved": "Run again: it finds them on their new node.",
    "needs_root": "Harden these on their node: the API does not take it from a token.",
    "no_config": "Change these where they are defined, or by hand.",
    "not_asked": "Do what is named below. Where the hypervisor did not answer, run again, or look at its own log.",
    "not_fixable": "No run changes these. Change them by hand, adjust the policy, or waive them.",
    "not_proven": "Look at these configs before anything else, then roll back or run again.",
    "read_only": "Read and write these over a connection that may write.",
    "refused": "Fix what the hypervisor objects to, then run again.",
    "storage_offline": "Bring the storage back, then run again.",
    "unknown": "Run again.",
    "unsafe_lines": "Correct these lines by hand, then run again.",
    "would_not_start": "Fix what keeps them from starting, then run again.",
}


def needs(
    document: Document, entries: Sequence[Item], variable: str, steps: Sequence[Step] = ()
) -> list[dict[str, Any]]:
    """What needs a person, the most urgent first; empty where nothing does; need() has the shape of one.

    entries: the outcomes of the guests.
    variable: what is set to allow another driver.
    steps: what to do next; those that take the run back are not among the needs.
    """
    return [
        *unreported(document),
        *_reasons("failed", entries, lambda entry: entry["state"] == "failed", variable),
        *_unread(document, entries),
        *_reasons("unresolved", entries, lambda entry: entry["reason"] and entry["state"] != "failed", variable),
        *_again(steps),
        *_restarts(entries, steps),
        *_to_change(document, entries, steps),
        *of_hosts(document),
        *of_waivers(document),
        *unseen(document),
    ]


def guests_in_need(entries: Iterable[Item]) -> int:
    """How many guests need a person."""
    return sum(entry["restart_pending"] or entry["state"] in ("failed", "unresolved", "to_change") for entry in entries)


def _of_guests(
    mark: str, title: str, guests: Sequence[Item], advice: str, more: Iterable[Paste] = (), **about: Any
) -> dict[str, Any]:
    people: dict[str, list[tuple[str, str]]] = {}
    for entry in guests[:MOST_NAMED]:
        people.setdefault(short(entry.get("host")) or NO_HOST, []).append(
            (who(entry), brief(entry.get("detail"), _LONGEST))
        )
    ids = visible(guest_list(list(dict.fromkeys(str(entry["guest"]) for entry in guests))))
    return need(
        mark,
        title,
        count(len(guests), "guest"),
        advice,
        names=first([who(entry) for entry in guests[:MOST_NAMED]], len(guests)),
        people=list(people.items()),
        more=max(len(guests) - MOST_NAMED, 0),
        pastes=[("Ids", ids, ""), *more],
        **about,
    )


def _selector(guests: Iterable[Item]) -> Paste:
    return "Selector", visible(selector(guests)), ""


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _reasons(
    state: str, entries: Iterable[Item], belongs: Callable[[Item], Any], variable: str
) -> list[dict[str, Any]]:
    """The guests of a state, by reason; the reason with the most guests first."""
    groups: dict[Any, list[Item]] = {}
    for entry in filter(belongs, entries):
        groups.setdefault(entry["reason"], []).append(entry)
    made = []
    for reason, guests in sorted(groups.items(), key=lambda item: (-len(item[1]), str(item[0]))):
        ids = driver_guests(guests) if reason == "driver_change" else []
        more = [("Setting", driver_setting(ids, variable), "")] if ids else []
        more += [_selector(guests)] if reason in _BY_SELECTOR else []
        made.append(
            _of_guests(
                state,
                _capital(visible(reason_words(reason))),
                guests,
                _ADVICE.get(reason, _ADVICE["unknown"]),
                more,
                filter={"state": state, "why": visible(reason_words(reason))},
            )
        )
    return made


def _unread(document: Document, entries: Iterable[Item]) -> list[dict[str, Any]]:
    """Guests that could not be read are in no count."""
    known = set(map(guest_key, entries))
    left: dict[Any, Item] = {}
    for finding in document["findings"]:
        if finding.get("guest") is not None and guest_key(finding) not in known:
            detail = ": ".join(filter(None, (location(finding, " line "), one_line(finding.get("message")))))
            left.setdefault(guest_key(finding), {**finding, "detail": detail})
    advice = "These were not checked. Fix what is named below, then run again."
    return [_of_guests("failed", "Could not be read", list(left.values()), advice)] if left else []


def _again(steps: Iterable[Step]) -> list[dict[str, Any]]:
    return [
        need("failed", "Run again", "", f"{step['title']}.", pastes=said_pastes(step))
        for step in of_kind(steps, "again")
    ]


def _restarts(entries: Iterable[Item], steps: Sequence[Step]) -> list[dict[str, Any]]:
    waiting = [{**entry, "detail": None} for entry in entries if entry["restart_pending"]]
    if not waiting:
        return []
    own = of_kind(steps, "restart")
    said = [restart_advice(waiting), *(f"{step['title']}." for step in own if step["text"] is None)]
    title, filtered = STATE_WORDS["restart_pending"][1], {"state": "restart_pending"}
    more = [_selector(waiting), *pastes(own)]
    return [_of_guests("restart_pending", title, waiting, " ".join(said), more, filter=filtered)]


def _to_change(document: Document, entries: Iterable[Item], steps: Sequence[Step]) -> list[dict[str, Any]]:
    guests = [entry for entry in entries if entry["state"] == "to_change"]
    own = of_kind(steps, "harden", "paste")[:_MOST_PASTES]
    # Of a node; those about guests are told with the guests.
    at_source = [_need_of(step) for step in of_kind(steps, "source") if not step["guests"]]
    if guests:
        advice = CHANGE_AT_SOURCE if of_directory(document) else STATE_WORDS["to_change"][2]
        title, filtered = STATE_WORDS["to_change"][1], {"state": "to_change"}
        return [_of_guests("to_change", title, guests, advice, pastes(own), filter=filtered), *at_source]
    return [*map(_need_of, own), *at_source]


def _need_of(step: Step) -> dict[str, Any]:
    return need("to_change", "To change", "", f"{step['title']}.", pastes=said_pastes(step))
