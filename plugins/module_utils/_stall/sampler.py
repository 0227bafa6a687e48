# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Samples the threads of QEMU processes through /proc, within a share of one core. Attaches to nothing.

Every look takes in all threads. The next look comes after the wanted interval, or as soon as the share of a core allows
it: the CPU time of the looks is measured.
"""

from __future__ import annotations

import errno
import os
import resource
import time
from collections.abc import Callable, Sequence
from typing import Any

from .._host.whole_file import read_start
from .._model.records import RunningGuest
from . import threads as _threads
from . import waits
from .track import Track

#: A guest of 256 vCPUs and as many workers has fewer threads; any process may have tens of thousands.
MOST_THREADS = 1024

_BLOCKED = ord("D")
_STOPPED = b"Tt"


class Watched:
    """One guest's process: its tracks, and whether its system calls and stacks may be read."""

    def __init__(self, guest: RunningGuest, path: str, machine: str) -> None:
        self.guest = guest
        self.path = path
        self.named = True
        self.unreadable: set[str] = set()
        self.stopped = False
        self.looks = 0
        self.seconds = 0.0
        self.stats: list[tuple[int, Track]] = []  # (open descriptor of its stat file, track)
        self.tracks: list[Track] = []
        self._machine = machine
        self._main_syscall: int | None = None

    def open(self) -> None:
        """Find and open its threads.

        Raises OSError where the process has ended or is hidden, and where it has too many threads.
        """
        names: dict[int, str] = {}
        for tid in os.listdir(f"{self.path}/task"):
            if len(names) >= MOST_THREADS:
                raise OSError(errno.E2BIG, f"it has more than {MOST_THREADS} threads")
            try:
                comm = read_start(f"{self.path}/task/{tid}/comm", 64)
            except FileNotFoundError:
                continue
            names[int(tid)] = comm.decode("utf-8", "backslashreplace").rstrip("\n")
        pid = self.guest["pid"]
        self.named = _threads.are_named(pid, names)
        for number, (role, name) in sorted(_threads.roles(pid, names, self.guest["iothreads"]).items()):
            stat = os.open(f"{self.path}/task/{number}/stat", os.O_RDONLY | os.O_CLOEXEC)
            self.stats.append((stat, Track(number, role, name)))
        self.tracks = [track for _descriptor, track in self.stats]
        try:
            self._main_syscall = os.open(f"{self.path}/task/{pid}/syscall", os.O_RDONLY | os.O_CLOEXEC)
            os.pread(self._main_syscall, 256, 0)
        except OSError:
            self.unreadable.add("syscall")

    def look(self, now: float, since: float) -> None:
        """Sample every thread; ``since`` is the time since the look before, in seconds.

        This is nearly all of the cost: it does next to nothing for threads that are not blocked.
        """
        pread = os.pread
        for descriptor, track in self.stats:
            try:
                text = pread(descriptor, 64, 0)
            except OSError:
                self._end(track)
                continue
            # As _state(), without the cost of a call.
            if text[text.rfind(b")") + 2] == _BLOCKED:
                track.take_blocked(now, since)
                self.look_at_wait(track)
            elif track.is_in_stretch:
                track.take_going_on()
        self.look_for_lock(since)
        self.looks += 1
        self.seconds += since

    def _end(self, track: Track) -> None:
        if not track.ended:
            track.ended = True
            track.take_going_on()
            track.take_watched(self.looks, self.seconds)

    def look_whether_stopped(self) -> None:
        """Note whether a signal or a debugger stopped the process (state T or t): then its threads do not run, although
        they are not blocked.
        """
        for descriptor, track in self.stats:
            if track.role == "main":
                try:
                    self.stopped = _state(os.pread(descriptor, 64, 0)) in _STOPPED
                except OSError:
                    self.stopped = False

    def close(self) -> None:
        """Sum up, and close what open() opened."""
        for descriptor, track in self.stats:
            os.close(descriptor)
            track.take_going_on()
            if not track.ended:
                track.take_watched(self.looks, self.seconds)
        if self._main_syscall is not None:
            os.close(self._main_syscall)
        self.stats, self._main_syscall = [], None

    def look_at_wait(self, track: Track) -> None:
        """Read where a blocked thread waits: its system call, and its stack or else its wchan."""
        base = f"{self.path}/task/{track.tid}"
        call = waits.parse_syscall(self._text(f"{base}/syscall", "syscall") or "")
        stack = self._text(f"{base}/stack", "stack")
        if not stack:
            stack = self._text(f"{base}/wchan", "wchan")
            stack = None if stack == "0" else stack
        if call is not None or stack:
            number, argument = call or (None, None)
            track.take_wait((number, argument, stack))

    def look_for_lock(self, since: float) -> None:
        """Count whether the main loop waits for a lock, which is QEMU's big lock as a rule."""
        if self._main_syscall is None or "syscall" in self.unreadable:
            return
        try:
            call = waits.parse_syscall(os.pread(self._main_syscall, 256, 0).decode("ascii", "replace"))
        except OSError:
            return
        is_waiting = call is not None and waits.syscall_name(call[0], self._machine) == waits.FUTEX
        next(track for track in self.tracks if track.role == "main").take_lock(is_waiting, since)

    def _text(self, path: str, kind: str) -> str | None:
        if kind in self.unreadable:
            return None
        try:
            return read_start(path, 8192).decode("utf-8", "replace")
        except PermissionError:
            self.unreadable.add(kind)
        except OSError:
            # It ended, or the kernel has no such file; the next sample tells.
            pass
        return None


def _state(text: bytes) -> int:
    # "TID (NAME) STATE …", and a name may contain anything.
    return text[text.rfind(b")") + 2]


def allow_descriptors(wanted: int) -> None:
    """Raise this process's own limit of open files as far as permitted."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(
            resource.RLIMIT_NOFILE, (wanted if hard == resource.RLIM_INFINITY else min(wanted, hard), hard)
        )


def sample(
    watched: Sequence[Watched],
    duration: float,
    interval: float,
    share: float,
    clock: Callable[[], float] = time.monotonic,
    cpu: Callable[[], float] = time.process_time,
    sleep: Callable[[float], None] = time.sleep,
) -> dict[str, Any]:
    """Sample the opened ``watched`` for ``duration`` seconds.

    ``interval`` is the wanted time between two looks in seconds, ``share`` the largest share of one core for the looks.

    Returns ``{passes, interval, longest_gap}``: the number of looks, and the mean and the longest time between two.
    """
    start = last = clock()
    end = start + duration
    spent_before = cpu()
    longest_gap = 0.0
    passes = 0
    now = start
    while now < end:
        longest_gap = max(longest_gap, now - last)
        for one in watched:
            one.look(now, now - last)
        passes += 1
        last = now
        affordable = start + (cpu() - spent_before) / share
        sleep(max(min(max(now + interval, affordable), end) - clock(), 0))
        now = clock()
    return {"passes": passes, "interval": duration / passes if passes else None, "longest_gap": longest_gap}
