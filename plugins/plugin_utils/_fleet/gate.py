# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The gate: whether a findings document lets a change pass.

It fails closed: a host without a report, or a document without a single guest, never passes.
"""

from __future__ import annotations

from typing import Any

from ...module_utils._text import plural, visible
from .document import Document, Item, check_document, guest_key, severity_rank, silent_hosts, sort_key
from .threshold import Threshold, threshold


def judge(document: Any, fail_on: Any = "error") -> dict[str, Any]:
    """The verdict on a findings document, of one host or joined.

    ``fail_on`` is what ``threshold`` takes. Returns {passed, fail_on, reason, findings, guests, silent}: ``reason``
    is one sentence; ``findings`` are those that fail the gate, the most severe first; ``guests`` is the number of
    guests they are about; ``silent`` are the hosts without a report. Raises ReportError where the document does not
    have its shape or ``fail_on`` is wrong.
    """
    check_document(document)
    limit = threshold(fail_on)
    findings = _against(document, limit)
    silent = [visible(host) for host in silent_hosts(document)]
    guests = len({guest_key(finding) for finding in findings if finding.get("guest") is not None})
    reasons = [f"no report from {', '.join(silent)}"] if silent else []
    if not document["guests"] and not findings:
        reasons.append("no guest was read, so none was judged")
    if findings:
        where = f", in {plural(guests, 'guest')}" if guests else ""
        reasons.append(f"{plural(len(findings), 'finding')} of {limit.words}, not waived{where}")
    return {
        "passed": not reasons,
        "fail_on": limit.text,
        "reason": "; ".join(reasons) or f"no finding of {limit.words}",
        "findings": findings,
        "guests": guests,
        "silent": silent,
    }


def _against(document: Document, limit: Threshold) -> list[Item]:
    found = filter(limit.fails, document["findings"])
    return sorted(found, key=lambda item: (severity_rank(item), str(item.get("rule")), sort_key(item)))
