# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""One findings document from the documents of several hosts.

The joined document keeps the shape of docs/data.md ("The findings document") and adds
``hosts`` (who was asked, who answered, what was assessed of each) and, where something was applied, ``results``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from ...module_utils._model.findings import SCHEMA, HostEntry, assessment, host_entry, summary, waiver_findings
from ...module_utils._text import natural_key
from .document import LISTS, Document, Item, ReportError, check_document, check_list, hosts_of, sort_key

# Findings about the waivers themselves: only all hosts together can tell.
_WAIVER_RULES = ("IO121", "IO122")


class _Part(NamedTuple):
    """A document to join; ``host`` is None where it knows its hosts, ``document`` where the host gave none."""

    host: Any
    document: Document | None
    where: str


def join_documents(
    documents: Any, results: Any = None, assessments: Any = None, expected: Any = None, complete: bool = True
) -> dict[str, Any]:
    """The findings document of the fleet.

    documents: host -> findings document, or None or {} for a host that gave none (unreachable, failed): it is
        listed, so that its silence is not taken for a pass. Or a list of documents that know their hosts
        already, such as joined parts.
    results: host -> the ``results`` of guest_io there; the host's document then is the one from after the changes.
    assessments: subject -> host -> {findings, changed, plan, status, detail}, what was assessed of the host itself.
        ``waivers``, where it has some, are those of the policy that the host was judged by, on the day ``date``.
    expected: hosts that a report is expected from; one that gave none is listed as silent.
    complete: False: there are more hosts, as in a run with a limit. Then, and where a host gave no report, no waiver
        is said to match nothing: its guest may be there. Parts of limited runs are complete together
        where ``expected`` names all hosts.
    Raises ReportError where an input does not have its shape, or a host is in two documents.
    """
    parts = _parts(documents)
    _refuse_host_in_two(parts)
    read = [(part.host, part.document) for part in parts if part.document]
    hosts = _hosts(parts)
    joined = _concatenated(read)
    joined["date"] = joined["date"] or max(
        (one["date"] for one in _reports(assessments) if one.get("date")), default=None
    )
    if read and not any(document.get("guests_asked", True) for _host, document in read):
        joined["guests_asked"] = False
    joined["findings"] += _assess_hosts(hosts, assessments)
    for host in expected or ():
        hosts.setdefault(host, host_entry(host, reported=False))
    if expected is None:
        complete = complete and all(document.get("complete", True) for _host, document in read)
    joined["complete"] = bool(complete)
    joined["waivers"] = _waivers_of([*(document for _host, document in read), *_reports(assessments)])
    all_known = complete and all(entry["reported"] for entry in hosts.values())
    joined["findings"] += waiver_findings(joined["waivers"], all_known)
    for key in LISTS:
        joined[key].sort(key=sort_key)
    joined["hosts"] = [hosts[host] for host in sorted(hosts, key=lambda host: natural_key(str(host)))]
    applied = _results(read, results)
    if results is not None or applied:
        joined["results"] = sorted(applied, key=sort_key)
    joined["summary"] = summary(joined["findings"], joined["guests"])
    return joined


def _parts(documents: Any) -> list[_Part]:
    if isinstance(documents, Mapping):
        named = [(host, document, f"the findings document of host {host}") for host, document in documents.items()]
    else:
        listed = enumerate(check_list(documents, "the list of documents"), 1)
        named = [(None, document, f"findings document {number} of the list") for number, document in listed]
    return [
        _Part(host, check_document(document, where) if document or host is None else None, where)
        for host, document, where in named
    ]


def _refuse_host_in_two(parts: list[_Part]) -> None:
    first: dict[str, str] = {}
    for part in parts:
        for name in _covered(part):
            if first.setdefault(name, part.where) != part.where:
                raise ReportError(
                    f"host {name} is in two documents, {first[name]} and {part.where}, and would be counted twice."
                    " Leave one of them out."
                )


