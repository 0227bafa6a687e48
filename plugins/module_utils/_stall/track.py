# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""What samples of one thread add up to. No I/O, no clock but the one it is told.

Two kinds of samples: of all threads at an even pace, from which shares are counted, and of threads that were
just found blocked, at a quicker pace, which only follow how long a stretch lasts.
"""

from __future__ import annotations

# Different waits that are told apart; more of them than this are counted as "other".
_MOST_WAITS = 200


class Track:
    """The samples of one thread: state D is blocked, as the kernel says it of a wait nothing can interrupt."""

    __slots__ = ("role", "name", "tid", "samples", "blocked", "lock_waits", "longest", "_first", "_last", "waits", "ended")

    def __init__(self, tid, role, name):
        self.tid = tid
        self.role = role
        self.name = name
        self.samples = 0
        self.blocked = 0
        self.lock_waits = 0
        self.longest = 0.0
        self.waits = {}
        self.ended = False
        self._first = None
        self._last = None

    def take(self, now, is_blocked, even):
        """One sample at `now` seconds; `even` for those at the even pace."""
        if even:
            self.samples += 1
            self.blocked += is_blocked
        if is_blocked:
            if self._first is None:
                self._first = now
            self._last = now
        elif self._first is not None:
            self.close()

    def close(self):
        """End the stretch that may be open, at its last sample."""
        if self._first is not None:
            self.longest = max(self.longest, self._last - self._first)
            self._first = None

    def take_wait(self, wait):
        """Count where it was found blocked: (syscall number, its first argument, stack), each as read or None."""
        if wait not in self.waits and len(self.waits) >= _MOST_WAITS:
            wait = None
        self.waits[wait] = self.waits.get(wait, 0) + 1

    @property
    def blocked_share(self):
        """The share of even samples that found it blocked, 0 where there is none."""
        return self.blocked / self.samples if self.samples else 0.0

    @property
    def lock_share(self):
        """The share of even samples that found it waiting for a lock."""
        return self.lock_waits / self.samples if self.samples else 0.0

    def main_wait(self):
        """The wait it was found in most, None where none could be read."""
        known = {wait: count for wait, count in self.waits.items() if wait is not None}
        return max(known, key=known.get) if known else None
