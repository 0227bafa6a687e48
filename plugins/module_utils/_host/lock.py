# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""One run at a time in a directory: the lock is on the directory itself, so no lock file is needed or left behind."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Iterable, Iterator


@contextlib.contextmanager
def alone(directories: Iterable[str], seconds: float) -> Iterator[str | None]:
    """Lock the directories; yields the one that another run kept locked for so many seconds, None where all are locked.

    The kernel drops the locks when the process ends. A directory that does not exist, or is on a file system without
    locks, is not locked.
    """
    deadline = time.monotonic() + seconds
    with contextlib.ExitStack() as stack:
        opened: dict[tuple[int, int], tuple[int, str]] = {}
        for directory in directories:
            with contextlib.suppress(OSError):
                handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
                stack.callback(os.close, handle)
                status = os.fstat(handle)
                opened[status.st_dev, status.st_ino] = handle, directory
        # All runs lock in the same order, so no two wait for each other; a directory with two names is locked once.
        for _inode, (handle, directory) in sorted(opened.items()):
            if not _locked(handle, deadline):
                yield directory
                return
        yield None


def _locked(handle: int, deadline: float) -> bool:
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                return False
            time.sleep(0.05)
        except OSError:
            return True
        else:
            return True
