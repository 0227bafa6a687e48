# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""When schedules begin: Proxmox VE's calendar events, systemd's OnCalendar and cron's five fields. No I/O, no clock.

A schedule is read as the days and the minutes on which it starts. What is read of calendar events are words such as
``daily``, days of the week, days of the month and times with lists, ranges (``..``) and repetitions (``/``); of what is
beyond that, such as a month, a year or a time zone, nothing is said.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Collection
from typing import NamedTuple

_DAY = 24 * 60
_NAMES = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_LONG = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
# proxmox-time and systemd.time(7).
_WORDS = {
    "minutely": "*:*",
    "hourly": "*:00",
    "daily": "00:00",
    "weekly": "mon 00:00",
    "monthly": "*-*-1 00:00",
}
_TIME = re.compile(r"[0-9*,./]+(?::[0-9*,./]+){0,2}\Z", re.ASCII)
_DATE = re.compile(r"(?:\*-)?\*-([0-9*,./]+)\Z", re.ASCII)
_PIECE = re.compile(r"(\*|\d{1,2})(?:\.\.(\d{1,2}))?(?:/(\d{1,2}))?\Z", re.ASCII)


class Starts(NamedTuple):
    """When something starts: on days that are one of ``weekdays`` (Monday is 0) and one of ``monthdays``, at
    ``minutes`` of the day.
    """

    weekdays: frozenset[int]
    monthdays: frozenset[int]
    minutes: tuple[int, ...]


def calendar(text: str) -> Starts | None:
    """When a calendar event starts; None where it has what is not read here."""
    parts = _WORDS.get(text.strip().lower(), text).split()
    weekdays: frozenset[int] | None = frozenset(range(7))
    monthdays: frozenset[int] | None = frozenset(range(1, 32))
    minutes: tuple[int, ...] | None = (0,)
    if parts and parts[0][0].isalpha():
        weekdays = _weekdays(parts.pop(0))
    if parts and "-" in parts[0]:
        monthdays = _monthdays(parts.pop(0))
    if parts and _TIME.match(parts[0]):
        minutes = _minutes(parts.pop(0))
    if parts or not text.strip() or weekdays is None or monthdays is None or not minutes:
        return None
    return Starts(weekdays, monthdays, minutes)


def cron(fields: str, weekday: int | None = None, monthdays: Collection[int] | None = None) -> Starts | None:
    """When a line of cron starts: its five fields, and what its command itself waits for; None as above."""
    minute, hour, day, month, week = fields.split()
    if month != "*":
        return None
    hours, each = _numbers(hour, 0, 23, "-"), _numbers(minute, 0, 59, "-")
    days, of_week = _numbers(day, 1, 31, "-"), _numbers(week, 0, 7, "-")
    if hours is None or each is None or days is None or of_week is None:
        return None
    weekdays = {(number - 1) % 7 for number in of_week}
    if weekday is not None:
        weekdays &= {weekday}
    elif week != "*" and day != "*":
        # cron takes either of the two.
        return None
    listed = frozenset(days) if monthdays is None else frozenset(days) & frozenset(monthdays)
    return Starts(frozenset(weekdays), listed, tuple(sorted(60 * one + other for one in hours for other in each)))


def meet(first: Starts, second: Starts, after: int, before: int) -> bool:
    """Whether the second ever starts within ``after`` minutes of a start of the first, or ``before`` minutes ahead of
    it; both less than a day.
    """
    days = _days(second)
    for day in _days(first):
        for offset in (-1, 0, 1):
            if day + offset in days:
                for minute in first.minutes:
                    at = bisect_left(second.minutes, minute - offset * _DAY - before)
                    if at < len(second.minutes) and second.minutes[at] <= minute - offset * _DAY + after:
                        return True
    return False


def _days(starts: Starts) -> set[int]:
    """The days on which it may start: of seven months one after another, each begins with another day of the week."""
    return {
        40 * first + number
        for first in range(7)
        for number in starts.monthdays
        if (first + number - 1) % 7 in starts.weekdays
    }


def _weekdays(text: str) -> frozenset[int] | None:
    found: set[int] = set()
    for part in text.lower().rstrip(",").split(","):
        first, _dots, last = part.partition("..")
        ends = [_weekday(first), _weekday(last or first)]
        if None in ends or ends[1] < ends[0]:  # type: ignore[operator]
            return None
        found |= set(range(ends[0], ends[1] + 1))  # type: ignore[arg-type,operator]
    return frozenset(found)


def _weekday(name: str) -> int | None:
    return next((names.index(name) for names in (_NAMES, _LONG) if name in names), None)


def _monthdays(text: str) -> frozenset[int] | None:
    match = _DATE.match(text)
    days = _numbers(match[1], 1, 31, "..") if match else None
    return None if days is None else frozenset(days)


def _minutes(text: str) -> tuple[int, ...] | None:
    """Minutes of the day; a time without a colon is one of minutes alone, as Proxmox VE takes it."""
    fields = text.split(":")
    if len(fields) == 1:
        fields = ["*", *fields]
    hours, each = _numbers(fields[0], 0, 23, ".."), _numbers(fields[1], 0, 59, "..")
    if hours is None or each is None:
        return None
    return tuple(sorted(60 * hour + minute for hour in hours for minute in each))


def _numbers(text: str, least: int, most: int, dots: str) -> list[int] | None:
    """The numbers of ``*``, ``7``, ``1..7``, ``*/15`` and lists of these; None for anything else."""
    found: set[int] = set()
    for part in text.replace("-", "..").split(",") if dots == "-" else text.split(","):
        match = _PIECE.match(part)
        if not match:
            return None
        first = least if match[1] == "*" else int(match[1])
        last = int(match[2]) if match[2] else most if match[1] == "*" or match[3] else first
        step = int(match[3] or 1)
        if not (least <= first <= last <= most and step):
            return None
        found |= set(range(first, last + 1, step))
    return sorted(found)
