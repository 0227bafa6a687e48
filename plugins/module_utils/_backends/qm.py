# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Guests of this Proxmox VE node, written with ``qm set``, and only with it."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Sequence
from contextlib import AbstractContextManager

from .._model.records import foreign_pending_detail
from .._pve import drive as _drive
from .._pve.definition import Definition
from .._pve.pending import foreign_pending, waits
from .._pve.same import normal
from .._shown import some
from . import layout, nodes, qm_command
from .asked import Asked
from .backend import Refused
from .config_files import ConfigFiles
from .config_reader import chosen, read_guest, read_storages
from .node import Node, Unanswered
from .reading import Reading
from .running import Running, is_running

# qm refuses for these before it stores anything: what is pending then comes from another run, or from a person.
_BEFORE_STORING = ("locked", "digest_moved", "moved")


class Qm(ConfigFiles):
    """The guests of this host. ``node`` is another node whose configs are read, or ``all``; only its own are written.

    ``run`` runs qm and pvesm; without it none is asked, and nothing is written. A command has ``timeout`` seconds.
    """

    def __init__(
        self,
        root: str = "/",
        node: str | None = None,
        run: qm_command.Run | None = None,
        timeout: int = 300,
        apply_foreign_pending: bool = False,
    ) -> None:
        self.own = layout.own_node(root)
        super().__init__(root, node or self.own)
        self._timeout = timeout
        self._apply_foreign_pending = apply_foreign_pending
        self._run = run or _no_command
        self._asks = run is not None
        self._proxmox = Node(self._run, timeout)

    def read(self, only: Collection[str] | None = None) -> Reading:
        """See Backend. What runs on this node without a config comes last, where all its guests are read."""
        reading = Reading()
        sources = layout.node_sources(self.root, self.node, reading.unreadable, whole=True)
        reading.nodes = nodes.read(self.root, sorted({source.node for source in sources if source.node}), self.own)
        wanted = chosen(reading, sources, only)
        asks = self._asks and any(source.node == self.own for source in wanted)
        asked = Asked(self._proxmox, self.own, reading) if asks else None
        storages = read_storages(reading, self.root)
        running = Running(self.root, self.own, reading)
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
        if only is None and self.node in ("all", self.own):
            reading.guests += running.without_config({source.guest for source in wanted})
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
        foreign = foreign_pending(now.config)
        if foreign and not now.running and not self._apply_foreign_pending:
            raise Refused("foreign_pending", foreign_pending_detail(some(foreign)))

    def _size(self, edited: Definition) -> int:
        size = super()._size(edited)
        if edited.running:
            # A drive that goes to [PENDING] is there in addition to the one in force.
            size += sum(len(key) + len(value or "") + len("[PENDING]") for key, value in edited.values.items())
        return size

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
        for key in filter(_drive.parse_key, edited.values):
            volume = _drive.parse(key, now.config.next(key) or "").volume
            storage = None if volume.startswith("/") else volume.partition(":")[0]
            why = storage and unusable.get(storage, f"this node has no storage '{storage}'")
            if why:
                raise Refused("storage_offline", f"not written, because of {key}: {why}; run again when it is there")

    def waits(self, now: Definition, edited: Definition, after: Definition | None = None) -> bool:
        """See Backend."""
        if after is not None:
            return waits(after.config, edited.values)
        # qm takes a key out of [PENDING] that is set to what the main section has.
        return bool(now.running) and any(
            not _same(key, now.config.main.get(key), value) for key, value in edited.values.items()
        )

    def write(self, now: Definition, edited: Definition) -> Definition:
        """See Backend. One ``qm set`` with the digest; what it leaves in [PENDING] when it refuses is taken back."""
        refusal = qm_command.set_values(self._run, now.id, edited.values, now.digest, self._timeout)
        if refusal:
            detail = self._where(now.id, now.node, now.path) if refusal.reason == "moved" else refusal.detail
            raise Refused(refusal.reason, detail + self._take_back(now, edited, refusal))
        return now.reread(layout.read(self.root, now.path))

    def _take_back(self, now: Definition, edited: Definition, refusal: qm_command.Refusal) -> str:
        """Revert what a refused qm set left in [PENDING]; the words for it, "" where it left nothing.

        qm stores each option in [PENDING] on its own (update_vm_api): when one fails, those before it stay there.
        Where nothing was stored qm is not called, and nothing of somebody else is reverted or applied.
        """
        if refusal.reason in _BEFORE_STORING or (refusal.reason == "busy" and not refusal.ended):
            return ""
        after = self._reread(now)
        left = _left(now, edited, after)
        if not left or after is None:
            return ""
        names = ", ".join(left)
        by_hand = f"; {names} had been stored by then and waits in [PENDING]"
        if any(now.config.pending and now.config.pending.get(key) is not None for key in left):
            return by_hand
        # On a stopped guest every qm set applies all that waits, and a worker that was not ended may store still.
        pending = after.config.pending
        others = set(pending.entries) - {"delete"} | set(after.config.pending_deletes) if pending else set()
        if refusal.ended or (others - set(left) and not is_running(self.root, now.id)):
            return f"{by_hand}; look at it with qm pending {now.id}"
        qm_command.revert(self._run, now.id, left, after.digest, self._timeout)
        then = self._reread(now)
        if then is None or _left(now, edited, then):
            return f"{by_hand}: qm set {now.id} --revert {','.join(left)}"
        return f"; {names} had been stored by then and was taken back"

    def _reread(self, now: Definition) -> Definition | None:
        try:
            return now.reread(layout.read(self.root, now.path))
        except OSError:
            return None


def _no_command(_arguments: list[str]) -> tuple[int, str, str]:
    """Without a way to run commands there are none."""
    return 127, "", ""


def _same(key: str, one: str | None, other: str | None) -> bool:
    return one is other if one is None or other is None else normal(key, one) == normal(key, other)


def _left(now: Definition, edited: Definition, after: Definition | None) -> list[str]:
    """The keys that wait in [PENDING] with their new value and did not before."""
    return (
        [] if after is None else [key for key, value in edited.values.items() if _left_behind(now, after, key, value)]
    )


def _left_behind(now: Definition, after: Definition, key: str, value: str | None) -> bool:
    if value is None:
        return key in after.config.pending_deletes and key not in now.config.pending_deletes
    before = now.config.pending.get(key) if now.config.pending else None
    found = after.config.pending.get(key) if after.config.pending else None
    return bool(found) and normal(key, found or "") == normal(key, value) and before != found
