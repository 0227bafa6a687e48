# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors
"""A table and a chart for the terminal, as lines of text. Pure."""

from __future__ import annotations

import math
import textwrap
from typing import Any

from .._text import plural
from .backup import BACKUP
from .gaps import STALL_MS, ratios, summarize
from .setting import describe

WIDTH = 80
"""Columns of a terminal."""

_BAR = 40

Entry = dict[str, Any]
Run = dict[str, Any]


def _number(value: float) -> str:
    return f"{value:.0f}" if value >= 10 else f"{value:.1f}"


def _range(figures: dict[str, float] | None) -> str:
    if figures is None:
        return "not known"
    return f"{_number(figures['median'])} [{_number(figures['min'])}-{_number(figures['max'])}]"


def table(summary: list[Entry], width: int = WIDTH) -> list[str]:
    """The lines of a table of the entries of gaps.summarize(), median and [least-most] of each; a sentence for each
    setting where the table is wider than ``width`` columns.
    """
    backs_up = any(entry["backup_mb_per_s"] for entry in summary)
    head = ["setting", "longest gap ms", "longest write ms", "stalled s", "blocked", "requests/s"]
    head += ["backup MB/s"] if backs_up else []
    rows = [
        (
            entry["setting"],
            _range(entry["longest_gap_ms"]),
            _range(entry["longest_write_ms"]),
            _range(entry["stalled_s"]),
            f"{entry['main_blocked_percent']} %",
            str(entry["requests_per_s"]),
            *([_range(entry["backup_mb_per_s"]) if entry["during"] == BACKUP else ""] if backs_up else []),
        )
        for entry in summary
    ]
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]
    if sum(widths) + 2 * len(widths) - 2 > width:
        return [
            f"{row[0]}: {', '.join(f'{name} {cell}' for name, cell in zip(head[1:], row[1:]) if cell)}" for row in rows
        ]
    return ["  ".join(cell.ljust(room) for cell, room in zip(row, widths)).rstrip() for row in (head, *rows)]


def _settings(summary: list[Entry]) -> list[str]:
    """What each setting is."""
    return [f"{entry['setting']}: {entry['text']}" for entry in summary]


def stroke(value: float, scale_from: float = 1.0, scale_to: float = 10000.0, width: int = _BAR) -> str:
    """A bar on a logarithmic scale: empty at ``scale_from``, full at ``scale_to``."""
    if value <= scale_from:
        return ""
    share = math.log(value / scale_from) / math.log(scale_to / scale_from)
    return "#" * max(1, min(width, round(share * width)))


def chart(runs: list[Run], width: int = WIDTH) -> list[str]:
    """One bar per run, in the order of the runs: the longest gap, logarithmic, 1 ms to 10 s."""
    if not runs:
        return []
    names = max(len(run["setting"]) for run in runs)
    length = max(5, min(_BAR, width - names - 16))
    lines = ["longest gap between two heartbeats, ms (logarithmic, 1 ms to 10 s)"]
    for run in runs:
        gap = run["longest_gap_ms"]
        shown = stroke(gap, width=length).ljust(length)
        lines.append(f"{run['round']:3}  {run['setting'].ljust(names)}  {shown} {_number(gap)}")
    return lines


def _deaths(what: str, entry: Entry) -> str:
    during = f" during {entry['during']}" if entry["during"] else ""
    return f"{what} KILLS THE GUEST{during}: QEMU died in {entry['died']} of {plural(entry['runs'], 'run')}."


def _during_backup(entry: Entry) -> str:
    """What a backup does to the guest: its writes wait for the target, and that is no gap."""
    write, rate = entry["longest_write_ms"], entry["backup_mb_per_s"]
    text = (
        f"{entry['setting']}: during the backup the guest freezes for {_number(entry['longest_gap_ms']['median'])} ms"
    )
    text += f", its longest write takes {_number(write['median'])} ms" if write else ""
    text += f", and the backup reads {_number(rate['median'])} MB/s" if rate else ""
    return text + (" (medians)." if entry["runs"] > 1 else ".")


