# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Writing whole files: killed at any moment it leaves the old file or the new one.

The new content is made beside the file, brought to disk, and takes the file's place. What a killed run leaves beside
it is told from what a living one is about to use by a lock that the kernel gives up with its holder.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import stat
import tempfile
from collections.abc import Callable

_ENDING = ".io-hardening-new"
_LEFTOVER = re.compile(r"\..+\.[a-z0-9_]{8}" + re.escape(_ENDING), re.DOTALL)


class Beside:
    """The new content of ``path``, on disk beside it until it takes its place or is discarded."""

    def __init__(self, path: str, raw: bytes, mode: int, owner: tuple[int, int] | None = None) -> None:
        """Raises OSError; nothing is left behind then."""
        self.path = path
        self._handle, self._temporary = _temporary(path)
        try:
            with os.fdopen(os.dup(self._handle), "wb") as stream:
                stream.write(raw)
            if owner not in (None, (os.geteuid(), os.getegid())):
                os.fchown(self._handle, *owner)
            os.fchmod(self._handle, mode)
            os.fsync(self._handle)
        except BaseException:
            self.discard()
            raise

    def take_place(self) -> None:
        """Raises OSError; it is still beside the file then."""
        os.replace(self._temporary, self.path)
        self._close()

    def discard(self) -> None:
        """Nothing where it has taken its place."""
        if self._handle is not None:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self._temporary)
            self._close()

    def _close(self) -> None:
        os.close(self._handle)
        self._handle = None


def replace(path: str, raw: bytes, like: str | None = None, unless: Callable[[], None] | None = None) -> None:
    """Replace a file's content, or make the file; raises OSError, and the file is as it was then.

    Owner and mode stay, or are those of the file ``like``; a file that is new is 0644. ``unless`` is called when the
    new content is on disk, immediately before it takes the file's place: what it raises ends the replacement. Between
    that look and the rename are some microseconds in which a change of somebody else is still lost: no rename asks for
    a content.
    """
    try:
        kept = os.stat(path if like is None else like)
    except FileNotFoundError:
        mode, owner = 0o644, None
    else:
        mode, owner = stat.S_IMODE(kept.st_mode), (kept.st_uid, kept.st_gid)
    new = Beside(path, raw, mode, owner)
    try:
        if unless:
            unless()
        new.take_place()
    finally:
        new.discard()
    sync_directory(os.path.dirname(path) or ".")


def remove_leftovers(directory: str) -> None:
    """Remove what killed runs left beside the files of a directory, and nothing of a run that lives.

    What cannot be removed stays: it is in nobody's way.
    """
    with contextlib.suppress(OSError):
        for name in filter(_LEFTOVER.fullmatch, os.listdir(directory)):
            with contextlib.suppress(OSError):
                _remove_leftover(os.path.join(directory, name))


def sync_directory(directory: str) -> None:
    """Bring a new or renamed name in a directory to disk."""
    handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _temporary(path: str) -> tuple[int, str]:
    directory, name = os.path.split(path)
    while True:
        handle, temporary = tempfile.mkstemp(prefix=f".{name}.", suffix=_ENDING, dir=directory or ".")
        # A file system without locks has no leftovers removed either.
        with contextlib.suppress(OSError):
            fcntl.flock(handle, fcntl.LOCK_EX)
        if os.fstat(handle).st_nlink:
            return handle, temporary
        # Another run took it for a leftover before it was locked.
        os.close(handle)


def _remove_leftover(path: str) -> None:
    handle = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.unlink(path)
    finally:
        os.close(handle)
