# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""vzdump.conf, the backup settings of one node (PVE::VZDump ``read_vzdump_defaults``). Text in, values out."""

from __future__ import annotations

from typing import TypedDict

from . import key_value
from .key_value import Ignored
from .options import CHECKS, Options, options, stored

PATH = "/etc/vzdump.conf"


class Vzdump(TypedDict):
    """``file`` is None where there is none; ``stored`` has the texts of bwlimit, ionice, performance and fleecing."""

    file: str | None
    values: Options
    stored: dict[str, str | None]
    lines: dict[str, int]
    ignored: list[Ignored]


def parse(text: str | None, path: str | None = PATH) -> Vzdump:
    """Read vzdump.conf; None and a file of comments alone set nothing."""
    found = key_value.parse(text or "", CHECKS)
    return {
        "file": None if text is None else path,
        "values": options(found.values),
        "stored": stored(found.stored),
        "lines": found.lines,
        "ignored": found.ignored,
    }
