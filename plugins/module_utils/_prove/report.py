# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors
"""A table and a chart for the terminal, as lines of text. Pure."""

from __future__ import annotations

import math
from typing import Any

from .._text import plural
from .gaps import STALL_MS

_WIDTH = 40

Entry = dict[str, Any]
Run = dict[str, Any]


def _number(value: float) -> str:
    return f"{value:.0f}" if value >= 10 else f"{value:.1f}"


def _range(figures: dict[str, float]) -> str:
    return f"{_number(figures['median'])} [{_number(figures['min'])}-{_number(figures['max'])}]"


def table(summary: list[Entry]) -> list[str]:
    """The lines of a table of the entries of gaps.summarize()."""
    head = ("setting", "longest gap ms", "stalled s", "main loop blocked", "requests/s", "runs", "disk")
    rows = [head]
    for entry in summary:
        rows.append(
            (
                entry["setting"],
                _range(entry["longest_gap_ms"]),
                _range(entry["stalled_s"]),
                f"{entry['main_blocked_percent']} %",
                str(entry["requests_per_s"]),
                str(entry["runs"]),
                entry["text"],
            )
        )
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows]
    return [lines[0], "  ".join("-" * width for width in widths), *lines[1:]]


def stroke(value: float, scale_from: float = 1.0, scale_to: float = 10000.0, width: int = _WIDTH) -> str:
    """A bar on a logarithmic scale: empty at ``scale_from``, full at ``scale_to``."""
    if value <= scale_from:
        return ""
    share = math.log(value / scale_from) / math.log(scale_to / scale_from)
    return "#" * max(1, min(width, round(share * width)))


def chart(runs: list[Run]) -> list[str]:
    """One bar per run, in the order of the runs: the longest gap, logarithmic, 1 ms to 10 s."""
    if not runs:
        return []
    width = max(len(run["setting"]) for run in runs)
    lines = ["longest gap between two heartbeats, ms (logarithmic, 1 ms to 10 s)"]
    for run in runs:
        gap = run["longest_gap_ms"]
        lines.append(f"{run['round']}  {run['setting'].ljust(width)}  {stroke(gap).ljust(_WIDTH)} {_number(gap)}")
    return lines


def _deaths(what: str, entry: Entry) -> str:
    during = f" during {entry['during']}" if entry["during"] else ""
    return f"{what} KILLS THE GUEST{during}: QEMU died in {entry['died']} of {plural(entry['runs'], 'run')}."


def _verdict(first: Entry, other: Entry) -> str:
    """A sentence that compares the longest gaps of the first setting and another one."""
    for entry in (first, other):
        if entry["died"]:
            return _deaths(entry["setting"], entry)
    before, after = first["longest_gap_ms"]["median"], other["longest_gap_ms"]["median"]
    one, two = first["setting"], other["setting"]
    if before < STALL_MS and after < STALL_MS:
        return f"{one} and {two}: no freeze on this storage under this load."
    if after < STALL_MS:
        longest = _number(first["longest_gap_ms"]["max"])
        return f"{one}: frozen for up to {longest} ms; {two}: {_number(after)} ms, {before / after:.0f} times less."
    return f"{two} still freezes for {_number(after)} ms ({one}: {_number(before)} ms)."


def _doubts(runs: list[Run]) -> list[str]:
    """Sentences about runs that should not be trusted, or that show less than they seem to."""
    out = []
    for run in runs:
        where = f"round {run['round']}, {run['setting']}"
        guest, host = run["longest_gap_ms"], run["host_longest_gap_ms"]
        if run["died"]:
            out.append(f"{where}: QEMU died: {run['died']}")
        elif not run["complete"]:
            out.append(f"{where}: the guest did not report; the true figures can be worse.")
        elif abs(guest - host) > 50 + guest / 5:
            out.append(
                f"{where}: the guest's clock says {_number(guest)} ms, this host's {_number(host)} ms; something else"
                " disturbed the run."
            )
        if run["load"]["ended_early"]:
            out.append(f"{where}: the load reached its limit of bytes before the end (load_total_mb).")
    idle = [run["load"]["felt_ms"] for run in runs if run["load"]["mb"] and run["load"]["felt_ms"] < STALL_MS]
    if idle:
        out.append(
            f"In {len(idle)} of {len(runs)} runs this storage served a read within {_number(max(idle))} ms when the"
            " measurement began: the load is too small for it; raise load_writers."
        )
    return out


def lines(
    settings: list[dict[str, Any]], runs: list[Run], summary: list[Entry], accelerator: dict[str, str]
) -> list[str]:
    """The whole report: table, chart, conclusions, doubts."""
    by_name = {entry["setting"]: entry for entry in summary}
    out = [*table(summary), "", *chart(runs), ""]
    plain = [entry for entry in summary if not entry["during"]]
    out += [_verdict(plain[0], other) for other in plain[1:]]
    for setting in settings:
        entry, during = by_name[setting["name"]], setting["during"]
        if not during:
            continue
        values, gap = entry["text"].partition(" + ")[0], entry["longest_gap_ms"]["median"]
        if entry["died"]:
            out.append(_deaths(values, entry))
        elif gap > STALL_MS:
            out.append(
                f"{values} does not cure {during}: the guest freezes for {_number(gap)} ms (median). Limit the load"
                " while it happens."
            )
        else:
            out.append(f"{values}: no freeze by {during}.")
    return [*out, *_doubts(runs), f"Run with {accelerator['name']} ({accelerator['reason']})."]
