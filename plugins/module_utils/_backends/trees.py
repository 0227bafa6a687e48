# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Which backends a tree of files or a directory has: by what lies in it."""

from __future__ import annotations

import os
from typing import Any

from .. import _shown
from . import domain_layout, layout
from .backend import Backend

# A module is compiled again on each run, with all that it imports.
# pylint: disable=import-outside-toplevel


def backends(root: str, node: str | None, timeout: int, hypervisor: str = "auto") -> list[Backend[Any]]:
    """That of Proxmox VE where there is something of it, or nothing at all; that of libvirt where there are domains.

    ``hypervisor`` is the one whose guests are meant, ``auto`` all. ``node``: a domain has none, so a node's guests are
    Proxmox VE's. Raises LayoutError where a directory cannot be read, and for a node where there are domains alone.
    """
    has_domains = domain_layout.has_domains(root)
    has_configs = not has_domains or _has_configs(root)
    if node not in (None, "all"):
        if not has_configs:
            raise layout.LayoutError(
                f"no node {_shown.shown(node)}: the guests in {_shown.path(root)} are libvirt's and name none"
            )
        has_domains = False
    found: list[Backend[Any]] = []
    if has_configs and hypervisor in ("auto", "pve"):
        from .tree import ConfigTree

        found.append(ConfigTree(root, node, timeout))
    if has_domains and hypervisor in ("auto", "libvirt"):
        from .domain_files import DomainFiles

        found.append(DomainFiles(root, timeout, beside_pve=has_configs))
    return found


def folders_with_guests(root: str) -> list[str]:
    """The folders of a root that have guests to read when they are named as a root; sorted."""
    names = (name for name in sorted(os.listdir(root)) if not name.startswith("."))
    folders = [os.path.join(root, name) for name in names if name not in layout.NO_GUESTS]
    return [folder for folder in folders if os.path.isdir(folder) and _has_guests(folder)]


def _has_guests(folder: str) -> bool:
    try:
        return bool(layout.sources(folder, "all")) or domain_layout.has_domains(folder)
    except layout.LayoutError:
        return False


def _has_configs(root: str) -> bool:
    top = layout.etc_pve(root)
    return bool(layout.sources(root, "all")) or any(
        os.path.lexists(layout.inside(root, path)) for path in (top or "/nodes", f"{top}/storage.cfg", "/storage.cfg")
    )
