# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Values from outside in messages: a short piece, however large or deep they are."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from typing import Any

from ._text import visible

#: How many characters of a value an error shows: enough to find it, too few to print a file that was named by mistake.
MOST_SHOWN = 60

#: The same of a path: as long as a file's name may be, so that a real path is shown whole.
MOST_OF_A_PATH = 255
#: How many names of a long list a sentence has.
MOST_NAMED = 5

_MOST_ITEMS = 4
_MOST_LEVELS = 2
_MOST_BITS = 4 * MOST_SHOWN


def shown(value: Any) -> str:
    """A value for an error: the beginning of it as YAML has it, text in quotes."""
    return _cut(_repr(value, _MOST_LEVELS))


def piece(value: Any) -> str:
    """The same without quotes, for a name such as a key."""
    return _beginning(value, MOST_SHOWN) if isinstance(value, str) else shown(value)


def path(value: str) -> str:
    """A path without quotes, whole unless it is longer than paths are."""
    return _beginning(value, MOST_OF_A_PATH)


def some(names: Sequence[str]) -> list[str]:
    """The first few names, a piece of each, and ``and 7 more`` where there are more; to be joined with commas."""
    more = len(names) - MOST_NAMED
    return [piece(name) for name in names[:MOST_NAMED]] + ([f"and {more} more"] if more > 0 else [])


def _beginning(text: str, most: int) -> str:
    return _cut(visible(str.__str__(text[: most + 1])), most)


def _cut(text: str, most: int = MOST_SHOWN) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _repr(value: Any, levels: int) -> str:
    if isinstance(value, str):
        return repr(str.__str__(value[: MOST_SHOWN + 1]))
    if isinstance(value, int) and value.bit_length() > _MOST_BITS:
        # Python refuses to spell numbers of more than 4,300 digits.
        return "a very large number"
    if isinstance(value, Mapping):
        items = [f"{_repr(key, 0)}: {_repr(value[key], levels - 1)}" for key in _first(value)] if levels else []
        return f"{{{_joined(items, value)}}}"
    if isinstance(value, (list, tuple, set)):
        return f"[{_joined([_repr(item, levels - 1) for item in _first(value)] if levels else [], value)}]"
    if value is None or isinstance(value, bool):
        return "null" if value is None else str(value).lower()
    if isinstance(value, (int, float)):
        return repr(value)
    return str(value) if isinstance(value, datetime.date) else f"a value of type {type(value).__name__}"


def _first(values: Any) -> list[Any]:
    return [value for value, _number in zip(values, range(_MOST_ITEMS))]


def _joined(items: list[str], whole: Any) -> str:
    return ", ".join(items + (["…"] if len(whole) > len(items) else []))