def _listed(part: _Part) -> Sequence[Item]:
    """The entries of the hosts that a document is about."""
    if part.document is None:
        return [{"host": part.host, "reported": False}]
    return hosts_of(part.document) or ([{"host": part.host}] if part.host is not None else [])


def _covered(part: _Part) -> set[Any]:
    """The hosts that a document reports on; not those of which it says that they gave no report."""
    hosts = {entry["host"] for entry in _listed(part) if entry.get("reported", True)}
    guests = part.document["guests"] if part.document else ()
    return (hosts | {guest.get("host") for guest in guests}) - {None}


def _hosts(parts: list[_Part]) -> dict[Any, HostEntry]:
    """Name to entry of every host that gave a document or was to give one."""
    hosts: dict[Any, HostEntry] = {}
    for entry in (entry for part in parts for entry in _listed(part)):
        name, reported = entry["host"], entry.get("reported", True)
        if reported or name not in hosts:
            hosts[name] = host_entry(name, reported=reported, assessments=list(entry.get("assessments") or ()))
    return hosts


def _concatenated(read: list[tuple[str | None, Document]]) -> dict[str, Any]:
    """The lists of all documents, one after the other, without what is judged again for all hosts together."""
    joined: dict[str, Any] = {
        "schema": SCHEMA,
        "date": max((document["date"] for _host, document in read if document.get("date")), default=None),
    }
    for key in LISTS:
        joined[key] = [
            _with_host(item, host)
            for host, document in read
            for item in document[key]
            if item.get("rule") not in _WAIVER_RULES
        ]
    not_read = [document["not_read"] for _host, document in read if "not_read" in document]
    if not_read:
        joined["not_read"] = [path for paths in not_read for path in paths]
    return joined


def _assess_hosts(hosts: dict[Any, HostEntry], assessments: Any) -> list[Item]:
    """Adds each assessment to its host's entry; returns the findings."""
    findings: list[Item] = []
    for subject, reports in _pairs(assessments, "assessments", "subjects"):
        for host, report in _pairs(reports, f"assessments of {subject}", "host names"):
            if not report:
                continue
            where = f"{subject} of host {host}"
            if not isinstance(report, Mapping):
                raise ReportError(f"{where} is not a dictionary.")
            found = check_list(report.get("findings") or [], f"{where}: findings")
            findings += [_with_host(item, host) for item in found]
            entry = hosts.setdefault(host, host_entry(host, reported=False))
            kept = [other for other in entry["assessments"] if other["subject"] != subject]
            about = {key: report.get(key) for key in ("status", "changed", "detail")}
            entry["assessments"] = [*kept, assessment(subject=subject, **about)]
    return findings


def _reports(assessments: Any) -> list[Document]:
    """The assessments that are there, whatever their subject and host."""
    pairs = _pairs(assessments, "assessments", "subjects")
    return [report for _subject, reports in pairs for report in reports.values() if report]


def _waivers_of(documents: Iterable[Document]) -> list[dict[str, Any]]:
    """Every waiver once, with what it matches on all hosts. Those of guests and of hosts may have the same id."""
    waivers: dict[tuple[str, ...], dict[str, Any]] = {}
    for document in documents:
        for waiver in document.get("waivers") or ():
            known = waivers.setdefault((waiver["id"], *waiver["rules"]), {**waiver, "matched": 0})
            known["matched"] += waiver["matched"]
    return list(waivers.values())


def _results(read: list[tuple[str | None, Document]], results: Any) -> list[Item]:
    applied = [_with_host(item, host) for host, document in read for item in document.get("results", ())]
    for host, items in _pairs(results, "results", "host names"):
        applied += [_with_host(item, host) for item in check_list(items or [], f"results of host {host}")]
    return applied


def _pairs(value: Any, what: str, keys: str) -> Iterable[tuple[Any, Any]]:
    if value is None:
        return ()
    if not isinstance(value, Mapping):
        raise ReportError(f"{what} must be a dictionary of {keys}.")
    return value.items()


def _with_host(item: Item, host: str | None) -> Item:
    """The item itself where it knows its host."""
    return item if item.get("host") is not None else {**item, "host": host}
