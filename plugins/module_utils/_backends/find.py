# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Which backends a host has, or a tree of files. A new backend is a line here."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from typing import Any

from . import layout, processes
from .backend import Backend
from .qm import Qm
from .qm_command import Run
from .reading import Reading, joined
from .tree import ConfigTree


def is_this_host(root: str) -> bool:
    """Whether ``root`` is this host itself, not a tree of files."""
    return os.path.realpath(root) == "/"


def backends(
    root: str = "/",
    node: str | None = None,
    run: Run | None = None,
    timeout: int = 300,
    apply_foreign_pending: bool = False,
    api: Mapping[str, Any] | None = None,
    writes: Collection[str] = (),
) -> list[Backend[Any]]:
    """The backends of this host, or of the tree below ``root``; none on a host without a known hypervisor.

    ``api`` is how an API is reached (a module's option of that name), in place of a root. ``writes`` are the ids of the
    guests that are to be written.

    ``node`` is the node whose guests are meant, ``all`` every node; without it a host's own, or all of a tree.
    ``run`` runs the hypervisor's commands; without it none is asked, and a host's guests cannot be written.
    ``timeout`` is in seconds: for one command, and for another run that writes the same tree.
    Raises layout.LayoutError on a node whose guests this user may not read, or a token not read or write.
    """
    if api is not None:
        if root != "/":
            raise layout.LayoutError(f"root is {root}, and an API is named too: these are two ways to guests; name one")
        # Only here: what it imports takes longer than all else that reads a node.
        from .api import Api, connected

        return [Api(connected(api), node, apply_foreign_pending, writes)]
    if not is_this_host(root):
        return [ConfigTree(root, node, timeout)]
    if layout.is_node(root):
        return [Qm(root, node, run, timeout, apply_foreign_pending)]
    return []


def read(
    root: str = "/",
    node: str | None = None,
    only: Collection[str] | None = None,
    run: Run | None = None,
    api: Mapping[str, Any] | None = None,
) -> Reading:
    """All guests, or those with the ids ``only``; raises layout.LayoutError where there is nothing to read from.

    On a host without a known hypervisor, the guests are those that run.
    """
    found = backends(root, node, run, api=api)
    return joined(backend.read(only) for backend in found) if found else processes.read(root, node, only)
