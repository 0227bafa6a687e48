# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""What to do after a run, on the terminal: the last lines of its report."""

from __future__ import annotations

from collections.abc import Sequence

from ...module_utils._text import visible
from .next_steps import Step, without
from .text import short, wrap_all

_MOST_OF_A_KIND = 3
_MOST_IDS = 40


def step_lines(steps: Sequence[Step], left: bool = False, left_out: Sequence[str] = (), width: int = 80) -> list[str]:
    """The lines for the steps of ``next_steps``.

    ``left`` is whether something needs a person that has no step, ``left_out`` are the extra variables that the
    commands lack. What is to be pasted is a line of its own, which is not wrapped.
    """
    if not steps:
        nothing = (
            "Nothing more that a run can do: what is left needs a person, see above." if left else "Nothing to do."
        )
        return ["", *wrap_all([nothing], width)]
    lines, seen = ["", "WHAT NEXT"], dict.fromkeys((step["kind"] for step in steps), 0)
    for step in steps:
        seen[step["kind"]] += 1
        if seen[step["kind"]] > _MOST_OF_A_KIND:
            continue
        ids = "" if step["text"] is not None or not step["guests"] else f": {_named(step['guests'])}"
        lines += wrap_all([f"  {visible(step['title'])}{ids}{':' if step['text'] is not None else ''}"], width)
        lines += [
            f"    {visible(line)}".rstrip() for line in (step["text"] or "").split("\n") if step["text"] is not None
        ]
    for kind, number in seen.items():
        if number > _MOST_OF_A_KIND:
            lines += wrap_all(
                [f"  ... and {number - _MOST_OF_A_KIND} more to {kind}; the reports name them all"], width
            )
    if left_out and any(step["text"] for step in steps):
        lines += wrap_all([f"  {without(left_out)}"], width)
    return lines


def _named(ids: Sequence[str]) -> str:
    more = f" and {len(ids) - _MOST_IDS} more" if len(ids) > _MOST_IDS else ""
    return ", ".join(map(short, ids[:_MOST_IDS])) + more
