# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors
"""How fast a storage writes and reads in sequence, past the page cache, within bounds."""

from __future__ import annotations

import mmap
import os
import threading
import time
from collections.abc import Callable

from .._prove.errors import ProveError
from .._prove.storage import MIB, nameless

_AT_ONCE = 4


def measure(path: str, most_bytes: int, seconds: float) -> dict[str, float]:
    """{write_mb_per_s, read_mb_per_s} (10^6 bytes) of a nameless file in the directory ``path``.

    Each is measured for so many seconds with four requests of 1 MiB at a time; the file has at most ``most_bytes``.
    Raises ProveError.
    """
    plain = nameless(path)
    try:
        file = os.open(f"/proc/self/fd/{plain}", os.O_RDWR | os.O_DIRECT)
        try:
            with mmap.mmap(-1, MIB) as block:
                block.write(os.urandom(MIB))
                blocks = max(1, most_bytes // MIB)
                written, write = _rate(lambda number: os.pwrite(file, block, number % blocks * MIB), seconds)
                blocks = min(blocks, max(1, written))
                _read, read = _rate(lambda number: os.preadv(file, [block], number % blocks * MIB), seconds)
        finally:
            os.close(file)
    except OSError as problem:
        raise ProveError(f"the rate of {path} cannot be measured: {problem.strerror}") from problem
    finally:
        os.close(plain)
    return {"write_mb_per_s": write, "read_mb_per_s": read}


def _rate(request: Callable[[int], int], seconds: float) -> tuple[int, float]:
    """(number of requests, MB/s): requests 0, 1, 2, … until the time is over."""
    numbers = iter(range(1 << 62))
    lock = threading.Lock()
    done: list[int] = []
    problems: list[OSError] = []
    start = time.monotonic()

    def work() -> None:
        try:
            while time.monotonic() < start + seconds and not problems:
                with lock:
                    number = next(numbers)
                done.append(request(number))
        except OSError as problem:
            problems.append(problem)

    threads = [threading.Thread(target=work, daemon=True) for _number in range(_AT_ONCE)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if problems:
        raise problems[0]
    return len(done), round(sum(done) / (time.monotonic() - start) / 1e6, 1)
