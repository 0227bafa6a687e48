# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""What everything that follows asks of a findings document: that it has its shape, an order, who is in it."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ...module_utils._model.findings import GUEST_STATUSES, SCHEMA, SEVERITIES
from ...module_utils._shown import shown
from ...module_utils._text import natural_key

#: The lists of every findings document, see docs/data.md.
LISTS = ("findings", "plan", "unresolved", "guests")

#: A findings document, or one of its entries, as docs/data.md has them.
Document = Mapping[str, Any]
Item = Mapping[str, Any]

# The first that fits: text is a sequence, and true is a number.
_KINDS: tuple[tuple[Any, str], ...] = (
    (Mapping, "a dictionary"),
    (str, "text"),
    (Sequence, "a list"),
    (bool, "true or false"),
    ((int, float), "a number"),
)


class ReportError(ValueError):
    """The input cannot be reported. The text is for a person: what, where, what is expected."""


def check_document(value: Any, where: str = "the findings document") -> Document:
    """``value`` itself when it has the shape of docs/data.md. Raises ReportError with what is wrong.

    Only what the reports rely on is checked; docs/findings.schema.json describes everything.
    """
    document = _dictionary(value, where, " Pass what the filter hypervisor.io_hardening.assess returned.")
    if document.get("schema") != SCHEMA:
        raise ReportError(
            f"{where} has schema {shown(document.get('schema'))}; this version of the collection reads schema {SCHEMA}."
        )
    for key in LISTS:
        check_list(document.get(key), f"{where}: {key}")
    summary = _dictionary(document.get("summary"), f"{where}: summary")
    _dictionary(summary.get("findings"), f"{where}: summary.findings")
    for finding in document["findings"]:
        of = f"{where}: a finding of {finding.get('rule')}"
        _check_word(finding, "severity", SEVERITIES, of)
        if "waived" not in finding:
            raise ReportError(f"{of} has no key waived.")
    for guest in document["guests"]:
        of = f"{where}: guest {guest.get('guest')}"
        _check_word(guest, "status", GUEST_STATUSES, of)
        check_list(guest.get("disks"), f"{of}: disks")
    return document


def check_list(value: Any, where: str) -> Sequence[Item]:
    """``value`` itself when it is a list of dictionaries. Raises ReportError otherwise."""
    if isinstance(value, (str, bytes)) or not isinstance(value, Sequence):
        raise ReportError(f"{where} is {_kind(value)}, not a list.")
    for item in value:
        if not isinstance(item, Mapping):
            raise ReportError(f"{where} contains {_kind(item)} instead of a dictionary.")
    return value


def _dictionary(value: Any, where: str, what_to_do: str = "") -> Document:
    if not isinstance(value, Mapping):
        raise ReportError(f"{where} is {_kind(value)}, not a dictionary.{what_to_do}")
    return value


def _check_word(item: Item, key: str, allowed: Sequence[str], where: str) -> None:
    if item.get(key) not in allowed:
        raise ReportError(f"{where} has {key} {shown(item.get(key))}; allowed are {', '.join(allowed)}.")


def _kind(value: Any) -> str:
    if value is None:
        return "missing"
    return next((words for kind, words in _KINDS if isinstance(value, kind)), "something else")


def guest_key(item: Item) -> tuple[Any, Any, Any]:
    """The guest of a finding, result or plan entry: (host, node, id).

    The id alone is ambiguous: a host may be a tree of a whole cluster, in which two nodes have guests of one id.
    """
    return (item.get("host"), item.get("node"), item.get("guest"))


def on_several_nodes(items: Iterable[Item]) -> set[tuple[Any, Any]]:
    """The (host, id) of guests that exist on more than one node: texts name the node of these."""
    first: dict[tuple[Any, Any], Any] = {}
    return {key[::2] for key in map(guest_key, items) if first.setdefault(key[::2], key[1]) != key[1]}


def sort_key(item: Item) -> tuple[Any, ...]:
    """Sort key of a finding, guest or result: host, guest (9 before 10), node, disk, rule."""
    return (
        _rank(item.get("host")),
        _rank(item.get("guest")),
        _rank(item.get("node")),
        _rank(item.get("disk")),
        item.get("rule") or "",
    )


@functools.lru_cache(maxsize=100_000)
def _rank(value: Any) -> tuple[Any, ...]:
    return natural_key("" if value is None else str(value))


def severity_rank(finding: Item) -> int:
    """0 for an error, 1 for a warning, 2 for a note."""
    return SEVERITIES.index(finding["severity"])


def disk_state(disk: Item) -> str:
    """A disk's state in a word: compliant, waived, or noncompliant."""
    if disk.get("compliant"):
        return "compliant"
    return "waived" if disk.get("waived") else "noncompliant"


def disks_of(document: Document) -> list[Item]:
    """All disks of all guests."""
    return [disk for guest in document["guests"] for disk in guest.get("disks") or ()]


def hosts_of(document: Document) -> Sequence[Item]:
    """The entries of ``hosts``; empty where a document of one host was not joined."""
    return document.get("hosts") or ()


def known_hosts(document: Document, entries: Iterable[Item]) -> set[Any]:
    """The names of the hosts in the document or of the guests ``entries``; empty for a flat directory of configs."""
    return ({entry.get("host") for entry in entries} | {host["host"] for host in hosts_of(document)}) - {None}


def silent_hosts(document: Document) -> list[str]:
    """The hosts that gave no document: nothing is known about their guests."""
    return [host["host"] for host in hosts_of(document) if not host.get("reported", True)]


def guests_asked(document: Document) -> bool:
    """Whether the run looked at guests; not where it was asked about the hosts alone."""
    return bool(document.get("guests_asked", True))


def empty_hosts(document: Document) -> list[str]:
    """The hosts without guests, where guests were asked for. That may be right; the reports name them."""
    if not guests_asked(document):
        return []
    judged = {guest.get("host") for guest in document["guests"]} | set(silent_hosts(document))
    return [host["host"] for host in hosts_of(document) if host["host"] not in judged]


def subjects(document: Document) -> list[str]:
    """What was assessed of the hosts themselves, in the order in which it first appears."""
    return list(dict.fromkeys(one["subject"] for host in hosts_of(document) for one in host.get("assessments") or ()))


def assessment(host: Item, subject: str) -> Item | None:
    """A host's assessment of a subject; None where it was not asked for."""
    return next((one for one in host.get("assessments") or () if one["subject"] == subject), None)


def of_directory(document: Document) -> bool:
    """Whether it was read from a directory of configs on the controller, to which no run writes."""
    return "not_read" in document


def dumps(value: Any) -> str:
    """A value of a document as ASCII JSON; dates as ISO text. Raises ReportError where JSON cannot express it."""
    try:
        return json.dumps(value, allow_nan=False, default=_iso)
    except (TypeError, ValueError, RecursionError) as exc:
        raise ReportError(f"the findings document has a value that JSON cannot express: {exc}") from exc


def _iso(value: Any) -> str:
    """YAML reads an unquoted date as a date, not as text."""
    if hasattr(value, "isoformat"):
        return str(value.isoformat())
    raise TypeError(f"a value of type {type(value).__name__}")
