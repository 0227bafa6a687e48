# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The host's I/O pressure and dirty pages, from text of /proc. No I/O."""

from __future__ import annotations

from typing import Any

from .._number import whole_number


def parse_pressure(text: str) -> dict[str, int]:
    """{"some": microseconds, "full": microseconds}: the totals in /proc/pressure/io, empty if it has none."""
    totals: dict[str, int] = {}
    for line in text.splitlines():
        kind, _blank, rest = line.partition(" ")
        for field in rest.split():
            name, _equals, value = field.partition("=")
            number = whole_number(value) if name == "total" else None
            if number is not None:
                totals[kind] = number
    return totals


def host_record(before: dict[str, Any], after: dict[str, Any], seconds: float) -> dict[str, Any]:
    """The two ends of the watch as the module returns them.

    ``before`` and ``after`` are {pressure, memory}: what parse_pressure() and meminfo.parse() return.

    Returns ``{pressure: {some, full}, dirty: {before, after}, writeback: {before, after}}``. Pressure is the share of
    the time that at least one task (some), or all tasks that had work to do (full), waited for I/O; the others are in
    bytes. None where a value is not known.
    """

    def share(kind: str) -> float | None:
        first, last = before["pressure"].get(kind), after["pressure"].get(kind)
        # The kernel's total is as of its own last look, which may be before the watch.
        return (
            None
            if first is None or last is None or seconds <= 0
            else round(min((last - first) / (seconds * 1e6), 1), 4)
        )

    def pair(name: str) -> dict[str, int | None]:
        return {"before": before["memory"].get(name), "after": after["memory"].get(name)}

    return {
        "pressure": {"some": share("some"), "full": share("full")},
        "dirty": pair("Dirty"),
        "writeback": pair("Writeback"),
    }
