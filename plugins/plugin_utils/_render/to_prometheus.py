# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The findings document as metrics for the textfile collector of Prometheus' node_exporter.

Sources: prometheus.io, "Exposition formats" (text format 0.0.4) and "Metric and label naming"; node_exporter, "Textfile
Collector": its samples have no timestamps of their own.
"""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from ...module_utils._text import visible
from .._fleet.document import Document, Item, check_document, disk_state, guest_key, hosts_of
from .._fleet.outcome import STATES, outcomes
from .tool import VERSION
from .words import NO_HOST

_DISK_STATES = ("compliant", "waived", "noncompliant")

#: The labels of a sample, and its value.
Sample = tuple[Mapping[str, Any], float]


def prometheus_report(document: Any, now: float, check: bool = False) -> str:
    """Metrics that all begin with ``guest_io_``, each with its help and type, sorted by their labels.

    now: seconds since 1970, the time of the run.
    check: the document's ``results`` are those of a check run.
    Raises ReportError where the document does not have its shape.
    """
    check_document(document)
    lines: list[str] = []
    for name, text, samples in _metrics(document, now, check):
        made = sorted(f"guest_io_{name}{_labels(labels)} {_number(value)}" for labels, value in samples)
        if made:
            lines += [f"# HELP guest_io_{name} {text}", f"# TYPE guest_io_{name} gauge", *made]
    return "\n".join(lines) + "\n"


def _metrics(document: Document, now: float, check: bool) -> list[tuple[str, str, Iterable[Sample]]]:
    """(name without its prefix, help, samples) of each metric; one without samples is left out."""
    entries = outcomes(document, check)
    reported: dict[str, bool] = {}
    for host in hosts_of(document):
        name = _host(host)
        reported[name] = reported.get(name, True) and bool(host.get("reported", True))
    # Every host has every state, so that a count that falls to 0 is 0 and not absent.
    hosts = sorted({*map(_host, entries), *reported})
    guests = Counter((_host(entry), entry["state"]) for entry in entries)
    waiting = Counter(_host(entry) for entry in entries if entry["restart_pending"])
    oldest = _oldest_start(document, entries)
    disks = Counter((_host(guest), disk_state(disk)) for guest in document["guests"] for disk in guest["disks"])
    found = Counter(_kind(finding) for finding in document["findings"] if not finding.get("waived"))
    waived = Counter(_kind(finding) for finding in document["findings"] if finding.get("waived"))
    gate = document.get("gate")
    return [
        ("info", "The collection that made these metrics.", [({"version": VERSION}, 1)]),
        (
            "last_run_timestamp_seconds",
            "When the run that made these metrics ended, in seconds since 1970.",
            [({}, now)],
        ),
        (
            "run_complete",
            "Whether the run was to look at every host: 0 where it was limited to some.",
            [({}, document.get("complete", True))],
        ),
        (
            "host_reported",
            "Whether the host gave a report. Nothing is known about the guests of one that gave none.",
            [({"host": host}, answered) for host, answered in reported.items()],
        ),
        (
            "guests",
            "Guests by their state. Each guest is in one state.",
            [({"host": host, "state": state}, guests[host, state]) for host in hosts for state in STATES],
        ),
        (
            "guests_restart_pending",
            "Guests that wait for a restart, whatever their state.",
            [({"host": host}, waiting[host]) for host in hosts],
        ),
        (
            "restart_pending_oldest_start_timestamp_seconds",
            "When the guest started that has run longest of those that wait for a restart. None has waited longer.",
            [({"host": host}, start) for host, start in oldest.items()],
        ),
        (
            "disks",
            "Disks by their state.",
            [({"host": host, "state": state}, disks[host, state]) for host in hosts for state in _DISK_STATES],
        ),
        ("findings", "Findings that are not waived, by rule and severity.", _by_kind(found)),
        ("waived_findings", "Findings that are waived, by rule and severity.", _by_kind(waived)),
        (
            "gate_passed",
            "Whether the gate passed.",
            [({"fail_on": gate["fail_on"]}, gate["passed"])] if gate else [],
        ),
    ]


def _oldest_start(document: Document, entries: Iterable[Item]) -> dict[str, float]:
    """Host to the first start of its guests that wait, in seconds since 1970; without hosts of which none is known."""
    started = {guest_key(guest): guest.get("started") for guest in document["guests"]}
    oldest: dict[str, float] = {}
    for entry in entries:
        start = _seconds(started.get(guest_key(entry))) if entry["restart_pending"] else None
        if start is not None:
            oldest[_host(entry)] = min(start, oldest.get(_host(entry), start))
    return oldest


def _seconds(time: Any) -> float | None:
    try:
        return datetime.datetime.fromisoformat(str(time).replace("Z", "+00:00")).timestamp() if time else None
    except ValueError:
        return None


def _kind(finding: Item) -> tuple[str, str, str]:
    nowhere = finding.get("host") is None and finding.get("guest") is None and not finding.get("file")
    return "policy" if nowhere else _host(finding), visible(finding.get("rule")), finding["severity"]


def _by_kind(counts: Mapping[tuple[str, str, str], int]) -> list[Sample]:
    return [
        ({"host": host, "rule": rule, "severity": severity}, count) for (host, rule, severity), count in counts.items()
    ]


def _host(item: Item) -> str:
    # An empty label is the same as none.
    return visible(item.get("host")) or NO_HOST


def _labels(labels: Mapping[str, Any]) -> str:
    given = ",".join(f'{name}="{_escaped(visible(value))}"' for name, value in labels.items())
    return f"{{{given}}}" if given else ""


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(value)
