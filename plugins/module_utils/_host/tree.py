# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors
"""A host's files as seen from its root directory: links resolved inside it, writes atomic."""

from __future__ import annotations

import contextlib
import errno
import itertools
import os
import stat

from . import whole_file as _whole_file

LARGEST = 4 * 1024 * 1024
"""No configuration file is larger; anything that is, is not read."""

_PIECE = 1 << 16


class Tree:
    """The file system below a root directory.

    Paths are the host's (``/etc/sysctl.d``); absolute links lead back into the root, never out of it.
    """

    def __init__(self, root):
        """
        :raises OSError: where ``root`` is no directory; an empty one would be the machine itself
        """
        if not os.path.isdir(root):
            raise NotADirectoryError(
                errno.ENOTDIR, "is no directory; it takes / or a directory that holds a host's files", root
            )
        self.root = root.rstrip("/")
        self.live = os.path.realpath(root) == "/"

    def resolve(self, path):
        """The host's path that ``path`` leads to, all links followed; it need not exist."""
        parts, done, links = [part for part in path.split("/") if part], [], 0
        while parts:
            part = parts.pop(0)
            if part == ".":
                continue
            if part == "..":
                done = done[:-1]
                continue
            here = "/" + "/".join(done + [part])
            try:
                target = os.readlink(self.root + here)
            except OSError:
                done.append(part)
                continue
            links += 1
            if links > 40:
                raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), here)
            if target.startswith("/"):
                done = []
            parts = [piece for piece in target.split("/") if piece] + parts
        return "/" + "/".join(done)

    def real(self, path):
        """Where ``path`` is on this machine, links followed."""
        return self.root + self.resolve(path)

    def names(self, path):
        """The names in a directory, of whatever kind, ``[]`` where there is none."""
        try:
            return sorted(os.listdir(self.real(path)))
        except (FileNotFoundError, NotADirectoryError):
            return []

    def read(self, path):
        """The bytes of a file, ``None`` where there is none.

        :raises OSError: where it cannot be read, is no regular file or is too large
        """
        if self.resolve(path) == "/dev/null":
            return b""
        try:
            # Looked at before it is opened: opening a pipe waits, and opening a device can do something.
            found = os.open(self.real(path), os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC)
        except (FileNotFoundError, NotADirectoryError):
            return None
        try:
            if not stat.S_ISREG(os.fstat(found).st_mode):
                raise OSError(errno.EINVAL, "is not a regular file", path)
            with open("/proc/self/fd/%d" % found, "rb", buffering=0) as stream:
                # In pieces: the kernel refuses a read of megabytes from /proc/sys.
                raw = b"".join(
                    itertools.takewhile(bool, (stream.read(_PIECE) for _number in range(LARGEST // _PIECE + 1)))
                )
        finally:
            os.close(found)
        if len(raw) > LARGEST:
            raise OSError(errno.EFBIG, "is larger than %d bytes" % LARGEST, path)
        return raw

    def exists(self, path):
        """Whether something is at ``path``, links followed; a link without end leads to nothing."""
        try:
            return os.path.exists(self.real(path))
        except OSError:
            return False

    def why_not_ours(self, path):
        """Why a file must not be written or removed: it is a link, or no regular file; None where it may."""
        real = self.root + path
        if os.path.islink(real):
            return "is a link to %s" % os.readlink(real)
        if os.path.lexists(real) and not os.path.isfile(real):
            return "is no regular file"
        return None

    def kernel_text(self, path):
        """The text of a file of the kernel, ``None`` where there is none.

        With another root only an ordinary file counts: a proc mounted in there is this machine's kernel,
        not the tree's.
        """
        try:
            if not self.live and os.stat(self.real(path)).st_size == 0:
                return None
            raw = self.read(path)
        except OSError:
            return None
        return None if raw is None else raw.decode("ascii", "replace")

    def replace(self, path, raw, like=None):
        """Write a file so that a killed run leaves it old or new.

        Mode and owner stay, or are those of the file ``like``; a new file is root's, 0644.
        """
        real = self.real(path)
        os.makedirs(os.path.dirname(real), mode=0o755, exist_ok=True)
        _whole_file.replace(real, raw, self.real(like) if like else None)

    def remove_leftovers(self, path):
        """Remove what a killed run left beside a file."""
        _whole_file.remove_leftovers(os.path.dirname(self.real(path)))

    def remove(self, path):
        """Remove a file; fine where there is none."""
        real = self.real(path)
        try:
            os.unlink(real)
        except FileNotFoundError:
            return
        _whole_file.sync_directory(os.path.dirname(real))

    def remove_empty(self, path):
        """Remove a directory where nothing is in it; fine where something is, or where there is none."""
        with contextlib.suppress(OSError):
            os.rmdir(self.real(path))
