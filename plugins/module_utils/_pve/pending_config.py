# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""From what ``qm pending VMID`` prints to a guest config with a [PENDING] section.

Each line is ``cur KEY: VALUE``, ``new KEY: VALUE`` or ``del KEY: VALUE`` (pve-guest-common GuestHelpers.pm
``format_pending``; recorded).
"""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import unquote

from . import written

_LINE = re.compile(r"(cur|new|del) ([a-z][a-z0-9_\-]*): (.*)\Z", re.ASCII | re.DOTALL)


class Printed(NamedTuple):
    """The config's text, and the line of each key in what was printed."""

    text: str
    lines: dict[str, int]


def read(raw: str) -> Printed | None:
    """The guest config that was printed, None where the text is something else."""
    main: dict[str, str] = {}
    pending: dict[str, str] = {}
    deletes: list[str] = []
    lines: dict[str, int] = {}
    for number, line in enumerate(raw.split("\n"), 1):
        if not line.strip():
            continue
        match = _LINE.match(line.rstrip("\r"))
        if not match:
            return None
        kind, key, value = match.groups()
        lines.setdefault(key, number)
        if key == "description":
            # It is printed as the file has it, encoded (pve-guest-common, format_pending).
            value = unquote(value)
        if kind == "new":
            pending[key] = value
        else:
            main[key] = value
        if kind == "del":
            deletes.append(key)
    return Printed(written.config(main, pending, deletes), lines) if lines else None
