# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Sizes and rates as people write them in a policy: ``8 GiB``, ``50 MiB/s``. Pure, no I/O.

A number alone is refused: Proxmox VE means KiB/s by it in one file and MiB/s in another, the kernel bytes or KiB. So is
``MB``, which means 1000 or 1024 times 1000 or 1024, depending on whom one asks.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

from ...module_utils._shown import shown
from ...module_utils._text import plural
from .._policy.errors import PolicyError

_FACTORS = {"kib": 1 << 10, "mib": 1 << 20, "gib": 1 << 30, "tib": 1 << 40}
_WRITTEN = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,6})?) ?([KMGT]iB)(/s)?\Z", re.ASCII | re.IGNORECASE)

#: More than a host has, and far less than the kernel's numbers hold.
MOST = 1 << 50


def size(place: str, value: Any, least: int = 1, most: int = MOST, whole: int = 1) -> int:
    """The bytes of a size such as ``8 GiB``; raises PolicyError.

    ``whole``: the size is a multiple of so many bytes, such as 1024 where it is stored in KiB.
    """
    return _amount(place, value, "", "a size such as 8 GiB, with KiB, MiB, GiB or TiB", least, most, whole)


def rate(place: str, value: Any, least: int = 1, most: int = MOST, whole: int = 1) -> int:
    """The bytes per second of a rate such as ``50 MiB/s``; raises PolicyError. ``whole`` as for :func:`size`."""
    return _amount(place, value, "/s", "a rate such as 50 MiB/s, with KiB/s, MiB/s or GiB/s", least, most, whole)


def _amount(place: str, value: Any, unit: str, takes: str, least: int, most: int, whole: int) -> int:
    found = _WRITTEN.match(value) if isinstance(value, str) else None
    if not found or (found[3] or "").lower() != unit:
        raise PolicyError(place, f"is {shown(value)}, it takes {takes}")
    exact = Decimal(found[1]) * _FACTORS[found[2].lower()]
    if exact % whole:
        raise PolicyError(place, f"is {shown(value)}, it takes a multiple of {_spelled(whole)}{unit}")
    if not least <= exact <= most:
        raise PolicyError(place, f"is {shown(value)}, it takes {_spelled(least)}{unit} to {_spelled(most)}{unit}")
    return int(exact)


def _spelled(number: int) -> str:
    for unit, factor in (("TiB", 1 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)):
        if number % factor == 0:
            return f"{number // factor} {unit}"
    return plural(number, "byte")
