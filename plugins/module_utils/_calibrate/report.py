# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors
"""What a calibration found, as lines of text: tables, a chart, the choice, and the policy to paste. Pure."""

from __future__ import annotations

import textwrap
from typing import Any

from .._prove.gaps import STALL_MS
from .._prove.report import WIDTH, stroke
from .._text import plural
from . import choose, policy
from .candidates import ABOVE, TODAY, Candidate

Calibration = dict[str, Any]

_TITLES = {
    "writer": "A writer beside the guest, while a backup of the guest begins",
    "backup": "A backup of the guest",
    "restore": "A restore beside the guest",
}
_HEAD = ("values", "freeze ms", "write ms", "MB/s", "cost", "holds")
_BAR = 14


def _number(value: float | None) -> str:
    if value is None:
        return "not known"
    return f"{value:.0f}" if value >= 10 else f"{value:.1f}"


def _cost(rate: float | None, today: float | None) -> str:
    """The share of today's throughput that is lost."""
    if not rate or not today:
        return "not known"
    lost = round(100 * (1 - rate / today))
    return f"{lost} %" if lost > 0 else "none"


def _rows(calibration: Calibration, load: str) -> list[tuple[str, ...]]:
    runs = calibration["runs"]
    out: list[tuple[str, ...]] = []
    today = choose.throughput(choose.of(runs, load, TODAY["name"]), load)
    for one in calibration["candidates"][load]:
        mine = choose.of(runs, load, one["name"])
        if not mine:
            continue
        found, rate = choose.worst(mine), choose.throughput(mine, load)
        died = any(run["died"] for run in mine)
        out.append(
            (
                one["name"],
                _number(found["gap_ms"]),
                _number(found["write_ms"]),
                _number(rate),
                "" if one is TODAY or one["name"] == TODAY["name"] else _cost(rate, today),
                "DIED" if died else "yes" if choose.holds(mine, calibration["bounds"]) else "no",
            )
        )
    return out


def _table(rows: list[tuple[str, ...]], width: int) -> list[str]:
    widths = [max(len(row[column]) for row in (_HEAD, *rows)) for column in range(len(_HEAD))]
    if sum(widths) + 2 * len(widths) - 2 > width:
        return [
            f"{row[0]}: {', '.join(f'{name} {cell}' for name, cell in zip(_HEAD[1:], row[1:]) if cell)}" for row in rows
        ]
    return ["  ".join(cell.ljust(room) for cell, room in zip(row, widths)).rstrip() for row in (_HEAD, *rows)]


