# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The terminal's report: totals per host, then only the guests that need eyes, grouped by reason."""

from __future__ import annotations

from collections.abc import Mapping

from ...module_utils._text import plural
from .._fleet.document import (
    check_document,
    disk_state,
    empty_hosts,
    known_hosts,
    of_directory,
    owner,
    severity_rank,
    silent_hosts,
    spot,
)
from .._fleet.join import count_findings
from .._fleet.outcome import STATES, outcomes
from .text import NO_BREAK, brief, columns, fit, sentences, short, visible, wrap
from .words import CHANGE_AT_SOURCE, LIMITED, NO_HOST, STATE_WORDS, reason_advice, reason_words

# what stands in the table, left to right; a column without a single guest is left out, the first two never
_COLUMNS = ("compliant", "changed", "restart_pending", "to_change", "unresolved", "failed", "waived")
# the sections below it; `unresolved` and `restart` also name guests whose column is another one
_SECTIONS = {
    "failed": lambda entry: entry["state"] == "failed",
    "unresolved": lambda entry: entry["reason"] is not None and entry["state"] != "failed",
    "restart_pending": lambda entry: entry["restart_pending"],
    "to_change": lambda entry: entry["state"] == "to_change",
}


def table_lines(document, check: bool = False, width: int = 80, limit: int = 40) -> list[str]:
    """The lines to print for a findings document (joined or of one host, with or without `results`).

    check: the results are those of a check run.
    width: columns of the terminal; no line is longer, but for the totals where `width` is below 80.
    limit: how many guests of one reason are named; the rest are counted.
    Raises ReportError where the document has not its shape.
    """
    check_document(document)
    entries = outcomes(document, check)
    several = len({entry["host"] for entry in entries}) > 1
    lines = [head_line(document, entries)]
    lines += _unheard(document, width)
    lines += unseen_lines(document, width)
    if entries:
        lines += [""] + _totals(entries, width)
        lines += _run(entries, document, check, width)
    for state in _SECTIONS:
        advice = CHANGE_AT_SOURCE if state == "to_change" and of_directory(document) else STATE_WORDS[state][2]
        lines += _section(state, advice, entries, several, width, limit)
    lines += _unread(document, several, width)
    lines += not_read_lines(document, width)
    lines += waived_lines(document, width)
    lines += _elsewhere(document, width)
    lines += _writeback(document, width)
    return lines


def head_line(document: Mapping, entries) -> str:
    """The first line of what is printed: the day, and how much was looked at; `entries` are the guests."""
    hosts = known_hosts(document, entries)
    disks = [disk_state(disk) for guest in document["guests"] for disk in guest.get("disks") or ()]
    waived = disks.count("waived")
    counts = [plural(len(hosts), "host")] if hosts else []
    counts += [
        plural(len(entries), "guest"),
        plural(len(disks), "disk") + (" (%d of them waived)" % waived if waived else ""),
    ]
    return "Guest I/O, %s: %s" % (visible(document.get("date")) or "no date", ", ".join(counts))


def _unheard(document: Mapping, width: int) -> list[str]:
    silent = [visible(host) for host in silent_hosts(document)]
    if not silent:
        return []
    text = "NO REPORT from %s: %s. Unreachable or failed; nothing is known of the guests there."
    return wrap(text % (plural(len(silent), "host"), ", ".join(silent)), width, "", "  ")


def unseen_lines(document: Mapping, width: int) -> list[str]:
    """What was not looked at although no host failed: hosts without a guest, and those beyond the run's limit."""
    lines = []
    hosts = [visible(host) for host in empty_hosts(document)]
    if hosts:
        lines += wrap("No guest was read on %s." % ", ".join(hosts), width, "", "  ")
    if not document.get("complete", True):
        lines += wrap(LIMITED + ".", width, "", "  ")
    return lines


