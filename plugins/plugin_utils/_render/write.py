# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Reports on disk: each file is the whole new report, or stays as it was."""

from __future__ import annotations

import os
from collections.abc import Mapping

from ...module_utils import _shown
from ...module_utils._host.whole_file import remove_leftovers, replace


def write_all(texts: Mapping[str, str]) -> dict[str, str]:
    """Write each text to its path, and make missing folders. Returns path to reason for those that failed.

    A file that cannot be written stays as it was; the others are still written.
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
        raise IsADirectoryError(0, "it is a folder")
    if os.path.lexists(path) and (os.path.islink(path) or not os.path.isfile(path)):
        # Replacing it would remove a link, or as root a device such as /dev/stdout.
        raise OSError(0, "it is not a regular file")
    folder = os.path.dirname(path) or "."
    try:
        os.makedirs(folder, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise NotADirectoryError(0, f"{_shown.path(folder)} is not a folder") from None
    remove_leftovers(folder)
    # The mode of a file that is opened for writing: another user often publishes the reports.
    replace(path, text.encode("utf-8", "backslashreplace"), mode=0o666 & ~_umask())


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