def _verdict(first: Entry, other: Entry) -> str:
    """A sentence that compares the longest gaps of the first setting and another one: median with median, and worst
    with worst.
    """
    for entry in (first, other):
        if entry["died"]:
            return _deaths(entry["setting"], entry)
    before, after = first["longest_gap_ms"]["median"], other["longest_gap_ms"]["median"]
    one, two = first["setting"], other["setting"]
    if before < STALL_MS and after < STALL_MS:
        return f"{one} and {two}: no freeze on this storage under this load.{_worst(first, other)}"
    if after < STALL_MS:
        text = f"{one}: frozen for {_number(before)} ms; {two}: {_number(after)} ms, {_times(before, after)}"
    else:
        text = f"{two} still freezes for {_number(after)} ms ({one}: {_number(before)} ms)"
    return f"{text}{' (medians)' if first['runs'] > 1 else ''}.{_worst(first, other)}"


def _worst(first: Entry, other: Entry) -> str:
    """The longest gaps of all rounds; nothing where there is one round, whose gaps are the medians."""
    before, after = first["longest_gap_ms"]["max"], other["longest_gap_ms"]["max"]
    if first["runs"] == 1 or max(before, after) < STALL_MS:
        return ""
    times = f", {_times(before, after)}" if before > after else ""
    return f" The worst of {first['runs']} rounds: {_number(before)} ms and {_number(after)} ms{times}."


def _times(before: float, after: float) -> str:
    return f"{before / max(after, 0.1):.0f} times less"


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
    settings: list[dict[str, Any]],
    runs: list[Run],
    summary: list[Entry],
    accelerator: dict[str, str],
    width: int = WIDTH,
) -> list[str]:
    """The whole report: table, chart, conclusions, doubts; no line is longer than ``width`` columns."""
    out = [*_settings(summary), "", *table(summary, width), "", *chart(runs, width), ""]
    out += [*_conclusions(settings, summary), *_doubts(runs)]
    rounds = plural(max((entry["runs"] for entry in summary), default=0), "round")
    out.append(f"{rounds} with {accelerator['name']} ({accelerator['reason']}).")
    return [part for line in out for part in _wrapped(line, width)]


def _wrapped(line: str, width: int) -> list[str]:
    return [line] if len(line) <= width else textwrap.wrap(line, width, subsequent_indent="  ")


def _conclusions(settings: list[dict[str, Any]], summary: list[Entry]) -> list[str]:
    by_name = {entry["setting"]: entry for entry in summary}
    plain = [entry for entry in summary if not entry["during"]]
    out = [_verdict(plain[0], other) for other in plain[1:]]
    for setting in settings:
        entry, during = by_name.get(setting["name"]), setting["during"]
        if not entry or not during:
            continue
        values, gap = entry["text"].partition(" + ")[0], entry["longest_gap_ms"]["median"]
        if entry["died"]:
            out.append(_deaths(values, entry))
        elif during == BACKUP:
            out.append(_during_backup(entry))
        elif gap > STALL_MS:
            out.append(
                f"{values} does not cure {during}: the guest freezes for {_number(gap)} ms (median). Limit the load"
                " while it happens."
            )
        else:
            out.append(f"{values}: no freeze by {during}.")
    return out


def proof(
    settings: list[dict[str, Any]], runs: list[Run], accelerator: dict[str, str], width: int = WIDTH
) -> dict[str, Any]:
    """What io_prove returns of these runs; the first two settings are compared round by round."""
    summary = summarize([(setting, describe(setting)) for setting in settings], runs)
    return {
        "settings": settings,
        "runs": runs,
        "summary": summary,
        "accelerator": accelerator,
        "ratios": ratios(runs, settings[0]["name"], settings[1]["name"]) if len(settings) > 1 else [],
        "lines": lines(settings, runs, summary, accelerator, width),
    }
