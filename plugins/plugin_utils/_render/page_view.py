# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors
"""What the page's fixed parts show, as plain values for its template: they are complete without JavaScript."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence
from typing import Any

from ...module_utils._model.findings import SEVERITIES
from ...module_utils._text import natural_key, plural, visible
from .._fleet.document import (
    Document,
    Item,
    assessment,
    disk_state,
    disks_of,
    empty_hosts,
    guest_key,
    hosts_of,
    known_hosts,
    silent_hosts,
    subjects,
)
from .._fleet.outcome import STATES, count_states
from .._policy.rules import RULES
from .page_data import storage_type
from .page_marks import stacked
from .text import short
from .words import (
    DISK_WORDS,
    DRIVER_ADVICE,
    LIMITED,
    NO_HOST,
    STATE_WORDS,
    UNKNOWN,
    assessment_words,
    driver_guests,
    driver_setting,
    restart_advice,
    subject_words,
)

# State of a disk to the colour that says the same of guests.
_DISK_CLASSES = {"compliant": "compliant", "waived": "waived", "noncompliant": "to_change"}
# Longer lists of guests are folded.
_UNFOLDED = 40
# A waiver that ends within so many days is marked.
_SOON_DAYS = 30


def page_view(document: Document, entries: Sequence[Item], check: bool, variable: str) -> dict[str, Any]:
    """The variables of the page's template.

    entries: the outcomes of the guests.
    check: the document's ``results`` are those of a check run.
    variable: what is set to allow another driver.
    """
    counts = count_states(entries)
    states = {state: STATE_WORDS[state][1] for state in STATES}
    return {
        "date": document.get("date"),
        "subtitle": _subtitle(document, check),
        "gate": document.get("gate"),
        "silent": silent_hosts(document),
        "unknown": UNKNOWN,
        "empty": empty_hosts(document),
        "limited": None if document.get("complete", True) else LIMITED,
        "not_read": document.get("not_read") or (),
        "tiles": _tiles(document, entries),
        "counts": counts,
        "states": states,
        "shown": {state: words for state, words in states.items() if counts[state]},
        "fleet_bar": _state_bar(counts),
        "subjects": [subject_words(subject) for subject in subjects(document)],
        "hosts": _hosts(document, entries),
        "disk_words": DISK_WORDS,
        "storages": _storages(document),
        "rules": _rules(document),
        "restarts": _restarts(entries),
        "drivers": _drivers(entries, variable),
        "waivers": _waivers(document),
    }


def _subtitle(document: Document, check: bool) -> str:
    text = f"Judged on {document.get('date') or 'an unknown day'}."
    if "results" not in document:
        return f"{text} Nothing was changed."
    if check:
        return f"{text} Check run: nothing was written."
    changed = sum(result.get("status") == "changed" for result in document["results"])
    return f"{text} This run changed {plural(changed, 'guest')}; the page shows the state after it."


def _tiles(document: Document, entries: Sequence[Item]) -> list[tuple[int, str]]:
    """(number, words) of what is in the fleet."""
    hosts = len(known_hosts(document, entries))
    disks = [disk_state(disk) for disk in disks_of(document)]
    waived = f", {disks.count('waived'):,} waived" if "waived" in disks else ""
    found = document["summary"]["findings"]
    tiles = [
        (hosts, f"Host{_s(hosts)}"),
        (len(entries), f"Guest{_s(len(entries))}"),
        (len(disks), f"Disk{_s(len(disks))}, {disks.count('compliant'):,} compliant{waived}"),
        (found["error"], f"Error{_s(found['error'])}, and {found['warning']:,} warning{_s(found['warning'])}"),
    ]
    return tiles if hosts else tiles[1:]


def _s(number: int) -> str:
    return "" if number == 1 else "s"


def _state_bar(counts: dict[str, int]) -> list[dict[str, Any]]:
    return stacked((state, counts[state], STATE_WORDS[state][1]) for state in reversed(STATES))


def _hosts(document: Document, entries: Iterable[Item]) -> list[dict[str, Any]]:
    about = {host["host"]: host for host in hosts_of(document)}
    guests: dict[Any, list[Item]] = {host: [] for host in about}
    for entry in entries:
        guests.setdefault(entry["host"], []).append(entry)
    errors: dict[Any, int] = {}
    for finding in document["findings"]:
        if not finding.get("waived") and finding["severity"] == "error":
            errors[finding.get("host")] = errors.get(finding.get("host"), 0) + 1
    silent = set(silent_hosts(document))
    rows = []
    for host in sorted(guests, key=lambda name: natural_key(visible(name))):
        counts = count_states(guests[host])
        rows.append(
            {
                "value": host,
                "name": short(host) or NO_HOST,
                "silent": host in silent,
                "guests": len(guests[host]),
                "counts": counts,
                "bar": _state_bar(counts),
                "errors": errors.get(host, 0),
                "assessments": [
                    (subject_words(subject), *assessment_words(assessment(about.get(host, {}), subject)))
                    for subject in subjects(document)
                ],
            }
        )
    return rows


def _storages(document: Document) -> list[dict[str, Any]]:
    types: dict[str, dict[str, int]] = {}
    for disk in disks_of(document):
        types.setdefault(storage_type(disk), dict.fromkeys(DISK_WORDS, 0))[disk_state(disk)] += 1
    return [
        {
            "type": name,
            "disks": sum(counts.values()),
            "counts": counts,
            "bar": stacked((_DISK_CLASSES[state], counts[state], words) for state, words in DISK_WORDS.items()),
        }
        for name, counts in sorted(types.items(), key=lambda item: (-item[1]["noncompliant"], str(item[0])))
    ]


def _rules(document: Document) -> list[dict[str, Any]]:
    rows: dict[str, dict[str, Any]] = {}
    guests: dict[str, set[tuple[Any, ...]]] = {}
    for finding in document["findings"]:
        rule = visible(finding.get("rule"))
        row = rows.setdefault(rule, {"rule": rule, **dict.fromkeys((*SEVERITIES, "waived"), 0)})
        row["waived" if finding.get("waived") else finding["severity"]] += 1
        if finding.get("guest") is not None:
            guests.setdefault(rule, set()).add(guest_key(finding))
    for rule, row in rows.items():
        known = RULES.get(rule)
        row.update(guests=len(guests.get(rule, ())), title=known and known.title, reason=known and known.reason)
    return [rows[rule] for rule in sorted(rows)]


def _restarts(entries: Sequence[Item]) -> dict[str, Any] | None:
    waiting = [entry for entry in entries if entry["restart_pending"]]
    per_host: dict[str, list[str]] = {}
    for entry in waiting:
        per_host.setdefault(short(entry["host"]) or NO_HOST, []).append(_who(entry))
    return _folded(len(waiting), advice=restart_advice(waiting), hosts=per_host) if waiting else None


def _drivers(entries: Sequence[Item], variable: str) -> dict[str, Any] | None:
    """The setting that allows all of them another driver, complete: a terminal has no room for a long one."""
    ids = driver_guests(entries)
    advice = f"{DRIVER_ADVICE.rstrip(': ')}. Leave out the guests that do not have it."
    return _folded(len(ids), advice=advice, setting=driver_setting(ids, variable)) if ids else None


def _folded(number: int, **content: Any) -> dict[str, Any]:
    return {"guests": plural(number, "guest"), "open": number <= _UNFOLDED, **content}


def _who(item: Item) -> str:
    on = f"on {short(item['on'])}" if item.get("on") else ""
    return " ".join(filter(None, (short(item.get("guest")), short(item.get("name")), on)))


def _waivers(document: Document) -> list[dict[str, Any]]:
    """Each waiver with its guests and until when it holds, the first to end first."""
    guests: dict[str, dict[tuple[Any, ...], str]] = {}
    known = {visible(waiver.get("id")): waiver for waiver in document.get("waivers") or ()}
    for finding in document["findings"]:
        waived = finding.get("waived")
        if waived:
            known.setdefault(visible(waived.get("id")), waived)
            guests.setdefault(visible(waived.get("id")), {})[guest_key(finding)] = _who(finding)
    rows = []
    for name, waiver in sorted(known.items(), key=lambda item: (visible(item[1].get("until")), item[0])):
        sign, left = _left(waiver, document)
        about = {key: waiver.get(key) for key in ("until", "reason")}
        who = list(guests.get(name, {}).values())
        rows.append(
            {"id": name, **about, "sign": sign, "left": left, "rules": waiver.get("rules") or (), "guests": who}
        )
    return rows


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
