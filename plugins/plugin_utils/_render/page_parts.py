# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The page's fixed parts, whole without JavaScript: totals, hosts, storage types, rules, restarts, waivers."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from html import escape

from ...module_utils._model.findings import SEVERITIES
from ...module_utils._text import natural_key, plural
from .._fleet.document import disk_state, empty_hosts, known_hosts, owner, silent_hosts
from .._fleet.join import count_findings
from .._fleet.outcome import STATES
from .._policy.rules import RULES
from .page_data import storage_type
from .page_marks import mark, stacked_bar
from .text import one_line, short, visible
from .words import DRIVER_ADVICE, LIMITED, NO_HOST, STATE_WORDS, driver_guests, driver_setting

# state of a disk -> (its colour, the word for it)
_DISK_WORDS = {
    "compliant": ("compliant", "In order"),
    "waived": ("waived", "Waived"),
    "open": ("to_change", "Not in order"),
}
# how many guests of a waiver, or files, are named
_NAMED = 8
# a waiver that ends within so many days is marked
_SOON = 30


def show(value) -> str:
    """A text as HTML."""
    return escape(visible(value))


def _name(value) -> str:
    """A name as HTML, as long as names are."""
    return escape(short(value))


def alerts(document: Mapping) -> str:
    """The gate's verdict, the hosts of which nothing is known, and the files that nobody should take for judged."""
    parts = [_verdict(document["gate"])] if document.get("gate") else []
    silent = [show(host) for host in silent_hosts(document)]
    if silent:
        parts.append(
            '<p class="alert" role="note"><strong>No report from %s:</strong> %s. Unreachable or failed; nothing is'
            " known of the guests there.</p>" % (plural(len(silent), "host"), ", ".join(silent))
        )
    empty = [show(host) for host in empty_hosts(document)]
    if empty:
        parts.append("<p>No guest was read on %s.</p>" % ", ".join(empty))
    if not document.get("complete", True):
        parts.append("<p>%s.</p>" % LIMITED)
    others = [show(path) for path in document.get("not_read") or ()]
    if others:
        more = " and %d more" % (len(others) - _NAMED) if len(others) > _NAMED else ""
        parts.append("<p>Not read, not guest configs: %s%s.</p>" % (", ".join(others[:_NAMED]), more))
    return "\n".join(parts)


def _verdict(gate: Mapping) -> str:
    word = "passed" if gate["passed"] else "failed"
    return '<p class="verdict %s" role="note">%s<strong>Gate %s</strong> (fails from %s up): %s.</p>' % (
        word,
        mark("compliant" if gate["passed"] else "failed"),
        word,
        show(gate["fail_on"]),
        show(gate["reason"]),
    )


def totals(document: Mapping, entries: list) -> str:
    """Tiles with the fleet's numbers, those of the states choose guests; and one bar."""
    counts = _count(entries)
    hosts = known_hosts(document, entries)
    disks = [disk_state(disk) for guest in document["guests"] for disk in guest.get("disks") or ()]
    found = count_findings(document["findings"])["findings"]
    tiles = [_tile(len(hosts), "Host" if len(hosts) == 1 else "Hosts")] if hosts else []
    tiles += [
        _tile(len(entries), "Guest" if len(entries) == 1 else "Guests"),
        _tile(len(disks), "%s, %s" % ("Disk" if len(disks) == 1 else "Disks", _disk_words(disks))),
        _tile(found["error"], "Errors, and %s" % _amount(found["warning"], "warning")),
    ]
    states = []
    for state in STATES:
        label = mark(state) + escape(STATE_WORDS[state][1])
        states.append(_tile(counts[state], label, _find("guests", "state", state, "%s", 'class="tile"')))
    return '<ul class="tiles">%s</ul>\n<ul class="tiles">%s</ul>\n<div id="fleet-bar">%s</div>' % (
        "".join(tiles),
        "".join(states),
        _state_bar(counts),
    )


def _disk_words(states: list) -> str:
    words = "%s in order" % format(states.count("compliant"), ",")
    return words + (", %s waived" % format(states.count("waived"), ",") if "waived" in states else "")


def _amount(number: int, word: str) -> str:
    return "%s %s%s" % (format(number, ","), word, "" if number == 1 else "s")


def _tile(number: int, label: str, frame: str = "<div>%s</div>") -> str:
    return "<li%s>%s</li>" % (
        "" if number else ' class="zero"',
        frame % ("<b>%s</b><span>%s</span>" % (format(number, ","), label)),
    )


def _find(table: str, key: str, value: str, inner: str, more: str = 'class="link"') -> str:
    """A button that filters one of the two tables; the script enables it."""
    return '<button type="button" disabled %s data-table="%s" data-key="%s" data-value="%s">%s</button>' % (
        more,
        table,
        key,
        show(value),
        inner,
    )


