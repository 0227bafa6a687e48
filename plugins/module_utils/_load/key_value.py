# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Files of ``key: value`` lines as pve-common's ``parse_config`` reads them: vzdump.conf and datacenter.cfg. No I/O."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import NamedTuple, TypedDict

from .._shown import piece
from .property_string import FormatFault

_PAIR = re.compile(r"(\S+?):\s*(.*)\Z", re.ASCII | re.DOTALL)
_BLANKS = " \t\r\f\v"


class Ignored(TypedDict):
    """A line, of a file of ours or of a job, that is not in force as it stands there."""

    line: int
    key: str | None
    reason: str


class Pairs(NamedTuple):
    """``values`` are those that Proxmox VE takes, ``stored`` the texts of the asked keys as they stand in the file,
    whether it takes them or not, with their ``lines``; the last of two equal keys counts.
    """

    values: dict[str, str]
    stored: dict[str, str]
    lines: dict[str, int]
    ignored: list[Ignored]


def parse(text: str, checks: Mapping[str, Callable[[str], object]]) -> Pairs:
    """Read the keys of ``checks``, each with what raises FormatFault for a value that Proxmox VE drops.

    Another key is passed over: Proxmox VE accepts any. A dropped value is as good as none: an earlier line with the
    same key does not count again.
    """
    found = Pairs({}, {}, {}, [])
    for number, raw in enumerate(text.split("\n"), 1):
        line = raw.strip(_BLANKS)
        if not line or line.startswith("#"):
            continue
        match = _PAIR.match(line)
        if not match:
            found.ignored.append(ignored(number, None, f"it is not 'key: value': {piece(line)}"))
            continue
        key, value = match[1], match[2]
        if key not in checks:
            continue
        if key in found.lines:
            found.ignored.append(ignored(found.lines[key], key, f"line {number} has {key} again, and the last counts"))
        found.stored[key], found.lines[key] = value, number
    for key, value in found.stored.items():
        try:
            checks[key](value)
        except FormatFault as exc:
            found.ignored.append(ignored(found.lines[key], key, str(exc) if value else "it has no value"))
        else:
            found.values[key] = value
    found.ignored.sort(key=lambda one: one["line"])
    return found


def ignored(line: int, key: str | None, reason: str) -> Ignored:
    """A line that is not in force; ``reason`` is a clause that follows a colon."""
    return {"line": line, "key": key, "reason": reason}
