# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The findings document as SARIF 2.1.0, for code scanning: findings point at the config file and line.

Source of the format: OASIS, Static Analysis Results Interchange Format (SARIF) Version 2.1.0.
"""

from __future__ import annotations

import functools
import hashlib
import posixpath
from collections.abc import Mapping, Sequence
from urllib.parse import quote

from .._fleet.document import check_document, severity_rank, silent_hosts
from .._policy.rules import RULES, Rule
from .text import sentences, visible
from .to_json import dumps
from .words import waiver_words

SCHEMA_URI = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/os/schemas/sarif-schema-2.1.0.json"
#: GitHub refuses a run with more results (docs.github.com, "SARIF support for code scanning", "Validating your SARIF
#: file").
MOST_RESULTS = 25_000
HOME = "https://github.com/hypervisor/io_hardening"


def sarif_report(document, base: str = "", here: str = "") -> str:
    """SARIF text with one run of at most MOST_RESULTS results: where there are more findings, the gravest that are not
    waived.

    base: a folder; files below it are given relative to it, as code scanning of a Git repository wants
        them. Others are `file:` addresses.
    here: the folder that relative names of files are meant from; `base` where it is not given.
    Raises ReportError where the document has not its shape.
    """
    check_document(document)
    ids = sorted({str(finding.get("rule")) for finding in document["findings"]})
    index = {rule: number for number, rule in enumerate(ids)}
    severity = {str(finding.get("rule")): finding["severity"] for finding in reversed(document["findings"])}
    seen: dict = {}
    # of all findings, so that it does not depend on what is left out
    prints = [_fingerprint(finding, seen) for finding in document["findings"]]
    results = [
        _result(document["findings"][at], index, (base, here or base), prints[at])
        for at in _gravest(document["findings"])
    ]
    driver = {
        "name": "hypervisor.io_hardening",
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


def left_out(document: Mapping) -> str | None:
    """What the SARIF report does not have, in words; None where it has every finding."""
    count = len(document["findings"])
    if count <= MOST_RESULTS:
        return None
    return "the gravest %s of %s findings, GitHub takes no more in a run; the JSON and HTML reports have all" % (
        format(MOST_RESULTS, ","),
        format(count, ","),
    )


def _gravest(findings: list) -> Sequence[int]:
    """The places of as many findings as a run may have, in their order. Waived ones are left out first, then the least
    severe.
    """
    if len(findings) <= MOST_RESULTS:
        return range(len(findings))
    ranked = sorted(
        range(len(findings)), key=lambda at: (bool(findings[at].get("waived")), severity_rank(findings[at]))
    )
    return sorted(ranked[:MOST_RESULTS])


def _rule(rule: Rule) -> dict:
    text = rule.reason or rule.title
    if rule.source:
        text += " Source: %s" % rule.source
    if rule.dissent:
        text += " The other view: %s" % rule.dissent
    words = ("".join(char for char in word if char.isalnum()) for word in rule.title.split())
    return {
        "id": rule.id,
        "name": "".join(word[:1].upper() + word[1:] for word in words),
        "shortDescription": {"text": rule.title},
        "fullDescription": {"text": rule.reason or rule.title},
        "help": {"text": text},
        "helpUri": "%s/blob/main/docs/rules.md#%s" % (HOME, _anchor("%s %s" % (rule.id, rule.title))),
        "defaultConfiguration": {"level": rule.severity},
    }


def _anchor(heading: str) -> str:
    """The anchor that GitHub gives a heading of docs/rules.md."""
    kept = "".join(char for char in heading.lower() if char.isalnum() or char in " -_")
    return quote(kept.replace(" ", "-"))


def _result(finding: Mapping, index: Mapping, folders: tuple, print_: str) -> dict:
    rule = str(finding.get("rule"))
    result = {
        "ruleId": rule,
        "ruleIndex": index[rule],
        "level": finding["severity"],
        "message": {"text": sentences(finding.get("message"), finding.get("hint")) or rule},
        "partialFingerprints": {"guestIo/v1": print_},
        "suppressions": [],
        "properties": {
            key: finding.get(key) for key in ("host", "guest", "name", "disk", "actual", "wanted", "fixable")
        },
    }
    location: dict = {}
    if finding.get("file"):
        location["physicalLocation"] = _physical(finding["file"], finding.get("line"), *folders)
        result["partialFingerprints"]["primaryLocationLineHash"] = print_
    logical = _logical(finding)
    if logical:
        location["logicalLocations"] = [logical]
    if location:
        result["locations"] = [location]
    waived = finding.get("waived")
    if waived:
        result["suppressions"] = [{"kind": "external", "status": "accepted", "justification": waiver_words(waived)}]
    return result


def _physical(file: str, line, base: str, here: str) -> dict:
    physical: dict = {"artifactLocation": _artifact(str(file), base, here)}
    if isinstance(line, int) and line > 0:
        physical["region"] = {"startLine": line}
    return physical


# A guest's findings follow one another.
@functools.lru_cache(maxsize=64)
def _artifact(file: str, base: str, here: str) -> dict:
    path = posixpath.normpath(posixpath.join(here, file))
    if path.startswith("/"):
        path = "/" + path.lstrip("/")
        folder = posixpath.normpath(base).rstrip("/") + "/" if base else None
        if not folder or not path.startswith(folder):
            return {"uri": "file://" + _quote(path)}
        path = path[len(folder) :]
    elif path.startswith("../"):
        # Where that is, nobody here knows.
        return {"uri": _quote(path)}
    return {"uri": _quote(path), "uriBaseId": "%SRCROOT%"}


def _quote(path: str) -> str:
    try:
        raw = path.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        # A lone surrogate that stands for no byte of a file's name.
        raw = path.encode("utf-8", "surrogatepass")
    return quote(raw, safe="/")


def _logical(finding: Mapping) -> dict:
    names = [visible(finding[key]) for key in ("host", "guest", "disk") if finding.get(key) is not None]
    return {"name": names[-1], "fullyQualifiedName": "/".join(names), "kind": "resource"} if names else {}


def _fingerprint(finding: Mapping, seen: dict) -> str:
    """The same for the same finding on every run: where it is and which rule, not what it says, nor the line."""
    file = posixpath.normpath(str(finding["file"])) if finding.get("file") else finding.get("file")
    key = "\0".join(
        str(part) for part in (*(finding.get(name) for name in ("host", "guest", "disk")), file, finding.get("rule"))
    )
    seen[key] = seen.get(key, 0) + 1
    return "%s:%d" % (hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:32], seen[key])


def _invocation(document: Mapping) -> dict:
    silent = silent_hosts(document)
    invocation: dict = {"executionSuccessful": not silent}
    notifications = [
        {"level": "error", "message": {"text": "no report from host %s: unreachable or failed" % visible(host)}}
        for host in silent
    ]
    omitted = left_out(document)
    if omitted:
        notifications.append({"level": "warning", "message": {"text": "This file holds %s." % omitted}})
    if notifications:
        invocation["toolExecutionNotifications"] = notifications
    return invocation
