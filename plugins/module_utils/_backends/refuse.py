# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Refuse: what speaks against writing a guest, found from its config as it is now."""

from __future__ import annotations

import os
from typing import Any

from .._model.disk_io import refused_at_start
from .._model.records import foreign_pending_detail
from .._pve import changes as _changes
from .._pve import config as _config
from .._pve import drive as _drive
from .._pve import storage as _storage
from .._pve.record import record
from .._shown import piece, some
from . import layout, reader
from .node import Unanswered
from .work import Options, Refused, Work


def refuse(work: Work, running: bool | None, options: Options) -> None:
    """Raise Refused where this guest must not be written now."""
    entry, config = work.entry, work.config
    lock = config.main.get("lock")
    if lock:
        raise Refused("locked", f"locked ({piece(lock)}); run again when that has ended")
    facts = record(entry["guest"], _config.encode(config.text), {})
    if facts["unsafe_lines"]:
        line = facts["unsafe_lines"][0]
        raise Refused("unsafe_lines", f"Proxmox VE would drop line {line['line']} on a write: {line['reason']}")
    _refuse_unstartable(work, options)
    size = len(_config.encode(work.edited))
    if running:
        # A drive that goes to [PENDING] stands there beside the one in force.
        size += sum(len(key) + len(value or "") + len("[PENDING]") for key, value in work.values.items())
    if size > layout.MAX_CONFIG_BYTES:
        raise Refused(
            "refused", "its config would be larger than 1 MiB, which Proxmox VE does not store; shorten its description"
        )
    if running is None:
        return
    own = layout.own_node(options.root)
    if entry["node"] != own:
        raise Refused(
            "moved",
            f"it is on node {entry['node']}, and qm writes only the guests of its own node, {own}; run this there",
        )
    _refuse_by_node(work, options)
    foreign = _changes.foreign_pending(config)
    if foreign and not running and not options.apply_foreign_pending:
        raise Refused("foreign_pending", foreign_pending_detail(some(foreign)))


def _refuse_by_node(work: Work, options: Options) -> None:
    """What the node itself says against a write. A plan may come from anywhere, so that it is asked again."""
    guest = work.entry["guest"]
    try:
        complaints = options.node.complaints().get(guest)
    except Unanswered as exc:
        raise Refused(
            "not_asked", f"not written, because Proxmox VE did not say which lines it would drop: {exc}"
        ) from exc
    if complaints is None:
        raise Refused("moved", "qm list does not have it: it came to this node, or left it, just now; run again")
    if complaints:
        raise Refused("unsafe_lines", "Proxmox VE would drop lines on a write: " + "; ".join(map(str, complaints)))
    try:
        unusable = options.node.storages()
    except Unanswered:
        # What is offline then qm itself finds out.
        return
    for key in filter(_drive.parse_key, work.values):
        storage = _storage_of(key, work)
        why = storage and unusable.get(storage, f"this node has no storage '{storage}'")
        if why:
            raise Refused("storage_offline", f"not written, because of {key}: {why}; run again when it is there")


def _storage_of(key: str, work: Work) -> str | None:
    volume = _drive.parse(key, _changes.current(work.config, key) or "").volume
    return None if volume.startswith("/") else volume.partition(":")[0]


def _refuse_unstartable(work: Work, options: Options) -> None:
    storages: dict[str, Any] = {}
    text = reader.optional_text(options.root, "/etc/pve/storage.cfg")
    if text is not None:
        storages = {storage["id"]: storage for storage in _storage.parse(text)[0]}
    guest = record("0", _config.encode(work.edited), storages)
    for disk in guest["disks"]:
        fault = refused_at_start(disk["key"], disk["next"] or disk["effective"])
        if disk["key"] in work.values and fault:
            raise Refused("would_not_start", fault)


def where(entry: dict[str, Any], options: Options) -> str:
    """Where a guest has gone whose config is no longer where it was read, and what to do."""
    for node in layout.node_names(options.root):
        path = f"/etc/pve/nodes/{node}/qemu-server/{entry['guest']}.conf"
        if os.path.exists(layout.inside(options.root, path)):
            return f"it moved from node {entry['node']} to node {node}; run this for {node}"
    return f"its config {entry['config']} is gone; the guest was removed or is on its way to another node"
