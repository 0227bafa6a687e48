# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

from __future__ import annotations

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.module_utils._calibrate import policy, report
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._calibrate.candidates import TODAY, made

SHORT = made("16 requests of 128 KiB", queue={"nr_requests": 16, "max_sectors_kb": 128})
FACTS = {
    "device": {"name": "sda", "id": "wwn-1", "max_bytes": 1, "strict_limit": 0},
    "disks": [{"name": "sda", "id": "wwn-1", "nr_requests": 128, "max_sectors_kb": 1280, "scheduler": "none"}],
}


def run(name, gap, write, rate=40.0, load="writer", **over):
    return {
        "load": load,
        "name": name,
        "longest_gap_ms": gap,
        "longest_write_ms": write,
        "disk_mb_per_s": rate,
        "backup_mb_per_s": 5.0,
        "died": None,
        "written": {"mb": 100, "ended_early": False, "felt_ms": 800.0},
        **over,
    }


def text(chosen="short", runs=None, width=200, **over):
    chosen = SHORT if chosen == "short" else chosen
    runs = runs or [run("today", 2988.0, 3832.0), *[run(SHORT["name"], 97.0, 294.0, 38.0)] * 3]
    calibration = {
        "loads": ["writer"],
        "bounds": {"gap_ms": 100, "write_ms": 1000},
        "facts": FACTS,
        "rate": {"write_mb_per_s": 40.1, "read_mb_per_s": 41.0, "target_mb_per_s": 5.0},
        "candidates": {"writer": [TODAY, SHORT]},
        "chosen": {"writer": chosen},
        "runs": runs,
        "left_out": [],
        "not_measured": [],
        "rounds": 3,
        "complete": True,
        "accelerator": {"name": "tcg", "reason": "asked for"},
        **over,
    }
    found = {load: one for load, one in calibration["chosen"].items() if one}
    calibration.setdefault("policy", policy.policies(found, calibration["facts"], None))
    return "\n".join(report.lines(calibration, width))


def test_the_report_has_a_table_the_choice_and_the_policy_at_its_end():
    out = text()
    assert "In sequence, the disk writes 40 MB/s and reads 41 MB/s." in out and "target takes 5.0 MB/s." in out
    rows = [line.split() for line in out.splitlines()]
    assert ["today", "2988", "3832", "40", "no"] in rows
    assert [*SHORT["name"].split(), "97", "294", "38", "5", "%", "yes"] in rows
    assert (
        "Cheapest that holds, 3 rounds: 16 requests of 128 KiB (freeze 2988 ms, now 97 ms; longest write 3832 ms, now"
        " 294 ms)." in out
    )
    assert out.endswith(
        "The policy to paste:\n\nio_host_policy:\n  disks:\n    wwn-1: {nr_requests: 16, max_sectors_kb: 128}"
    )


def test_the_chart_has_a_bar_for_the_freeze_and_one_for_the_write():
    line = next(line for line in text().splitlines() if line.startswith("today") and "##" in line)
    assert line.count(" #") == 2 and "2988" in line and "3832" in line


def test_none_that_holds_is_said_with_the_closest():
    out = text(None, [run("today", 2988.0, 3832.0), run(SHORT["name"], 250.0, 294.0)])
    assert (
        "None of 2 tries holds the guest's freeze under 100 ms, and its longest write under 1000 ms. Closest: 16" in out
    )
    assert out.endswith("There is nothing to put into a policy.")


def test_today_s_values_that_hold_need_no_policy():
    out = text(TODAY, [run("today", 20.0, 90.0)] * 3)
    assert "Nothing needs to be set: today's values hold" in out and "The policy to paste" not in out


@pytest.mark.parametrize("width", [40, 80])
def test_nothing_is_wider_than_the_terminal(width):
    lines = (
        text(width=width, not_measured=["8 MiB dirty (writer)"])
        .split("The policy to paste", maxsplit=1)[0]
        .splitlines()
    )
    assert max(map(len, lines)) <= width
    assert any(line.startswith("values ") for line in lines) == (width == 80)


def test_what_is_doubtful_is_said():
    idle = {"mb": 100, "ended_early": True, "felt_ms": 3.0}
    out = text(
        runs=[run("today", 20.0, None, written=idle, died="aborted"), run(SHORT["name"], 20.0, 90.0, written=idle)],
        left_out=["This kernel has no max_bytes."],
        not_measured=["8 MiB dirty (writer)"],
        facts={**FACTS, "disks": [{"name": "loop1", "id": None}]},
        candidates={"writer": [TODAY, SHORT, made("as chosen above")]},
    )
    for told in (
        "This kernel has no max_bytes.",
        "used up: 8 MiB dirty (writer). What was chosen",
        "loop1 has no name in /dev/disk/by-id",
        "In 2 runs the load had written all it may",
        "No load was felt",
        "DIED",
        "not known",
        "(all but today with what was chosen above)",
    ):
        assert told in out


def test_a_calibration_that_failed_proposes_nothing():
    out = text(complete=False)
    assert out.endswith("The calibration did not come to its end: there is no policy.") and "97" in out


def test_a_choice_of_fewer_rounds_than_were_asked_for_is_named_as_such():
    out = text(runs=[run("today", 2988.0, 3832.0), run(SHORT["name"], 97.0, 294.0)])
    assert "Cheapest that holds, 1 round: 16 requests" in out and "There was time for 1 of 3 only." in out
    assert "There was time" not in text()


def test_a_load_of_which_nothing_was_measured_is_named():
    assert "Nothing was measured." in text(None, runs=[run("today", 1.0, 1.0, load="other")])
