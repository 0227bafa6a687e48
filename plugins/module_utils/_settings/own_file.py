# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""A file that is ours, such as one in sysctl.d: edited by one run at a time, and gone when nothing is left in it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping

from .._host.lock import alone
from .._host.tree import Tree
from .._model.findings import Change
from .apply import told
from .seam import Refused

#: Seconds that another run is waited for which writes one of our files.
BUSY = 60


def look(tree: Tree, path: str) -> None:
    """Raise Refused where somebody put something else in the place of our file."""
    fault = tree.why_not_ours(path)
    if fault:
        raise Refused(f"{path} {fault}: remove it, or put a file in its place")


def edit(tree: Tree, path: str, edited: Callable[[str], str]) -> None:
    """``edited`` gets the text of the file, empty where there is none, and gives the new one; empty: the file goes.

    In a tree of files the empty folders above it go too: the collection made them. Raises OSError or Refused.
    """
    look(tree, path)
    # The root is always there, and stays: a folder that goes with the file would be no lock.
    with alone([tree.root or "/"], BUSY) as busy:
        if busy:
            raise Refused(f"another run still writes in {busy} after {BUSY} s; run again when it has ended")
        tree.remove_leftovers(path)
        text = (tree.read(path) or b"").decode("utf-8", "surrogateescape")
        after = edited(text)
        if after:
            if after != text:
                tree.replace(path, after.encode("utf-8", "surrogateescape"))
            return
        tree.remove(path)
        folder = os.path.dirname(path)
        while not tree.live and folder != "/":
            tree.remove_empty(folder)
            folder = os.path.dirname(folder)


def refuse_moved(changes: Iterable[Change], now: Mapping[str, str]) -> None:
    """Raise Refused where an option of the file is neither as it was planned nor as it is to be."""
    for change in changes:
        value = now.get(change["option"])
        if value not in (change["before"], change["after"]):
            raise Refused(
                f"{change['option']} is {told(value)} and was {told(change['before'])} when it was read; nothing was"
                " written, run again",
                "changed_since",
            )