def _count(entries: list) -> dict:
    counts = dict.fromkeys(STATES, 0)
    for entry in entries:
        counts[entry["state"]] += 1
    return counts


def _state_bar(counts: Mapping) -> str:
    return stacked_bar([(state, counts[state], STATE_WORDS[state][1]) for state in reversed(STATES)])


def sections(document: Mapping, entries: list) -> str:
    """Everything between the totals and the two tables; a part without content is left out."""
    parts = (
        ("hosts", "Hosts", _hosts(document, entries)),
        ("storage", "Storage types", _storage(document)),
        ("rules", "Rules", _rules(document)),
        ("restart_pending", "What waits for a restart", _restart(entries)),
        ("drivers", "What waits for a driver", _drivers(entries)),
        ("waivers", "Waivers", _waivers(document)),
    )
    return "\n".join(
        '<section aria-labelledby="h-%s"><h2 id="h-%s">%s</h2>\n%s</section>' % (name, name, title, content)
        for name, title, content in parts
        if content
    )


def _table(name: str, heads, rows) -> str:
    """heads: (text, class); rows: lists of (HTML, class), the first of each is the row's head."""
    head = "".join('<th scope="col" role="columnheader"%s>%s</th>' % (_class(css), escape(text)) for text, css in heads)
    lines = []
    for (first, first_css), *rest in rows:
        cells = "".join(
            '<td role="cell" data-label="%s"%s>%s</td>' % (escape(text), _class(css), html and "<div>%s</div>" % html)
            for (html, css), (text, _css) in zip(rest, heads[1:])
        )
        lines.append(
            '<tr role="row"><th scope="row" role="rowheader"%s>%s</th>%s</tr>' % (_class(first_css), first, cells)
        )
    # On a phone each row is a card, and an element that is no table's to the eye keeps its role by name alone.
    return (
        '<div class="scroll cards" tabindex="0" role="region" aria-label="%s"><table role="table" aria-label="%s">'
        '<thead role="rowgroup"><tr role="row">%s</tr></thead><tbody role="rowgroup">\n%s\n</tbody></table></div>\n'
        % (escape(name), escape(name), head, "\n".join(lines))
    )


def _class(css: str) -> str:
    return ' class="%s"' % css if css else ""


def _number(number: int) -> tuple:
    return format(number, ","), "n" if number else "n zero"


def _unknown(number: int) -> tuple:
    """A number that says something only where it is not 0."""
    return _number(number) if number else ("&ndash;", "n zero")


def _hosts(document: Mapping, entries: list) -> str:
    per_host: dict = {host["host"]: [] for host in document.get("hosts") or ()}
    for entry in entries:
        per_host.setdefault(entry["host"], []).append(entry)
    errors: dict = {}
    for finding in document["findings"]:
        if not finding.get("waived") and finding["severity"] == "error":
            errors[finding.get("host")] = errors.get(finding.get("host"), 0) + 1
    about = {host["host"]: host for host in document.get("hosts") or ()}
    fleet = _count(entries)
    shown = [state for state in STATES if fleet[state]]
    silent = set(silent_hosts(document))
    limits = any(host.get("writeback") for host in about.values())
    rows = []
    for host in sorted(per_host, key=lambda name: natural_key(visible(name))):
        counts = _count(per_host[host])
        number = _unknown if host in silent and not per_host[host] else _number
        name = (
            _find("guests", "host", host, _name(host))
            if host is not None and per_host[host]
            else _name(host) or NO_HOST
        )
        row = [(name, ""), ("no report" if host in silent else _state_bar(counts), "wide"), number(len(per_host[host]))]
        row += [number(counts[state]) for state in shown]
        row.append(number(errors.get(host, 0)))
        if limits:
            row.append((_limits(about.get(host, {}).get("writeback")), "limits"))
        rows.append(row)
    heads = [("Host", ""), ("Guests by state", "wide"), ("Guests", "n")]
    heads += [(STATE_WORDS[state][1], "n") for state in shown] + [("Errors", "n")]
    heads += [("Write-back limits", "")] if limits else []
    return _table("Hosts", heads, rows) if rows else ""


def _limits(writeback) -> str:
    if not writeback:
        return "not asked"
    text = show(writeback.get("status")).replace("_", " ") or "unknown"
    return text + ("<br><small>%s</small>" % show(one_line(writeback["detail"])) if writeback.get("detail") else "")


