# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors
"""From the guest's report to figures, and from runs to a comparison. Pure, no I/O."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable
from typing import Any

from .errors import ProveError

STALL_MS = 50
"""A longer gap between two heartbeats counts as a stall. There is a heartbeat every 2 ms."""

Run = dict[str, Any]
Setting = dict[str, Any]


def read_report(lines: Iterable[str]) -> Run:
    """The guest's report (guest_program) as one run's figures.

    Returns {beats, window_s, longest_gap_ms, longest_write_ms, stalled_s, reads, writes, gaps}; gaps are those that
    count as stalls, [start_ms, length_ms] each. Raises ProveError where the lines are not a report.
    """
    figures: Run | None = None
    gaps = []
    try:
        for line in lines:
            word, _blank, rest = line.partition(" ")
            if word == "end":
                beats, window, longest, reads, writes, write = (int(value) for value in rest.split())
                figures = {
                    "beats": beats,
                    "window_s": round(window / 1e9, 3),
                    "longest_gap_ms": round(longest / 1e6, 1),
                    "longest_write_ms": round(write / 1e6, 1),
                    "reads": reads,
                    "writes": writes,
                }
            elif word == "gap":
                start, length = (int(value) / 1e6 for value in rest.split())
                if length > STALL_MS:
                    gaps.append([round(start, 1), round(length, 1)])
    except ValueError as problem:
        raise ProveError(f"the guest's report cannot be read: {line!r}") from problem
    if figures is None:
        raise ProveError("the guest ended without a report")
    figures["stalled_s"] = round(sum(length for _start, length in gaps) / 1000, 2)
    figures["gaps"] = gaps
    return figures


def figures(seen: dict[str, Any]) -> Run:
    """One run's figures from what Machine.measure() returns.

    The keys of read_report(), and complete and host_longest_gap_ms: the longest gap by this host's clock, from when the
    heartbeats arrived. Where the guest did not report, there is only the host's clock, and the true figures can be
    worse.
    """
    times = list(seen["beats"])
    if seen["complete"]:
        run = read_report(seen["lines"])
    else:
        times.append(seen["now"])
        steps = [(later - earlier) * 1000 for earlier, later in zip(times, times[1:])]
        found = [
            [round((time - times[0]) * 1000, 1), round(step, 1)] for time, step in zip(times, steps) if step > STALL_MS
        ]
        run = {
            "beats": len(times) - 1,
            "window_s": seen["window_s"],
            "reads": 0,
            "writes": 0,
            "longest_gap_ms": round(max(steps, default=seen["window_s"] * 1000), 1),
            "longest_write_ms": None,
            "gaps": found,
            "stalled_s": round(sum(length for _start, length in found) / 1000, 2),
        }
    return {**run, "complete": seen["complete"], "host_longest_gap_ms": longest_step_ms(times)}


def longest_step_ms(times: list[float]) -> float:
    """The longest step between two consecutive times (seconds, ascending), in ms; 0 for fewer than two."""
    steps = (later - earlier for earlier, later in zip(times, times[1:]))
    return round(max(steps, default=0) * 1000, 1)


def summarize(settings: Iterable[tuple[Setting, str]], runs: list[Run]) -> list[dict[str, Any]]:
    """One entry per setting, in order; ``settings`` are (setting, its description).

    {setting, text, during, runs, longest_gap_ms: {median, min, max}, stalled_s, longest_write_ms, backup_mb_per_s,
    requests_per_s, main_blocked_percent, died}; the first four figures are of that shape, and null where no run has
    them; died is the number of runs in which QEMU died.
    """
    out = []
    for setting, text in settings:
        mine = [run for run in runs if run["setting"] == setting["name"]]
        if not mine:
            continue
        entry = {"setting": setting["name"], "text": text, "during": setting["during"], "runs": len(mine)}
        for key in ("longest_gap_ms", "stalled_s", "longest_write_ms", "backup_mb_per_s"):
            entry[key] = spread(run[key] for run in mine)
        entry["requests_per_s"] = round(
            statistics.median((run["reads"] + run["writes"]) / run["window_s"] for run in mine)
        )
        entry["died"] = sum(bool(run["died"]) for run in mine)
        entry["main_blocked_percent"] = round(statistics.median(run["main_blocked_percent"] for run in mine))
        out.append(entry)
    return out


def spread(values: Iterable[float | None]) -> dict[str, float] | None:
    """{median, min, max} of those that are known; None where none is."""
    known = [value for value in values if value is not None]
    if not known:
        return None
    return {"median": round(statistics.median(known), 2), "min": min(known), "max": max(known)}


def ratios(runs: list[Run], worse: str, better: str) -> list[float]:
    """Per round, the longest gap of the setting ``worse`` divided by that of ``better``; 0 where QEMU died with
    ``better``.
    """
    by_round: dict[int, dict[str, float]] = {}
    for run in runs:
        by_round.setdefault(run["round"], {})[run["setting"]] = math.inf if run["died"] else run["longest_gap_ms"]
    return [
        round(gap[worse] / gap[better], 1) if gap[better] < math.inf else 0.0
        for _number, gap in sorted(by_round.items())
        if worse in gap and gap.get(better) and gap[worse] < math.inf
    ]
