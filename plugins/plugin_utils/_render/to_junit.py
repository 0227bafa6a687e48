# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors
"""The findings document as JUnit XML: a CI shows guests, disks and rules instead of Ansible's tasks.

Elements and attributes are those that Jenkins' xUnit schema and pytest's ``xunit2`` family have in
common; there is no published standard.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple
from xml.etree import ElementTree

from ...module_utils._text import one_line, visible
from .._fleet.document import (
    Document,
    Item,
    check_document,
    guest_key,
    hosts_of,
    on_several_nodes,
    silent_hosts,
    sort_key,
)
from .._fleet.threshold import Threshold, threshold
from .text import called, location
from .words import NO_HOST, UNKNOWN, found_and_wanted, waiver_words

_COUNTS = {"tests": "testcase", "failures": "failure", "errors": "error", "skipped": "skipped"}


class _Case(NamedTuple):
    """A test case: the name of its class, its own name, and its element other than a pass, if any."""

    group: str
    name: str
    element: ElementTree.Element | None = None


def junit_report(document: Any, fail_on: Any = "error") -> str:
    """JUnit XML, one test suite per host, one case per guest, disk and rule.

    A finding that ``fail_on`` names and that is not waived is a failure; a waived one is skipped, with the
    waiver's words; any other passes and says so. A disk or guest without findings is one
    passing case. A host without a report is an error.
    Raises ReportError where the document does not have its shape or ``fail_on`` is wrong.
    """
    check_document(document)
    suites = _Suites(document, threshold(fail_on)).made()
    root = ElementTree.Element("testsuites", name="guest I/O", time="0")
    seen: Counter[tuple[str, str]] = Counter()
    totals: Counter[str] = Counter()
    for number, (host, cases) in enumerate(suites.items()):
        suite = ElementTree.SubElement(
            root,
            "testsuite",
            id=str(number),
            name=visible(host) or "guest I/O",
            hostname=visible(host),
            time="0",
        )
        # Where no host gave a report, nothing was judged on any day.
        if document.get("date"):
            suite.set("timestamp", f"{visible(document['date'])}T00:00:00")
        for case in cases:
            # A rule can find two things in one place, and a CI would take two cases of one name for one.
            seen[case[:2]] += 1
            again = seen[case[:2]]
            name = case.name if again == 1 else f"{case.name} ({again})"
            made = ElementTree.SubElement(suite, "testcase", classname=case.group, name=name, time="0")
            if case.element is not None:
                made.append(case.element)
            made.tail = "\n"
        counts = Counter(case.element.tag for case in cases if case.element is not None)
        counts["testcase"] = len(cases)
        _set_counts(suite, counts)
        totals.update(counts)
    _set_counts(root, totals)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, encoding="unicode")


def _set_counts(suite: ElementTree.Element, counts: Mapping[str, int]) -> None:
    """The counts of a suite, or of all suites, and their place on lines of their own."""
    for name, tag in _COUNTS.items():
        suite.set(name, str(counts[tag]))
    suite.text = suite.tail = "\n"


class _Suites:
    """The cases of a document, by host."""

    def __init__(self, document: Document, limit: Threshold) -> None:
        self._document = document
        self._limit = limit
        about = (item for item in (*document["guests"], *document["findings"]) if item.get("guest") is not None)
        self._several = on_several_nodes(about)

    def made(self) -> dict[str | None, list[_Case]]:
        """Host to its cases."""
        silent = set(silent_hosts(self._document))
        suites: dict[str | None, list[_Case]] = {
            host["host"]: [self._silent(host)] if host["host"] in silent else [] for host in hosts_of(self._document)
        }
        found: dict[tuple[Any, ...], list[Item]] = {}
        for finding in sorted(self._document["findings"], key=sort_key):
            found.setdefault(guest_key(finding), []).append(finding)
        for guest in sorted(self._document["guests"], key=sort_key):
            suites.setdefault(guest.get("host"), []).extend(self._guest(guest, found.pop(guest_key(guest), [])))
        for (host, _node, _guest), own in found.items():
            suites.setdefault(host, []).extend(map(self._finding, own))
        return suites

    def _guest(self, guest: Item, findings: list[Item]) -> Iterator[_Case]:
        """The cases of one guest: its findings, then its compliant disks."""
        yield from map(self._finding, findings)
        disks = {finding.get("disk") for finding in findings}
        for disk in guest.get("disks") or ():
            if disk.get("key") not in disks and disk.get("compliant"):
                yield self._case(guest, f"{visible(disk['key'])} complies")
        if not findings:
            yield self._case(guest, "guest complies")

    def _finding(self, finding: Item) -> _Case:
        where = visible(finding.get("disk")) or ("guest" if finding.get("guest") is not None else "host")
        if finding.get("guest") is None and finding.get("host") is None:
            where = _nowhere(finding)
        message = one_line(finding.get("message"))
        if finding.get("waived"):
            words = f"waived by {waiver_words(finding['waived'])} ({message})"
            element = ElementTree.Element("skipped", message=words)
        elif not self._limit.counts(finding):
            element = ElementTree.Element("system-out")
            element.text = f"{finding['severity']}: {_details(finding)}"
        else:
            element = ElementTree.Element("failure", message=message, type=finding["severity"])
            element.text = _details(finding)
        return self._case(finding, f"{where} {visible(finding.get('rule'))}", element)

    def _silent(self, host: Item) -> _Case:
        return self._case(host, "report", ElementTree.Element("error", message=UNKNOWN, type="no report"))

    def _case(self, about: Item, name: str, element: ElementTree.Element | None = None) -> _Case:
        """CIs group cases by the name of their class: host, then guest."""
        groups = [visible(about.get("host")) or _nowhere(about)]
        if guest_key(about)[::2] in self._several:
            groups.append(visible(about.get("node")))
        if about.get("guest") is not None:
            groups.append(" ".join(map(visible, called(about))))
        return _Case(".".join(filter(None, groups)), name, element)


def _details(finding: Item) -> str:
    lines = [one_line(finding.get("message"))]
    if finding.get("hint"):
        lines.append(f"What to do: {one_line(finding['hint'])}")
    found, wanted = found_and_wanted(finding)
    if found:
        lines.append(f"Found: {found}." + (f" Wanted: {wanted}." if wanted else ""))
    if finding.get("file"):
        lines.append(f"Where: {location(finding)}")
    return "\n".join(lines)


def _nowhere(about: Item) -> str:
    """The place of an item without a host: the directory of configs, or the policy."""
    return NO_HOST if about.get("guest") is not None or about.get("file") else "policy"
