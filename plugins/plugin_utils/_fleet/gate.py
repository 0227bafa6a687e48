# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The gate: whether a findings document lets a change pass.

It fails closed: a host without a report, or a document without a single guest, never passes.
"""

from __future__ import annotations

from typing import Any

from ...module_utils._model.findings import SEVERITIES
from ...module_utils._text import plural, visible
from .document import Document, Item, check_document, guest_key, least_rank, severity_rank, silent_hosts, sort_key


def judge(document: Any, fail_on: str = "error") -> dict[str, Any]:
    """The verdict on a findings document, of one host or joined.

    Returns {passed, fail_on, reason, findings, guests, silent}: ``reason`` is one sentence; ``findings`` are those
    that fail the gate, the most severe first; ``guests`` is the number of guests they are about; ``silent`` are the
    hosts without a report.
    Raises ReportError where the document does not have its shape or ``fail_on`` is not a severity.
    """
    check_document(document)
    findings = _against(document, least_rank(fail_on))
    silent = [visible(host) for host in silent_hosts(document)]
    guests = len({guest_key(finding) for finding in findings if finding.get("guest") is not None})
    reasons = [f"no report from {', '.join(silent)}"] if silent else []
    if not document["guests"] and not findings:
        reasons.append("no guest was read, so none was judged")
    if findings:
        where = f", in {plural(guests, 'guest')}" if guests else ""
        reasons.append(f"{plural(len(findings), 'finding')} of severity {_or_worse(fail_on)}, not waived{where}")
    return {
        "passed": not reasons,
        "fail_on": fail_on,
        "reason": "; ".join(reasons) or f"no finding of severity {_or_worse(fail_on)}",
        "findings": findings,
        "guests": guests,
        "silent": silent,
    }


def _against(document: Document, least: int) -> list[Item]:
    found = [item for item in document["findings"] if not item.get("waived") and severity_rank(item) <= least]
    return sorted(found, key=lambda item: (severity_rank(item), str(item.get("rule")), sort_key(item)))


def _or_worse(fail_on: str) -> str:
    return fail_on if fail_on == SEVERITIES[0] else f"{fail_on} or worse"
