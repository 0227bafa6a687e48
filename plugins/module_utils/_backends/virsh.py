# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Guests of libvirt on this host, read and written through libvirt, and only through it."""

from __future__ import annotations

import contextlib
import hashlib
import os
import threading
from collections import Counter
from collections.abc import Collection, Sequence
from contextlib import AbstractContextManager
from typing import Any, NamedTuple

from .. import _restart
from .._libvirt.definition import Definition
from .._libvirt.xml import XmlError
from .._model import records
from .._model.records import NOT_THERE, Guest
from .._shown import shown
from .._text import natural_key
from . import layout, nodes
from .backend import Refused
from .domain_reader import Documents, DomainReader, Pool, documents, pools, to_edit
from .libvirt_connect import connect
from .libvirt_connection import SYSTEM, Asked, Connection, Domain, LibvirtError, Run, owner_of
from .libvirt_guests import LibvirtGuests
from .libvirt_places import Owner, config, guest_id
from .processes import Processes
from .reading import Reading


class Here(NamedTuple):
    """A domain, and the connection that has it."""

    connection: Connection
    owner: Owner
    domain: Domain

    @property
    def id(self) -> str:
        return guest_id(self.owner, self.domain.name)

    @property
    def config(self) -> str:
        return config(self.owner, self.domain.name)


