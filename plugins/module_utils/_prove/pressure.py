# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors
"""Whether the load is felt: how long the storage takes for a small read of this host's own.

A load needs a while until its first writes have filled the storage's queue, and how long depends
on the storage and on the host's memory. A measurement that begins before that is one of an idle storage.
"""

from __future__ import annotations

import os
import time

from .gaps import STALL_MS
from .storage import fill, nameless

_BLOCK = 4096
_PAUSE_S = 0.05


class Probe:
    """A nameless file of one block on the storage. Make it before the load starts; use as a context manager."""

    def __init__(self, path):
        self._file = nameless(path)
        fill(self._file, _BLOCK)

    def __enter__(self):
        return self

    def __exit__(self, *_exception):
        os.close(self._file)

    def read_ms(self):
        """How long one read took that the page cache could not answer, ms."""
        os.posix_fadvise(self._file, 0, 0, os.POSIX_FADV_DONTNEED)
        start = time.monotonic()
        os.pread(self._file, _BLOCK, 0)
        return (time.monotonic() - start) * 1000

    def wait(self, seconds):
        """Wait until a read takes as long as a gap that counts as a stall, or for so many seconds; the longest read,
        ms.
        """
        end = time.monotonic() + seconds
        longest = 0.0
        while True:
            longest = max(longest, self.read_ms())
            if longest > STALL_MS or time.monotonic() >= end:
                return round(longest, 1)
            time.sleep(_PAUSE_S)
