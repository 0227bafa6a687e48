# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The findings document as JUnit XML: a CI shows guests, disks and rules rather than Ansible's tasks.

Elements and attributes are those that Jenkins' xUnit schema and pytest's `xunit2` family have in
common; there is no published standard.
"""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

from ...module_utils._model.findings import SEVERITIES
from .._fleet.document import ReportError, check_document, doubled, owner, place, severity_rank, silent_hosts, spot
from .text import one_line, visible
from .words import NO_HOST, found_and_wanted, waiver_words


def junit_report(document, fail_on: str = "error") -> str:
    """JUnit XML, one test suite per host, one case per guest, disk and rule.

    A finding of at least `fail_on` that is not waived is a failure, a waived one is skipped with the
    waiver's words, one below `fail_on` passes and says so. A disk or guest without findings is one
    passing case. A host that did not report is an error.
    Raises ReportError where the document has not its shape or `fail_on` is no severity.
    """
    check_document(document)
    if fail_on not in SEVERITIES:
        raise ReportError("fail_on is %r; allowed are %s." % (fail_on, ", ".join(SEVERITIES)))
    worst = SEVERITIES.index(fail_on)
    suites: dict = {}
    silent = set(silent_hosts(document))
    for host in document.get("hosts") or ():
        suites[host["host"]] = [_silent(host["host"])] if host["host"] in silent else []
    several = doubled(item for item in (*document["guests"], *document["findings"]) if item.get("guest") is not None)
    found: dict = {}
    for finding in document["findings"]:
        found.setdefault(owner(finding), []).append(finding)
    for guest in sorted(document["guests"], key=place):
        cases = suites.setdefault(guest.get("host"), [])
        own = found.pop(owner(guest), [])
        cases.extend(_guest_cases(guest, own, worst, several))
    for (host, _node, _guest), own in found.items():
        cases = suites.setdefault(host, [])
        cases.extend(_finding_case(finding, worst, several) for finding in sorted(own, key=place))
    return _xml(suites, document)


def _guest_cases(guest: Mapping, findings: list, worst: int, several: set):
    """The cases of one guest: its findings, then what is in order."""
    disks = {finding.get("disk") for finding in findings}
    for finding in sorted(findings, key=place):
        yield _finding_case(finding, worst, several)
    for disk in guest.get("disks") or ():
        if disk.get("key") not in disks and disk.get("compliant"):
            yield _case(guest, "%s complies" % visible(disk["key"]), several)
    if not findings:
        yield _case(guest, "guest complies", several)


def _finding_case(finding: Mapping, worst: int, several: set) -> tuple:
    where = visible(finding.get("disk")) or ("guest" if finding.get("guest") is not None else "host")
    if finding.get("guest") is None and finding.get("host") is None:
        where = _nowhere(finding)
    name = "%s %s" % (where, visible(finding.get("rule")))
    message = one_line(finding.get("message"))
    waived = finding.get("waived")
    if waived:
        words = "waived by %s" % waiver_words(waived)
        return _case(
            finding, name, several, "skipped", '<skipped message="%s"/>' % escape("%s (%s)" % (words, message))
        )
    if severity_rank(finding) > worst:
        text = "%s: %s" % (finding["severity"], _details(finding))
        return _case(finding, name, several, None, "<system-out>%s</system-out>" % escape(text))
    return _case(
        finding,
        name,
        several,
        "failure",
        '<failure message="%s" type="%s">%s</failure>'
        % (escape(message), finding["severity"], escape(_details(finding))),
    )


def _details(finding: Mapping) -> str:
    lines = [one_line(finding.get("message"))]
    if finding.get("hint"):
        lines.append("What to do: %s" % one_line(finding["hint"]))
    values = found_and_wanted(finding)
    if any(values):
        lines.append("Found: %s. Wanted: %s." % values)
    if finding.get("file"):
        lines.append("Where: %s" % spot(finding))
    return "\n".join(lines)


def _silent(host) -> tuple:
    text = "no report from this host: unreachable or failed; nothing is known of its guests"
    return _case({"host": host}, "report", set(), "error", '<error message="%s" type="no report"/>' % text)


def _case(about: Mapping, name: str, several: set, kind=None, inner: str = "") -> tuple:
    """(kind, class name, name, content) of one test case; CIs group by the class name: host, then guest."""
    names = [visible(about.get("host")) or _nowhere(about)]
    if owner(about)[::2] in several:
        names.append(visible(about.get("node")))
    if about.get("guest") is not None:
        names.append(" ".join(filter(None, (visible(about["guest"]), visible(about.get("name"))))))
    return kind, ".".join(filter(None, names)), name, inner


def _nowhere(about: Mapping) -> str:
    """Where something is that has no host: beside configs that are nobody knows whose, or in the policy."""
    return NO_HOST if about.get("guest") is not None or about.get("file") else "policy"


def _xml(suites: Mapping, document: Mapping) -> str:
    lines = []
    seen: dict = {}
    totals = dict.fromkeys(("tests", "failure", "error", "skipped"), 0)
    stamp = "%sT00:00:00" % visible(document.get("date"))
    for number, (host, cases) in enumerate(suites.items()):
        counts = {kind: sum(case[0] == kind for case in cases) for kind in ("failure", "error", "skipped")}
        counts["tests"] = len(cases)
        lines.append(
            '<testsuite id="%d" name="%s" hostname="%s" timestamp="%s" time="0" %s>'
            % (
                number,
                escape(visible(host) or "guest I/O"),
                escape(visible(host)),
                escape(stamp),
                _numbers(counts),
            )
        )
        for _kind, whose, case, inner in cases:
            # a rule can find two things in one place, and CIs take cases of the same name for one
            again = seen[whose, case] = seen.get((whose, case), 0) + 1
            words = case if again == 1 else "%s (%d)" % (case, again)
            lines.append(
                '<testcase classname="%s" name="%s" time="0">%s</testcase>' % (escape(whose), escape(words), inner)
            )
        lines.append("</testsuite>")
        for kind in totals:
            totals[kind] += counts[kind]
    head = '<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="guest I/O" time="0" %s>\n' % _numbers(totals)
    return head + "\n".join(lines) + "\n</testsuites>\n"


def _numbers(counts: Mapping) -> str:
    return 'tests="%d" failures="%d" errors="%d" skipped="%d"' % (
        counts["tests"],
        counts["failure"],
        counts["error"],
        counts["skipped"],
    )
