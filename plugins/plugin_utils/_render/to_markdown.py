# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The findings document as Markdown for the summary of a CI's job: the verdict, hosts, who is needed, the top findings.

GitHub takes at most 1 MiB of a step (docs.github.com, "Workflow commands for GitHub Actions", "Step isolation and
limits").
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, get_args

from ...module_utils._model.findings import ResultReason, UnresolvedReason
from ...module_utils._text import plural, visible
from .._fleet.document import (
    Document,
    Item,
    assessment,
    check_document,
    disks_of,
    empty_hosts,
    guests_asked,
    hosts_of,
    known_hosts,
    severity_rank,
    silent_hosts,
    sort_key,
    subjects,
)
from .._fleet.outcome import STATES, count_states, outcomes
from .._policy.rules import RULES
from .markdown import block, cell, code, escaped, table
from .next_steps import Step
from .rule_page import rule_address
from .text import called, location
from .words import LIMITED, NO_HOST, STATE_WORDS, UNKNOWN, assessment_words, reason_words, subject_words

#: Bytes of the whole text: half of what GitHub takes, so that other commands of the step have room.
MOST_BYTES = 512 * 1024
_MOST_HOSTS = 100
_MOST_NAMED = 40
_MOST_FINDINGS = 50
_REASONS = {*get_args(ResultReason), *get_args(UnresolvedReason), "unknown"}
# Blocks to write in resources.
_MOST_PASTES = 10
_MORE = "The other reports have all."


def markdown_report(document: Any, check: bool = False, steps: Sequence[Step] = ()) -> str:
    """The text, of at most MOST_BYTES; sections that do not fit are left out, and that is said.

    check: the document's ``results`` are those of a check run.
    steps: what to do next.
    Raises ReportError where the document does not have its shape.
    """
    check_document(document)
    entries = outcomes(document, check)
    sections = [
        _verdict(document, entries),
        _hosts(document, entries),
        _assessments(document),
        _needed(entries),
        _next(steps),
        _findings(document),
    ]
    end = f"Too long for a summary: the rest is left out. {_MORE}"
    text, left = "", MOST_BYTES - len(end)
    for section in sections:
        added = "\n".join(section) + "\n\n" if section else ""
        left -= len(added.encode("utf-8", "backslashreplace"))
        if left < 0:
            return f"{text}{end}\n"
        text += added
    return text.rstrip("\n") + "\n"


def _verdict(document: Document, entries: Sequence[Item]) -> list[str]:
    gate = document.get("gate")
    title = f"Guest I/O: gate {'passed' if gate['passed'] else 'failed'}" if gate else "Guest I/O"
    lines = [f"## {title}", ""]
    if gate:
        lines += [f"{code(gate['reason'], 1000)}", ""]
    summary = document["summary"]
    hosts = known_hosts(document, entries)
    counts = [plural(len(hosts), "host")] if hosts else []
    counts += [plural(len(entries), "guest"), plural(len(disks_of(document)), "disk")] if guests_asked(document) else []
    counts += [plural(number, severity) for severity, number in summary["findings"].items()]
    counts += [f"{summary['waived_findings']} waived"] if summary["waived_findings"] else []
    lines.append(f"{code(document.get('date')) or 'No date'}: {', '.join(counts)}.")
    silent, empty = silent_hosts(document), empty_hosts(document)
    if silent:
        lines += ["", f"**No report from {plural(len(silent), 'host')}:** {_names(silent)}. {UNKNOWN}."]
    if empty:
        lines += ["", f"No guest was read on {_names(empty)}."]
    if not document.get("complete", True):
        lines += ["", f"{LIMITED}."]
    return lines


def _hosts(document: Document, entries: Sequence[Item]) -> list[str]:
    per_host: dict[Any, list[Item]] = {host["host"]: [] for host in hosts_of(document)}
    for entry in entries:
        per_host.setdefault(entry["host"], []).append(entry)
    if not per_host or not guests_asked(document):
        return []
    total = count_states(entries)
    shown = [state for state in reversed(STATES) if total[state] or state == "compliant"]
    silent = set(silent_hosts(document))
    rows = []
    for host, guests in list(per_host.items())[:_MOST_HOSTS]:
        counts = count_states(guests)
        numbers = ["no report", *("" for _state in shown)] if host in silent else [str(len(guests))]
        numbers += [] if host in silent else [str(counts[state]) for state in shown]
        rows.append([cell(host) or NO_HOST, *numbers])
    if len(per_host) > 1:
        rows.append(["all", str(len(entries)), *(str(total[state]) for state in shown)])
    head = ["host", "guests", *(STATE_WORDS[state][0] for state in shown)]
    more = len(per_host) - _MOST_HOSTS
    end = ["", f"And {plural(more, 'more host')}. {_MORE}"] if more > 0 else []
    return ["### Hosts", "", *table(head, rows, len(head) - 1), *end]


def _assessments(document: Document) -> list[str]:
    """What was assessed of the hosts themselves, with the hosts of which it is the same."""
    rows = []
    for subject in subjects(document):
        together: dict[tuple[str, str], list[str]] = {}
        for host in hosts_of(document):
            found = assessment(host, subject)
            if found:
                together.setdefault(assessment_words(found), []).append(host["host"])
        for (status, detail), hosts in together.items():
            named = cell(", ".join(map(visible, hosts[:_MOST_NAMED])), 256)
            named += f" and {len(hosts) - _MOST_NAMED} more" if len(hosts) > _MOST_NAMED else ""
            rows.append([cell(subject_words(subject)), cell(status), cell(detail, 256), named])
    more = len(rows) - _MOST_HOSTS
    end = ["", f"And {plural(more, 'more row')}. {_MORE}"] if more > 0 else []
    head = ["what of the hosts", "status", "detail", "hosts"]
    return ["### Settings of hosts", "", *table(head, rows[:_MOST_HOSTS]), *end] if rows else []


def _needed(entries: Sequence[Item]) -> list[str]:
    """Which guests need a person, by reason."""
    groups: dict[str, list[Item]] = {}
    for entry in entries:
        if entry["reason"] is not None:
            title = STATE_WORDS["failed" if entry["state"] == "failed" else "unresolved"][1]
            groups.setdefault(f"**{title}:** {_reason(entry['reason'])}", []).append(entry)
    waiting = [entry for entry in entries if entry["restart_pending"]]
    if waiting:
        groups[f"**{STATE_WORDS['restart_pending'][1]}**"] = waiting
    several = len({entry["host"] for entry in entries}) > 1
    lines = [
        f"- {title} ({len(members)}): {_names([_guest(entry, several) for entry in members])}"
        for title, members in groups.items()
    ]
    return ["### Needs you", "", *lines] if lines else []


def _reason(reason: str) -> str:
    """Its words; in a code span where it is none of ours."""
    return reason_words(reason) if reason in _REASONS else code(reason_words(reason))


def _next(steps: Sequence[Step]) -> list[str]:
    """What to do, ready to be pasted. Whoever reads a summary has no file of the run, so the page's path is no step."""
    lines: list[str] = []
    pasted = 0
    for step in steps:
        pasted += step["kind"] == "paste"
        if step["kind"] != "page" and (step["kind"] != "paste" or pasted <= _MOST_PASTES):
            text = "\n".join(map(visible, (step["text"] or ", ".join(step["guests"])).split("\n")))
            lines += ["", code(step["title"], 1000), *(["", block(text)] if text else [])]
    if pasted > _MOST_PASTES:
        lines += ["", f"and {pasted - _MOST_PASTES} more to write. {_MORE}"]
    return ["### What next", *lines] if lines else []


def _findings(document: Document) -> list[str]:
    found = sorted(
        (finding for finding in document["findings"] if not finding.get("waived")),
        key=lambda finding: (severity_rank(finding), sort_key(finding)),
    )
    rows = [
        [
            finding["severity"],
            _rule(finding),
            cell(_guest(finding, True, finding.get("disk"))),
            cell(location(finding), 256),
            cell(finding.get("message"), 256),
        ]
        for finding in found[:_MOST_FINDINGS]
    ]
    more = len(found) - len(rows)
    end = ["", f"And {plural(more, 'finding')} more, none of them more severe. {_MORE}"] if more > 0 else []
    head = ["severity", "rule", "host and guest", "where", "what is wrong"]
    return ["### Findings", "", *table(head, rows), *end] if rows else []


def _rule(finding: Item) -> str:
    rule = RULES.get(str(finding.get("rule")))
    return f"[{rule.id}]({rule_address(rule)}) {escaped(rule.title)}" if rule else cell(finding.get("rule"))


def _guest(item: Item, with_host: bool, disk: Any = None) -> str:
    words = [item["host"] if with_host else None, *called(item), disk]
    words += ["on", item["on"]] if item.get("on") else []
    return " ".join(str(word) for word in words if word)


def _names(names: Sequence[Any]) -> str:
    more = len(names) - _MOST_NAMED
    return ", ".join(map(code, names[:_MOST_NAMED])) + (f" and {more} more" if more > 0 else "")