def _storage(document: Mapping) -> str:
    types: dict = {}
    for guest in document["guests"]:
        for disk in guest.get("disks") or ():
            types.setdefault(storage_type(disk), dict.fromkeys(_DISK_WORDS, 0))[disk_state(disk)] += 1
    rows = []
    for name, counts in sorted(types.items(), key=lambda item: (-item[1]["open"], str(item[0]))):
        picture = stacked_bar([(mark_, counts[state], words) for state, (mark_, words) in _DISK_WORDS.items()])
        row = [(_find("guests", "type", name, show(name)), ""), (picture, "wide"), _number(sum(counts.values()))]
        rows.append(row + [_number(counts[state]) for state in _DISK_WORDS])
    heads = [("Type", ""), ("Disks", "wide"), ("Disks", "n"), *((words, "n") for _mark, words in _DISK_WORDS.values())]
    return _table("Storage types", heads, rows) if rows else ""


def _rules(document: Mapping) -> str:
    rules: dict = {}
    for finding in document["findings"]:
        counts = rules.setdefault(
            visible(finding.get("rule")), {**dict.fromkeys(SEVERITIES, 0), "waived": 0, "guests": set()}
        )
        if finding.get("waived"):
            counts["waived"] += 1
        else:
            counts[finding["severity"]] += 1
        if finding.get("guest") is not None:
            counts["guests"].add(owner(finding))
    rows = []
    for name, counts in sorted(rules.items()):
        rule = RULES.get(name)
        words = "%s<br><small>%s</small>" % (escape(rule.title), escape(rule.reason)) if rule else ""
        row = [(_find("findings", "rule", name, show(name)), ""), (words, "text"), _number(len(counts["guests"]))]
        rows.append(row + [_number(counts[key]) for key in (*SEVERITIES, "waived")])
    heads = [("Rule", ""), ("What is wrong", ""), ("Guests", "n")]
    heads += [(text, "n") for text in ("Errors", "Warnings", "Notes", "Waived")]
    return _table("Rules", heads, rows) if rows else ""


def _restart(entries: list) -> str:
    per_host: dict = {}
    for entry in entries:
        if entry["restart_pending"]:
            per_host.setdefault(entry["host"], []).append(_who(entry))
    if not per_host:
        return ""
    number = sum(map(len, per_host.values()))
    lists = "".join(
        "<dt>%s</dt><dd>%s</dd>" % (_name(host) or NO_HOST, ", ".join(guests)) for host, guests in per_host.items()
    )
    return "<p>%s.</p>\n<details%s><summary>%s</summary><dl>%s</dl></details>" % (
        escape(STATE_WORDS["restart_pending"][2].replace("`", "").capitalize()),
        " open" if number <= 40 else "",
        plural(number, "guest"),
        lists,
    )


def _drivers(entries: list) -> str:
    """The setting that allows all of them another driver, whole: the terminal has no room for a long one."""
    ids = driver_guests(entries)
    if not ids:
        return ""
    return "<p>%s</p>\n<details%s><summary>%s</summary><p><code>%s</code></p></details>" % (
        escape(DRIVER_ADVICE.rstrip(": ") + ". Leave out the guests that do not have it."),
        " open" if len(ids) <= 40 else "",
        plural(len(ids), "guest"),
        escape(driver_setting(ids)),
    )


def _who(item: Mapping) -> str:
    return " ".join(
        filter(
            None,
            (_name(item.get("guest")), _name(item.get("name")), "on " + _name(item["on"]) if item.get("on") else ""),
        )
    )


def _waivers(document: Mapping) -> str:
    """Who is waived until when, the first to end first."""
    guests: dict = {}
    known = {visible(waiver.get("id")): waiver for waiver in document.get("waivers") or ()}
    for finding in document["findings"]:
        waived = finding.get("waived")
        if waived:
            known.setdefault(visible(waived.get("id")), waived)
            guests.setdefault(visible(waived.get("id")), {})[owner(finding)] = _who(finding)
    rows = []
    for name, waiver in sorted(known.items(), key=lambda item: (visible(item[1].get("until")), item[0])):
        who = list(guests.get(name, {}).values())
        more = " and %d more" % (len(who) - _NAMED) if len(who) > _NAMED else ""
        rows.append(
            [
                (escape(name), ""),
                ("%s<br><small>%s</small>" % (show(waiver.get("until")), _left(waiver, document)), "nowrap"),
                (show(one_line(waiver.get("reason"))), "text"),
                (", ".join(map(show, waiver.get("rules") or ())) or "", ""),
                (", ".join(who[:_NAMED]) + more or "nobody", "text"),
            ]
        )
    heads = [(text, "") for text in ("Waiver", "Until", "Reason", "Rules", "Guests")]
    return _table("Waivers", heads, rows) if rows else ""


def _left(waiver: Mapping, document: Mapping) -> str:
    try:
        days = (_day(waiver.get("until")) - _day(document.get("date"))).days
    except ValueError:
        return "no date"
    if days < 0:
        return mark("error") + " ended"
    text = "ends today" if days == 0 else "%s left" % plural(days, "day")
    return mark("warning") + " " + text if days <= _SOON else text


def _day(value) -> datetime.date:
    return datetime.date.fromisoformat(str(value)[:10])
