# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors
"""The terminal's report: totals per host, then only the guests that need attention, grouped by reason."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ...module_utils._text import plural, visible
from .._fleet.document import (
    Document,
    Item,
    assessment,
    check_document,
    disk_state,
    disks_of,
    empty_hosts,
    guest_key,
    guests_asked,
    hosts_of,
    known_hosts,
    of_directory,
    severity_rank,
    silent_hosts,
    subjects,
)
from .._fleet.outcome import count_states, outcomes
from .count_table import count_table
from .guest_lists import guest_lines, guest_place, reason_lines
from .text import brief, location, sentences, toned, wrap_all
from .words import (
    CHANGE_AT_SOURCE,
    LIMITED,
    MIGRATE,
    NEEDS_SSH,
    NO_HOST,
    STATE_WORDS,
    UNKNOWN,
    assessment_words,
    reason_advice,
    restart_advice,
    subject_words,
)

# The columns, from left to right; one without a guest is left out, the first two never.
_COLUMNS = ("compliant", "changed", "restart_pending", "to_change", "unresolved", "failed", "waived")

# The sections below the table. A guest is in one column, and may be in several sections.
_SECTIONS: dict[str, Callable[[Item], bool]] = {
    "failed": lambda entry: entry["state"] == "failed",
    "unresolved": lambda entry: entry["reason"] is not None and entry["state"] != "failed",
    "restart_pending": lambda entry: entry["restart_pending"],
    "to_change": lambda entry: entry["state"] == "to_change",
}

_TONES = {"failed": "error", "restart_pending": "waits"}


def table_lines(
    document: Any, check: bool = False, width: int = 80, limit: int = 40, variable: str = MIGRATE
) -> list[str]:
    """The lines to print for a findings document (joined or of one host, with or without ``results``).

    check: the results are those of a check run.
    width: columns of the terminal; no line is longer.
    limit: how many guests of one reason are named; the rest are counted.
    variable: what is set to allow another driver, named in what to do about it.
    Raises ReportError where the document does not have its shape.
    """
    check_document(document)
    entries = outcomes(document, check)
    several = len({entry["host"] for entry in entries}) > 1
    head = [head_line(document, entries), *unseen_lines(document)]
    totals = ["", *_totals(entries, width), ""] if entries else []
    lines = _run(entries, document, check) if entries else []
    for state, belongs in _SECTIONS.items():
        members = [entry for entry in entries if belongs(entry)]
        section = _section(state, members, _advice(state, members, document), several, limit, variable)
        lines += toned(_TONES.get(state), section)
    lines += _unread(document, several)
    lines += not_read_lines(document)
    lines += waived_lines(document)
    lines += _elsewhere(document)
    lines += _assessments(document)
    lines += needs_ssh_lines(document)
    return wrap_all(head, width) + totals + wrap_all(lines, width)


def head_line(document: Document, entries: Sequence[Item]) -> str:
    """The first line: the day, and how much was read; ``entries`` are the guests."""
    hosts = known_hosts(document, entries)
    disks = disks_of(document)
    waived = sum(disk_state(disk) == "waived" for disk in disks)
    counts = [plural(len(hosts), "host")] if hosts else []
    counts += [plural(len(entries), "guest"), plural(len(disks), "disk")] if guests_asked(document) else []
    more = f" ({waived} of them waived)" if waived else ""
    return f"Guest I/O, {visible(document.get('date')) or 'no date'}: {', '.join(counts)}{more}"


def unseen_lines(document: Document) -> list[str]:
    """What was not checked: hosts without a report, hosts without a guest, and those outside the run's limit."""
    silent, empty = ([visible(host) for host in hosts] for hosts in (silent_hosts(document), empty_hosts(document)))
    no_report = f"NO REPORT from {plural(len(silent), 'host')}: {', '.join(silent)}. {UNKNOWN}."
    lines = toned("error", [no_report]) if silent else []
    lines += [f"No guest was read on {', '.join(empty)}."] if empty else []
    return lines if document.get("complete", True) else [*lines, f"{LIMITED}."]


