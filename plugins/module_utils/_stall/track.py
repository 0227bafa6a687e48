# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""What the samples of one thread add up to. No I/O, no clock of its own.

A sample stands for the time since the one before. That time is settled before anybody knows what the sample finds, so a
pace that slows down under load does not distort the shares.
"""

from __future__ import annotations

from typing import Optional, Tuple

#: Where a thread waits: (system call number, its first argument, stack), each as read or None.
Wait = Tuple[Optional[int], Optional[int], Optional[str]]

# Different waits that are counted separately; further ones are counted as "other".
_MOST_WAITS = 200


class Track:
    """The samples of one thread. It is blocked in state D, the kernel's word for a wait that cannot be interrupted."""

    __slots__ = (
        "role",
        "name",
        "tid",
        "samples",
        "watched",
        "blocked",
        "lock_watched",
        "lock_waits",
        "longest",
        "_first",
        "_last",
        "waits",
        "ended",
    )

    def __init__(self, tid: int, role: str, name: str) -> None:
        self.tid = tid
        self.role = role
        self.name = name
        self.samples = 0
        self.watched = 0.0
        self.blocked = 0.0
        self.lock_watched = 0.0
        self.lock_waits = 0.0
        self.longest = 0.0
        self.waits: dict[Wait | None, int] = {}
        self.ended = False
        self._first: float | None = None
        self._last = 0.0

    def take_blocked(self, now: float, since: float) -> None:
        """A sample at ``now`` seconds that found it blocked; ``since`` is the time since the sample before."""
        self.blocked += since
        if self._first is None:
            self._first = now
        self._last = now

    def take_going_on(self) -> None:
        """A sample that found it not blocked: a stretch that is open ended at its last sample."""
        if self._first is not None:
            self.longest = max(self.longest, self._last - self._first)
            self._first = None

    def take_watched(self, samples: int, seconds: float) -> None:
        """The number of samples and the time they stand for; given once, since it is the same for all threads."""
        self.samples = samples
        self.watched = seconds

    @property
    def is_in_stretch(self) -> bool:
        """Whether its last sample found it blocked."""
        return self._first is not None

    def take_lock(self, is_waiting: bool, since: float) -> None:
        """A sample of whether it waits for a lock; ``since`` is the time since the sample before."""
        self.lock_watched += since
        if is_waiting:
            self.lock_waits += since

    def take_wait(self, wait: Wait) -> None:
        """Count where it was found blocked."""
        counted = wait if wait in self.waits or len(self.waits) < _MOST_WAITS else None
        self.waits[counted] = self.waits.get(counted, 0) + 1

    @property
    def blocked_share(self) -> float:
        """The share of the watched time that it was blocked, 0 if it was not watched."""
        return self.blocked / self.watched if self.watched else 0.0

    @property
    def lock_share(self) -> float:
        """The share of the watched time that it waited for a lock."""
        return self.lock_waits / self.lock_watched if self.lock_watched else 0.0

    def main_wait(self) -> Wait | None:
        """The wait it was found in most often, None if none could be read."""
        known = {wait: count for wait, count in self.waits.items() if wait is not None}
        return max(known, key=lambda wait: known[wait]) if known else None
