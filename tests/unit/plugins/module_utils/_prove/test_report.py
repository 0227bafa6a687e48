# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

from __future__ import annotations

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.module_utils._prove import gaps, report, setting

ACCELERATOR = {"name": "tcg", "reason": "asked for"}
SAVED = setting.check(dict(setting.HARDENED, name="saved", during="backup", backup={"target": "/mnt"}))
RESIZED = dict(setting.HARDENED, name="resized", during="block_resize")


def run(name, gap, number=1, **over):
    return dict(
        {
            "setting": name,
            "round": number,
            "longest_gap_ms": gap,
            "host_longest_gap_ms": gap,
            "longest_write_ms": gap + 5.0,
            "backup_mb_per_s": None,
            "stalled_s": gap / 1000,
            "reads": 10,
            "writes": 10,
            "window_s": 10.0,
            "main_blocked_percent": 71,
            "complete": True,
            "died": None,
            "load": {"mb": 1, "ended_early": False, "felt_ms": 900.0},
        },
        **over,
    )


def text(*runs, width=200):
    settings = [
        one
        for one in (setting.TODAY, setting.HARDENED, RESIZED, SAVED)
        if one["name"] in [run["setting"] for run in runs]
    ]
    summary = gaps.summarize([(one, setting.describe(one)) for one in settings], list(runs))
    return "\n".join(report.lines(settings, list(runs), summary, ACCELERATOR, width))


@pytest.mark.parametrize(("value", "length"), [(0, 0), (1, 0), (1.01, 1), (100, 20), (10000, 40), (99999, 40)])
def test_a_bar_is_logarithmic(value, length):
    assert report.stroke(value) == "#" * length


def test_a_cure():
    out = text(run("today", 3000.0), run("hardened", 10.0))
    assert "today: frozen for 3000 ms; hardened: 10 ms, 300 times less.\n" in out
    assert "3000 [3000-3000]" in out
    assert "virtio-scsi-single, iothread, threads, none" in out
    assert "1 round with tcg (asked for)." in out


def test_no_freeze_is_not_called_a_cure():
    assert "today and hardened: no freeze on this storage under this load." in text(
        run("today", 12.0), run("hardened", 8.0)
    )


def test_the_median_is_compared_with_the_median_and_the_worst_with_the_worst():
    gaps_of = {"today": (5250.0, 3913.0, 6448.0), "hardened": (8.0, 12.0, 11.0)}
    out = text(*(run(name, gap, number) for name, found in gaps_of.items() for number, gap in enumerate(found, 1)))
    assert "today: frozen for 5250 ms; hardened: 11 ms, 477 times less (medians). " in out
    assert "The worst of 3 rounds: 6448 ms and 12 ms, 537 times less." in out


def test_a_freeze_in_one_round_alone_is_not_hidden_by_the_median():
    out = text(*(run("today", gap, number) for number, gap in enumerate((8.0, 9.0, 700.0), 1)), run("hardened", 8.0))
    assert "no freeze on this storage under this load. The worst of 3 rounds: 700 ms and 8.0 ms, 88 times less." in out


@pytest.mark.parametrize("width", [40, 80])
def test_nothing_is_wider_than_the_terminal_and_nothing_is_cut(width):
    runs = [run(name, gap, number) for number in (1, 2) for name, gap in (("today", 6448.1), ("hardened", 9.1))]
    out = text(*runs, run("resized", 4200.0), width=width)
    assert max(map(len, out.splitlines())) <= width
    words = " ".join(out.split())
    for told in (
        "virtio-scsi-single, iothread, threads, none",
        "6448 [6448-6448]",
        "71 %",
        "2 rounds with tcg (asked for).",
    ):
        assert told in words
    assert ("setting   longest gap ms" in out) == (width == 80)


def test_what_still_freezes_is_not_called_a_cure():
    assert "hardened still freezes for 900 ms (today: 3000 ms)." in text(run("today", 3000.0), run("hardened", 900.0))


def test_a_freeze_that_no_setting_cures_is_reported():
    out = text(run("today", 3000.0), run("hardened", 10.0), run("resized", 4200.0))
    assert (
        "virtio-scsi-single, iothread, threads, none does not cure block_resize: the guest freezes for 4200 ms"
        " (median)." in out
    )


def test_a_backup_is_told_by_its_writes_and_its_rate():
    out = text(
        run("today", 3000.0), run("saved", 66.0, longest_write_ms=5526.0, backup_mb_per_s=5.1), run("hardened", 9.0)
    )
    assert (
        "saved: during the backup the guest freezes for 66 ms, its longest write takes 5526 ms, and the backup" in out
    )
    assert "reads 5.1 MB/s." in out and "backup: 16 workers to /mnt" in out
    head, row = (next(line for line in out.splitlines() if word in line) for word in ("backup MB/s", "5526 ["))
    assert row.index("5.1 [5.1-5.1]") == head.index("backup MB/s")


def test_a_figure_that_the_guest_did_not_report_is_not_known():
    assert "not known" in text(run("today", 3000.0, longest_write_ms=None), run("hardened", 9.0))


def test_doubtful_runs_are_named():
    out = text(
        run("today", 3000.0, host_longest_gap_ms=100.0),
        run("hardened", 10.0, complete=False),
        run("hardened", 10.0, number=2, load={"mb": 1, "ended_early": True, "felt_ms": 3.2}),
    )
    assert "round 1, today: the guest's clock says 3000 ms, this host's 100 ms" in out
    assert "round 1, hardened: the guest did not report" in out
    assert "round 2, hardened: the load reached its limit" in out
    assert "In 1 of 3 runs this storage served a read within 3.2 ms when the measurement began" in out
    assert "disturbed" not in text(run("today", 3000.0, host_longest_gap_ms=3300.0), run("hardened", 10.0))


def test_a_setting_that_kills_qemu_is_reported_and_not_called_a_cure():
    out = text(
        run("today", 3000.0),
        run("hardened", 10.0, complete=False, died="kvm: Assertion `qemu_in_main_thread()' failed."),
    )
    assert "hardened KILLS THE GUEST: QEMU died in 1 of 1 run." in out
    assert "round 1, hardened: QEMU died: kvm: Assertion `qemu_in_main_thread()' failed." in out
    assert "times less" not in out and "did not report" not in out


def test_a_qemu_that_dies_by_a_command_is_reported():
    out = text(
        run("today", 3000.0), run("resized", 10.0, complete=False, died="aborted"), run("resized", 9.0, number=2)
    )
    assert (
        "virtio-scsi-single, iothread, threads, none KILLS THE GUEST during block_resize: QEMU died in 1 of 2 runs."
        in out
    )
