# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Reports on disk: all of them, or none."""

from __future__ import annotations

import os
from collections.abc import Mapping

from .._whole_file import Beside, remove_leftovers
from .shape import ReportError


def write_all(texts: Mapping[str, str]) -> None:
    """Write each text to its path: every one is on disk beside its place before the first takes that place.

    Folders are made where they are missing. Raises ReportError where a path cannot be written; the files that
    were there before are then as they were, and nothing new is left behind.
    """
    ready: list[Beside] = []
    path = ""
    try:
        for path, text in texts.items():
            ready.append(_beside(path, text))
        for new in ready:
            path = new.path
            new.take_place()
    except OSError as exc:
        raise ReportError("cannot write the report %s: %s. No report was written." % (path, exc.strerror or exc)) from exc
    finally:
        for new in ready:
            new.discard()


def _beside(path: str, text: str) -> Beside:
    if os.path.isdir(path):
        raise IsADirectoryError(0, "it is a folder")
    if os.path.lexists(path) and (os.path.islink(path) or not os.path.isfile(path)):
        # Taking its place would remove a link, or as root a device such as /dev/stdout.
        raise OSError(0, "it is no regular file")
    folder = os.path.dirname(path) or "."
    os.makedirs(folder, exist_ok=True)
    remove_leftovers(folder)
    # as a file that is opened for writing: what publishes the reports is often another user
    return Beside(path, text.encode("utf-8", "backslashreplace"), 0o666 & ~_umask())


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