def _totals(entries: list, width: int) -> list[str]:
    per_host: dict = {}
    for entry in entries:
        row = per_host.setdefault(entry["host"], dict.fromkeys(STATES, 0))
        row[entry["state"]] += 1
    total = {state: sum(row[state] for row in per_host.values()) for state in STATES}
    shown = [state for state in _COLUMNS if total[state] or state == "compliant"]
    heads = ["guests"] + [STATE_WORDS[state][0] for state in shown]
    names = {host: visible(host) or NO_HOST for host in per_host}
    wanted = max([columns(name) for name in names.values()] + [5])
    gap = 2 if wanted + sum(len(head) + 2 for head in heads) <= width else 1
    first = max(min(wanted, width - sum(len(head) + gap for head in heads)), 5)

    def line(name, numbers):
        cells = "".join(" " * gap + str(number).rjust(len(head)) for head, number in zip(heads, numbers))
        return fit(name, first) + cells

    lines = [line("host", heads)]
    for host, row in per_host.items():
        lines.append(line(names[host], [sum(row.values())] + [row[state] for state in shown]))
    if len(per_host) > 1:
        lines.append(line("all", [sum(total.values())] + [total[state] for state in shown]))
    return lines


def _run(entries: list, document: Mapping, check: bool, width: int) -> list[str]:
    """What this run did, and the findings, in a sentence each."""
    lines = [""]
    if "results" in document and not check:
        written = [entry for entry in entries if entry["changed"]]
        before = sum(entry["restart_pending"] and not entry["changed"] for entry in entries)
        text = "This run changed %s" % plural(len(written), "guest")
        became = [
            plural(number, *words)
            for number, words in (
                (sum(entry["state"] == "changed" for entry in written), ("is in order now", "are in order now")),
                (
                    sum(entry["state"] == "restart_pending" for entry in written),
                    ("waits for a restart", "wait for a restart"),
                ),
                (
                    sum(entry["reason"] is not None for entry in written),
                    ("is left with something else", "are left with something else"),
                ),
            )
            if number
        ]
        text += (": %s." if became else ".%s") % ", ".join(became)
        lines += wrap(
            text + (" %s for a restart from before." % plural(before, "guest waits", "guests wait") if before else ""),
            width,
            "",
            "  ",
        )
    elif check and "results" in document:
        lines.append("Check run: nothing was written.")
    counts = count_findings(document["findings"])
    waived = counts["waived_findings"]
    text = "Findings%s: %s" % (
        " after this run" if "results" in document and not check else "",
        ", ".join(plural(number, severity) for severity, number in counts["findings"].items()),
    )
    return lines + wrap(text + (", and %d waived" % waived if waived else ""), width, "", "  ")


def _section(state: str, advice: str, entries: list, several: bool, width: int, limit: int) -> list[str]:
    entries = [entry for entry in entries if _SECTIONS[state](entry)]
    if not entries:
        return []
    title = STATE_WORDS[state][1]
    number = str(len(entries))
    elsewhere = sum(entry["state"] != state for entry in entries)
    if elsewhere:
        number += ", %d of them in another column" % elsewhere
    lines = [""] + wrap("%s (%s): %s" % (title.upper(), number, advice), width, "", "  ")
    groups: dict = {}
    for entry in entries:
        groups.setdefault(entry["reason"] if state in ("failed", "unresolved") else None, []).append(entry)
    for reason, members in sorted(groups.items(), key=lambda item: (-len(item[1]), str(item[0]))):
        indent = "  "
        if reason is not None or state in ("failed", "unresolved"):
            lines += wrap("%s (%d)" % (visible(reason_words(reason)), len(members)), width, "  ", "    ")
            indent = "    "
        lines += _members(members, several, width, limit, indent)
        advice = reason_advice(reason, members)
        lines += wrap("-> " + advice, width, indent, indent + "   ") if advice else []
    return lines


def _members(members: list, several: bool, width: int, limit: int, indent: str) -> list[str]:
    """Guests of one reason: those with the same detail together under it, each other with its own."""
    lines: list = []
    by_detail: dict = {}
    for entry in members:
        by_detail.setdefault(_detail(entry), []).append(entry)
    left = limit
    for detail, same in by_detail.items():
        named = same[: max(left, 0)]
        left -= len(named)
        if not named:
            continue
        if detail and len(same) == 1:
            where = _where(same[0], several)
            lines += wrap("%s: %s" % (where, brief(same[0]["detail"])), width, indent, indent + "  ")
            continue
        if detail:
            lines += wrap("%s:" % detail.rstrip("."), width, indent, indent + "  ")
        lines += _names(named, several, width, indent + ("  " if detail else ""))
    if len(members) > limit:
        lines.append("%s... and %d more; the reports name them all" % (indent, len(members) - limit))
    return lines


