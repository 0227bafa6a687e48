# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The gate: whether a findings document lets a change pass, and what stands against it.

It fails closed. A host that gave no report, and a document without a single guest, is never a pass.
"""

from __future__ import annotations

from collections.abc import Mapping

from ...module_utils._model.findings import SEVERITIES
from ...module_utils._text import plural
from .._fleet.document import ReportError, check_document, owner, place, severity_rank, spot
from .table import head_line, not_read_lines, unseen_lines, waived_lines
from .text import brief, short, visible, wrap


def judge(document, fail_on: str = "error") -> dict:
    """The verdict on a findings document, of one host or joined.

    Returns {passed, fail_on, reason, findings, guests, silent}: `reason` is one sentence; `findings` are those
    that stand against it, the most severe first; `guests` is how many guests they are about; `silent` names the
    hosts that gave no report.
    Raises ReportError where the document has not its shape or `fail_on` is no severity.
    """
    check_document(document)
    if fail_on not in SEVERITIES:
        raise ReportError("fail_on is %r; allowed are %s." % (fail_on, ", ".join(SEVERITIES)))
    worst = SEVERITIES.index(fail_on)
    against = [f for f in document["findings"] if not f.get("waived") and severity_rank(f) <= worst]
    against.sort(key=lambda finding: (severity_rank(finding), str(finding.get("rule")), place(finding)))
    silent = [visible(host["host"]) for host in document.get("hosts") or () if not host.get("reported", True)]
    guests = len({owner(f) for f in against if f.get("guest") is not None})
    reasons = []
    if silent:
        reasons.append("no report from %s" % ", ".join(silent))
    if not document["guests"] and not against:
        reasons.append("no guest was read, so none was judged")
    if against:
        reasons.append(_count(against, guests, fail_on))
    return {
        "passed": not reasons,
        "fail_on": fail_on,
        "reason": "; ".join(reasons) or "nothing of severity %s stands against it" % _or_worse(fail_on),
        "findings": against,
        "guests": guests,
        "silent": silent,
    }


def gate_lines(document, fail_on: str = "error", width: int = 80, limit: int = 10, reasons: int = 40) -> list[str]:
    """The lines to print for the verdict: the reasons with what to do, the most severe first, the verdict last.

    limit: how many places of one reason are named; the rest are counted.
    reasons: how many reasons are shown, likewise.
    Raises ReportError as `judge` does.
    """
    verdict = judge(document, fail_on)
    lines = [head_line(document, document["guests"])]
    if verdict["silent"]:
        text = "NO REPORT from %s: unreachable or failed; nothing is known of the guests there."
        lines += wrap(text % ", ".join(verdict["silent"]), width, "", "  ")
    lines += unseen_lines(document, width)
    groups: dict = {}
    for finding in verdict["findings"]:
        key = (finding["severity"], visible(finding.get("rule")), brief(finding.get("message")))
        groups.setdefault(key, []).append(finding)
    for (severity, rule, message), findings in list(groups.items())[:reasons]:
        text = "%s %s (%d): %s" % (severity.upper(), rule, len(findings), message)
        lines += ["", *wrap(text, width, "", "  ")]
        lines += _advice(findings, width)
        lines += ["    %s" % _where(finding) for finding in findings[:limit]]
        lines += _more(len(findings) - limit, "    ")
    if len(groups) > reasons:
        lines += ["", *_more(len(groups) - reasons, "", " reasons")]
    lines += waived_lines(document, width)
    lines += _spent_waivers(document, verdict, width, reasons)
    lines += not_read_lines(document, width)
    lines += ["", *_uncounted(document, verdict)]
    lines += wrap("GATE %s: %s" % ("PASSED" if verdict["passed"] else "FAILED", verdict["reason"]), width, "", "  ")
    return lines


def _spent_waivers(document: Mapping, verdict: Mapping, width: int, limit: int) -> list[str]:
    """Waivers that have expired or match nothing, also where they do not count: who looks for one here finds out why it
    does not hold.
    """
    against = {id(finding) for finding in verdict["findings"]}
    spent = [f for f in document["findings"] if f.get("rule") in ("IO121", "IO122") and id(f) not in against]
    if not spent:
        return []
    lines = ["", "WAIVERS THAT DO NOT HOLD"]
    for finding in spent[:limit]:
        lines += wrap(
            "%s: %s. %s" % (finding["rule"], brief(finding.get("message")), brief(finding.get("hint"))),
            width,
            "  ",
            "    ",
        )
    return lines + _more(len(spent) - limit, "  ")


def _count(against: list, guests: int, fail_on: str) -> str:
    text = "%s of severity %s" % (plural(len(against), "finding"), _or_worse(fail_on))
    return "%s, not waived%s" % (text, ", in %s" % plural(guests, "guest") if guests else "")


def _or_worse(fail_on: str) -> str:
    return fail_on if fail_on == SEVERITIES[0] else "%s or worse" % fail_on


def _advice(findings: list, width: int) -> list[str]:
    """What to do; where it differs from guest to guest, what to do for the first."""
    hints = {brief(finding.get("hint")) for finding in findings}
    first = brief(findings[0].get("hint"))
    return wrap(("-> %s" if len(hints) == 1 else "-> for the first: %s") % first, width, "  ", "     ") if first else []


def _where(finding: Mapping) -> str:
    """File and line as editors and CIs know them, and whose they are."""
    whose = " ".join(short(finding[key]) for key in ("host", "guest", "name", "disk") if finding.get(key))
    return ": ".join(filter(None, [spot(finding), whose])) or "policy"


def _more(count: int, indent: str, what: str = "") -> list[str]:
    return ["%s... and %d more%s; the reports name them all" % (indent, count, what)] if count > 0 else []


def _uncounted(document: Mapping, verdict: Mapping) -> list[str]:
    """What is there, and does not count at this severity."""
    less = SEVERITIES[SEVERITIES.index(verdict["fail_on"]) + 1 :]
    found = [
        plural(sum(f["severity"] == name and not f.get("waived") for f in document["findings"]), name) for name in less
    ]
    return ["Not counted: %s" % ", ".join(found)] if less else []
