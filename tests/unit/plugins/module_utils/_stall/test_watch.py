# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The whole watch on real processes, whose main thread really is in state D."""

from __future__ import annotations

import os
import signal
import threading

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.module_utils._host.whole_file import read_start
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._stall import sampler
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._stall import watch as watch_module
from ansible_collections.hypervisor.io_hardening.tests.unit.plugins.module_utils._stall.poser import Poser


@pytest.fixture
def posers(tmp_path):
    started = []

    def start(name, **options):
        poser = Poser(tmp_path, name, **options)
        started.append(poser)
        poser.wait_ready()
        return poser

    yield start
    for poser in started:
        poser.end()


def watch(*arguments, **options):
    """With as much of a core as it likes: a process as large as that of the tests is slow to set up, and what is tested
    here is what it sees.
    """
    return watch_module.watch(*arguments, most_share=0.5, **options)


@pytest.fixture
def when_it_looks(monkeypatch):
    """Do something right before the first look: setting up takes as long as a busy machine lets it."""

    def first(action):
        once, look = [action], watch_module._host

        def begin(root):
            found = look(root)
            if once:
                once.pop()()
            return found

        monkeypatch.setattr(watch_module, "_host", begin)

    return first


def of_the_host(result):
    return [problem for problem in result["problems"] if problem["guest"] is None]


DRIVE = ("-drive", "file=/images/a.raw,if=none,id=d,cache=none,aio=native", "-device", "virtio-blk-pci,drive=d,id=v")


def of(result, poser):
    """The guest's record; what the process starts carries its name for a while."""
    return next(guest for guest in result["guests"] if guest["pid"] == poser.process.pid)


def test_a_stalled_main_loop_next_to_a_guest_without_stalls(posers, when_it_looks):
    stalled = posers("stalled-4d1", arguments=DRIVE)
    at_ease = posers("at-ease-4d1")
    when_it_looks(lambda: stalled.stall(1.0))
    result = watch(duration=2.0, guests=["stalled-4d1", "at-ease-4d1"])
    guest = of(result, stalled)
    main = guest["threads"][0]
    assert (main["role"], main["tid"]) == ("main", stalled.process.pid)
    # How long it really was: a busy machine releases it late.
    real = stalled.stalled_seconds
    assert main["blocked_share"] == pytest.approx(min(real / 2.0, 1), abs=0.15)
    assert main["longest_ms"] == pytest.approx(min(real, 2.0) * 1000, rel=0.2)
    assert guest["main_blocked_share"] == main["blocked_share"]
    assert guest["verdict"].startswith("guest stalled-4d1: main loop blocked ")
    assert guest["verdict"].endswith("its disks run without iothread, aio native")
    if os.geteuid() == 0:
        assert main["syscall"].startswith("syscall ") or main["syscall"] == "clone"
        assert "kernel_clone" in main["stack"] or "wait_for_vfork_done" in main["stack"]
    assert of(result, at_ease)["verdict"] == "guest at-ease-4d1: no thread was blocked for longer than 20 ms in 2 s"
    assert [(one["role"], one["name"]) for one in of(result, at_ease)["threads"]] == [
        ("main", "main loop"),
        ("iothread", "io1"),
        ("vcpu", "CPU 0/KVM"),
    ]
    assert of_the_host(result) == []
    assert 0 < result["cost"]["cpu_seconds"]


def test_a_stopped_guest_is_reported_as_stopped(posers):
    poser = posers("stopped-4d1")
    poser.process.send_signal(signal.SIGSTOP)
    guest = of(watch(duration=0.5, guests=["stopped-4d1"]), poser)
    assert (
        guest["stopped"]
        and "stopped by a signal" in guest["verdict"]
        and "no thread was blocked" not in guest["verdict"]
    )
    poser.process.send_signal(signal.SIGCONT)
    assert not of(watch(duration=0.5, guests=["stopped-4d1"]), poser)["stopped"]


def test_a_guest_that_ends_while_it_is_watched(posers, when_it_looks):
    poser = posers("ending-4d1")
    timer = threading.Timer(0.3, poser.process.kill)
    when_it_looks(timer.start)
    reaper = threading.Thread(target=poser.process.wait)
    reaper.start()
    guest = of(watch(duration=1.0, guests=["ending-4d1"]), poser)
    timer.join()
    reaper.join()
    assert guest["ended"]


@pytest.fixture
def blocked_where_forbidden(posers, monkeypatch, when_it_looks):
    """Watch a stalled guest where some files of a thread may not be read: (its main thread, the result)."""

    def forbid(*names):
        def may_read(path, limit):
            if os.path.basename(path) in names:
                raise PermissionError(13, "Permission denied")
            return read_start(path, limit)

        monkeypatch.setattr(sampler, "read_start", may_read)
        poser = posers("forbidden-4d1")
        when_it_looks(lambda: poser.stall(0.6))
        result = watch(duration=1.0, guests=["forbidden-4d1"])
        main = of(result, poser)["threads"][0]
        assert main["blocked_share"] > 0.3
        return main, result

    return forbid


def test_without_stacks_it_falls_back_to_wchan_and_says_so(blocked_where_forbidden):
    main, result = blocked_where_forbidden("stack")
    assert len(main["stack"]) == 1
    assert main["wait"].startswith("waiting in ")
    assert ["wchan is used" in problem["reason"] for problem in of_the_host(result)] == [True]


def test_without_any_permission_states_still_count(blocked_where_forbidden):
    main, result = blocked_where_forbidden("stack", "syscall", "wchan")
    assert (main["syscall"], main["wait"], main["stack"]) == (None, None, [])
    assert len(of_the_host(result)) == 3


def test_threads_without_names_are_reported(posers):
    poser = posers("nameless-4d1", threads=("qemu-system-x86", "qemu-system-x86"))
    result = watch(duration=1.0, guests=["nameless-4d1"])
    assert [one["role"] for one in of(result, poser)["threads"]] == ["main"]
    assert ["debug-threads" in problem["reason"] for problem in result["problems"]] == [True]
    assert result["sampling"]["threads"] == 3


def test_few_looks_are_reported(posers):
    posers("seldom-4d1")
    result = watch_module.watch(duration=0.05, guests=["seldom-4d1"])
    assert result["sampling"]["passes"] < 10
    assert ["the shares are rough" in problem["reason"] for problem in of_the_host(result)] == [True]


def test_nothing_runs(tmp_path):
    (tmp_path / "proc").mkdir()
    result = watch(str(tmp_path), duration=0.2, guests=["100"])
    assert result["guests"] == []
    assert result["host"] == {
        "pressure": {"some": None, "full": None},
        "dirty": {"before": None, "after": None},
        "writeback": {"before": None, "after": None},
    }
    assert [problem["guest"] for problem in result["problems"]] == ["100"]


def test_a_process_with_too_many_threads_does_not_affect_others(posers, monkeypatch):
    poser = posers("threads-4d1")
    posers("few-4d1", threads=("call_rcu",))
    monkeypatch.setattr(sampler, "MOST_THREADS", 3)
    result = watch(duration=0.2, guests=["threads-4d1", "few-4d1"])
    assert [guest["name"] for guest in result["guests"]] == ["few-4d1"]
    told = [problem["reason"] for problem in result["problems"] if problem["file"] == f"/proc/{poser.process.pid}"]
    assert told == ["its threads cannot be read: it has more than 3 threads"]