def _chart(calibration: Calibration, load: str, width: int) -> list[str]:
    """Two bars for each candidate, the worst of its rounds: the freeze and the longest write."""
    names = [
        one["name"] for one in calibration["candidates"][load] if choose.of(calibration["runs"], load, one["name"])
    ]
    room = max([len("(1 ms to 10 s)"), *map(len, names)])
    length = min(_BAR, (width - room - 18) // 2)
    if length < 5:
        return []
    column = length + 8
    lines = [f"{'(1 ms to 10 s)'.ljust(room)}  {'freeze'.ljust(column)}  write"]
    for name in names:
        found = choose.worst(choose.of(calibration["runs"], load, name))
        bars = [
            f"{stroke(value or 0.0, width=length)} {_number(value)}" for value in (found["gap_ms"], found["write_ms"])
        ]
        lines.append(f"{name.ljust(room)}  {bars[0].ljust(column)}  {bars[1]}")
    return lines


def _times(calibration: Calibration, load: str, chosen: Candidate) -> str:
    """How much shorter what was too long became."""
    before, after = (
        choose.worst(choose.of(calibration["runs"], load, name)) for name in (TODAY["name"], chosen["name"])
    )
    words = {"gap_ms": "freeze", "write_ms": "longest write"}
    told = [
        f"{words[key]} {_number(before[key])} ms, now {_number(after[key])} ms"
        for key, bound in calibration["bounds"].items()
        if before[key] is not None and before[key] > bound
    ]
    return "; ".join(told)


def _choice(calibration: Calibration, load: str) -> str:
    """A sentence about what was chosen for a load."""
    bounds = calibration["bounds"]
    within = f"{_number(bounds['gap_ms'])} ms, and its longest write under {_number(bounds['write_ms'])} ms"
    chosen, runs = calibration["chosen"].get(load), calibration["runs"]
    if chosen is None:
        tried = [one for one in calibration["candidates"][load] if choose.of(runs, load, one["name"])]
        if not tried:
            return "Nothing was measured."
        best = min(tried, key=lambda one: _excess(choose.worst(choose.of(runs, load, one["name"])), bounds))
        found = choose.worst(choose.of(runs, load, best["name"]))
        return (
            f"None of {plural(len(tried), 'try', 'tries')} holds the guest's freeze under {within}. Closest:"
            f" {best['name']}, {_number(found['gap_ms'])} and {_number(found['write_ms'])} ms."
        )
    if chosen["name"] == TODAY["name"]:
        return f"Nothing needs to be set: today's values hold the guest's freeze under {within}."
    rounds = len(choose.of(runs, load, chosen["name"]))
    doubt = "" if rounds >= calibration["rounds"] else f" There was time for {rounds} of {calibration['rounds']} only."
    shorter = _times(calibration, load, chosen)
    return f"Cheapest that holds, {plural(rounds, 'round')}: {chosen['name']} ({shorter}).{doubt}"


def _excess(found: dict[str, float | None], bounds: dict[str, float]) -> float:
    """By how many times the worse of both figures is over its bound."""
    return max(float("inf") if (value := found[key]) is None else value / bound for key, bound in bounds.items())


def _doubts(calibration: Calibration) -> list[str]:
    out = list(calibration["left_out"])
    if calibration["not_measured"]:
        out.append(
            f"Not measured, because the minutes or bytes were used up: {', '.join(calibration['not_measured'])}. What"
            " was chosen without them may be dearer than necessary."
        )
    early = sum(run["written"]["ended_early"] for run in calibration["runs"])
    if early:
        out.append(f"In {plural(early, 'run')} the load had written all it may before the end (load_total_mb).")
    writers = [run for run in calibration["runs"] if run["written"]["mb"]]
    if writers and all(run["written"]["felt_ms"] < STALL_MS for run in writers):
        out.append(
            "No load was felt: a small read was served at once in every run. The disk is too fast for one writer."
        )
    names = [
        one["name"] for one in [*calibration["facts"]["disks"], calibration["facts"]["device"]] if one and not one["id"]
    ]
    if "io_host_policy" in calibration["policy"] and names:
        out.append(
            f"{', '.join(dict.fromkeys(names))} has no name in /dev/disk/by-id, and the role finds disks by such a name"
            " alone: give it one with a udev rule, and put that into the policy."
        )
    return out


def lines(calibration: Calibration, width: int = WIDTH) -> list[str]:
    """The whole report; the policy is the last of it. No line but the policy's is longer than ``width`` columns."""
    rate = calibration["rate"]
    out = [
        f"In sequence, the disk writes {_number(rate['write_mb_per_s'])} MB/s and reads"
        f" {_number(rate['read_mb_per_s'])} MB/s."
    ]
    if rate["target_mb_per_s"]:
        out.append(f"The backup's target takes {_number(rate['target_mb_per_s'])} MB/s.")
    for load in calibration["loads"]:
        rows = _rows(calibration, load)
        out += ["", _TITLES[load]]
        if any(one["name"] == ABOVE for one in calibration["candidates"][load]):
            out.append("(all but today with what was chosen above)")
        out += [*_table(rows, width), "", *_chart(calibration, load, width), ""] if rows else []
        out.append(_choice(calibration, load))
    out += ["", *_doubts(calibration)]
    accelerator = calibration["accelerator"]
    if accelerator:
        out.append(f"Measured with {accelerator['name']} ({accelerator['reason']}). Nothing stays set.")
    wrapped = [part for line in out for part in _wrapped(line, width)]
    text = policy.as_text(calibration["policy"])
    if not calibration["complete"]:
        return [*wrapped, "", "The calibration did not come to its end: there is no policy."]
    return wrapped + [
        "",
        *(["The policy to paste:", "", *text] if text else ["There is nothing to put into a policy."]),
    ]


def _wrapped(line: str, width: int) -> list[str]:
    return [line] if len(line) <= width else textwrap.wrap(line, width, subsequent_indent="  ")
