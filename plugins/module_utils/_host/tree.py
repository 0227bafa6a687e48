# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""A host's files below a root directory: links stay inside the root, writes are atomic."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Mapping

from . import whole_file

LARGEST = 4 * 1024 * 1024
"""Larger than any configuration file of a host; a file above it is not read."""

_MOST_LINKS = 40


class Tree:
    """The file system below a root directory; ``/`` is the host itself.

    Paths are the host's (``/etc/sysctl.d``). There is one rule for links: they lead where they would lead on the host,
    were the root its root directory (as with chroot(2)), so none leads out of the root.
    """

    def __init__(self, root: str, known: Mapping[str, str] | None = None) -> None:
        """Raises OSError where ``root`` is not a directory; an empty root would be the machine itself.

        ``known`` are texts of files that were read just now, by path: they are not read again.
        """
        if not os.path.isdir(root):
            raise NotADirectoryError(
                errno.ENOTDIR, "is not a directory; give / or a directory that holds a host's files", root
            )
        self.root = root.rstrip("/")
        self.live = os.path.realpath(root) == "/"
        self.known: Mapping[str, str] = known or {}

    def resolve(self, path: str) -> str:
        """The host's path that ``path`` leads to, all links followed; nothing need be there.

        Raises OSError for a loop of links.
        """
        parts = [part for part in path.split("/") if part]
        done: list[str] = []
        links = 0
        while parts:
            part = parts.pop(0)
            if part == ".":
                continue
            if part == "..":
                done = done[:-1]
                continue
            here = "/" + "/".join([*done, part])
            try:
                target = os.readlink(self.root + here)
            except OSError:
                done.append(part)
                continue
            links += 1
            if links > _MOST_LINKS:
                raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), here)
            if target.startswith("/"):
                done = []
            parts = [piece for piece in target.split("/") if piece] + parts
        return "/" + "/".join(done)

    def real(self, path: str) -> str:
        """Where ``path`` is on this machine, links followed."""
        return self.root + self.resolve(path)

    def _there(self, path: str) -> str:
        """Where to look: on the host itself the kernel follows the same links, and follows thousands of them faster."""
        return self.root + path if self.live else self.real(path)

    def names(self, path: str) -> list[str]:
        """The sorted names in a directory, of files and all else; empty where there is no directory."""
        try:
            return sorted(os.listdir(self._there(path)))
        except (FileNotFoundError, NotADirectoryError):
            return []

    def read(self, path: str, limit: int = LARGEST) -> bytes | None:
        """The bytes of a file; None where there is none.

        Raises OSError where it cannot be read, is not a regular file or is larger than ``limit`` bytes.
        """
        known = self.known.get(path)
        if known is not None:
            return known.encode("utf-8", "surrogateescape")
        if self.resolve(path) == "/dev/null":
            return b""
        try:
            return whole_file.read(self.real(path), limit, follow=False)
        except (FileNotFoundError, NotADirectoryError):
            return None

    def exists(self, path: str) -> bool:
        """Whether something is at ``path``, links followed; a loop of links leads to nothing."""
        try:
            return os.path.exists(self._there(path))
        except OSError:
            return False

    def why_not_ours(self, path: str) -> str | None:
        """Why a file must not be written or removed: it is a link, or not a regular file; None where it may be."""
        real = self.root + path
        if os.path.islink(real):
            return f"is a link to {os.readlink(real)}"
        if os.path.lexists(real) and not os.path.isfile(real):
            return "is not a regular file"
        return None

    def kernel_text(self, path: str) -> str | None:
        """The text of a file of the kernel (/proc, /sys); None where there is none or it cannot be read.

        Below another root only an ordinary file counts: a /proc mounted there is this machine's kernel, not the tree's.
        """
        try:
            if not self.live and os.stat(self.real(path)).st_size == 0:
                return None
            raw = whole_file.read(self._there(path), LARGEST)
        except OSError:
            return None
        return raw.decode("ascii", "replace")

    def replace(self, path: str, raw: bytes, like: str | None = None) -> None:
        """Write a file so that a killed run leaves the old one or the new one; raises OSError.

        Mode and owner stay, or are those of the file ``like``; a new file is root's, 0644.
        """
        real = self.real(path)
        os.makedirs(os.path.dirname(real), mode=0o755, exist_ok=True)
        whole_file.replace(real, raw, self.real(like) if like else None)

    def put_kernel(self, path: str, text: str) -> None:
        """One write to a file of the kernel that is there (/proc, /sys), in place: also in a tree, where a killed run
        would else leave a temporary file beside it. Raises OSError.
        """
        handle = os.open(self.real(path), os.O_WRONLY | os.O_CLOEXEC | (os.O_TRUNC if self.live else 0))
        try:
            raw = text.encode("ascii")
            os.write(handle, raw)
            if not self.live:
                os.ftruncate(handle, len(raw))
        finally:
            os.close(handle)

    def remove_leftovers(self, path: str) -> None:
        """Remove the temporary files that a killed run left in a file's directory."""
        whole_file.remove_leftovers(os.path.dirname(self.real(path)))

    def remove(self, path: str) -> None:
        """Remove a file, if there is one; raises OSError."""
        real = self.real(path)
        try:
            os.unlink(real)
        except FileNotFoundError:
            return
        whole_file.sync_directory(os.path.dirname(real))

    def remove_empty(self, path: str) -> None:
        """Remove a directory if it exists and is empty."""
        with contextlib.suppress(OSError):
            os.rmdir(self.real(path))
