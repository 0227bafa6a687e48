# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Text in Markdown that is shown as it is.

What comes from a guest or a host is always in a code span: that is the one place where neither Markdown nor what GitHub
and GitLab make of the finished text (mentions, issues, commits, addresses, emoji) changes anything.

Sources: CommonMark 0.31.2, "Backslash escapes" and "Code spans"; GitHub Flavored Markdown, "Tables" (extension).
"""

from __future__ import annotations

import re
from typing import Any

from .text import short

# What has a meaning within a line. ``escaped`` is for sentences of this collection, none of which begins like a list.
_MARKUP = re.compile(r"([\\`*_\[\]<>|~$&@#])")


def escaped(text: str) -> str:
    """A sentence of this collection without markup. Not for what comes from a guest: see ``code``."""
    return _MARKUP.sub(r"\\\1", text)


def code(value: Any, width: int = 128) -> str:
    """A value as one code span, cut to ``width`` columns; "" for nothing."""
    text = short(value, width).rstrip()
    if not text:
        return ""
    mark = _longer_than_any("`", text, 1)
    # A blank on both sides is taken off again, so that a backtick may stand at an end.
    blank = " " if text[0] in "` " or text[-1] == "`" else ""
    return f"{mark}{blank}{text}{blank}{mark}"


def cell(value: Any, width: int = 128) -> str:
    """The same for a table, whose cells are told apart before code spans are."""
    return code(value, width).replace("|", "\\|")


def block(text: str) -> str:
    """A text of several lines as a code block, ready to be copied."""
    fence = _longer_than_any("`", text, 3)
    return f"{fence}text\n{text}\n{fence}"


def table(head: list[str], rows: list[list[str]], numbers: int = 0) -> list[str]:
    """The lines of a table of finished cells; the last ``numbers`` columns are aligned to the right."""
    marks = ["---"] * (len(head) - numbers) + ["---:"] * numbers
    return [f"| {' | '.join(cells)} |" for cells in (head, marks, *rows)]


def _longer_than_any(char: str, text: str, least: int) -> str:
    runs = re.findall(re.escape(char) + "+", text)
    return char * max(least, *(len(run) + 1 for run in runs), least)
