# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Which of a host's storages hold guests' images, and on which disks: Proxmox VE's, or libvirt's folder."""

from __future__ import annotations

from typing import Any

from .._host.tree import Tree
from .._model.records import Problem, problem
from .._pve import storage as storage_cfg
from .._pve import storage_types
from .topology import REMOTE, UNKNOWN, Place, Topology

_CFG = "/etc/pve/storage.cfg"
_LIBVIRT = "/var/lib/libvirt/images"
_IMAGES = frozenset(("images", "rootdir"))


def read_storages(tree: Tree, topology: Topology, problems: list[Problem]) -> list[dict[str, Any]]:
    """``{id, type, kind, disks}`` of each storage that may hold guests' images on this host; kind and disks are those
    of a Place. Where there is no Proxmox VE, the id is a folder.
    """
    try:
        raw = tree.read(_CFG)
    except OSError as error:
        problems.append(problem(_CFG, error.strerror or str(error)))
        return []
    if raw is None:
        if not tree.exists(_LIBVIRT):
            return []
        return [_storage(_LIBVIRT, "dir", topology.of_path(tree.resolve(_LIBVIRT)))]
    node = own_node(tree)
    # What is wrong with the file is said of the guests, whose storages it defines.
    sections, _problems = storage_cfg.sections(raw.decode("utf-8", "replace"), _CFG)
    return [
        _storage(name, section.properties["type"], _place(section.properties, tree, topology))
        for name, section in sections.items()
        if _holds_images(section.properties, node)
    ]


def _storage(name: str, kind: str, place: Place) -> dict[str, Any]:
    return {"id": name, "type": kind, "kind": place.kind, "disks": list(place.disks)}


def _holds_images(properties: dict[str, str], node: str | None) -> bool:
    held = storage_types.content(properties["type"], properties.get("content"))
    nodes = storage_types.split_list(properties.get("nodes", ""))
    here = not nodes or node is None or node in nodes
    return here and properties.get("disable") != "1" and (held is None or not _IMAGES.isdisjoint(held))


def _place(properties: dict[str, str], tree: Tree, topology: Topology) -> Place:
    kind = properties["type"]
    if kind in ("dir", "btrfs"):
        try:
            return topology.of_path(tree.resolve(properties["path"]))
        except OSError:
            return UNKNOWN
    if kind in ("lvm", "lvmthin"):
        return topology.of_volume_group(properties["vgname"])
    if kind == "zfspool":
        return topology.of_pool(properties["pool"])
    return REMOTE if storage_types.is_shared(kind, properties.get("shared") == "1") else UNKNOWN


def own_node(tree: Tree) -> str | None:
    """This host's node: what /etc/pve/local leads to, else the host's name; None where a tree has neither."""
    local = tree.resolve("/etc/pve/local").rpartition("/")[2]
    if local != "local":
        return local
    name = (tree.kernel_text("/etc/hostname") or "").strip().partition(".")[0]
    return name or None
