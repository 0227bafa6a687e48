# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The version that is built into a QEMU binary, read in bounded pieces. Executes nothing, maps nothing.

Any local user can name a program kvm, put a device or a huge file in its place, or shrink it while it is read. Only
regular files that root alone can write are read.
"""

from __future__ import annotations

import os
import stat
from io import FileIO
from typing import BinaryIO

from . import version

_CHUNK = 1 << 20
# A QEMU binary has 20 to 60 MiB.
_MOST_BYTES = 256 << 20


class Binaries:
    """Versions of binaries, each read once."""

    def __init__(self) -> None:
        self._versions: dict[tuple[int, int, int, int], str | None] = {}

    def version_of(self, path: str) -> str | None:
        """The version built into a binary; None where it has none, cannot be read, or others than root can write it."""
        try:
            # Opening a device can have effects; O_PATH does not open what it finds.
            found = os.open(path, os.O_PATH | os.O_CLOEXEC)
        except (OSError, ValueError):
            return None
        try:
            status = os.fstat(found)
            if not stat.S_ISREG(status.st_mode) or status.st_uid not in (0, os.geteuid()) or status.st_mode & 0o022:
                return None
            identity = (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)
            if identity not in self._versions:
                with open(f"/proc/self/fd/{found}", "rb", buffering=0) as stream:
                    self._versions[identity] = find_version(stream)
            return self._versions[identity]
        except OSError:
            return None
        finally:
            os.close(found)


def find_version(stream: BinaryIO | FileIO) -> str | None:
    """The version in an open binary file, None where there is none in its first 256 MiB."""
    rest = b""
    for _number in range(_MOST_BYTES // _CHUNK):
        chunk = stream.read(_CHUNK)
        held = rest + chunk
        position = held.find(version.MARKER)
        while position >= 0 and (not chunk or position + version.LONGEST <= len(held)):
            text = held[position : position + version.LONGEST].split(b"\0", 1)[0]
            found = version.parse_version(text.decode("utf-8", "replace"))
            if found is not None:
                return found
            position = held.find(version.MARKER, position + 1)
        if not chunk:
            return None
        # Part of a marker, or of its text, is searched again with the next chunk.
        rest = held[-version.LONGEST :] if position < 0 else held[position:]
    return None
