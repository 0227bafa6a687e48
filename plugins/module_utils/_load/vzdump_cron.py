# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""vzdump.cron, where backup jobs were before Proxmox VE 7.1 (VZDump/Common.pm ``parse_vzdump_cron_config``).

cron still runs what is left in it. Text in, jobs out.
"""

from __future__ import annotations

import re
import shlex

from .._shown import piece
from .jobs_cfg import Job, job, words
from .key_value import Ignored, ignored
from .options import CHECKS
from .property_string import FormatFault

_LINE = re.compile(r"(\d+)\s+(\d+)\s+\*\s+\*\s+(\S+)\s+root\s+(/\S+/)?(#)?vzdump(?:\s+(.*))?\Z", re.ASCII)
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat", "sun")


def parse(text: str, path: str) -> tuple[list[Job], list[Ignored]]:
    """The jobs, each named by its line, and the lines that make none."""
    jobs, faults = [], []
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip() or line.startswith("#") or re.match(r"PATH\s*=", line):
            continue
        match = _LINE.match(line)
        try:
            if not match:
                raise FormatFault(f"it is not 'MINUTE HOUR * * DAYS root vzdump ...': {piece(line.strip())}")
            values = _arguments(match[6] or "")
            minute, hour = int(match[1]), int(match[2])
            values["schedule"] = f"{_days(match[3])} {hour:02}:{minute:02}"
        except FormatFault as exc:
            faults.append(ignored(number, None, str(exc)))
            continue
        values["enabled"] = "0" if match[5] else "1"
        lines = dict.fromkeys(values, number)
        jobs.append(job(f"line {number}", path, number, values, old=True, stored=values, lines=lines))
    return jobs, faults


def _days(text: str) -> str:
    """Days of the week as a calendar event has them."""
    if text == "*":
        return "*-*-*"
    found = []
    for part in words(text):
        names = [_DAYS[int(day)] if day in "01234567" else day for day in part.lower().split("-")]
        if len(names) > 2 or any(name not in _DAYS for name in names):
            raise FormatFault(f"{piece(text)} are no days of the week")
        found.append("..".join(names))
    return ",".join(found)


def _arguments(text: str) -> dict[str, str]:
    """The options of a command line of vzdump; other words are ids of guests."""
    try:
        listed = shlex.split(text)
    except ValueError as exc:
        raise FormatFault(f"its command cannot be split ({exc})") from None
    values: dict[str, str] = {}
    guests = []
    while listed:
        word = listed.pop(0)
        if not word.startswith("-"):
            guests.append(word)
            continue
        key, equals, value = word.lstrip("-").partition("=")
        if not equals:
            value = listed.pop(0) if listed and not listed[0].startswith("-") else "1"
        if key in CHECKS:
            try:
                CHECKS[key](value)
            except FormatFault as exc:
                raise FormatFault(str(exc) if value else f"{key} has no value") from None
        values[key] = value
    if guests:
        values["vmid"] = ",".join(guests)
    return values
