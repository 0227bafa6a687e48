# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The findings document as SARIF 2.1.0, for code scanning: findings point at the config file and line.

Source of the format: OASIS, Static Analysis Results Interchange Format (SARIF) Version 2.1.0.
"""

from __future__ import annotations

import functools
from collections.abc import Collection, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from ...module_utils._text import visible
from .._fleet.document import Document, Item, check_document, dumps, guest_key, severity_rank, silent_hosts
from .._policy.rules import RULES, Rule
from .markdown import escaped
from .places import fingerprints, in_checkout
from .rule_page import rule_address
from .text import sentences
from .tool import HOME, NAME, VERSION
from .words import waiver_words

SCHEMA_URI = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/os/schemas/sarif-schema-2.1.0.json"
#: GitHub refuses a run with more results (docs.github.com, "SARIF support for code scanning", "Validating your SARIF
#: file").
MOST_RESULTS = 25_000
#: What GitHub calls the severity of a rule that is not about security (the same page, "reportingDescriptor object").
_PROBLEM = {"error": "error", "warning": "warning", "note": "recommendation"}
# Beginning of a rule's id to what the rule is about, see CONTRIBUTING.md, "A rule".
_TAGS = {
    "IO12": ("waiver",),
    "IO1": ("guest",),
    "IO2": ("host", "write-back"),
    "IO3": ("host", "load"),
    "IO401": ("guest", "known-defect"),
    "IO4": ("host", "known-defect"),
    "IO5": ("host",),
}


def sarif_report(document: Any, base: str = "", here: str = "") -> str:
    """SARIF text with one run of at most MOST_RESULTS results: of more findings the most severe, unwaived ones first.

    base: a folder; files below it get addresses relative to it, which code scanning of a Git repository needs.
        Others get ``file:`` addresses.
    here: the folder that relative names of files start from; ``base`` where it is not given.
    Raises ReportError where the document does not have its shape.
    """
    check_document(document)
    ids = sorted({str(finding.get("rule")) for finding in document["findings"]})
    index = {rule: number for number, rule in enumerate(ids)}
    severity = {str(finding.get("rule")): finding["severity"] for finding in reversed(document["findings"])}
    # Of all findings, so that one does not depend on what is left out.
    prints = fingerprints(document["findings"])
    of_plans = {guest_key(guest) for guest in document["guests"] if guest.get("address")}
    results = [
        _result(document["findings"][at], index, (base, here or base), prints[at], of_plans)
        for at in _most_severe(document["findings"])
    ]
    driver = {
        "name": NAME,
        "version": VERSION,
        "semanticVersion": VERSION,
        "informationUri": HOME,
        "rules": [_rule(RULES.get(rule) or Rule(rule, rule, severity[rule], "", "")) for rule in ids],
    }
    head = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "invocations": [_invocation(document)],
        "properties": {"date": visible(document.get("date")), "summary": document["summary"]},
    }
    return dumps({"version": "2.1.0", "$schema": SCHEMA_URI, "runs": [{**head, "results": results}]}) + "\n"


def left_out(document: Document) -> str | None:
    """What the SARIF report lacks, in words; None where it has every finding."""
    count = len(document["findings"])
    if count <= MOST_RESULTS:
        return None
    return (
        f"the {MOST_RESULTS:,} most severe of {count:,} findings; GitHub accepts no more in a run; the JSON and HTML"
        " reports have all"
    )


def _most_severe(findings: Sequence[Item]) -> Sequence[int]:
    """The positions of as many findings as a run may have, in order; waived ones are left out first."""
    if len(findings) <= MOST_RESULTS:
        return range(len(findings))
    ranked = sorted(
        range(len(findings)), key=lambda at: (bool(findings[at].get("waived")), severity_rank(findings[at]))
    )
    return sorted(ranked[:MOST_RESULTS])


def _rule(rule: Rule) -> dict[str, Any]:
    words = ("".join(char for char in word if char.isalnum()) for word in rule.title.split())
    address = rule_address(rule)
    parts = [("", rule.reason or rule.title), ("Source", rule.source), ("The other view", rule.dissent)]
    parts.append(("Measured", rule.evidence))
    parts = [(head, text) for head, text in parts if text]
    return {
        "id": rule.id,
        "name": "".join(word[:1].upper() + word[1:] for word in words),
        "shortDescription": {"text": rule.title},
        "fullDescription": {"text": rule.reason or rule.title},
        "help": {
            "text": " ".join(f"{head}: {text}" if head else text for head, text in parts),
            "markdown": "\n\n".join(
                [
                    *(f"**{head}:** {escaped(text)}" if head else escaped(text) for head, text in parts),
                    f"[More about {rule.id}]({address})",
                ]
            ),
        },
        "helpUri": address,
        "defaultConfiguration": {"level": rule.severity},
        "properties": {
            "tags": ["reliability", *next((tags for head, tags in _TAGS.items() if rule.id.startswith(head)), ())],
            # What GitHub sorts and filters by. No security-severity: a freeze is no security defect.
            "precision": "high",
            "problem.severity": _PROBLEM[rule.severity],
        },
    }


def _result(
    finding: Item, index: Mapping[str, int], folders: tuple[str, str], fingerprint: str, of_plans: Collection[Any]
) -> dict[str, Any]:
    rule = str(finding.get("rule"))
    # One line of a plan's source is that of several guests.
    names = [visible(finding[key]) for key in ("guest", "disk") if finding.get(key)]
    about = f"{' '.join(names)}: " if guest_key(finding) in of_plans else ""
    result: dict[str, Any] = {
        "ruleId": rule,
        "ruleIndex": index[rule],
        "level": finding["severity"],
        "message": {"text": f"{about}{sentences(finding.get('message'), finding.get('hint')) or rule}"},
        "partialFingerprints": {"guestIo/v1": fingerprint},
        "suppressions": [],
        "properties": {
            key: finding.get(key) for key in ("host", "guest", "name", "disk", "actual", "wanted", "cure", "fixable")
        },
    }
    location: dict[str, Any] = {}
    if finding.get("file"):
        location["physicalLocation"] = _physical(finding["file"], finding.get("line"), *folders)
        result["partialFingerprints"]["primaryLocationLineHash"] = fingerprint
    logical = _logical(finding)
    if logical:
        location["logicalLocations"] = [logical]
    if location:
        result["locations"] = [location]
    waived = finding.get("waived")
    if waived:
        result["suppressions"] = [{"kind": "external", "status": "accepted", "justification": waiver_words(waived)}]
    return result


def _physical(file: Any, line: Any, base: str, here: str) -> dict[str, Any]:
    physical: dict[str, Any] = {"artifactLocation": _artifact(str(file), base, here)}
    if isinstance(line, int) and line > 0:
        physical["region"] = {"startLine": line}
    return physical


@functools.lru_cache(maxsize=64)
def _artifact(file: str, base: str, here: str) -> dict[str, str]:
    path, inside = in_checkout(file, base, here)
    if inside:
        return {"uri": _quote(path), "uriBaseId": "%SRCROOT%"}
    # A relative one is outside of what is known here.
    return {"uri": f"file://{_quote(path)}" if path.startswith("/") else _quote(path)}


def _quote(path: str) -> str:
    try:
        raw = path.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        # A lone surrogate that does not come from a byte of a file's name.
        raw = path.encode("utf-8", "surrogatepass")
    return quote(raw, safe="/")


def _logical(finding: Item) -> dict[str, str]:
    names = [visible(finding[key]) for key in ("host", "guest", "disk") if finding.get(key) is not None]
    return {"name": names[-1], "fullyQualifiedName": "/".join(names), "kind": "resource"} if names else {}


def _invocation(document: Document) -> dict[str, Any]:
    silent = silent_hosts(document)
    invocation: dict[str, Any] = {"executionSuccessful": not silent}
    notifications = [
        {"level": "error", "message": {"text": f"no report from host {visible(host)}: unreachable or failed"}}
        for host in silent
    ]
    omitted = left_out(document)
    if omitted:
        notifications.append({"level": "warning", "message": {"text": f"This file has {omitted}."}})
    if notifications:
        invocation["toolExecutionNotifications"] = notifications
    return invocation
