# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors
"""What the page's fixed parts show, as plain values for its template: they are complete without JavaScript."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from ...module_utils._model.findings import SEVERITIES
from ...module_utils._text import natural_key, visible
from .._fleet.document import (
    Document,
    Item,
    assessment,
    disk_state,
    disks_of,
    guest_key,
    hosts_of,
    silent_hosts,
    subjects,
)
from .._fleet.outcome import STATES, count_states
from .._policy.rules import RULES
from .next_steps import Step
from .page_data import storage_type
from .page_head import facts, subtitle, verdict
from .page_marks import stacked
from .page_need import of_kind, pastes
from .page_needs import needs
from .page_waivers import waivers
from .rule_page import rule_address
from .text import brief, short, who
from .words import DISK_WORDS, NO_HOST, STATE_WORDS, assessment_words, reason_words, subject_words

# So many guests are listed without JavaScript.
_MOST_LISTED = 500
# State of a disk to the colour that says the same of guests.
_DISK_CLASSES = {"compliant": "compliant", "waived": "waived", "noncompliant": "to_change"}


def page_view(
    document: Document, entries: Sequence[Item], check: bool, variable: str, steps: Sequence[Step] = ()
) -> dict[str, Any]:
    """The variables of the page's template.

    entries: the outcomes of the guests.
    check: the document's ``results`` are those of a check run.
    variable: what is set to allow another driver.
    steps: what to do next.
    """
    counts = count_states(entries)
    needed = needs(document, entries, variable, steps)
    states = {state: STATE_WORDS[state][1] for state in STATES}
    return {
        "date": document.get("date"),
        "subtitle": subtitle(document, check),
        "verdict": verdict(document, entries, needed),
        "facts": facts(document, entries),
        "needs": needed,
        "undo": pastes(of_kind(steps, "rollback", "limits")),
        "not_read": document.get("not_read") or (),
        "list": _list(entries),
        "counts": counts,
        "states": states,
        "shown": {state: words for state, words in states.items() if counts[state]},
        "fleet_bar": _state_bar(counts),
        "subjects": [subject_words(subject) for subject in subjects(document)],
        "hosts": _hosts(document, entries),
        "disk_words": DISK_WORDS,
        "storages": _storages(document),
        "rules": _rules(document),
        "waivers": waivers(document),
    }


def _list(entries: Sequence[Item]) -> dict[str, Any]:
    """The guests as they are listed without JavaScript: those that need a person first, and how many are left out."""
    ordered = sorted(entries, key=lambda entry: STATES.index(entry["state"]))
    rows = [
        {
            "state": entry["state"],
            "host": short(entry["host"]) or NO_HOST,
            "guest": who(entry),
            "why": visible(reason_words(entry["reason"])) if entry["reason"] else "",
            "detail": brief(entry["detail"], 500),
        }
        for entry in ordered[:_MOST_LISTED]
    ]
    return {"rows": rows, "more": len(entries) - len(rows)}


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
        row.update(
            guests=len(guests.get(rule, ())),
            title=known and known.title,
            reason=known and known.reason,
            address=known and rule_address(known),
        )
    return [rows[rule] for rule in sorted(rows)]
