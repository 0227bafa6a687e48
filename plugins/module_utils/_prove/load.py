# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors
"""The load next to the guest: buffered writers with fsync, as a backup writes, within bounds."""

from __future__ import annotations

import os
import threading
import time

from .storage import MIB, nameless

_KICK = 16 * MIB
_BURST_S = 5


class Load:
    """Each writer writes ``file_bytes`` to a nameless file, syncs, and starts over, until stop().

    Bounds: ``file_bytes`` of space per writer, ``total_bytes`` written by all writers together; a writer that reaches
    its part of that ends by itself (ended_early). With ``bytes_per_s`` all writers together are held to that rate. The
    writers are threads of this process, so they end with it.
    """

    def __init__(self, path: str, writers: int, file_bytes: int, total_bytes: int, bytes_per_s: int = 0) -> None:
        self._files = [nameless(path) for _number in range(writers)]
        self._file_bytes = max(MIB, file_bytes // MIB * MIB)
        self._share = total_bytes // writers if writers else 0
        self._rate = bytes_per_s / writers if writers else 0
        # A writer that is held below the disk's rate fills the page cache, and the kernel writes it out in bursts,
        # every five seconds (vm.dirty_writeback_centisecs). A smooth stream would show less than it does.
        self._kick = max(_KICK, int(self._rate * _BURST_S) // MIB * MIB)
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []
        self.written = [0] * writers
        self.ended_early = False
        self.problem: str | None = None

    def start(self) -> None:
        """Start the writers."""
        for number in range(len(self._files)):
            thread = threading.Thread(target=self._write, args=(number,), daemon=True)
            thread.start()
            self._threads.append(thread)

    def _write(self, number: int) -> None:
        # Random, because many storages compress, or do not write zeros.
        block = os.urandom(MIB)
        file, place = self._files[number], 0
        begun = time.monotonic()
        try:
            while not self._stopping.is_set():
                if self.written[number] + MIB > self._share:
                    self.ended_early = True
                    return
                self.written[number] += os.pwrite(file, block, place)
                place += MIB
                if self._rate:
                    self._stopping.wait(max(0.0, begun + self.written[number] / self._rate - time.monotonic()))
                if place % self._kick == 0:
                    # Starts the writing and does not wait for it. Otherwise a host with much memory would keep
                    # everything in its page cache, and the storage would be idle during the measurement.
                    os.posix_fadvise(file, place - self._kick, self._kick, os.POSIX_FADV_DONTNEED)
                if place >= self._file_bytes:
                    os.fsync(file)
                    # A new file, as for every backup: blocks to allocate, a journal to write.
                    os.ftruncate(file, 0)
                    place = 0
        except OSError as problem:
            self.problem = problem.strerror

    def stop(self) -> None:
        """End the writers, wait for them, and free their space. Data not yet written to the storage is dropped."""
        self._stopping.set()
        # A sync in progress waits for less once the pages are gone. All files at once, because each waits for the
        # requests in flight, and the files that are not yet cut keep adding some.
        cutting = [threading.Thread(target=os.ftruncate, args=(file, 0)) for file in self._files]
        for thread in cutting:
            thread.start()
        for thread in cutting + self._threads:
            thread.join()
        for file in self._files:
            os.close(file)
        self._files = []
