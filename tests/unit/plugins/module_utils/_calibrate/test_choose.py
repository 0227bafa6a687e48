# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

from __future__ import annotations

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.module_utils._calibrate import choose
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._calibrate.candidates import TODAY, made

BOUNDS = {"gap_ms": 100, "write_ms": 1000}
TRIED = [TODAY, made("mild"), made("middle"), made("strong")]


def run(name, gap, rate=40.0, write=300.0, load="writer", died=None):
    return {
        "load": load,
        "name": name,
        "longest_gap_ms": gap,
        "longest_write_ms": write,
        "disk_mb_per_s": rate,
        "backup_mb_per_s": rate / 10,
        "died": died,
    }


def chosen(*runs):
    found = choose.cheapest(TRIED, list(runs), "writer", BOUNDS)
    return found and found["name"]


@pytest.mark.parametrize(
    ("runs", "name"),
    [
        ([], None),
        ([run("today", 3000.0), run("mild", 200.0)], None),
        ([run("today", 50.0)], "today"),
        # The strongest costs half of the rate, the mildest holds nothing.
        ([run("today", 3000.0), run("mild", 200.0), run("middle", 90.0, 36.0), run("strong", 5.0, 20.0)], "middle"),
        # What brings more is cheaper, whatever its place.
        ([run("today", 3000.0), run("middle", 90.0, 20.0), run("strong", 5.0, 38.0)], "strong"),
        # Within a tenth of each other, the milder one.
        ([run("today", 3000.0), run("mild", 90.0, 37.0), run("middle", 5.0, 40.0)], "mild"),
        # One round too long is too long.
        ([run("today", 3000.0), run("mild", 50.0), run("mild", 101.0), run("strong", 90.0)], "strong"),
        # A guest whose writes wait, that died or that did not tell is not held.
        ([run("today", 50.0, write=1001.0), run("mild", 50.0, died="aborted"), run("strong", 5.0, write=None)], None),
        # Another load's runs are another load's.
        ([run("mild", 50.0, load="backup")], None),
    ],
)
def test_the_cheapest_that_holds(runs, name):
    assert chosen(*runs) == name


def calibrated(answers, rounds=2):
    """The names in the order in which they are run, with the gap that each run of a candidate has."""
    runs, order = [], []
    while one := choose.following(TRIED, runs, "writer", BOUNDS, rounds):
        order.append(one["name"])
        runs.append(run(one["name"], answers[one["name"]].pop(0)))
        assert len(order) < 20
    return order


@pytest.mark.parametrize(
    ("answers", "order"),
    [
        # Today holds: nothing else is tried.
        ({"today": [5.0, 6.0]}, ["today", "today"]),
        # It held once only: the others follow.
        (
            {"today": [5.0, 600.0], "mild": [5.0, 5.0], "middle": [5.0], "strong": [5.0]},
            ["today", "today", "mild", "middle", "strong", "mild"],
        ),
        # The one that was chosen fails its second round: the next one is asked.
        (
            {"today": [3000.0], "mild": [50.0, 500.0], "middle": [50.0, 50.0], "strong": [5.0]},
            ["today", "mild", "middle", "strong", "mild", "middle"],
        ),
        # None holds.
        (
            {"today": [3000.0], "mild": [500.0], "middle": [400.0], "strong": [300.0]},
            ["today", "mild", "middle", "strong"],
        ),
    ],
)
def test_what_is_run_next(answers, order):
    assert calibrated(answers) == order


def test_a_backup_s_throughput_is_what_it_read():
    runs = [run("mild", 5.0, 40.0), run("mild", 5.0, 50.0)]
    assert choose.throughput(runs, "writer") == 45.0
    assert choose.throughput(runs, "backup") == 4.5
    assert choose.throughput([], "backup") is None