def _totals(entries: Sequence[Item], width: int) -> list[str]:
    per_host: dict[Any, list[Item]] = {}
    for entry in entries:
        per_host.setdefault(entry["host"], []).append(entry)
    total = count_states(entries)
    shown = [state for state in _COLUMNS if total[state] or state == "compliant"]
    heads = ["guests", *(STATE_WORDS[state][0] for state in shown)]
    rows = [
        (visible(host) or NO_HOST, [len(guests), *map(count_states(guests).__getitem__, shown)])
        for host, guests in per_host.items()
    ]
    return count_table("host", heads, rows, width)


def _run(entries: Sequence[Item], document: Document, check: bool) -> list[str]:
    """What this run did, and the findings, in a sentence each."""
    lines, after = [], ""
    if "results" in document:
        lines = ["Check run: nothing was written."] if check else [_changed(entries)]
        after = "" if check else " after this run"
    summary = document["summary"]
    counts = ", ".join(plural(number, severity) for severity, number in summary["findings"].items())
    waived = f", and {summary['waived_findings']} waived" if summary["waived_findings"] else ""
    return [*lines, f"Findings{after}: {counts}{waived}"]


def _changed(entries: Sequence[Item]) -> str:
    """What became of the guests that this run changed."""
    changed = [entry for entry in entries if entry["changed"]]
    became = (
        (sum(entry["state"] == "changed" for entry in changed), "is compliant now", "are compliant now"),
        (sum(entry["state"] == "restart_pending" for entry in changed), "waits for a restart", "wait for a restart"),
        (sum(entry["reason"] is not None for entry in changed), "is still unresolved", "are still unresolved"),
    )
    parts = [plural(number, one, many) for number, one, many in became if number]
    text = f"This run changed {plural(len(changed), 'guest')}{': ' if parts else ''}{', '.join(parts)}."
    before = sum(entry["restart_pending"] and not entry["changed"] for entry in entries)
    return text + (f" {plural(before, 'guest was', 'guests were')} already waiting for a restart." if before else "")


def _advice(state: str, members: Sequence[Item], document: Document) -> str:
    if state == "restart_pending":
        return restart_advice(members)
    return CHANGE_AT_SOURCE if state == "to_change" and of_directory(document) else STATE_WORDS[state][2]


def _section(state: str, entries: Sequence[Item], advice: str, several: bool, limit: int, variable: str) -> list[str]:
    if not entries:
        return []
    elsewhere = sum(entry["state"] != state for entry in entries)
    number = f"{len(entries)}, {elsewhere} of them in another column" if elsewhere else str(len(entries))
    lines = ["", f"{STATE_WORDS[state][1].upper()} ({number}): {advice}"]
    if state not in ("failed", "unresolved"):
        return lines + guest_lines(entries, several, limit, "  ")
    return lines + reason_lines(entries, several, limit, lambda reason, of: reason_advice(reason, of, variable))


def waived_lines(document: Document) -> list[str]:
    """Each waiver with the number of its guests and hosts, and until when it holds."""
    by_waiver: dict[tuple[str, str, str], set[tuple[Any, ...]]] = {}
    for finding in document["findings"]:
        waived = finding.get("waived")
        if waived:
            key = (visible(waived.get("until")), visible(waived.get("id")), brief(waived.get("reason")))
            by_waiver.setdefault(key, set()).add(guest_key(finding))
    lines = [
        f"  until {until}, {name} ({_guests_and_hosts(covered)}): {reason}"
        for (until, name, reason), covered in sorted(by_waiver.items())
    ]
    return ["", "WAIVED, the first to end first", *lines] if lines else []


