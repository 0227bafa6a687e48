# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The NFS mounts of a host, and the guests whose main loop waits for them. Pure, no I/O."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .._load import mounts
from .._model.records import Guest, Storage
from .._pve.storage import split_hosts

Mount = dict[str, Any]


def nfs_mounts(found: Iterable[mounts.Mount]) -> list[Mount]:
    """Those that are NFS: ``{path, source, hard, guests}``, ``guests`` empty; :func:`waits` tells who belongs there."""
    return [
        {"path": one["at"], "source": one["source"], "hard": one["hard"], "guests": []}
        for one in found
        if one["hard"] is not None
    ]


def storages_on(mount: Mount, storages: Iterable[Storage]) -> list[str]:
    """The storages whose files are on a mount.

    Those of type nfs are mounted at /mnt/pve/ID, or at a path of their own from the same server; a directory can be
    below any mount.
    """
    server = (split_hosts(mount["source"].rpartition(":")[0]) or [""])[0]
    return [
        one["id"]
        for one in storages
        if mount["path"] == f"/mnt/pve/{one['id']}"
        or (one["type"] == "nfs" and server in one["servers"] and not mount["path"].startswith("/mnt/pve/"))
        or (one["type"] == "dir" and f"{one['images']}/".startswith(f"{mount['path']}/"))
    ]


def mentions(raw: bytes, mount: Mount, names: Iterable[str]) -> bool:
    """Whether a guest's config can have a disk there: cheaper than reading its record."""
    return any(f"{name}:".encode() in raw for name in names) or mount["path"].encode() in raw


def waits(guest: Guest, mount: Mount, names: Iterable[str]) -> bool:
    """Whether a guest has a disk there whose I/O its main loop submits: one without an iothread."""
    return not guest["template"] and any(
        disk["media"] == "disk"
        and disk["effective"] is not None
        and not disk["effective"]["iothread"]
        and (
            disk["storage"]["id"] in names
            if disk["storage"]
            else (disk["volume"] or "").startswith(f"{mount['path']}/")
        )
        for disk in guest["disks"]
    )
