# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Reports on disk: all of them, or none."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping

from .._whole_file import Beside, Kept, remove_leftovers
from .shape import ReportError
from .text import visible


def write_all(texts: Mapping[str, str]) -> None:
    """Write each text to its path: every one is on disk beside its place before the first takes that place.

    Folders are made where they are missing. Raises ReportError where a path cannot be written; the files that
    were there before are then as they were, and nothing new is left behind.
    """
    ready: list[Beside] = []
    kept: list[Kept] = []
    placed: list[Kept] = []
    lost: list[str] = []
    folders: list[str] = []
    path = ""
    try:
        for path, text in texts.items():
            folders += _missing(os.path.dirname(path))
            ready.append(_beside(path, text))
        for path in texts:
            kept.append(Kept(path))
        for new, old in zip(ready, kept):
            path = new.path
            new.take_place()
            placed.append(old)
        folders, placed = [], []
    except OSError as exc:
        lost = _put_back(placed)
        placed = []
        said = "These could not be put back as they were: %s." % ", ".join(map(visible, lost)) if lost else "No report was written."
        raise ReportError("cannot write the report %s: %s. %s" % (path, exc.strerror or exc, said)) from exc
    finally:
        # where something else than an error ends it, as Ctrl-C does
        _put_back(placed)
        for one in ready:
            one.discard()
        for one in kept:
            if one.path not in lost:
                one.let_go()
        for folder in sorted(folders, key=len, reverse=True):
            with contextlib.suppress(OSError):
                os.rmdir(folder)


def _put_back(placed: list[Kept]) -> list[str]:
    """The paths of those that cannot be."""
    lost = []
    for old in placed:
        try:
            old.put_back()
        except OSError:
            lost.append(old.path)
    return lost


def _missing(folder: str) -> list[str]:
    """The folders on the way that are not there yet."""
    missing = []
    while folder and not os.path.lexists(folder):
        missing.append(folder)
        folder = os.path.dirname(folder)
    return missing


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
