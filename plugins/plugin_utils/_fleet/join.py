# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""One findings document out of the documents of several hosts.

The joined document keeps the shape of docs/data.md ("The findings document") and adds
`hosts` (who was asked, who answered, write-back limits) and, where something was applied, `results`.
"""

from __future__ import annotations

from collections.abc import Mapping

from ...module_utils._model.findings import SEVERITIES
from ...module_utils._text import natural_key
from .._policy import waivers as _waivers
from .document import LISTS, SCHEMA, ReportError, check_document, check_list, place

# findings about the waivers themselves, which only all hosts together can tell
EXPIRED, NO_MATCH = WAIVER_RULES = ("IO121", "IO122")

COUNTS = ("guests", "disks", "compliant", "to_change", "restart_pending", "unresolved", "waived")


def join_documents(documents, results=None, writeback=None, expected=None, complete=True) -> dict:
    """The fleet's findings document.

    documents: mapping host -> findings document, or None or {} for a host that gave none (unreachable,
        failed: it is listed, so that nobody takes its silence for a pass); or a list of documents
        that know their hosts already, as joined parts do.
    results: mapping host -> the `results` of guest_io on that host, whose document is then the one from after it.
    writeback: mapping host -> {findings, changed, plan, status, detail}, the host's write-back limits. Of a host
        whose limits were changed, what that cured is left out.
    expected: hosts that a report is expected from; one that gave none is listed as one that gave no report.
    complete: False tells that there are more hosts than those, as in a run that is limited to some. Then, and where
        a host gave no report, no waiver is said to match nothing: what it is for may be there. Parts that were
        limited themselves are complete together where `expected` names all hosts.
    Raises ReportError where an input has not that shape, or a host is in two documents.
    """
    parts = _parts(documents)
    joined: dict = {
        "schema": SCHEMA,
        "date": max([d["date"] for _h, d, _w in parts if d and d.get("date")], default=None),
    }
    joined.update({key: [] for key in LISTS})
    counts = dict.fromkeys(COUNTS, 0)
    hosts: dict = {}
    applied: list = []
    waivers: dict = {}
    told: dict = {}
    for host, document, where in parts:
        for name in _told_of(host, document) if document else ():
            if told.setdefault(name, where) != where:
                raise ReportError(
                    "host %s is in two documents, %s and %s, and would be counted twice. Leave one of them out."
                    % (name, told[name], where)
                )
        if document is None:
            hosts.setdefault(host, {"host": host, "reported": False, "writeback": None})
            continue
        for key in LISTS:
            joined[key].extend(_with_host(item, host) for item in document[key] if item.get("rule") not in WAIVER_RULES)
        if "not_read" in document:
            joined.setdefault("not_read", []).extend(document["not_read"])
        for waiver in document.get("waivers") or ():
            known = waivers.setdefault(waiver["id"], {**waiver, "matched": 0})
            known["matched"] += waiver["matched"]
        for key in COUNTS:
            counts[key] += document["summary"].get(key, 0)
        if "results" in document:
            applied.extend(_with_host(item, host) for item in document["results"])
        for entry in document.get("hosts") or ([{"host": host}] if host is not None else []):
            if entry.get("reported", True) or entry["host"] not in hosts:
                hosts[entry["host"]] = {"writeback": None, "reported": True, **entry}
    for host, report in _per_host(writeback, "writeback"):
        if not report:
            continue
        if not isinstance(report, Mapping):
            raise ReportError("writeback of host %s is not a dictionary." % host)
        entry = hosts.setdefault(host, {"host": host, "reported": False, "writeback": None})
        entry["writeback"] = {key: report.get(key) for key in ("status", "changed", "detail")}
        found = check_list(report.get("findings") or [], "writeback of host %s: findings" % host)
        cured = report.get("status") == "changed"
        joined["findings"].extend(_with_host(item, host) for item in found if not (cured and item.get("fixable")))
    for host, items in _per_host(results, "results"):
        if items:
            applied.extend(_with_host(item, host) for item in check_list(items, "results of host %s" % host))

    for host in expected or ():
        hosts.setdefault(host, {"host": host, "reported": False, "writeback": None})
    if expected is None:
        complete = complete and all(document.get("complete", True) for _host, document, _where in parts if document)
    joined["complete"] = bool(complete)
    complete = complete and all(entry["reported"] for entry in hosts.values())
    joined["waivers"] = list(waivers.values())
    about_waivers = _waivers.findings(joined["waivers"])
    joined["findings"].extend(finding for finding in about_waivers if complete or finding["rule"] != NO_MATCH)
    for key in LISTS:
        joined[key].sort(key=place)
    joined["hosts"] = [hosts[host] for host in sorted(hosts, key=lambda host: natural_key(str(host)))]
    if results is not None or applied:
        joined["results"] = sorted(applied, key=place)
    joined["summary"] = {**counts, **count_findings(joined["findings"])}
    return joined


def count_findings(findings) -> dict:
    """The summary's `findings` (by severity, without the waived ones) and `waived_findings`."""
    found = dict.fromkeys(SEVERITIES, 0)
    waived = 0
    for finding in findings:
        if finding.get("waived"):
            waived += 1
        else:
            found[finding["severity"]] += 1
    return {"findings": found, "waived_findings": waived}


def _parts(documents) -> list:
    """(host, document or None, where it stands) of each; host None where the documents know theirs."""
    if isinstance(documents, Mapping):
        named = [(host, document, "the findings document of host %s" % host) for host, document in documents.items()]
    else:
        listed = enumerate(check_list(documents, "the documents to join"), 1)
        named = [(None, document, "findings document %d of the list" % number) for number, document in listed]
    return [
        (host, check_document(document, where) if document or host is None else None, where)
        for host, document, where in named
    ]


def _told_of(host, document: Mapping) -> set:
    """The hosts that a document tells something of, beyond that they gave no report."""
    hosts = {guest.get("host") for guest in document["guests"]}
    if document.get("hosts"):
        hosts |= {entry["host"] for entry in document["hosts"] if entry.get("reported", True)}
    else:
        hosts.add(host)
    return hosts - {None}


def _per_host(value, what: str):
    if value is None:
        return ()
    if not isinstance(value, Mapping):
        raise ReportError("%s must be a dictionary of host names." % what)
    return value.items()


def _with_host(item: Mapping, host) -> dict:
    return {**item, "host": item["host"] if item.get("host") is not None else host}
