# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""What lies beside guest configs and was not read: what may be a guest, and what is none."""

from __future__ import annotations

import os
from collections.abc import Collection
from typing import NamedTuple

from .layout import FLAT, LayoutError, inside

# Files of /etc/pve that may lie beside guest configs in a flat directory.
_OURS = ("ceph.conf", "corosync.conf", "storage.cfg")
# Folders of a node whose VMID.conf are containers.
_CONTAINERS = ("lxc", "openvz")


class Strays(NamedTuple):
    """Paths as those of ``layout.Source``: ``guests`` with the reason why each was not read, ``others`` of whatever kind."""

    guests: list[tuple[str, str]]
    others: list[str]


def strays(root: str, read: Collection[str]) -> Strays:
    """What lies below ``root`` beside the files that were ``read``. Hidden names are not looked at.

    Raises LayoutError where a directory cannot be read.
    """
    trees = [path for path in ("/etc/pve/nodes", "/etc/pve/qemu-server") if os.path.isdir(inside(root, path))]
    found = Strays([], [])
    for folder, folders, files in os.walk(inside(root, trees[0]) if trees else root, onerror=_cannot_read):
        here = inside("/", os.path.relpath(folder, root)) if folder != root else "/"
        home = os.path.basename(folder) == "qemu-server" if trees else folder == root
        for name in sorted(folders + files):
            path = os.path.join(here, name)
            if path in read or name.startswith(".") or (home and name in _OURS):
                continue
            reason = _reason(name, files, home, bool(trees))
            if reason:
                found.guests.append((path, reason))
            elif home:
                found.others.append(path + "/" * (name in folders))
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name not in _CONTAINERS)
    return found


def _reason(name: str, beside: Collection[str], home: bool, tree: bool) -> str | None:
    """Why a file that may be a guest's was not read; None where it is none."""
    match = FLAT.match(name)
    if match and home and match[2] == "json" and f"{match[1]}.conf" in beside:
        return f"is of the same guest as {match[1]}.conf: keep one of them"
    if match and not home:
        return "was not read: guest configs lie in " + ("etc/pve/nodes/NODE/qemu-server" if tree else "the directory itself, not in folders below it")
    if match and tree and match[2] == "conf":
        return "was not read: by its name its folder is no node's"
    if home and (name.isdigit() or name.lower().endswith((".conf", ".json"))):
        return f"was not read: a guest config is named VMID.conf{'' if tree else ' or VMID.json'}, with a VMID from 100 to 999999999"
    return None


def _cannot_read(exc: OSError) -> None:
    raise LayoutError(f"cannot read directory {exc.filename}: {exc.strerror}") from exc
