# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors
"""Whether the load is felt: how long a small read by this host takes.

It takes a while until a load has filled the storage's queue; how long depends on the storage and on the host's memory.
A measurement that begins earlier measures an idle storage.
"""

from __future__ import annotations

import os
import time

from .gaps import STALL_MS
from .storage import fill, nameless

_BLOCK = 4096
_PAUSE_S = 0.05


class Probe:
    """A nameless file of one block on the storage. Create it before the load starts; use as a context manager."""

    def __init__(self, path: str) -> None:
        self._file = nameless(path)
        fill(self._file, _BLOCK)

    def __enter__(self) -> Probe:
        return self

    def __exit__(self, *_exception: object) -> None:
        os.close(self._file)

    def read_ms(self) -> float:
        """How long one read takes that the page cache cannot serve, in ms."""
        os.posix_fadvise(self._file, 0, 0, os.POSIX_FADV_DONTNEED)
        start = time.monotonic()
        os.pread(self._file, _BLOCK, 0)
        return (time.monotonic() - start) * 1000

    def wait(self, seconds: float) -> float:
        """Wait until a read takes as long as a gap that counts as a stall, but for at most so many seconds; returns the
        longest read in ms.
        """
        end = time.monotonic() + seconds
        longest = 0.0
        while True:
            longest = max(longest, self.read_ms())
            if longest > STALL_MS or time.monotonic() >= end:
                return round(longest, 1)
            time.sleep(_PAUSE_S)
