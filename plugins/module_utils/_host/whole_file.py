# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Whole files: read with a bound, replaced so that a run killed at any moment leaves the old file or the new one.

The new content is written to a temporary file in the same directory, synced, and renamed. A lock tells a killed run's
leftovers from a live run's files: the kernel drops it when the process ends.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import re
import stat
import tempfile
from collections.abc import Callable

_CHUNK = 1 << 16
_ENDING = ".io-hardening-new"
_LEFTOVER = re.compile(r"\..+\.[a-z0-9_]{8}" + re.escape(_ENDING), re.DOTALL)


def read(path: str, limit: int, follow: bool = True) -> bytes:
    """The bytes of a regular file of at most ``limit`` bytes.

    Raises OSError where it cannot be read, is not a regular file, is larger, or is a link and ``follow`` is false.
    """
    # Looked at before it is opened: opening a pipe waits, and opening a device can have an effect.
    found = os.open(path, os.O_PATH | os.O_CLOEXEC | (0 if follow else os.O_NOFOLLOW))
    try:
        mode = os.fstat(found).st_mode
        if stat.S_ISLNK(mode):
            raise OSError(errno.ELOOP, "is a link", path)
        if not stat.S_ISREG(mode):
            raise OSError(errno.EINVAL, "is not a regular file", path)
        raw = read_start(f"/proc/self/fd/{found}", limit + 1)
    finally:
        os.close(found)
    if len(raw) > limit:
        size = f"{limit >> 20} MiB" if limit >= 1 << 20 else f"{limit} bytes"
        raise OSError(errno.EFBIG, f"is larger than {size}", path)
    return raw


def read_start(path: str, limit: int) -> bytes:
    """At most the first ``limit`` bytes of a file that is known to be safe to open, as those of /proc are.

    Raises OSError.
    """
    with open(path, "rb", buffering=0) as stream:
        chunks = []
        # In chunks: the kernel refuses a read of megabytes from /proc/sys.
        while limit > 0:
            chunk = stream.read(min(_CHUNK, limit))
            if not chunk:
                break
            chunks.append(chunk)
            limit -= len(chunk)
    return b"".join(chunks)


def replace(
    path: str,
    raw: bytes,
    like: str | None = None,
    unless: Callable[[], None] | None = None,
    mode: int | None = None,
) -> None:
    """Replace a file's content, or create the file; raises OSError, and then the file has not changed.

    Owner and mode stay, or are those of the file ``like``; a new file has mode 0644. With ``mode`` the file gets that
    mode and belongs to the process. ``unless`` is called when the new content is on disk, immediately before the
    rename: an exception it raises ends the replacement. A change that somebody else makes in the microseconds between
    that call and the rename is lost: no system call renames on condition of the content.
    """
    owner = None
    if mode is None:
        try:
            kept = os.stat(path if like is None else like)
        except FileNotFoundError:
            mode = 0o644
        else:
            mode, owner = stat.S_IMODE(kept.st_mode), (kept.st_uid, kept.st_gid)
    handle, temporary = _temporary(path)
    try:
        with os.fdopen(os.dup(handle), "wb") as stream:
            stream.write(raw)
        if owner not in (None, (os.geteuid(), os.getegid())):
            os.fchown(handle, *owner)
        os.fchmod(handle, mode)
        os.fsync(handle)
        if unless:
            unless()
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
        raise
    finally:
        os.close(handle)
    sync_directory(os.path.dirname(path) or ".")


def remove_leftovers(directory: str) -> None:
    """Remove the temporary files that killed runs left in a directory, and none of a live run.

    A file that cannot be removed stays; it does no harm.
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
        # On a file system without locks, leftovers are not removed either.
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
