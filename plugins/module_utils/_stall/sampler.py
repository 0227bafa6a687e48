# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Samples the threads of QEMU processes through /proc, within a share of one core. Attaches to nothing.

Every thread is looked at at an even pace. One that is found blocked is then looked at at the wanted interval until it
goes on. What that costs is measured as it goes, and both paces give way so that the share is kept.
"""

from __future__ import annotations

import os
import resource
import time

from . import threads as _threads
from . import waits
from .track import Track

_BLOCKED = ord("D")
_SLEEPING = ord("S")
# Of the allowed share, what the even pace may take while blocked threads are followed.
_EVEN_PART = 0.6


class Watched:
    """One guest's process: its tracks, and whether its syscalls and stacks may be read."""

    def __init__(self, guest, path, machine):
        self.guest = guest
        self.path = path
        self.tracks = []
        self.named = True
        self.unreadable = set()
        self._machine = machine
        self._stats = []
        self._main_syscall = None

    def open(self):
        """Find and open its threads. Raises OSError where the process is gone or hidden."""
        names = {}
        for tid in os.listdir(f"{self.path}/task"):
            try:
                with open(f"{self.path}/task/{tid}/comm", "rb", buffering=0) as stream:
                    names[int(tid)] = stream.read(64).decode("utf-8", "backslashreplace").rstrip("\n")
            except FileNotFoundError:
                continue
        pid = self.guest["pid"]
        self.named = _threads.are_named(pid, names)
        for tid, (role, name) in sorted(_threads.roles(pid, names, self.guest["iothreads"]).items()):
            self._stats.append((os.open(f"{self.path}/task/{tid}/stat", os.O_RDONLY | os.O_CLOEXEC), Track(tid, role, name)))
        self.tracks = [track for _descriptor, track in self._stats]
        try:
            self._main_syscall = os.open(f"{self.path}/task/{pid}/syscall", os.O_RDONLY | os.O_CLOEXEC)
            os.pread(self._main_syscall, 256, 0)
        except OSError:
            self.unreadable.add("syscall")
        return self._stats

    def close(self):
        """Close what open() opened, and end every stretch."""
        for descriptor, track in self._stats:
            os.close(descriptor)
            track.close()
        if self._main_syscall is not None:
            os.close(self._main_syscall)
        self._stats, self._main_syscall = [], None

    def look_at_wait(self, track):
        """Read where a blocked thread waits: its syscall, and its stack or else its wchan."""
        base = f"{self.path}/task/{track.tid}"
        call = waits.parse_syscall(self._text(f"{base}/syscall", "syscall") or "")
        stack = self._text(f"{base}/stack", "stack")
        if not stack:
            stack = self._text(f"{base}/wchan", "wchan")
            stack = None if stack == "0" else stack
        if call is not None or stack:
            number, argument = call or (None, None)
            track.take_wait((number, argument, stack))

    def look_for_lock(self, track):
        """Count whether the main loop, found asleep, waits for a lock: for the big one, as a rule."""
        if self._main_syscall is None or "syscall" in self.unreadable:
            return
        try:
            call = waits.parse_syscall(os.pread(self._main_syscall, 256, 0).decode("ascii", "replace"))
        except OSError:
            return
        if call is not None and waits.syscall_name(call[0], self._machine) == waits.FUTEX:
            track.lock_waits += 1

    def _text(self, path, kind):
        if kind in self.unreadable:
            return None
        try:
            with open(path, "rb", buffering=0) as stream:
                return stream.read(8192).decode("utf-8", "replace")
        except PermissionError:
            self.unreadable.add(kind)
        except OSError:
            # It ended, or the kernel has no such file; the next sample tells.
            pass
        return None


def allow_descriptors(wanted):
    """Raise this process's own limit of open files as far as it may go."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted if hard == resource.RLIM_INFINITY else min(wanted, hard), hard))


def sample(watched, duration, interval, share, clock=time.monotonic, cpu=time.process_time, sleep=time.sleep):
    """Sample the opened `watched` for `duration` seconds.

    interval  seconds between samples, as wanted
    share     the most of one core that this may take

    Returns ``{passes, followed, interval, longest_gap}``: passes over all threads, quicker ones over blocked threads, the
    mean interval of the former in seconds, and the longest time between two of them.
    """
    pairs = [(descriptor, track, one) for one in watched for descriptor, track in one._stats]
    start = clock()
    end = start + duration
    spent_before = cpu()
    next_pass = start
    last_pass = None
    longest_gap = 0.0
    passes = followed = 0
    blocked = []
    while True:
        now = clock()
        if now >= end:
            break
        if now >= next_pass:
            if last_pass is not None:
                longest_gap = max(longest_gap, now - last_pass)
            last_pass = now
            began = cpu()
            blocked = _look(pairs, now, True)
            passes += 1
            cost = cpu() - began
            next_pass = now + max(interval, cost / (share * (_EVEN_PART if blocked else 1)))
        else:
            blocked = _look(blocked, now, False)
            followed += 1
        affordable = start + (cpu() - spent_before) / share
        wake = min(now + interval, next_pass) if blocked else next_pass
        wake = min(max(wake, affordable), end)
        left = wake - clock()
        if left > 0:
            sleep(left)
    return {
        "passes": passes,
        "followed": followed,
        "interval": duration / passes if passes else None,
        "longest_gap": longest_gap,
    }


def _look(pairs, now, even):
    """Sample `pairs`; those found blocked."""
    pread = os.pread
    blocked = []
    for pair in pairs:
        descriptor, track, watched = pair
        if track.ended:
            continue
        try:
            text = pread(descriptor, 64, 0)
        except OSError:
            track.ended = True
            continue
        # "TID (NAME) STATE …", and a name may hold anything.
        state = text[text.rfind(b")") + 2]
        is_blocked = state == _BLOCKED
        track.take(now, is_blocked, even)
        if is_blocked:
            blocked.append(pair)
            watched.look_at_wait(track)
        elif even and state == _SLEEPING and track.role == "main":
            watched.look_for_lock(track)
    return blocked
