# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Links of /proc, and who started a process and when."""

from __future__ import annotations

import datetime
import os

from .._host.whole_file import read_start
from .._number import whole_number

_STATUS_BYTES = 1 << 14
# With a line per interrupt and processor.
_MOST_OF_STAT = 1 << 22


def link(path: str) -> str:
    """Where a link leads, as text; raises OSError."""
    return os.fsencode(os.readlink(path)).decode("utf-8", "backslashreplace")


def seconds_after_boot(path: str) -> float | None:
    """When the process at ``path`` started, in seconds after the host did; None where that is not known.

    Source: proc(5), /proc/pid/stat, starttime.
    """
    try:
        ticks = whole_number(read_start(f"{path}/stat", 4096).rpartition(b")")[2].split()[19])
    except (OSError, ValueError, IndexError):
        return None
    return None if ticks is None else ticks / os.sysconf("SC_CLK_TCK")


def boot_time(proc: str) -> int | None:
    """When the host started, in seconds since 1970; None where that is not known.

    Source: proc(5), /proc/stat, btime.
    """
    try:
        lines = read_start(f"{proc}/stat", _MOST_OF_STAT).split(b"\n")
    except OSError:
        return None
    return next((whole_number(line[len(b"btime ") :]) for line in lines if line.startswith(b"btime ")), None)


def time_of(boot: int | None, after: float | None) -> str | None:
    """The time so many seconds after the host started, in UTC: ``2026-11-23T22:30:05Z``; None where it is not known."""
    if boot is None or after is None:
        return None
    try:
        time = datetime.datetime.fromtimestamp(boot + int(after), datetime.timezone.utc)
    except (OverflowError, OSError, ValueError):
        return None
    return f"{time:%Y-%m-%dT%H:%M:%SZ}"


class Status:
    """Of /proc/PID/status: ``uids``, the real, effective, saved and file system user id, and ``parent``, a process id
    or None.

    Raises OSError where it cannot be read.
    """

    def __init__(self, path: str) -> None:
        lines = read_start(f"{path}/status", _STATUS_BYTES).decode("utf-8", "replace").split("\n")
        values = {name: value for name, _colon, value in (line.partition(":") for line in lines)}
        self.uids = [whole_number(word) for word in values.get("Uid", "").split()]
        self.parent = whole_number(values.get("PPid", ""))

    @property
    def user(self) -> int | None:
        """The effective user id, None where it is not known."""
        return self.uids[1] if len(self.uids) > 1 else None

    @property
    def is_trusted(self) -> bool:
        """Whether no one but root, or the user who runs this, could have started it."""
        return bool(self.uids) and all(uid in (0, os.geteuid()) for uid in self.uids)
