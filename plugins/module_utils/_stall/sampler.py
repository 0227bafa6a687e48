# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Samples the threads of QEMU processes through /proc, within a share of one core. Attaches to nothing.

All threads are looked at, main loops and iothreads more often than the many vCPUs. One that is found blocked is then
looked at at the wanted interval until it goes on. What that costs is measured as it goes, and both paces give way so
that the share is kept.
"""

from __future__ import annotations

import errno
import os
import resource
import time

from . import threads as _threads
from . import waits
from .track import Track

#: A guest of 256 vCPUs and as many workers has fewer threads; any process may have tens of thousands.
MOST_THREADS = 1024

_BLOCKED = ord("D")
_STOPPED = b"Tt"
# Every so many looks at all threads, whether main loops wait for a lock is looked at too.
_LOCK_EVERY = 4
# With more threads than this, vCPUs take turns: each look at main loops and iothreads takes in every fourth of them.
_MANY_THREADS = 100
_TURNS = 4
# Of the allowed share, what looking at all threads may take while blocked threads are followed.
_ALL_PART = 0.6


class Watched:
    """One guest's process: its tracks, and whether its syscalls and stacks may be read."""

    def __init__(self, guest, path, machine):
        self.guest = guest
        self.path = path
        self.tracks = []
        self.named = True
        self.unreadable = set()
        self.stopped = False
        self._machine = machine
        self.stats = []  # (open descriptor of its stat file, track)
        self._main_syscall = None

    def open(self):
        """Find and open its threads. Raises OSError where the process is gone or hidden, and where it has too many
        threads.
        """
        names = {}
        for tid in os.listdir(f"{self.path}/task"):
            if len(names) >= MOST_THREADS:
                raise OSError(errno.E2BIG, f"it has more than {MOST_THREADS} threads")
            try:
                with open(f"{self.path}/task/{tid}/comm", "rb", buffering=0) as stream:
                    names[int(tid)] = stream.read(64).decode("utf-8", "backslashreplace").rstrip("\n")
            except FileNotFoundError:
                continue
        pid = self.guest["pid"]
        self.named = _threads.are_named(pid, names)
        for tid, (role, name) in sorted(_threads.roles(pid, names, self.guest["iothreads"]).items()):
            self.stats.append(
                (os.open(f"{self.path}/task/{tid}/stat", os.O_RDONLY | os.O_CLOEXEC), Track(tid, role, name))
            )
        self.tracks = [track for _descriptor, track in self.stats]
        try:
            self._main_syscall = os.open(f"{self.path}/task/{pid}/syscall", os.O_RDONLY | os.O_CLOEXEC)
            os.pread(self._main_syscall, 256, 0)
        except OSError:
            self.unreadable.add("syscall")

    def look_whether_stopped(self):
        """Note whether a signal or a debugger holds the process (state T or t): its threads are not blocked, and do not
        run.
        """
        for descriptor, track in self.stats:
            if track.role == "main":
                try:
                    self.stopped = _state(os.pread(descriptor, 64, 0)) in _STOPPED
                except OSError:
                    self.stopped = False

    def close(self):
        """Close what open() opened, and end every stretch."""
        for descriptor, track in self.stats:
            os.close(descriptor)
            track.take_going_on()
        if self._main_syscall is not None:
            os.close(self._main_syscall)
        self.stats, self._main_syscall = [], None

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

    def look_for_lock(self, since):
        """Count whether the main loop waits for a lock, the big one as a rule; `since` the look before."""
        if self._main_syscall is None or "syscall" in self.unreadable:
            return
        try:
            call = waits.parse_syscall(os.pread(self._main_syscall, 256, 0).decode("ascii", "replace"))
        except OSError:
            return
        is_waiting = call is not None and waits.syscall_name(call[0], self._machine) == waits.FUTEX
        next(track for track in self.tracks if track.role == "main").take_lock(is_waiting, since)

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


