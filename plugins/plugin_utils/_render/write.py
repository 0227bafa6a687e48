# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Reports on disk: each file is the whole new report, or stays as it was."""

from __future__ import annotations

import errno
import os
from collections.abc import Mapping

from ...module_utils import _shown
from ...module_utils._host.whole_file import remove_leftovers, replace

_NOT_ALLOWED = (errno.EACCES, errno.EPERM, errno.EROFS)


def write_all(texts: Mapping[str, str]) -> dict[str, str]:
    """Write each text to its path, and make missing folders. Returns path to reason for those that failed.

    A reason says what is wrong, and what to do where the person can do something about the path. A file that cannot be
    written stays as it was; the others are still written.
    """
    failed = {}
    for path, text in texts.items():
        try:
            _write(path, text)
        except OSError as exc:
            failed[path] = exc.strerror or str(exc)
    return failed


def _write(path: str, text: str) -> None:
    if os.path.isdir(path):
        raise OSError(0, "it is a folder: name a file in it")
    if os.path.lexists(path) and (os.path.islink(path) or not os.path.isfile(path)):
        # Replacing it would remove a link, or as root a device such as /dev/stdout.
        raise OSError(0, "it is not a regular file: remove it, or name another path")
    folder = os.path.dirname(path) or "."
    _make(folder)
    remove_leftovers(folder)
    try:
        # The mode of a file that is opened for writing: another user often publishes the reports.
        replace(path, text.encode("utf-8", "backslashreplace"), mode=0o666 & ~_umask())
    except OSError as exc:
        if exc.errno not in _NOT_ALLOWED:
            raise
        raise OSError(0, f"{exc.strerror}: name a folder that this user can write to") from None


def _make(folder: str) -> None:
    try:
        os.makedirs(folder, exist_ok=True)
    except OSError as exc:
        while folder and not os.path.lexists(folder):
            folder = os.path.dirname(folder)
        shown = _shown.path(folder or ".")
        if not os.path.isdir(folder or "."):
            raise OSError(0, f"{shown} is not a folder: remove it, or name another path") from None
        raise OSError(0, f"no folder can be made in {shown} ({exc.strerror}): name another path") from None


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
