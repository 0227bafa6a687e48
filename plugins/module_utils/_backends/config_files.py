# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""What a live node and a tree have in common: the configs are files below a root."""

from __future__ import annotations

import os
from functools import cached_property

from .._pve.definition import Definition
from . import layout
from .backend import Refused
from .config_reader import Storages, read_storages
from .pve_guests import PveGuests
from .reading import Reading


class ConfigFiles(PveGuests):
    """Loads; Qm and ConfigTree decide whether a guest may be written, and write it."""

    def __init__(self, root: str, node: str) -> None:
        super().__init__(node)
        self.root = root

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

    def _where(self, guest: str, node: str | None, path: str) -> str:
        """Where a guest has gone whose config is no longer at its path, and what to do."""
        for other in layout.node_names(self.root):
            if os.path.exists(layout.inside(self.root, f"/etc/pve/nodes/{other}/qemu-server/{guest}.conf")):
                return f"it moved from node {node} to node {other}; run this for {other}"
        return f"its config {path} is gone; the guest was removed or is on its way to another node"
