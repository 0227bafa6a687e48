# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""A table of counts for a terminal: names on the left, numbers on the right."""

from __future__ import annotations

from collections.abc import Sequence

from ...module_utils._text import visible
from .text import columns, fit, wrap_all

#: A column of names that is narrower than this, and than its names, cuts them beyond recognition.
_LEAST_NAME = 8


def count_table(first: str, heads: Sequence[str], rows: Sequence[tuple[str, Sequence[int]]], width: int) -> list[str]:
    """A line of ``heads`` and one for each of ``rows``, a name and its counts; under several, their sum, named ``all``.

    ``first`` is the head of the names. Where the columns take more than ``width``, each row is a sentence instead,
    which leaves out what is 0.
    """
    lines = [*rows, ("all", [sum(column) for column in zip(*(numbers for _name, numbers in rows))])]
    lines = [(visible(name), numbers) for name, numbers in (lines if len(rows) > 1 else rows)]
    wanted = max(5, columns(first), *(columns(name) for name, _numbers in lines))
    taken = sum(map(len, heads))
    left = width - taken - len(heads)
    if left < min(wanted, _LEAST_NAME):
        return wrap_all((_sentence(name, heads, numbers) for name, numbers in lines), width)
    gap = 2 if wanted + taken + 2 * len(heads) <= width else 1
    room = min(wanted, width - taken - gap * len(heads))

    def line(name: str, cells: Sequence[object]) -> str:
        return fit(name, room) + "".join(" " * gap + str(cell).rjust(len(head)) for head, cell in zip(heads, cells))

    return [line(first, heads), *(line(name, numbers) for name, numbers in lines)]


def _sentence(name: str, heads: Sequence[str], numbers: Sequence[int]) -> str:
    told = [f"{number} {head}" for number, head in zip(numbers, heads) if number]
    return f"{name}: {', '.join(told) or 'nothing'}"
