# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Links of /proc, and who started a process."""

from __future__ import annotations

import os

from .._host.whole_file import read_start
from .._number import whole_number

_STATUS_BYTES = 1 << 14


def link(path: str) -> str:
    """Where a link leads, as text; raises OSError."""
    return os.fsencode(os.readlink(path)).decode("utf-8", "backslashreplace")


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
