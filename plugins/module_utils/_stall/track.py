# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""What samples of one thread add up to. No I/O, no clock but the one it is told.

Two kinds of samples: looks at all threads, from which shares are counted, and quicker ones at threads that were just
found blocked, which only follow how long a stretch lasts. A look at all threads stands for the time since the one
before: that time was settled before anybody knew what the look would find, so a pace that gives way under load does not
bend the shares.
"""

from __future__ import annotations

# Different waits that are told apart; more of them than this are counted as "other".
_MOST_WAITS = 200


class Track:
    """The samples of one thread: state D is blocked, as the kernel says it of a wait nothing can interrupt."""

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

    def __init__(self, tid, role, name):
        self.tid = tid
        self.role = role
        self.name = name
        self.samples = 0
        self.watched = 0.0
        self.blocked = 0.0
        self.lock_watched = 0.0
        self.lock_waits = 0.0
        self.longest = 0.0
        self.waits = {}
        self.ended = False
        self._first = None
        self._last = None

    def take_blocked(self, now, since):
        """A sample at `now` seconds that found it blocked.

        `since` is the time since the look at all threads before, 0 for a quicker look in between.
        """
        self.blocked += since
        if self._first is None:
            self._first = now
        self._last = now

    def take_going_on(self):
        """A sample that found it not blocked: the stretch that may be open ended at its last sample."""
        if self._first is not None:
            self.longest = max(self.longest, self._last - self._first)
            self._first = None

    def take_watched(self, samples, seconds):
        """What all looks at all threads add up to; told once, for it is the same for all threads of a watch."""
        self.samples = samples
        self.watched = seconds

    @property
    def is_in_stretch(self):
        """Whether its last sample found it blocked."""
        return self._first is not None

    def take_lock(self, is_waiting, since):
        """A sample of whether it waits for a lock, `since` the one before."""
        self.lock_watched += since
        if is_waiting:
            self.lock_waits += since

    def take_wait(self, wait):
        """Count where it was found blocked: (syscall number, its first argument, stack), each as read or None."""
        if wait not in self.waits and len(self.waits) >= _MOST_WAITS:
            wait = None
        self.waits[wait] = self.waits.get(wait, 0) + 1

    @property
    def blocked_share(self):
        """The share of the time watched that it was blocked, 0 where it was not watched."""
        return self.blocked / self.watched if self.watched else 0.0

    @property
    def lock_share(self):
        """The share of the time watched that it waited for a lock."""
        return self.lock_waits / self.lock_watched if self.lock_watched else 0.0

    def main_wait(self):
        """The wait it was found in most, None where none could be read."""
        known = {wait: count for wait, count in self.waits.items() if wait is not None}
        return max(known, key=known.get) if known else None
