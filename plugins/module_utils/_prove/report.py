# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors
"""A table and a chart for the terminal, as lines of text. Pure."""

from __future__ import annotations

import math

from .gaps import STALL_MS

_WIDTH = 40


def _number(value):
    return "%.0f" % value if value >= 10 else "%.1f" % value


def _range(figures):
    return "%s [%s-%s]" % tuple(_number(figures[key]) for key in ("median", "min", "max"))


def table(summary):
    """The lines of a table of gaps.summarize()'s entries."""
    head = ("setting", "longest gap ms", "stalled s", "main loop blocked", "requests/s", "runs", "disk")
    rows = [head]
    for entry in summary:
        rows.append(
            (
                entry["setting"],
                _range(entry["longest_gap_ms"]),
                _range(entry["stalled_s"]),
                "%d %%" % entry["main_blocked_percent"],
                str(entry["requests_per_s"]),
                str(entry["runs"]),
                entry["text"],
            )
        )
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows]
    return [lines[0], "  ".join("-" * width for width in widths)] + lines[1:]


def stroke(value, scale_from=1.0, scale_to=10000.0, width=_WIDTH):
    """A bar on a logarithmic scale: nothing at scale_from, full at scale_to."""
    if value <= scale_from:
        return ""
    share = math.log(value / scale_from) / math.log(scale_to / scale_from)
    return "#" * max(1, min(width, round(share * width)))


def chart(runs):
    """One bar per run, in the order they ran: the longest gap, logarithmic, 1 ms to 10 s."""
    if not runs:
        return []
    width = max(len(run["setting"]) for run in runs)
    lines = ["longest gap between two heartbeats, ms (logarithmic, 1 ms to 10 s)"]
    for run in runs:
        gap = run["longest_gap_ms"]
        lines.append(
            "%d  %s  %s %s" % (run["round"], run["setting"].ljust(width), stroke(gap).ljust(_WIDTH), _number(gap))
        )
    return lines


def _deaths(what, entry):
    during = " during %s" % entry["during"] if entry["during"] else ""
    runs = "%d run%s" % (entry["runs"], "" if entry["runs"] == 1 else "s")
    return "%s KILLS THE GUEST%s: QEMU died in %d of %s." % (what, during, entry["died"], runs)


def _verdict(first, other):
    """A sentence on what another setting did to the longest gap of the first."""
    for entry in (first, other):
        if entry["died"]:
            return _deaths(entry["setting"], entry)
    before, after = first["longest_gap_ms"]["median"], other["longest_gap_ms"]["median"]
    if before < STALL_MS and after < STALL_MS:
        return "%s and %s: no freeze on this storage under this load." % (first["setting"], other["setting"])
    if after < STALL_MS:
        return "%s: frozen for up to %s ms; %s: %s ms, %.0f times less." % (
            first["setting"],
            _number(first["longest_gap_ms"]["max"]),
            other["setting"],
            _number(after),
            before / after,
        )
    return "%s still stands still for %s ms (%s: %s ms)." % (
        other["setting"],
        _number(after),
        first["setting"],
        _number(before),
    )


def _doubts(runs):
    """Sentences on runs that should not be trusted, or that say less than they seem to."""
    out = []
    for run in runs:
        where = "round %d, %s: " % (run["round"], run["setting"])
        if run["died"]:
            out.append(where + "QEMU died: %s" % run["died"])
        elif not run["complete"]:
            out.append(where + "the guest did not come back to report; its figures are the least that is known.")
        elif abs(run["longest_gap_ms"] - run["host_longest_gap_ms"]) > 50 + run["longest_gap_ms"] / 5:
            out.append(
                where
                + "the guest's clock says %s ms, this host's %s ms; something else disturbed the run."
                % (_number(run["longest_gap_ms"]), _number(run["host_longest_gap_ms"]))
            )
        if run["load"]["ended_early"]:
            out.append(where + "the load reached its bound of bytes before the end (load_total_mb).")
    idle = [run["load"]["felt_ms"] for run in runs if run["load"]["mb"] and run["load"]["felt_ms"] < STALL_MS]
    if idle:
        out.append(
            "In %d of %d runs this storage answered a read within %s ms when the measurement began: the load does not"
            " press it; load_writers makes more." % (len(idle), len(runs), _number(max(idle)))
        )
    return out


def lines(settings, runs, summary, accelerator):
    """The whole report: table, chart, what follows from them, what to doubt."""
    by_name = {entry["setting"]: entry for entry in summary}
    out = table(summary) + [""] + chart(runs) + [""]
    plain = [entry for entry in summary if not entry["during"]]
    out += [_verdict(plain[0], other) for other in plain[1:]]
    for setting in settings:
        entry = by_name[setting["name"]]
        if not setting["during"]:
            continue
        if entry["died"]:
            out.append(_deaths(entry["text"].partition(" + ")[0], entry))
        elif entry["longest_gap_ms"]["median"] > STALL_MS:
            out.append(
                "%s does not cure %s: the guest stands still for %s ms (median). Limit the load while it happens."
                % (entry["text"].partition(" + ")[0], setting["during"], _number(entry["longest_gap_ms"]["median"]))
            )
        else:
            out.append("%s: no freeze by %s." % (entry["text"].partition(" + ")[0], setting["during"]))
    out += _doubts(runs)
    return out + ["Run with %s (%s)." % (accelerator["name"], accelerator["reason"])]
