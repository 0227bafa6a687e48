# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Where a rule is explained: its heading of docs/rules.md at the project's home."""

from __future__ import annotations

from urllib.parse import quote

from .._policy.rules import Rule
from .tool import HOME


def rule_address(rule: Rule) -> str:
    """The address of the rule's text."""
    return f"{HOME}/blob/main/docs/rules.md#{anchor(f'{rule.id} {rule.title}')}"


def anchor(heading: str) -> str:
    """The anchor that GitHub gives a heading of a Markdown file."""
    kept = "".join(char for char in heading.lower() if char.isalnum() or char in " -_")
    return quote(kept.replace(" ", "-"))