def _state(text):
    # "TID (NAME) STATE …", and a name may hold anything.
    return text[text.rfind(b")") + 2]


def allow_descriptors(wanted):
    """Raise this process's own limit of open files as far as it may go."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(
            resource.RLIMIT_NOFILE, (wanted if hard == resource.RLIM_INFINITY else min(wanted, hard), hard)
        )


class _Turn:
    """Threads that are looked at together: how often they were, and when last."""

    def __init__(self, start):
        self.pairs = []
        self.last = start
        self.looks = 0


def sample(watched, duration, interval, share, clock=time.monotonic, cpu=time.process_time, sleep=time.sleep):
    """Sample the opened `watched` for `duration` seconds.

    interval  seconds between samples, as wanted
    share     the most of one core that this may take

    Returns ``{passes, followed, interval, longest_gap}``: looks at the main loops, quicker ones at blocked threads, the
    mean interval of the former in seconds, and the longest time between two of them.
    """
    start = clock()
    end = start + duration
    spent_before = cpu()
    always, turns = _turns(watched, start)
    next_pass = start
    longest_gap = 0.0
    passes = followed = 0
    blocked = []
    locks_looked_at = start
    while True:
        now = clock()
        if now >= end:
            break
        if now >= next_pass:
            began = cpu()
            longest_gap = max(longest_gap, now - always.last)
            these = (always, turns[passes % len(turns)])
            blocked = _look([pair for pair in blocked if pair[3] not in these], now, 0.0)
            for turn in these:
                blocked += _look(turn.pairs, now, now - turn.last)
                turn.last = now
                turn.looks += 1
            passes += 1
            if passes % _LOCK_EVERY == 0:
                for one in watched:
                    one.look_for_lock(now - locks_looked_at)
                locks_looked_at = now
            cost = cpu() - began
            next_pass = now + max(interval, cost / (share * (_ALL_PART if blocked else 1)))
        else:
            blocked = _look(blocked, now, 0.0)
            followed += 1
        affordable = start + (cpu() - spent_before) / share
        wake = min(now + interval, next_pass) if blocked else next_pass
        wake = min(max(wake, affordable), end)
        left = wake - clock()
        if left > 0:
            sleep(left)
    for turn in (always, *turns):
        for pair in turn.pairs:
            if not pair[1].ended:
                pair[1].take_watched(turn.looks, turn.last - start)
    return {
        "passes": passes,
        "followed": followed,
        "interval": duration / passes if passes else None,
        "longest_gap": longest_gap,
    }


def _turns(watched, start):
    """(what is looked at every time, [what takes turns]): lists of (descriptor, track, watched, turn, start)."""
    always = _Turn(start)
    threads = sum(len(one.tracks) for one in watched)
    turns = [_Turn(start) for _number in range(_TURNS if threads > _MANY_THREADS else 1)]
    others = 0
    for one in watched:
        for descriptor, track in one.stats:
            turn = always
            if track.role not in ("main", "iothread"):
                turn = turns[others % len(turns)]
                others += 1
            turn.pairs.append((descriptor, track, one, turn, start))
    return always, turns


def _look(pairs, now, since):
    """Sample `pairs`, with `since` 0 for a quicker look in between; returns those found blocked.

    This is nearly all of the cost: it does next to nothing for the others.
    """
    pread = os.pread
    blocked = []
    for pair in pairs:
        try:
            text = pread(pair[0], 64, 0)
        except OSError:
            _ended(pair)
            continue
        # As _state(), without a call's cost.
        if text[text.rfind(b")") + 2] == _BLOCKED:
            pair[1].take_blocked(now, since)
            blocked.append(pair)
            if since:
                pair[2].look_at_wait(pair[1])
        elif pair[1].is_in_stretch:
            pair[1].take_going_on()
    return blocked


def _ended(pair):
    _descriptor, track, _watched, turn, start = pair
    if not track.ended:
        track.ended = True
        track.take_going_on()
        track.take_watched(turn.looks, turn.last - start)