def _detail(entry: Mapping) -> str:
    """A guest's detail without its own number, so that guests with the same trouble stand together."""
    return brief(entry["detail"]).replace("'%s'" % visible(entry["guest"]), "'ID'")


def _names(entries: list, several: bool, width: int, indent: str) -> list[str]:
    per_host: dict = {}
    for entry in entries:
        per_host.setdefault(entry["host"], []).append(_where(entry, False))
    lines: list = []
    for host, names in per_host.items():
        lead = "%s: " % short(host) if several else ""
        lines += wrap(lead + ", ".join(names), width, indent, indent + "  ")
    return lines


def _where(entry: Mapping, several: bool) -> str:
    text = short(entry["guest"])
    if entry.get("name"):
        text += NO_BREAK + short(entry["name"])
    if entry.get("on"):
        text += NO_BREAK + "on" + NO_BREAK + short(entry["on"])
    return short(entry["host"]) + NO_BREAK + text if several else text


def waived_lines(document: Mapping, width: int) -> list[str]:
    """Which waiver holds for whom, and until when."""
    by_waiver: dict = {}
    for finding in document["findings"]:
        waived = finding.get("waived")
        if waived:
            key = (visible(waived.get("until")), visible(waived.get("id")), brief(waived.get("reason")))
            by_waiver.setdefault(key, set()).add(owner(finding))
    if not by_waiver:
        return []
    lines = ["", "WAIVED, the first to end first"]
    for (until, name, reason), guests in sorted(by_waiver.items()):
        lines += wrap(
            "until %s, %s (%s): %s" % (until, name, plural(len(guests), "guest"), reason), width, "  ", "    "
        )
    return lines


def _unread(document: Mapping, several: bool, width: int) -> list[str]:
    """Guests that could not be read: they are in no count above, so they are named."""
    known = set(map(owner, document["guests"]))
    found = [f for f in document["findings"] if f.get("guest") is not None and owner(f) not in known]
    if not found:
        return []
    lines = [
        "",
        *wrap(
            "COULD NOT BE READ (%d): they were not checked, and the run fails for them" % len(found), width, "", "  "
        ),
    ]
    for finding in found:
        parts = (_where(finding, several), spot(finding, " line "), brief(finding.get("message")))
        lines += wrap(": ".join(filter(None, parts)), width, "  ", "    ")
    return lines


def not_read_lines(document: Mapping, width: int, limit: int = 10) -> list[str]:
    """What lies beside the configs of a directory and is none by its name, so that nobody takes it for judged."""
    names = document.get("not_read") or ()
    if not names:
        return []
    more = ", and %d more" % (len(names) - limit) if len(names) > limit else ""
    text = "Not read, not guest configs (%d): %s%s"
    return ["", *wrap(text % (len(names), ", ".join(map(visible, names[:limit])), more), width, "", "  ")]


def _elsewhere(document: Mapping, width: int) -> list[str]:
    """Findings that belong to no guest: hosts, and the policy itself."""
    groups: dict = {}
    for finding in sorted(document["findings"], key=severity_rank):
        if finding.get("guest") is not None or finding.get("waived"):
            continue
        words = sentences(brief(finding.get("message")), brief(finding.get("hint")))
        place = " in %s" % spot(finding, " line ") if finding.get("file") else ""
        text = "%s %s%s: %s" % (finding["severity"], visible(finding.get("rule")), place, words)
        groups.setdefault(text, []).append(
            visible(finding.get("host")) or (NO_HOST if finding.get("file") else "policy")
        )
    if not groups:
        return []
    lines = ["", "HOSTS AND POLICY"]
    for text, hosts in groups.items():
        lines += wrap("%s: %s" % (", ".join(hosts), text), width, "  ", "    ")
    return lines


def _writeback(document: Mapping, width: int) -> list[str]:
    groups: dict = {}
    for host in document.get("hosts") or ():
        limits = host.get("writeback")
        if limits:
            key = (visible(limits.get("status")), brief(limits.get("detail")))
            groups.setdefault(key, []).append(visible(host["host"]))
    if not groups:
        return []
    lines = ["", "WRITE-BACK LIMITS OF THE HOSTS"]
    for (status, detail), hosts in groups.items():
        text = "%s: %s" % (", ".join(hosts), (status or "unknown").replace("_", " "))
        lines += wrap(text + (": " + detail if detail else ""), width, "  ", "    ")
    return lines
