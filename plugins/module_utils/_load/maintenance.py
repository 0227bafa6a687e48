# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""What else a host does to its disks on a schedule: scrub and trim of ZFS, check of md arrays, trim of file systems.

Texts in, values out. The files are those of Debian's packages zfsutils-linux, mdadm and util-linux.
"""

from __future__ import annotations

import re
from typing import TypedDict

from .schedules import Starts, calendar, cron

#: Files of cron → a word of their commands → what it starts.
CRON = {
    "/etc/cron.d/zfsutils-linux": {"/scrub": "scrub of ZFS", "/trim": "trim of ZFS"},
    "/etc/cron.d/mdadm": {"checkarray": "check of md arrays"},
}
#: Timers → what they start. Each counts where a link below /etc enables it; ``TIMER_FILES`` are where it may be.
TIMERS = {
    "mdcheck_start.timer": "check of md arrays",
    "fstrim.timer": "trim of file systems",
}
TIMER_FILES = ("/etc/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system")
WANTED_BY = ("timers.target.wants", "mdmonitor.service.wants")

_LINE = re.compile(r"((?:[0-9*,/\-]+\s+){5})root\s+(\S.*)\Z", re.ASCII)
_SUNDAY = re.compile(r"date \+\\?%w\)?\s+-eq\s+0", re.ASCII)
_FIRST_DAYS = re.compile(r"date \+\\?%d\)?\s+-le\s+(\d{1,2})", re.ASCII)
_ON = re.compile(r"^\s*OnCalendar\s*=\s*(.*?)\s*$", re.ASCII | re.MULTILINE)
_SUNDAY_NUMBER = 6


class Work(TypedDict):
    """Something that is done on a schedule; ``schedule`` is its text."""

    what: str
    file: str
    line: int
    schedule: str


def of_cron(path: str, text: str) -> list[Work]:
    """What a file of cron starts, of what is known."""
    found: list[Work] = []
    for number, line in enumerate(text.split("\n"), 1):
        what = next((name for word, name in CRON[path].items() if word in line), None)
        if what and _LINE.match(line):
            found.append({"what": what, "file": path, "line": number, "schedule": line})
    return found


def of_timer(name: str, path: str, text: str) -> list[Work]:
    """What a timer starts; the last OnCalendar counts, as an empty one clears those before it."""
    found = [(text.count("\n", 0, match.start()) + 1, match[1]) for match in _ON.finditer(text)]
    return [{"what": TIMERS[name], "file": path, "line": line, "schedule": said} for line, said in found[-1:] if said]


def starts(work: Work) -> Starts | None:
    """When it starts; None where its schedule has what is not read."""
    match = _LINE.match(work["schedule"])
    if not match:
        return calendar(work["schedule"])
    command = match[2]
    first = _FIRST_DAYS.search(command)
    return cron(
        match[1],
        _SUNDAY_NUMBER if _SUNDAY.search(command) else None,
        range(1, int(first[1]) + 1) if first else None,
    )
