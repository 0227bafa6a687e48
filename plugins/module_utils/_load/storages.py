# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The storages as backups and limits see them. Text of storage.cfg in, values out."""

from __future__ import annotations

from collections.abc import Collection
from typing import TypedDict

from .._model.records import Problem, Storage
from .._pve import storage as _storage
from . import limits
from . import mounts as _mounts
from .mounts import Mount

#: Types whose data is not on this machine.
REMOTE = ("cephfs", "cifs", "iscsi", "iscsidirect", "nfs", "pbs", "rbd", "zfs")
_OF_FILES = ("btrfs", "cephfs", "cifs", "dir", "nfs")


class LoadStorage(TypedDict):
    """A storage. ``remote``: its data is on another machine. ``own``: its server is this node itself. ``thin``: an
    image takes the space that is written to it, and gives it back; None where that is not known. ``stored`` is the text
    of its bwlimit, ``limits`` that in KiB/s by operation, ``fault`` why Proxmox VE does not take it. ``hard``: of NFS,
    what is written waits for ever where the server is gone; None for another type.
    """

    id: str
    type: str
    line: int | None
    content: list[str] | None
    disabled: bool
    nodes: list[str] | None
    servers: list[str]
    remote: bool
    own: bool
    thin: bool | None
    hard: bool | None
    stored: str | None
    limits: dict[str, float] | None
    fault: str | None


def read(
    text: str, path: str, ceph_conf: str | None, mounts: list[Mount], own: Collection[str]
) -> tuple[list[LoadStorage], list[Problem]]:
    """The storages of storage.cfg; ``own`` are the names and addresses of this node.

    The problems are those of the file itself, which a reading of guests tells too.
    """
    sections, problems = _storage.sections(text, path)
    records = {one["id"]: one for one in _storage.records(sections, ceph_conf)}
    return [_of(name, raw, records[name], mounts, own) for name, raw in sections.items()], problems


def _of(
    name: str, section: _storage.Section, record: Storage, mounts: list[Mount], own: Collection[str]
) -> LoadStorage:
    raw, kind = section.properties, section.properties["type"]
    values, fault = limits.of_storage(raw.get("bwlimit"))
    path = raw.get("path") or (f"/mnt/pve/{name}" if kind in _OF_FILES else None)
    mount = _mounts.of(path, mounts) if path else None
    remote = kind in REMOTE or record["shared"] or (mount is not None and mount["network"])
    servers = record["servers"] or ([mount["server"]] if mount is not None and mount["server"] else [])
    hard: bool | None = None
    if kind == "nfs" or (mount is not None and mount["type"].startswith("nfs")):
        options = raw.get("options", "").split(",")
        hard = (
            mount["hard"] if mount is not None and mount["hard"] is not None else not {"soft", "softerr"} & {*options}
        )
    return {
        "id": name,
        "type": kind,
        "line": section.line or None,
        "content": record["content"],
        "disabled": record["disabled"],
        "nodes": record["nodes"],
        "servers": servers,
        "remote": remote,
        "own": bool(servers) and all(server in own for server in servers),
        "thin": _thin(kind, raw),
        "hard": hard,
        "stored": raw.get("bwlimit"),
        "limits": values,
        "fault": fault,
    }


def _thin(kind: str, raw: dict[str, str]) -> bool | None:
    """By the type, and by what its properties make of it (alloc_image and volume_has_feature of each plugin)."""
    if kind in ("lvmthin", "rbd"):
        return True
    if kind in ("zfspool", "zfs"):
        return raw.get("sparse", "0") == "1"
    if kind in _OF_FILES:
        return raw.get("preallocation", "metadata") in ("off", "metadata")
    return False if kind in ("lvm", "iscsi", "iscsidirect") else None


def usable(storage: LoadStorage, node: str | None) -> bool:
    """Whether a node may use a storage."""
    return not storage["disabled"] and (storage["nodes"] is None or node is None or node in storage["nodes"])
