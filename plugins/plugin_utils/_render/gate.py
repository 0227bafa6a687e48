# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors
"""The gate's verdict on the terminal: what fails it, what to do, and the verdict last."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from ...module_utils._model.findings import SEVERITIES
from ...module_utils._text import plural, visible
from .._fleet.document import Document, Item
from .._fleet.gate import judge
from .._fleet.threshold import threshold
from .table import head_line, needs_ssh_lines, not_read_lines, unseen_lines, waived_lines
from .text import ARROW, brief, called, location, short, toned, wrap_all

_TONES = {"error": "error", "warning": "warning"}


def gate_lines(document: Any, fail_on: Any = "error", width: int = 80, limit: int = 10, reasons: int = 40) -> list[str]:
    """The lines to print for the verdict: the reasons with what to do, the most severe first, the verdict last.

    limit: how many places of one reason are named; the rest are counted.
    reasons: how many reasons are shown, likewise.
    Raises ReportError as ``judge`` does.
    """
    verdict = judge(document, fail_on)
    lines = wrap_all([head_line(document, document["guests"]), *unseen_lines(document)], width)
    groups: dict[tuple[str, str, str], list[Item]] = {}
    for finding in verdict["findings"]:
        key = (finding["severity"], visible(finding.get("rule")), brief(finding.get("message")))
        groups.setdefault(key, []).append(finding)
    for (severity, rule, message), findings in list(groups.items())[:reasons]:
        title = f"{severity.upper()} {rule} ({len(findings)}): {message}"
        lines += wrap_all(["", *toned(_TONES.get(severity), [title]), *_advice(findings)], width)
        # Not wrapped, so that editors and CIs find file and line.
        lines += [f"    {_where(finding)}" for finding in findings[:limit]]
        lines += _more(len(findings) - limit, "    ")
    end = ["", *_more(len(groups) - reasons, "", " reasons")] if len(groups) > reasons else []
    end += waived_lines(document)
    end += _void_waivers(document, verdict["findings"], reasons)
    end += not_read_lines(document)
    end += needs_ssh_lines(document)
    end += ["", *_uncounted(document, fail_on)]
    word, tone = ("PASSED", "ok") if verdict["passed"] else ("FAILED", "error")
    end += toned(tone, [f"GATE {word}: {verdict['reason']}"])
    return lines + wrap_all(end, width)


def _void_waivers(document: Document, shown: Sequence[Item], limit: int) -> list[str]:
    """Waivers that have expired or match nothing, even where they do not fail the gate: their author finds out here."""
    known = set(map(id, shown))
    void = [item for item in document["findings"] if item.get("rule") in ("IO121", "IO122") and id(item) not in known]
    lines = [f"  {item['rule']}: {brief(item.get('message'))}. {brief(item.get('hint'))}" for item in void[:limit]]
    return ["", "WAIVERS WITHOUT EFFECT", *lines, *_more(len(void) - limit, "  ")] if void else []


def _advice(findings: Sequence[Item]) -> list[str]:
    """What to do; where that differs from guest to guest, what to do for the first."""
    first = brief(findings[0].get("hint"))
    same = len({brief(finding.get("hint")) for finding in findings}) == 1
    return [f"  {ARROW}{'' if same else 'for the first: '}{first}"] if first else []


def _where(finding: Item) -> str:
    """File and line, and the guest and disk. The host of a plan's guests is the plan, which is named once."""
    place = location(finding)
    of_plan = finding.get("host") and place.endswith(visible(finding["host"]))
    names = [None if of_plan else finding.get("host"), *called(finding), finding.get("disk")]
    who = " ".join(short(name) for name in names if name)
    return ": ".join(filter(None, [place, who])) or "policy"


def _more(count: int, indent: str, what: str = "") -> list[str]:
    return [f"{indent}... and {count} more{what}; the reports name them all"] if count > 0 else []


def _uncounted(document: Document, fail_on: Any) -> list[str]:
    """How many findings do not fail the gate."""
    limit = threshold(fail_on)
    left = Counter(
        item["severity"] for item in document["findings"] if not item.get("waived") and not limit.counts(item)
    )
    least = 0 if limit.severity is None else SEVERITIES.index(limit.severity) + 1
    less = [plural(left[name], name) for name in SEVERITIES[least:]]
    return [f"Not counted: {', '.join(less)}"] if less else []
