# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Faults on demand: what a call meets in place of its answer, or on top of it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

KINDS = ("slow", "status", "cut", "close", "hang", "garbage", "redirect")


@dataclass
class Fault:
    """What the next ``times`` calls meet whose ``METHOD /path`` this pattern finds.

    ``slow``: they take ``seconds`` more. ``status``: this status and reason. ``cut``: half of the
    answer, then the connection ends. ``close``: no answer, the connection ends. ``hang``: no answer at all, for as long
    as the client waits (``seconds`` at most). ``garbage``: a page instead of JSON. ``redirect``: to ``reason``.

    ``done`` says whether the call is carried out all the same: an answer that is lost is no write that was not made.
    """

    kind: str
    pattern: str = ""
    times: int = 1
    seconds: float = 60
    status: int = 500
    reason: str = ""
    done: bool = False
    met: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"no such fault: {self.kind}. There are {', '.join(KINDS)}.")

    def meets(self, call: str) -> bool:
        """Whether this call meets it; counts it then."""
        if self.met >= self.times or not re.search(self.pattern, call):
            return False
        self.met += 1
        return True