class Virsh(LibvirtGuests):
    """The guests of the connections ``uris``. Each is opened once.

    ``run`` runs virsh where this Python has no python3-libvirt. A command has ``timeout`` seconds. The ``processes`` of
    its guests are taken.
    """

    # libvirtd answers several at once, and a write takes it a few milliseconds.
    at_once = 4

    def __init__(
        self,
        root: str = "/",
        uris: Sequence[str] = (SYSTEM,),
        run: Run | None = None,
        timeout: int = 300,
        processes: Processes | None = None,
    ) -> None:
        self._root = root
        self._own = layout.own_node(root)
        self._uris = list(dict.fromkeys(uris))
        self._run = run or _no_command
        self._timeout = timeout
        self._processes = processes or Processes(root)
        self._reader = DomainReader(root, self._own, self._processes)
        self._opened: dict[str, Connection] = {}
        self._known: dict[str, Here] = {}
        # Guests are written by several threads.
        self._listing = threading.Lock()

    def covers(self, node: str | None) -> bool:
        """See Backend."""
        return node in (None, self._own)

    def read(self, only: Collection[str] | None = None) -> Reading:
        """See Backend."""
        reading = Reading()
        reading.nodes = [records.node(name=self._own, addresses=nodes.kernel_addresses())]
        found = self._list(reading, only)
        wanted = [here for here in found if only is None or here.id in only or here.domain.name in only]
        for connection in self._opened.values():
            self._read(reading, connection, [here for here in wanted if here.connection is connection])
        return reading

    def _list(self, reading: Reading, only: Collection[str] | None = None) -> list[Here]:
        """The domains of all connections; what keeps one from being read is noted, and which of ``only`` are missing.
        Raises LayoutError where no connection answers.
        """
        if not self._uris:
            raise layout.LayoutError(f"libvirt_uris is empty; it takes one connection or more, such as {SYSTEM}")
        listed: list[Here] = []
        faults = []
        for uri in self._uris:
            try:
                listed += self._domains(uri)
            except LibvirtError as exc:
                faults.append(str(exc))
        if len(faults) == len(self._uris):
            raise layout.LayoutError("; ".join(faults))
        for fault in faults:
            reading.problem("", f"{fault}; no guest of it was read")
        names = {name for here in listed for name in (here.id, here.domain.name)}
        for name in sorted(set(only or ()) - names, key=natural_key) if not faults else ():
            reading.problem("", NOT_THERE, guest=name)
        times = Counter(here.id for here in listed)
        for here in listed:
            if only is not None and here.id not in only and here.domain.name not in only:
                continue
            if times[here.id] > 1:
                others = " and ".join(other.connection.uri for other in listed if other.id == here.id)
                reading.problem(
                    here.config,
                    f"there is a guest of that name on {others}; rename one, or leave one out of libvirt_uris",
                    here.id,
                )
            elif self._is_pves(here):
                reading.problem(here.config, "its name is that of a guest of Proxmox VE; rename it", here.id)
        found = [here for here in listed if times[here.id] == 1 and not self._is_pves(here)]
        self._known = {here.id: here for here in found}
        return found

    def _is_pves(self, here: Here) -> bool:
        return layout.is_vmid(here.id) and os.path.isdir(layout.inside(self._root, "/etc/pve"))

    def _domains(self, uri: str) -> list[Here]:
        if uri not in self._opened:
            self._opened[uri] = connect(uri, self._run, self._timeout)
        connection = self._opened[uri]
        return [Here(connection, owner_of(uri), domain) for domain in connection.domains()]

    def _read(self, reading: Reading, connection: Connection, wanted: Sequence[Here]) -> None:
        read = documents(connection, [here.domain for here in wanted])
        known = self._pools(reading, connection, read)
        for here, texts in zip(wanted, read):
            if isinstance(texts, LibvirtError):
                reading.problem(here.config, f"libvirt does not give its definition: {texts}", here.id)
                continue
            try:
                guest = self._reader.record(connection, here.owner, here.domain, texts, known)
            except XmlError as exc:
                reading.problem(here.config, str(exc), here.id)
                continue
            for sentence in texts.missing:
                reading.problem(here.config, sentence, here.id)
            reading.guests.append(guest)

    def _pools(
        self, reading: Reading, connection: Connection, read: Sequence[Documents | LibvirtError]
    ) -> dict[str, Pool]:
        try:
            return pools(connection, read)
        except (LibvirtError, XmlError) as exc:
            reading.problem("", f"libvirt does not give its storage pools: {exc}; storages are not known")
            return {}

    def alone(self, configs: Sequence[str]) -> AbstractContextManager[None]:
        """See Backend. libvirt has no lock for more than one call: the digest is compared just before the write."""
        return contextlib.nullcontext()

    def load(self, guest: str, node: str | None, config: str) -> Definition:
        """See Backend."""
        here = self.here(guest)
        if here.config != config:
            raise Refused("moved", f"its definition is {shown(here.config)}, not {shown(config)}")
        return self._load(here)

    def here(self, guest: str) -> Here:
        """A guest's domain, as it was listed first. Raises Refused: moved."""
        with self._listing:
            if not self._known:
                self._list(Reading())
        if guest not in self._known:
            raise Refused("moved", f"libvirt has no guest {shown(guest)}; it was removed or renamed")
        return self._known[guest]

    def _load(self, here: Here) -> Definition:
        connection = here.connection
        try:
            domain = here.domain._replace(active=connection.number(here.domain.uuid) is not None)
            texts, raw = to_edit(connection, domain)
        except LibvirtError as exc:
            raise Refused("moved", f"libvirt does not give its definition any more: {exc}") from exc
        known = self._pools(Reading(), connection, [texts])

        def record(inactive: bytes) -> Guest:
            return self._reader.record(connection, here.owner, domain, texts._replace(inactive=inactive), known)

        try:
            found = Definition(here.id, self._own, here.config, raw, record, _digest(texts.inactive))
        except XmlError as exc:
            raise Refused("refused", str(exc)) from exc
        if found.guest["name"] != here.domain.name:
            raise Refused("moved", f"it was renamed to {shown(found.guest['name'])}; read it again")
        return found

    def refuse(self, now: Definition, edited: Definition) -> None:
        """See Backend."""
        if now.guest["config"] is None:
            raise Refused("refused", "it is transient: libvirt keeps no definition of it that could be written")
        super().refuse(now, edited)

    def waits(self, now: Definition, edited: Definition, after: Definition | None = None) -> bool:
        """See Backend. A guest with a managed save image resumes with what it had."""
        return bool(_restart.waiting((after or edited).guest))

    def write(self, now: Definition, edited: Definition) -> Definition:
        """See Backend. libvirt takes no digest, so the definition is compared once more just before the write."""
        here = self._known[now.id]
        (inactive,) = here.connection.documents([Asked("inactive", here.domain.uuid)])
        if isinstance(inactive, LibvirtError):
            raise Refused("moved", f"libvirt does not give its definition any more: {inactive}")
        if _digest(inactive) != now.digest:
            raise Refused("digest_moved", "its definition changed while it was being written; nothing was written")
        try:
            here.connection.define(edited.raw)
        except LibvirtError as exc:
            raise Refused("refused", f"libvirt does not take its definition: {exc}") from exc
        return self._load(here)


def _digest(inactive: bytes) -> str:
    """Of the persistent definition without its secrets, which whoever reads it may not see."""
    return hashlib.sha256(inactive).hexdigest()


def _no_command(_arguments: list[str], **_how: Any) -> tuple[int, str, str]:
    """Without a way to run commands there are none."""
    return 127, "", ""
