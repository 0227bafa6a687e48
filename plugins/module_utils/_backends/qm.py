# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Guests of this Proxmox VE node, written with ``qm set``, and only with it."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Sequence
from contextlib import AbstractContextManager

from .._pve.definition import Definition
from . import layout, live, nodes, qm_command
from .asked import Asked
from .backend import Refused
from .config_files import ConfigFiles
from .config_reader import chosen, read_guest, read_storages
from .node import Node, Unanswered
from .processes import Processes
from .reading import Reading
from .running import Running, is_running

# qm refuses for these before it stores anything: what is pending then comes from another run, or from a person.
_BEFORE_STORING = ("locked", "digest_moved", "moved")


class Qm(ConfigFiles):
    """The guests of this host. ``node`` is another node whose configs are read, or ``all``; only its own are written.

    ``run`` runs qm and pvesm; without it none is asked, and nothing is written. A command has ``timeout`` seconds. The
    ``processes`` of its guests are taken.
    """

    def __init__(
        self,
        root: str = "/",
        node: str | None = None,
        run: qm_command.Run | None = None,
        timeout: int = 300,
        apply_foreign_pending: bool = False,
        processes: Processes | None = None,
    ) -> None:
        self.own = layout.own_node(root)
        super().__init__(root, node or self.own)
        self._timeout = timeout
        self._apply_foreign_pending = apply_foreign_pending
        self._run = run or _no_command
        self._asks = run is not None
        self._proxmox = Node(self._run, timeout)
        self._processes = processes or Processes(root)

    def read(self, only: Collection[str] | None = None) -> Reading:
        """See Backend."""
        reading = Reading()
        sources = layout.node_sources(self.root, self.node, reading.unreadable, whole=True)
        reading.nodes = nodes.read(self.root, sorted({source.node for source in sources if source.node}), self.own)
        wanted = chosen(reading, sources, only)
        asks = self._asks and any(source.node == self.own for source in wanted)
        asked = Asked(self._proxmox, self.own, reading) if asks else None
        storages = read_storages(reading, self.root)
        running = Running(self.root, self._processes)
        here = asked.storages(storages) if asked else storages
        reading.storages = list(here.values())
        for source in wanted:
            mine = source.node == self.own
            found = read_guest(reading, self.root, source, here if mine else storages, printed=False)
            if found is None:
                continue
            guest, text = found
            reading.texts[source.path] = text
            if mine and asked:
                asked.add(guest, text)
            if mine:
                running.add(guest)
            reading.guests.append(guest)
        if self.node in ("all", self.own):
            running.take({source.guest for source in sources})
        return reading

    def alone(self, configs: Sequence[str]) -> AbstractContextManager[None]:
        """See Backend. qm takes the guest's own lock, and compares the digest under it."""
        return contextlib.nullcontext()

    def load(self, guest: str, node: str | None, config: str) -> Definition:
        """See Backend."""
        found = super().load(guest, node, config)
        found.running = is_running(self.root, found.id)
        return found

    def refuse(self, now: Definition, edited: Definition) -> None:
        """See Backend. A plan may come from anywhere, so the node is asked again before the first write."""
        super().refuse(now, edited)
        if now.node != self.own:
            raise Refused(
                "moved",
                f"it is on node {now.node}, and qm writes only the guests of its own node, {self.own}; run this there",
            )
        self._refuse_lost_lines(now)
        self._refuse_offline(now, edited)
        if not self._apply_foreign_pending:
            live.refuse_foreign_pending(now)

    def _size(self, edited: Definition) -> int:
        return super()._size(edited) + live.size(edited)

    def _refuse_lost_lines(self, now: Definition) -> None:
        try:
            complaints = self._proxmox.complaints().get(now.id)
        except Unanswered as exc:
            raise Refused(
                "not_asked", f"not written, because Proxmox VE did not say which lines it would drop: {exc}"
            ) from exc
        if complaints is None:
            raise Refused("moved", "qm list does not have it: it came to this node, or left it, just now; run again")
        if complaints:
            raise Refused("unsafe_lines", "Proxmox VE would drop lines on a write: " + "; ".join(map(str, complaints)))

    def _refuse_offline(self, now: Definition, edited: Definition) -> None:
        try:
            unusable = self._proxmox.storages()
        except Unanswered:
            # qm set finds out itself what is offline.
            return
        live.refuse_offline(now, edited, unusable)

    def waits(self, now: Definition, edited: Definition, after: Definition | None = None) -> bool:
        """See Backend."""
        return live.waits(now, edited, after)

    def write(self, now: Definition, edited: Definition) -> Definition:
        """See Backend. One ``qm set`` with the digest; what it leaves in [PENDING] when it refuses is taken back."""
        refusal = qm_command.set_values(self._run, now.id, edited.values, now.digest, self._timeout)
        if refusal:
            detail = self._where(now.id, now.node, now.path) if refusal.reason == "moved" else refusal.detail
            raise Refused(refusal.reason, detail + self._take_back(now, edited, refusal))
        return now.reread(layout.read(self.root, now.path))

    def _take_back(self, now: Definition, edited: Definition, refusal: qm_command.Refusal) -> str:
        if refusal.reason in _BEFORE_STORING or (refusal.reason == "busy" and not refusal.ended):
            return ""
        return live.take_back(
            now,
            edited,
            refusal.ended,
            lambda: self._reread(now),
            lambda: is_running(self.root, now.id),
            lambda keys, digest: qm_command.revert(self._run, now.id, keys, digest, self._timeout),
        )

    def _reread(self, now: Definition) -> Definition | None:
        try:
            return now.reread(layout.read(self.root, now.path))
        except OSError:
            return None


def _no_command(_arguments: list[str]) -> tuple[int, str, str]:
    """Without a way to run commands there are none."""
    return 127, "", ""
