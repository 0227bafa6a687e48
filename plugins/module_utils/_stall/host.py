# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The host's I/O pressure and dirty pages, from the text of /proc. No I/O."""

from __future__ import annotations

from .._number import whole_number


def parse_pressure(text):
    """{"some": microseconds, "full": microseconds} of /proc/pressure/io's totals, empty where it has none."""
    totals = {}
    for line in text.splitlines():
        kind, _blank, rest = line.partition(" ")
        for field in rest.split():
            name, _equals, value = field.partition("=")
            number = whole_number(value) if name == "total" else None
            if number is not None:
                totals[kind] = number
    return totals


def host_record(before, after, seconds):
    """Both ends of the watch as the module returns them; `before` and `after` are {pressure, memory}, pressure of
    parse_pressure(), memory of meminfo.parse().

    ``{pressure: {some, full}, dirty: {before, after}, writeback: {before, after}}``: pressure as the share of the time
    that at least one task (some), or all that had work to do (full), waited for I/O; the others in bytes. Null where
    not known.
    """

    def share(kind):
        first, last = before["pressure"].get(kind), after["pressure"].get(kind)
        # The kernel adds up to its own last look, which may lie before the watch.
        return (
            None
            if first is None or last is None or seconds <= 0
            else round(min((last - first) / (seconds * 1e6), 1), 4)
        )

    def pair(name):
        return {"before": before["memory"].get(name), "after": after["memory"].get(name)}

    return {
        "pressure": {"some": share("some"), "full": share("full")},
        "dirty": pair("Dirty"),
        "writeback": pair("Writeback"),
    }