def _guests_and_hosts(keys: set[tuple[Any, ...]]) -> str:
    """How many guests and how many hosts there are among what guest_key gives."""
    guests = sum(key[-1] is not None for key in keys)
    counts = (guests, "guest"), (len(keys) - guests, "host")
    return ", ".join(plural(number, word) for number, word in counts if number)


def _unread(document: Document, several: bool) -> list[str]:
    """Guests that could not be read: no count includes them, so they are named."""
    known = set(map(guest_key, document["guests"]))
    lines = []
    for finding in document["findings"]:
        if finding.get("guest") is not None and guest_key(finding) not in known:
            parts = (guest_place(finding, several), location(finding, " line "), brief(finding.get("message")))
            lines.append(f"  {': '.join(filter(None, parts))}")
    title = f"COULD NOT BE READ ({len(lines)}): These were not checked, and the run fails."
    return toned("error", ["", title, *lines]) if lines else []


def not_read_lines(document: Document, limit: int = 10) -> list[str]:
    """Files next to the configs of a directory that are not configs: they were not judged."""
    names = document.get("not_read") or ()
    more = f", and {len(names) - limit} more" if len(names) > limit else ""
    named = ", ".join(map(visible, names[:limit]))
    return ["", f"Not read, not guest configs ({len(names)}): {named}{more}"] if names else []


def _elsewhere(document: Document) -> list[str]:
    """Findings without a guest: about hosts, and about the policy itself."""
    groups: dict[str, list[str]] = {}
    for finding in sorted(document["findings"], key=severity_rank):
        if finding.get("guest") is not None or finding.get("waived"):
            continue
        words = sentences(brief(finding.get("message")), brief(finding.get("hint")))
        place = f" in {location(finding, ' line ')}" if finding.get("file") else ""
        text = f"{finding['severity']} {visible(finding.get('rule'))}{place}: {words}"
        host = visible(finding.get("host")) or (NO_HOST if finding.get("file") else "policy")
        groups.setdefault(text, []).append(host)
    return _by_host("HOSTS AND POLICY", groups)


def _assessments(document: Document) -> list[str]:
    """What was assessed of the hosts themselves: subjects with the same results together, and hosts likewise."""
    together: dict[tuple[tuple[str, tuple[str, ...]], ...], list[str]] = {}
    for subject in subjects(document):
        groups = tuple((words, tuple(hosts)) for words, hosts in _by_words(document, subject).items())
        together.setdefault(groups, []).append(_within(subject_words(subject)))
    lines = []
    for groups, titles in together.items():
        lines += _by_host(f"HOSTS: {', '.join(titles)}", {words: list(hosts) for words, hosts in groups})
    return lines


def _by_words(document: Document, subject: str) -> dict[str, list[str]]:
    groups: dict[str, list[str]] = {}
    for host in hosts_of(document):
        found = assessment(host, subject)
        if found and found.get("status") != NEEDS_SSH:
            words = brief(": ".join(filter(None, assessment_words(found))))
            groups.setdefault(words, []).append(visible(host["host"]))
    return groups


def needs_ssh_lines(document: Document) -> list[str]:
    """The hosts behind an API, each once, with all that was left unread of them."""
    groups: dict[str, list[str]] = {}
    for host in hosts_of(document):
        left = [one for one in host.get("assessments") or () if one.get("status") == NEEDS_SSH]
        if left:
            names = ", ".join(_within(subject_words(one["subject"])) for one in left)
            groups.setdefault(f"{names}: {brief(left[0].get('detail'))}", []).append(visible(host["host"]))
    return _by_host("HOSTS: not looked at without ssh", groups)


def _within(title: str) -> str:
    """A title in the middle of a line."""
    return title[:1].lower() + title[1:]


def _by_host(title: str, groups: dict[str, list[str]]) -> list[str]:
    lines = [f"  {', '.join(hosts)}: {text}" for text, hosts in groups.items()]
    return ["", title, *lines] if lines else []
