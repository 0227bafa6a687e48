# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

from __future__ import annotations

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.module_utils._prove import gaps, setting
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._prove.errors import ProveError

REPORT = [
    "",
    "end 700 10002000000 3295400000 120 40 558200000",
    "gap 1000000000 3295400000",
    "gap 5000000000 50000000",
    "gap 6000000000 50100000",
    "done",
]


def seen(**over):
    return dict(
        {"lines": REPORT, "beats": [10.0, 10.002, 13.3], "complete": True, "died": None, "now": 20.0, "window_s": 10.0},
        **over,
    )


def run(name, number, gap, stalled=0.0, blocked=0):
    return {
        "setting": name,
        "round": number,
        "longest_gap_ms": gap,
        "longest_write_ms": None,
        "backup_mb_per_s": None,
        "stalled_s": stalled,
        "reads": 30,
        "writes": 70,
        "window_s": 10.0,
        "main_blocked_percent": blocked,
        "died": None,
    }


def test_a_report_becomes_figures():
    assert gaps.read_report(REPORT) == {
        "beats": 700,
        "window_s": 10.002,
        "longest_gap_ms": 3295.4,
        "longest_write_ms": 558.2,
        "reads": 120,
        "writes": 40,
        # 50 ms is no stall yet, 50.1 ms is one.
        "gaps": [[1000.0, 3295.4], [6000.0, 50.1]],
        "stalled_s": 3.35,
    }


@pytest.mark.parametrize(
    "lines", [[], ["done"], ["end 1 2 3"], ["end 1 2 x 4 5 6"], ["end 1 2 3 4 5"], ["end 1 2 3 4 5 6", "gap 1"]]
)
def test_lines_that_are_not_a_report_are_refused(lines):
    with pytest.raises(ProveError):
        gaps.read_report(lines)


def test_the_host_s_clock_is_reported_next_to_the_guest_s():
    assert gaps.figures(seen())["host_longest_gap_ms"] == 3298.0
    assert gaps.figures(seen())["longest_gap_ms"] == 3295.4


def test_a_guest_that_does_not_report_was_frozen_until_now():
    found = gaps.figures(seen(lines=[], complete=False))
    assert found["complete"] is False
    assert found["longest_gap_ms"] == 6700.0
    assert found["stalled_s"] == 10.0
    assert found["longest_write_ms"] is None
    assert found["gaps"] == [[2.0, 3298.0], [3300.0, 6700.0]]


def test_a_guest_that_never_beat():
    found = gaps.figures(seen(lines=[], beats=[], complete=False))
    assert found["longest_gap_ms"] == 10000.0
    assert found["beats"] == 0


def test_the_longest_step():
    assert gaps.longest_step_ms([]) == 0
    assert gaps.longest_step_ms([1.0]) == 0
    assert gaps.longest_step_ms([1.0, 1.002, 1.502, 1.503]) == 500.0


def test_a_summary_has_one_entry_for_each_setting_in_order():
    settings = [(dict(setting.TODAY, name=name), name) for name in ("b", "a", "none")]
    runs = [
        run("b", 1, 3000.0, 7.0, 70),
        run("a", 1, 10.0),
        run("b", 2, 1000.0, 6.0, 80),
        run("a", 2, 30.0),
        run("b", 3, 2000.0, 8.0, 71),
    ]
    first, second = gaps.summarize(settings, runs)
    assert (first["setting"], first["runs"], first["main_blocked_percent"]) == ("b", 3, 71)
    assert first["longest_gap_ms"] == {"median": 2000.0, "min": 1000.0, "max": 3000.0}
    assert first["stalled_s"] == {"median": 7.0, "min": 6.0, "max": 8.0}
    assert first["requests_per_s"] == 10
    assert first["longest_write_ms"] is None
    assert second["longest_gap_ms"] == {"median": 20.0, "min": 10.0, "max": 30.0}


def test_a_figure_that_some_runs_lack_is_that_of_the_others():
    assert gaps.spread([None, 5.0, 7.0]) == {"median": 6.0, "min": 5.0, "max": 7.0}


def test_ratios_are_taken_round_by_round():
    runs = [run("b", 2, 500.0), run("a", 2, 10.0), run("b", 1, 3000.0), run("a", 1, 10.0), run("b", 3, 1.0)]
    assert gaps.ratios(runs, "b", "a") == [300.0, 50.0]


def test_a_round_in_which_the_better_setting_killed_qemu_has_the_ratio_zero():
    runs = [
        run("b", 1, 3000.0),
        dict(run("a", 1, 10.0), died="Assertion failed"),
        dict(run("b", 2, 9.0), died="aborted"),
        run("a", 2, 3.0),
    ]
    assert gaps.ratios(runs, "b", "a") == [0.0]
