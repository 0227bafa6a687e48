# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""When schedules start, and whether two of them meet."""

from __future__ import annotations

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.module_utils._load import maintenance
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._load.schedules import calendar, cron, meet

ALL_DAYS, ALL_DATES = frozenset(range(7)), frozenset(range(1, 32))


@pytest.mark.parametrize(
    ("text", "weekdays", "monthdays", "minutes"),
    [
        ("02:00", ALL_DAYS, ALL_DATES, (120,)),
        ("daily", ALL_DAYS, ALL_DATES, (0,)),
        ("weekly", {0}, ALL_DATES, (0,)),
        ("monthly", ALL_DAYS, {1}, (0,)),
        ("mon 01:00", {0}, ALL_DATES, (60,)),
        ("mon..fri 22,23:30", {0, 1, 2, 3, 4}, ALL_DATES, (1350, 1410)),
        ("sat,Sunday 1..2:00", {5, 6}, ALL_DATES, (60, 120)),
        ("sun", {6}, ALL_DATES, (0,)),
        ("*:00/20", ALL_DAYS, ALL_DATES, tuple(range(0, 1440, 20))),
        ("*/30", ALL_DAYS, ALL_DATES, tuple(range(0, 1440, 30))),
        ("22:00/30", ALL_DAYS, ALL_DATES, (1320, 1350)),
        ("*-*-* 03:00", ALL_DAYS, ALL_DATES, (180,)),
        ("Sun *-*-1..7 1:00:00", {6}, set(range(1, 8)), (60,)),
    ],
)
def test_a_calendar_event(text, weekdays, monthdays, minutes):
    assert calendar(text) == (frozenset(weekdays), frozenset(monthdays), minutes)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yearly",
        "2026-12-24 01:00",
        "*-6-1 01:00",
        "25:00",
        "1:60",
        "someday",
        "mon mon",
        "fri..mon 1:00",
        "1:00 UTC",
        "*-*-~1",
        "1:/0",
    ],
)
def test_what_is_not_read_is_not_known(text):
    assert calendar(text) is None


@pytest.mark.parametrize(
    ("fields", "found"),
    [
        ("57 0 * * 0", ({6}, ALL_DATES, (57,))),
        ("24 0 8-14 * *", (ALL_DAYS, set(range(8, 15)), (24,))),
        ("0 */12 * * 1-5", ({0, 1, 2, 3, 4}, ALL_DATES, (0, 720))),
    ],
)
def test_a_line_of_cron(fields, found):
    assert cron(fields) == tuple(frozenset(one) if isinstance(one, set) else one for one in found)


def test_cron_is_not_known_where_one_of_two_days_counts_or_a_month_is_named():
    assert cron("0 1 1 * 1") is None and cron("0 1 1 6 *") is None and cron("0 99 * * *") is None


ZFS = """# TRIM the first Sunday of every month.
24 0 1-7 * * root if [ $(date +\\%w) -eq 0 ] && [ -x /usr/lib/zfs-linux/trim ]; then /usr/lib/zfs-linux/trim; fi

# Scrub the second Sunday of every month.
24 0 8-14 * * root if [ $(date +\\%w) -eq 0 ] && [ -x /usr/lib/zfs-linux/scrub ]; then /usr/lib/zfs-linux/scrub; fi
"""
MDADM = (
    "57 0 * * 0 root if [ -x /usr/share/mdadm/checkarray ] && [ $(date +\\%d) -le 7 ]; then /usr/share/mdadm/checkarray"
    " --cron --all --idle --quiet; fi\n"
)


def test_the_files_of_debian():
    trim, scrub = maintenance.of_cron("/etc/cron.d/zfsutils-linux", ZFS)
    assert (trim["what"], trim["line"], scrub["what"], scrub["line"]) == ("trim of ZFS", 2, "scrub of ZFS", 5)
    assert maintenance.starts(scrub) == (frozenset({6}), frozenset(range(8, 15)), (24,))
    (check,) = maintenance.of_cron("/etc/cron.d/mdadm", MDADM)
    assert maintenance.starts(check) == (frozenset({6}), frozenset(range(1, 8)), (57,))
    text = "[Timer]\nOnCalendar=Sun *-*-1..7 1:00:00\nRandomizedDelaySec=24h\n"
    (timer,) = maintenance.of_timer("mdcheck_start.timer", "/x", text)
    assert (timer["line"], maintenance.starts(timer)) == (2, (frozenset({6}), frozenset(range(1, 8)), (60,)))
    assert maintenance.of_timer("fstrim.timer", "/x", "[Timer]\nOnCalendar=weekly\nOnCalendar=\n") == []


@pytest.mark.parametrize(
    ("schedule", "meets"),
    [
        ("02:00", True),
        ("sun 03:00", True),
        ("sat 23:00", True),
        ("sat 12:00", False),
        ("mon 01:00", False),
        ("sun 23:00", False),
        ("*-*-20 02:00", False),
        ("*-*-14 02:00", True),
        ("*:00/15", True),
    ],
)
def test_a_backup_meets_the_scrub_of_the_second_sunday(schedule, meets):
    scrub = maintenance.starts(maintenance.of_cron("/etc/cron.d/zfsutils-linux", ZFS)[1])
    assert meet(scrub, calendar(schedule), 12 * 60, 6 * 60) is meets
