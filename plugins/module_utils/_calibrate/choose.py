# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors
"""Which candidate is run next, and which is the cheapest that holds the freeze under the bound. Pure.

A run is what io_calibrate returns of one, with ``load`` and ``name`` of its candidate. The freeze is the guest's
longest gap; its longest write has a bound of its own, because a backup freezes the guest's writes and not the guest.
"""

from __future__ import annotations

import statistics
from typing import Any

from .candidates import TODAY, Candidate

Run = dict[str, Any]

_SAME = 0.9
"""A candidate that brings so much of the best's throughput costs no more: measurements differ by that."""


def of(runs: list[Run], load: str, name: str) -> list[Run]:
    """The runs of a candidate."""
    return [run for run in runs if (run["load"], run["name"]) == (load, name)]


def throughput(runs: list[Run], load: str) -> float | None:
    """MB/s (10^6), the median: what a backup read of the disk, else what went through the disk; null if not known."""
    key = "backup_mb_per_s" if load == "backup" else "disk_mb_per_s"
    known = [run[key] for run in runs if run[key] is not None]
    return round(statistics.median(known), 1) if known else None


def worst(runs: list[Run]) -> dict[str, float | None]:
    """{gap_ms, write_ms}: the longest of all runs; null where one run did not tell."""
    writes = [run["longest_write_ms"] for run in runs]
    return {
        "gap_ms": max((run["longest_gap_ms"] for run in runs), default=None),
        "write_ms": None if None in writes else max(writes, default=None),
    }


def holds(runs: list[Run], bounds: dict[str, float]) -> bool:
    """Whether every run stayed within ``bounds``, {gap_ms, write_ms}, and no guest died. Without a run: no."""
    found = worst(runs)
    return (
        bool(runs)
        and all((figure := found[key]) is not None and figure <= bounds[key] for key in bounds)
        and not any(run["died"] for run in runs)
    )


def cheapest(candidates: list[Candidate], runs: list[Run], load: str, bounds: dict[str, float]) -> Candidate | None:
    """The one with the most throughput of those that hold, the first of those as good; null where none holds."""
    holding = [one for one in candidates if holds(of(runs, load, one["name"]), bounds)]
    rates = {one["name"]: throughput(of(runs, load, one["name"]), load) or 0.0 for one in holding}
    best = max(rates.values(), default=0.0)
    return next((one for one in holding if rates[one["name"]] >= _SAME * best), None)


def following(
    candidates: list[Candidate], runs: list[Run], load: str, bounds: dict[str, float], rounds: int
) -> Candidate | None:
    """The candidate to run now; null where the choice is made.

    Today's values come first. Where they hold in every round, nothing else is tried. Else each candidate is run once,
    and the cheapest that holds once more until it has held in every round.
    """
    today = of(runs, load, TODAY["name"])
    if not today or (len(today) < rounds and holds(today, bounds)):
        return candidates[0]
    if holds(today, bounds):
        return None
    for one in candidates:
        if not of(runs, load, one["name"]):
            return one
    chosen = cheapest(candidates, runs, load, bounds)
    if chosen is None or len(of(runs, load, chosen["name"])) >= rounds:
        return None
    return chosen
