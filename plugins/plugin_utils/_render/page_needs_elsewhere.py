# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors
"""What needs a person besides guests: hosts, the policy, its waivers, and what nobody looked at."""

from __future__ import annotations

from typing import Any

from ...module_utils._text import one_line, visible
from .._fleet.document import Document, Item, empty_hosts, severity_rank, silent_hosts
from .._policy.rules import RULES
from .page_need import MOST_NAMED, first, need
from .page_waivers import waivers
from .text import brief, count, sentences, short
from .words import LIMITED, NO_HOST, UNKNOWN


def unreported(document: Document) -> list[dict[str, Any]]:
    """The hosts of which nothing is known."""
    hosts = [visible(host) for host in silent_hosts(document)]
    if not hosts:
        return []
    advice = f"{UNKNOWN}. Run again for these hosts when they can be reached."
    return [need("failed", "No report", count(len(hosts), "host"), advice, pastes=[("Hosts", ",".join(hosts), "")])]


def of_hosts(document: Document) -> list[dict[str, Any]]:
    """Warnings and errors about hosts and about the policy itself, by rule."""
    groups: dict[tuple[Any, ...], list[Item]] = {}
    for finding in sorted(document["findings"], key=severity_rank):
        if finding.get("guest") is None and not finding.get("waived") and finding["severity"] != "note":
            groups.setdefault((finding["severity"], finding.get("rule")), []).append(finding)
    return [_of_rule(severity, rule, found) for (severity, rule), found in groups.items()]


def _of_rule(severity: str, rule: Any, found: list[Item]) -> dict[str, Any]:
    hosts = list(dict.fromkeys(visible(finding["host"]) for finding in found if finding.get("host") is not None))
    known = RULES.get(rule)
    said = {sentences(finding.get("message"), finding.get("hint")) for finding in found}
    about: dict[str, Any] = {}
    if len(said) > 1:
        people: dict[str, list[tuple[str, str]]] = {}
        for finding in found[:MOST_NAMED]:
            what = brief(finding.get("message"), 500), brief(finding.get("hint"), 500)
            people.setdefault(_place(finding), []).append(what)
        names = first(list(dict.fromkeys(map(_place, found))), len(set(map(_place, found))))
        about = {"names": names, "people": list(people.items()), "more": max(len(found) - MOST_NAMED, 0)}
    return need(
        severity,
        known.title if known else visible(rule),
        count(len(hosts), "host") if hosts else count(len(found), "finding"),
        said.pop() if len(said) == 1 else known.reason if known else "",
        pastes=[("Hosts", ",".join(hosts), "")] if hosts else [],
        **about,
    )


def _place(finding: Item) -> str:
    return short(finding.get("host")) or (NO_HOST if finding.get("file") else "policy")


def of_waivers(document: Document) -> list[dict[str, Any]]:
    """Those that have ended are findings of the policy; here are those that end soon."""
    soon = [waiver for waiver in waivers(document) if waiver["sign"] == "warning"]
    if not soon:
        return []
    people = [(waiver["id"], [(waiver["left"], one_line(waiver["reason"]))]) for waiver in soon[:MOST_NAMED]]
    names = first([short(waiver["id"]) for waiver in soon], len(soon))
    more = max(len(soon) - MOST_NAMED, 0)
    advice = "Fix what they cover before that day, or agree on a later one."
    return [
        need("warning", "Waivers end soon", count(len(soon), "waiver"), advice, names=names, people=people, more=more)
    ]


def unseen(document: Document) -> list[dict[str, Any]]:
    """What nobody looked at, though it may be right so."""
    made = []
    empty = [visible(host) for host in empty_hosts(document)]
    if empty:
        advice = "That may be right. If it is not, look at the inventory and at the node's name."
        made.append(
            need(
                "note", "No guest was read", count(len(empty), "host"), advice, pastes=[("Hosts", ",".join(empty), "")]
            )
        )
    if not document.get("complete", True):
        made.append(need("note", "Only some hosts were checked", "", f"{LIMITED}. Run without the limit for all."))
    return made
