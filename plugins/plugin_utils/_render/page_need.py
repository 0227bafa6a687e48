# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors
"""One thing that needs a person, and what there is to be pasted about it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from ...module_utils._text import visible
from .next_steps import Step

#: So many guests or hosts are named; the ids to copy are always all of them.
MOST_NAMED = 200
# So many are named before the list is unfolded.
_NAMED_FIRST = 6

#: (label, text to paste, what it does: a line, or "")
Paste = tuple[str, str, str]

_LABELS = {
    "again": "Run again",
    "harden": "Harden",
    "limits": "Limits",
    "paste": "Set",
    "restart": "Restart",
    "rollback": "Roll back",
}


def need(mark: str, title: str, number: str, advice: str, **more: Any) -> dict[str, Any]:
    """{mark, title, count, advice, names, people, more, pastes, filter}.

    ``names`` are the first of those it is about, in a line; ``people`` all of them as (host, [(guest, detail)]);
    ``more`` how many are left out of that; ``pastes`` what is there to be pasted; ``filter`` what shows the guests in
    the table, {} where they are none of its rows.
    """
    empty: dict[str, Any] = {"names": "", "people": [], "more": 0, "pastes": [], "filter": {}}
    return {"mark": mark, "title": title, "count": number, "advice": advice, **empty, **more}


def first(names: Sequence[str], total: int) -> str:
    """The first of ``total`` names, and how many more there are."""
    shown = names[:_NAMED_FIRST]
    more = total - len(shown)
    return ", ".join(shown) + (f" and {more:,} more" if more else "")


def of_kind(steps: Iterable[Step], *kinds: str) -> list[Step]:
    """The steps of these kinds."""
    return [step for step in steps if step["kind"] in kinds]


def pastes(steps: Iterable[Step]) -> list[Paste]:
    """What the steps give to paste, each with what it does."""
    return [
        (_LABELS[step["kind"]], "\n".join(map(visible, step["text"].split("\n"))), f"{step['title']}:")
        for step in steps
        if step["text"] is not None
    ]


def said_pastes(step: Step) -> list[Paste]:
    """The same where the step is said already."""
    return [(label, text, "") for label, text, _does in pastes([step])]
