# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""What may be named as failing a gate: one severity, and rules by their ids."""

from __future__ import annotations

from typing import Any

from ...module_utils._model.findings import SEVERITIES
from .rules import RULES

#: What is allowed, in words.
TAKES = f"one of {', '.join(SEVERITIES)}, ids of rules such as IO104, or both: error,IO104"


def names(fail_on: Any) -> list[str] | None:
    """The names in a list, or in text with commas; None where they are not at most one severity and ids of rules, or
    where there is none.
    """
    parts = fail_on.split(",") if isinstance(fail_on, str) else fail_on
    if not isinstance(parts, (list, tuple)) or not all(isinstance(part, str) for part in parts):
        return None
    found = [part.strip() for part in parts]
    severities = [name for name in found if name in SEVERITIES]
    known = all(name in SEVERITIES or name in RULES for name in found)
    return found if found and known and len(severities) <= 1 else None
