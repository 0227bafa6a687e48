# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Bounded reads of /proc, and who may have written what is read. Attaches to nothing."""

from __future__ import annotations

import os

from .._number import whole_number

_CHUNK = 1 << 16
_STATUS_BYTES = 1 << 14


def read(path, limit):
    """At most `limit` bytes of a file; raises OSError."""
    with open(path, "rb", buffering=0) as stream:
        chunks = []
        size = 0
        while size < limit:
            chunk = stream.read(min(_CHUNK, limit - size))
            if not chunk:
                break
            chunks.append(chunk)
            size += len(chunk)
        return b"".join(chunks)


def link(path):
    """Where a link leads, as text; raises OSError."""
    return os.fsencode(os.readlink(path)).decode("utf-8", "backslashreplace")


class Status:
    """Of /proc/PID/status: `uids`, the real, effective, saved and file system user id, and `parent`, a process id or
    None.

    Raises OSError where it cannot be read.
    """

    def __init__(self, path):
        lines = read(f"{path}/status", _STATUS_BYTES).decode("utf-8", "replace").split("\n")
        values = {name: value for name, _colon, value in (line.partition(":") for line in lines)}
        self.uids = [whole_number(word) for word in values.get("Uid", "").split()]
        self.parent = whole_number(values.get("PPid", ""))

    @property
    def user(self):
        """The effective user id, None where it is not known."""
        return self.uids[1] if len(self.uids) > 1 else None

    @property
    def is_trusted(self):
        """Whether no one but root, or who runs this, could start it."""
        return bool(self.uids) and all(uid in (0, os.geteuid()) for uid in self.uids)
