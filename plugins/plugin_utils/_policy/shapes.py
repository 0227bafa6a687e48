# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Values of a policy document, checked: each function raises PolicyError with the value's place and what is allowed."""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping
from typing import Any

from ...module_utils._shown import piece, shown
from .errors import PolicyError

# The dates that YAML accepts.
_DATE = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})\Z", re.ASCII)


def mapping(place: str, value: Any, allowed: tuple[str, ...], required: tuple[str, ...] = ()) -> None:
    """A mapping that has only allowed keys, and all required ones."""
    if not isinstance(value, Mapping):
        raise PolicyError(place, f"is {shown(value)}, it takes a mapping with the keys {', '.join(allowed)}")
    for key in value:
        if key not in allowed:
            raise PolicyError(at(place, key), f"is not known; allowed here: {', '.join(allowed)}")
    for key in required:
        if value.get(key) is None:
            raise PolicyError(at(place, key), "is missing")


def at(place: str, key: Any) -> str:
    """The place of a mapping's key."""
    return f"{place}.{piece(key)}"


def items(place: str, value: Any) -> list[Any]:
    """A list; null is an empty one."""
    if value is None:
        return []
    if not isinstance(value, list):
        raise PolicyError(place, f"is {shown(value)}, it takes a list")
    return value


def text(place: str, value: Any) -> str:
    """Text that a person wrote; YAML reads some of it as a number or a date."""
    if isinstance(value, str):
        if not value.strip():
            raise PolicyError(place, "is empty, it takes text")
        return str(value)
    if isinstance(value, (int, float, datetime.date)) and not isinstance(value, bool):
        return shown(value)
    raise PolicyError(place, f"is {shown(value)}, it takes text")


def number(place: str, value: Any, least: int, most: int) -> int:
    """A whole number between two others."""
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise PolicyError(place, f"is {shown(value)}, it takes a whole number from {least} to {most}")
    return value


def truth(place: str, value: Any) -> bool:
    """True or false."""
    if not isinstance(value, bool):
        raise PolicyError(place, f"is {shown(value)}, it takes true or false")
    return value


def choice(place: str, value: Any, allowed: tuple[str, ...]) -> str:
    """One of several words."""
    if not isinstance(value, str) or value not in allowed:
        raise PolicyError(place, f"is {shown(value)}, it takes {' or '.join(allowed)}")
    return str(value)


def date(place: str, value: Any) -> datetime.date:
    """A date as YAML or JSON gives it."""
    if isinstance(value, datetime.datetime):
        return value.date()
    if isinstance(value, datetime.date):
        return value
    match = _DATE.match(value) if isinstance(value, str) else None
    try:
        return datetime.date(*(int(part) for part in match.groups()))  # type: ignore[union-attr]
    except (AttributeError, ValueError):
        raise PolicyError(place, f"is {shown(value)}, it takes a date such as 2027-03-31") from None
