# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""What every way to guests of Proxmox VE has in common: how their configs are edited, refused and proven."""

from __future__ import annotations

from .._model.disk_io import refused_at_start
from .._model.findings import Change, Wanted
from .._pve.definition import Definition
from .._pve.drive import DriveError
from .._pve.lost import lost
from .._pve.pending import waits
from .._shown import piece
from .backend import Refused
from .layout import MAX_CONFIG_BYTES


class PveGuests:
    """The guests of ``node``, or of ``all`` nodes. A subclass reads, loads and writes them."""

    hypervisor = "pve"
    # Each qm takes a processor of the node.
    at_once = 2

    def __init__(self, node: str) -> None:
        self.node = node

    def covers(self, node: str | None) -> bool:
        """See Backend."""
        return node is None or self.node in ("all", node)

    def edit(self, now: Definition, wanted: Wanted) -> Definition:
        """See Backend."""
        try:
            return now.edited(wanted)
        except DriveError as exc:
            raise Refused("refused", f"the plan does not fit the guest: {exc}") from exc

    def also(self, now: Definition, edited: Definition) -> list[Change]:
        """See Backend. Nothing: Proxmox VE makes iothreads by itself."""
        return []

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
        if self._size(edited) > MAX_CONFIG_BYTES:
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
