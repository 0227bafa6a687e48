# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""What fails the gate: a severity and all that are worse, rules by their ids, or both."""

from __future__ import annotations

from typing import Any, NamedTuple

from ...module_utils._model.findings import SEVERITIES
from ...module_utils._shown import shown
from .._policy.fail_on import TAKES, names
from .document import Item, ReportError, severity_rank

_UNJUDGED = "IO100"


class Threshold(NamedTuple):
    """``severity`` is None where rules alone fail the gate, and what cannot be judged: it may be against them."""

    severity: str | None
    rules: tuple[str, ...] = ()

    def fails(self, finding: Item) -> bool:
        """Whether a finding fails the gate; one that is waived does not."""
        return not finding.get("waived") and self.counts(finding)

    def counts(self, finding: Item) -> bool:
        """Whether a finding is severe enough, or of one of the rules."""
        severe = self.severity is not None and severity_rank(finding) <= SEVERITIES.index(self.severity)
        return severe or finding.get("rule") in self.rules or (self.severity is None and _is_unjudged(finding))

    @property
    def text(self) -> str:
        """As it is given: ``error,IO104``."""
        return ",".join([*([self.severity] if self.severity else []), *self.rules])

    @property
    def words(self) -> str:
        """For a sentence: ``severity warning or worse, or of rule IO104``."""
        severity = f"severity {self.severity}" + ("" if self.severity == SEVERITIES[0] else " or worse")
        rules = f"rule {' or '.join(self.rules)}"
        if self.severity is None:
            return rules if _UNJUDGED in self.rules else f"{rules}, or of what cannot be judged"
        return f"{severity}, or of {rules}" if self.rules else severity


def _is_unjudged(finding: Item) -> bool:
    return finding.get("rule") == _UNJUDGED and finding.get("severity") == SEVERITIES[0]


def threshold(fail_on: Any) -> Threshold:
    """The threshold that a list, or text with commas, names. Raises ReportError."""
    if isinstance(fail_on, Threshold):
        return fail_on
    named = names(fail_on)
    if named is None:
        raise ReportError(f"fail_on is {shown(fail_on)}; it takes {TAKES}")
    severity = next((name for name in named if name in SEVERITIES), None)
    return Threshold(severity, tuple(name for name in named if name not in SEVERITIES))
