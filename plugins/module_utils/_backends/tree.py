# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Guests of Proxmox VE in a tree of files: a copy of /etc/pve, a directory of configs. Written in place, whole or not
at all, and byte for byte.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import AbstractContextManager

from .._pve import config as _config
from .._pve.definition import Definition
from . import in_place, layout, nodes
from .backend import Refused
from .config_files import ConfigFiles
from .config_reader import chosen, read_guest, read_storages
from .reading import Reading


class ConfigTree(ConfigFiles):
    """The guests below ``root``, of one node or of all. ``timeout`` is how many seconds another run is waited for."""

    def __init__(self, root: str, node: str | None = None, timeout: int = 300) -> None:
        super().__init__(root, node or "all")
        self._timeout = timeout

    def read(self, only: Collection[str] | None = None) -> Reading:
        """See Backend."""
        reading = Reading()
        sources = layout.sources(self.root, self.node, reading.unreadable)
        reading.nodes = nodes.read(self.root, sorted({source.node for source in sources if source.node}))
        wanted = chosen(reading, sources, only)
        storages = read_storages(reading, self.root)
        for source in wanted:
            found = read_guest(reading, self.root, source, storages, printed=True)
            if found:
                reading.guests.append(found[0])
        return reading

    def alone(self, configs: Sequence[str]) -> AbstractContextManager[None]:
        """See Backend."""
        return in_place.only_run(self.root, configs, self._timeout)

    def refuse(self, now: Definition, edited: Definition) -> None:
        """See Backend."""
        super().refuse(now, edited)
        for key, value in edited.values.items():
            if value is None and edited.config.next(key) is not None:
                raise Refused("refused", f"{key} is both in [PENDING] and in the main section; remove it by hand")

    def write(self, now: Definition, edited: Definition) -> Definition:
        """See Backend."""
        in_place.replace(self.root, now.path, edited.raw, lambda: self._digest(now), now.digest)
        return now.reread(layout.read(self.root, now.path))

    def _digest(self, now: Definition) -> str:
        """The digest of the config as it is now. Raises Refused: moved."""
        try:
            return _config.digest(layout.read_config(self.root, now.path))
        except FileNotFoundError as exc:
            raise Refused("moved", self._where(now.id, now.node, now.path)) from exc
