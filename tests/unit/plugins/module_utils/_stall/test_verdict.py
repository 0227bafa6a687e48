# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Figures and one sentence."""

from __future__ import annotations

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.module_utils._stall.track import Track
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._stall.verdict import sentence, thread_record

TAG = "[<0>] blk_mq_get_tag+0x11e/0x2b0\n[<0>] io_submit_one+0xe5/0x370\n"


def record(role="main", name="main loop", share=0.0, longest=0.0, wait=None, locks=0.0, device="sdb"):
    track = Track(7, role, name)
    track.take_blocked(0, share * 30)
    track.take_blocked(longest, 0)
    track.take_going_on()
    track.take_lock(True, locks)
    track.take_lock(False, 1 - locks)
    track.take_watched(300, 30)
    if wait:
        track.take_wait(wait)
    return thread_record(track, "x86_64", lambda _syscall, _argument: device)


def disk(aio="native", iothread=False):
    return {"key": "scsi0", "runs": {"aio": aio, "cache": "none", "iothread": iothread}}


def test_a_record_in_words():
    assert record(share=0.71, longest=2.921, wait=(209, 1, TAG)) == {
        "tid": 7,
        "name": "main loop",
        "role": "main",
        "samples": 300,
        "blocked_share": 0.71,
        "longest_ms": 2921,
        "lock_share": 0.0,
        "syscall": "io_submit",
        "wait": "waiting for request tags of sdb",
        "stack": ["blk_mq_get_tag", "io_submit_one"],
        "device": "sdb",
    }


def test_an_unknown_device_is_left_out():
    assert record(share=0.5, wait=(209, 1, TAG), device=None)["wait"] == "waiting for request tags"


def test_the_sentence_of_a_frozen_guest():
    threads = [record(share=0.71, longest=2.921, wait=(209, 1, TAG)), record("vcpu", "CPU 0/KVM")]
    assert (
        sentence("101", threads, [disk(), disk()], 30)
        == "guest 101: main loop blocked 71 % of 30 s in io_submit, waiting for request tags of sdb, 2921 ms at a"
        " stretch;"
        " its disks run without iothread, aio native"
    )


def test_the_worst_thread_comes_first_and_the_others_are_counted():
    threads = [
        record(share=0.1, longest=0.5),
        record("vcpu", "CPU 1/KVM", 0.6, 1.5, (209, 1, TAG)),
        record("iothread", "io1", 0.2, 0.1),
    ]
    assert sentence("101", threads, [disk()], 30).startswith(
        "guest 101: vCPU CPU 1/KVM blocked 60 % of 30 s in io_submit, waiting for request tags of sdb, 1500 ms at a"
        " stretch; 2 other threads blocked too;"
    )


def test_a_main_loop_that_waits_for_the_lock_is_reported():
    threads = [record(locks=0.6), record("vcpu", "CPU 0/TCG", 0.6, 1.5, (209, 1, TAG))]
    assert "; its main loop waited for a lock 60 % of the time; " in sentence("101", threads, [disk()], 30)
    assert "for a lock" not in sentence("101", [record(locks=0.04, share=0.5)], [disk()], 30)


def test_a_guest_without_stalls():
    assert sentence("102", [record()], [disk()], 30) == "guest 102: no thread was blocked for longer than 20 ms in 30 s"
    assert sentence("102", [record(share=0.005, longest=0.01)], [], 30).startswith("guest 102: no thread was blocked")


def test_a_stopped_guest_is_reported():
    told = sentence("102", [record()], [disk()], 30, stopped=True)
    assert told == "guest 102: stopped by a signal or a debugger (state T): it does not run"
    assert "; main loop blocked 50 %" in sentence("102", [record(share=0.5, longest=1)], [disk()], 30, stopped=True)


def test_a_worker_among_nameless_threads_does_not_count_and_a_submitter_does():
    worker = record("unnamed", "thread 8", 0.9, 2, (296, 5, TAG))
    assert "no thread was blocked" in sentence("1", [record(), worker], [disk()], 30)
    submitter = record("unnamed", "thread 8", 0.9, 2, (209, 5, TAG))
    assert "thread 8 blocked 90 %" in sentence("1", [record(), submitter], [disk()], 30)


@pytest.mark.parametrize(
    ("disks", "expected"),
    [
        ([disk("threads", True)], "its disks run with iothread, aio threads"),
        (
            [disk("threads", True), disk("io_uring", False)],
            "its disks run 1 of 2 without iothread, aio io_uring and threads",
        ),
        ([disk(None, False)], "its disks run without iothread"),
        ([disk("threads", None)], "its disks run with or without iothread (not known), aio threads"),
        ([{"key": "scsi0", "runs": None}], "the values that its disks run with are not known"),
        ([], "the values that its disks run with are not known"),
    ],
)
def test_what_the_disks_run_with(disks, expected):
    assert sentence("1", [record(share=0.5, longest=1)], disks, 30).endswith(f"; {expected}")
