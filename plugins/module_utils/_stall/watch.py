# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Watches the guests of a host for a while: what io_stall_info returns, without Ansible."""

from __future__ import annotations

import os
import time
from typing import Any

from .._host import meminfo
from .._host.tree import Tree
from .._model.records import Problem, RunningGuest, problem
from .._qemu_process import proc
from .._text import plural
from . import host, qmp, sampler, verdict
from .device import Devices

#: The largest share of one core that a watch takes, with setting up and summing up; a very short one takes more.
SHARE = 0.02
# Reserved for summing up; and the least that is left for sampling, however much setting up took.
_KEPT_BACK = 0.004
_LEAST_SHARE = 0.003
_QMP_TIMEOUT = 5.0
_QMP_PAUSE = 1.0
# Round trips per second for all guests together: each takes about 0.3 ms.
_QMP_RATE = 10
# With fewer looks than this, one look is more than ten percent of the time.
_FEW_PASSES = 10


def watch(
    root: str = "/",
    duration: float = 10.0,
    interval: float = 0.01,
    guests: list[str] | None = None,
    ask_qmp: bool = False,
    most_share: float = SHARE,
) -> dict[str, Any]:
    """Watch the running guests (ids or names in ``guests``, None for all) for ``duration`` seconds.

    ``most_share`` is the largest share of one core that it takes, unless setting up takes more.

    Returns ``{guests, host, sampling, cost, problems}`` as the module io_stall_info documents them. Raises OSError
    where ``root`` is not a directory.
    """
    began, cpu_began = time.monotonic(), time.process_time()
    tree = Tree(root)
    running, problems = proc.running_guests(root, cross_check=False)
    running, missing = _chosen(running, guests)
    problems.extend(problem(None, "no running guest has this id or name", guest=one) for one in missing)
    machine = os.uname().machine
    watched = _open(tree, running, machine, problems)
    probers = _probers(watched, ask_qmp, problems)
    share = max(_LEAST_SHARE, most_share - _KEPT_BACK - (time.process_time() - cpu_began) / duration)
    before, started = _host(tree), time.monotonic()
    for prober in probers.values():
        prober.start()
    try:
        paces = sampler.sample(watched, duration, interval, share)
    finally:
        for prober in probers.values():
            prober.stop()
        for one in watched:
            one.look_whether_stopped()
            one.close()
    seconds = time.monotonic() - started
    after = _host(tree)
    records = [_guest_record(tree, one, seconds, machine, probers.get(one.guest["pid"])) for one in watched]
    problems.extend(_unreadable(watched))
    if watched and paces["passes"] < _FEW_PASSES:
        problems.append(
            problem(
                None,
                f"the share of a core allowed only {plural(paces['passes'], 'look')} in {seconds:.1f} s, so the shares"
                " are rough: watch for longer",
            )
        )
    cpu, wall = time.process_time() - cpu_began, time.monotonic() - began
    return {
        "guests": records,
        "host": host.host_record(before, after, seconds),
        "sampling": {
            "seconds": round(seconds, 3),
            "interval_wanted": interval,
            "interval": None if paces["interval"] is None else round(paces["interval"], 4),
            "longest_gap": round(paces["longest_gap"], 4),
            "passes": paces["passes"],
            "threads": sum(len(one.tracks) for one in watched),
        },
        "cost": {"cpu_seconds": round(cpu, 4), "share": round(cpu / wall, 4)},
        "problems": problems,
    }


def _chosen(running: list[RunningGuest], wanted: list[str] | None) -> tuple[list[RunningGuest], list[str]]:
    if wanted is None:
        return running, []
    chosen = [guest for guest in running if guest["id"] in wanted or guest["name"] in wanted]
    known = {word for guest in chosen for word in (guest["id"], guest["name"])}
    return chosen, [one for one in wanted if one not in known]


def _open(tree: Tree, running: list[RunningGuest], machine: str, problems: list[Problem]) -> list[sampler.Watched]:
    # Two files per guest and one per thread; a guest with many threads leaves enough for the others.
    sampler.allow_descriptors(256 + (sampler.MOST_THREADS + 2) * len(running))
    watched = []
    for guest in running:
        path = tree.real(f"/proc/{guest['pid']}")
        one = sampler.Watched(guest, path, machine)
        try:
            one.open()
        except OSError as error:
            one.close()
            problems.append(problem(path, f"its threads cannot be read: {error.strerror}", guest=guest["id"]))
            continue
        watched.append(one)
        if not one.named:
            problems.append(
                problem(
                    path,
                    "its threads have no names (debug-threads is off): only what they block in distinguishes vCPUs,"
                    " iothreads and workers",
                    guest=guest["id"],
                )
            )
    return watched


def _probers(watched: list[sampler.Watched], ask_qmp: bool, problems: list[Problem]) -> dict[int, qmp.Prober]:
    if not ask_qmp:
        return {}
    probers = {}
    pause = max(_QMP_PAUSE, len(watched) / _QMP_RATE)
    for one in watched:
        sockets = one.guest["qmp"]
        if sockets:
            probers[one.guest["pid"]] = qmp.Prober(sockets[0], pause, _QMP_TIMEOUT)
        else:
            problems.append(
                problem(one.path, "its command line has no QMP socket that can be used", guest=one.guest["id"])
            )
    return probers


def _guest_record(
    tree: Tree, watched: sampler.Watched, seconds: float, machine: str, prober: qmp.Prober | None
) -> dict[str, Any]:
    guest = watched.guest
    device = Devices(tree, guest["pid"], guest["disks"]).of_wait
    threads = [verdict.thread_record(track, machine, device) for track in watched.tracks]
    threads = [one for one in threads if one["role"] != "unnamed" or one["blocked_share"]]
    main = next(one for one in threads if one["role"] == "main")
    return {
        "id": guest["id"],
        "name": guest["name"],
        "hypervisor": guest["hypervisor"],
        "pid": guest["pid"],
        "verdict": verdict.sentence(guest["id"], threads, guest["disks"], seconds, watched.stopped),
        "main_blocked_share": main["blocked_share"],
        "longest_ms": max(one["longest_ms"] for one in threads if verdict.counts(one)),
        "threads": threads,
        "disks": [{"key": disk["key"], "file": disk["file"], "runs": disk["runs"]} for disk in guest["disks"]],
        "qmp": None if prober is None else prober.record(),
        "stopped": watched.stopped,
        "ended": any(track.ended for track in watched.tracks if track.role == "main"),
    }


_REASONS = {
    "stack": "kernel stacks cannot be read (root only): wchan is used instead, which is only the innermost function",
    "syscall": "system calls cannot be read (root only): what a thread blocks in, and waits for locks, are not known",
    "wchan": "wchan cannot be read: where threads wait is not known",
}


def _unreadable(watched: list[sampler.Watched]) -> list[Problem]:
    """One problem for each kind of file that cannot be read, whatever the number of guests."""
    counts = {kind: sum(1 for one in watched if kind in one.unreadable) for kind in _REASONS}
    return [
        problem(None, f"{plural(counts[kind], 'guest')}: {reason}") for kind, reason in _REASONS.items() if counts[kind]
    ]


def _host(tree: Tree) -> dict[str, Any]:
    return {
        "pressure": host.parse_pressure(tree.kernel_text("/proc/pressure/io") or ""),
        "memory": meminfo.parse(tree.kernel_text(meminfo.PATH) or ""),
    }
