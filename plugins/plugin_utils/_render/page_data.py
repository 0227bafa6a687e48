# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""What the page's two tables and its map show, as columns of numbers: 5,000 guests stay a small page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...module_utils._model.findings import SEVERITIES
from ...module_utils._text import natural_key, one_line, visible
from .._fleet.document import Document, Item, guest_key, severity_rank, sort_key
from .._fleet.outcome import STATES
from .._policy.rules import RULES
from .page_marks import SHAPES
from .rule_page import rule_address
from .words import NO_HOST, STATE_WORDS, found_and_wanted, reason_words, waiver_words

# Shown where a disk is not a volume of a storage, or of a storage that is not defined.
_NO_STORAGE = "path"
_UNKNOWN_TYPE = "unknown"

Columns = dict[str, list[Any]]


class _Texts:
    """Every text once, as a number; -1 for none."""

    def __init__(self) -> None:
        self._numbers: dict[Any, int] = {}
        self._texts: list[str] = []

    def number(self, value: Any) -> int:
        """The number of a guest's or finding's text, without invisible characters."""
        if value is None or value == "":
            return -1
        found = self._numbers.get(value)
        if found is None:
            found = self._numbers[value] = len(self._texts)
            self._texts.append(visible(value))
        return found

    def ranked(self) -> tuple[list[str], list[int]]:
        """(texts in natural order, old number to new number): a text's new number is also its rank."""
        texts = sorted(set(self._texts), key=lambda text: natural_key(text.casefold()))
        at = {text: number for number, text in enumerate(texts)}
        return texts, [at[text] for text in self._texts] + [-1]


def storage_type(disk: Item) -> str:
    """The type of a disk's storage, in a word for people."""
    storage = disk.get("storage")
    return (storage.get("type") or _UNKNOWN_TYPE) if storage else _NO_STORAGE


def page_data(document: Document, entries: Sequence[Item]) -> dict[str, Any]:
    """{texts, states, severities, shapes, no_host, rules, guests, findings}; the last two are dictionaries of columns.

    entries: the outcomes of the guests, in the order of the map.
    """
    texts = _Texts()
    guests, findings = _guests(document, entries, texts), _findings(document, entries, texts)
    ordered, rank = texts.ranked()
    for columns, numbers in (
        (guests, ("state", "disks", "restart_pending", "types")),
        (findings, ("severity", "guest", "line")),
    ):
        for name, column in columns.items():
            if name not in numbers:
                columns[name] = [rank[number] for number in column]
    guests["types"] = [sorted({rank[number] for number in types}) for types in guests["types"]]
    used = {finding.get("rule") for finding in document["findings"]}
    return {
        "texts": ordered,
        "states": [[state, STATE_WORDS[state][1]] for state in STATES],
        "severities": SEVERITIES,
        "shapes": SHAPES,
        "no_host": NO_HOST,
        "rules": {visible(rule): [RULES[rule].title, rule_address(RULES[rule])] for rule in used if rule in RULES},
        "guests": guests,
        "findings": findings,
    }


def _guests(document: Document, entries: Sequence[Item], texts: _Texts) -> Columns:
    disks = {guest_key(guest): guest.get("disks") or () for guest in document["guests"]}
    names = ("state", "host", "id", "on", "name", "disks", "types", "restart_pending", "reason", "detail")
    columns: Columns = {name: [] for name in names}
    waived: dict[tuple[Any, ...], set[str]] = {}
    for finding in document["findings"]:
        if finding.get("waived"):
            waived.setdefault(guest_key(finding), set()).add(waiver_words(finding["waived"]))
    for entry in entries:
        own = disks.get(guest_key(entry), ())
        reason, detail = reason_words(entry["reason"]) if entry["reason"] else None, entry["detail"]
        if entry["state"] == "waived":
            reason, detail = "waived", "; ".join(sorted(waived.get(guest_key(entry), ())))
        columns["state"].append(STATES.index(entry["state"]))
        columns["host"].append(texts.number(entry["host"]))
        columns["id"].append(texts.number(entry["guest"]))
        columns["on"].append(texts.number(entry["on"]))
        columns["name"].append(texts.number(entry["name"]))
        columns["disks"].append(len(own))
        columns["types"].append({texts.number(storage_type(disk)) for disk in own})
        columns["restart_pending"].append(int(entry["restart_pending"]))
        columns["reason"].append(texts.number(reason))
        columns["detail"].append(texts.number(one_line(detail)))
    return columns


def _findings(document: Document, entries: Sequence[Item], texts: _Texts) -> Columns:
    guest_at = {guest_key(entry): number for number, entry in enumerate(entries)}
    type_of = {
        (*guest_key(guest), disk.get("key")): storage_type(disk)
        for guest in document["guests"]
        for disk in guest.get("disks") or ()
    }
    names = ("rule", "host", "id", "name", "disk", "type", "message", "hint", "actual", "wanted", "file", "waiver")
    columns: Columns = {name: [] for name in ("severity", "guest", "line", *names)}
    add = {name: column.append for name, column in columns.items()}
    number = texts.number
    for finding in sorted(document["findings"], key=lambda one: (severity_rank(one), sort_key(one))):
        key = guest_key(finding)
        line, waived = finding.get("line"), finding.get("waived")
        guest, name = finding.get("guest"), finding.get("name")
        actual, wanted = found_and_wanted(finding)
        add["severity"](severity_rank(finding))
        add["guest"](guest_at.get(key, -1))
        add["line"](line if isinstance(line, int) else 0)
        add["rule"](number(finding.get("rule")))
        add["host"](number(finding.get("host")))
        add["id"](number(guest))
        # Said once where the name is the id.
        add["name"](number(None if name == guest else name))
        add["disk"](number(finding.get("disk")))
        add["type"](number(type_of.get((*key, finding.get("disk")))))
        add["message"](number(one_line(finding.get("message"))))
        add["hint"](number(one_line(finding.get("hint"))))
        add["actual"](number(actual))
        add["wanted"](number(wanted))
        add["file"](number(finding.get("file")))
        add["waiver"](number(waiver_words(waived) if waived else None))
    return columns
