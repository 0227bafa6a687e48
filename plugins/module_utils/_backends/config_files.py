# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""What a live node and a tree have in common: guests of Proxmox VE with their configs as files below a root."""

from __future__ import annotations

import os
from functools import cached_property

from .._model.disk_io import refused_at_start
from .._model.findings import Wanted
from .._pve.definition import Definition
from .._pve.drive import DriveError
from .._pve.lost import lost
from .._pve.pending import waits
from .._shown import piece
from . import layout
from .backend import Refused
from .config_reader import Storages, read_storages
from .reading import Reading


class ConfigFiles:
    """Loads, edits and proves; Qm and ConfigTree decide whether a guest may be written, and write it."""

    hypervisor = "pve"

    def __init__(self, root: str, node: str) -> None:
        self.root = root
        self.node = node

    def covers(self, node: str | None) -> bool:
        """See Backend."""
        return node is None or self.node in ("all", node)

    @cached_property
    def _storages(self) -> Storages:
        return read_storages(Reading(), self.root)

    def load(self, guest: str, node: str | None, config: str) -> Definition:
        """See Backend."""
        if config.endswith(".json"):
            raise Refused("refused", "its config is JSON, a copy that can be judged but not written")
        try:
            raw = layout.read_config(self.root, config)
        except FileNotFoundError as exc:
            raise Refused("moved", self._where(guest, node, config)) from exc
        return Definition(guest, node, config, raw, self._storages)

    def edit(self, now: Definition, wanted: Wanted) -> Definition:
        """See Backend."""
        try:
            return now.edited(wanted)
        except DriveError as exc:
            raise Refused("refused", f"the plan does not fit the guest: {exc}") from exc

    def refuse(self, now: Definition, edited: Definition) -> None:
        """Refuse what no way can write: a locked guest, one that would lose a line, one that would not start."""
        lock = now.config.main.get("lock")
        if lock:
            raise Refused("locked", f"locked ({piece(lock)}); run again when that has ended")
        for line in now.guest["unsafe_lines"]:
            raise Refused("unsafe_lines", f"Proxmox VE would drop line {line['line']} on a write: {line['reason']}")
        for disk in edited.guest["disks"]:
            fault = refused_at_start(disk["key"], disk["next"] or disk["effective"])
            if disk["key"] in edited.values and fault:
                raise Refused("would_not_start", fault)
        if self._size(edited) > layout.MAX_CONFIG_BYTES:
            raise Refused(
                "refused",
                "its config would be larger than 1 MiB, which Proxmox VE does not store; shorten its description",
            )

    def _size(self, edited: Definition) -> int:
        return len(edited.raw)

    def waits(self, now: Definition, edited: Definition, after: Definition | None = None) -> bool:
        """See Backend."""
        return waits((after or edited).config, edited.values)

    def lost(self, now: Definition, edited: Definition, after: Definition) -> list[str]:
        """See Backend."""
        return lost(now.config, after.config, edited.values, now.running)

    def _where(self, guest: str, node: str | None, path: str) -> str:
        """Where a guest has gone whose config is no longer at its path, and what to do."""
        for other in layout.node_names(self.root):
            if os.path.exists(layout.inside(self.root, f"/etc/pve/nodes/{other}/qemu-server/{guest}.conf")):
                return f"it moved from node {node} to node {other}; run this for {other}"
        return f"its config {path} is gone; the guest was removed or is on its way to another node"
