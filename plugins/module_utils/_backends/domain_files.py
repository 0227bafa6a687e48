# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Guests of libvirt in a tree of files: what a host has in /etc/libvirt/qemu, a directory of domain XML. Written in
place, whole or not at all, and byte for byte.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractContextManager
from functools import cached_property
from typing import Optional, TypeVar

from .. import _shown
from .._libvirt.definition import Definition
from .._libvirt.record import record
from .._libvirt.xml import MOST_BYTES, XmlError, parse
from .._model.records import NOT_THERE, Guest, Problem
from .._shown import piece
from .._text import natural_key, plural
from . import domain_layout, in_place, layout
from .backend import Refused
from .libvirt_guests import LibvirtGuests
from .reading import Reading

_Found = TypeVar("_Found")


class DomainFiles(LibvirtGuests):
    """The domains below ``root``. ``timeout`` is how many seconds another run is waited for.

    ``beside_pve``: there are guests of Proxmox VE as well, whose ids no domain may have for its name.
    """

    at_once = 2

    def __init__(self, root: str, timeout: int = 300, beside_pve: bool = False) -> None:
        self.root = root
        self._timeout = timeout
        self._beside_pve = beside_pve

    def covers(self, node: str | None) -> bool:
        """See Backend: a tree of libvirt has no node."""
        return node is None

    def read(self, only: Collection[str] | None = None) -> Reading:
        """See Backend."""
        reading = Reading()
        reading.problems += self._pools[1]
        found: dict[str, list[Guest]] = {}
        for path in domain_layout.files(self.root, domain_layout.folder(self.root)):
            if domain_layout.may_be_domain(self.root, path):
                guest = self._guest(reading, path)
                if guest is not None:
                    found.setdefault(guest["id"], []).append(guest)
        wanted = None if only is None else {str(guest) for guest in only}
        for name in sorted((wanted or set()) - set(found), key=natural_key):
            reading.problem("", NOT_THERE, guest=name)
        for name, guests in found.items():
            if wanted is None or name in wanted:
                self._add(reading, name, guests)
        return reading

    def alone(self, configs: Sequence[str]) -> AbstractContextManager[None]:
        """See Backend."""
        return in_place.only_run(self.root, configs, self._timeout)

    def load(self, guest: str, node: str | None, config: str) -> Definition:
        """See Backend."""
        try:
            definition = Definition(guest, node, config, self._raw(config), lambda raw: self._record(config, raw))
            found = definition.guest["id"]
        except FileNotFoundError as exc:
            raise Refused("moved", f"its XML {config} is gone; the guest was removed or renamed") from exc
        except XmlError as exc:
            raise Refused("refused", f"its XML {config} cannot be read: {exc}") from exc
        if found != guest:
            raise Refused("moved", f"its XML {config} is that of {piece(found)} now")
        return definition

    def refuse(self, now: Definition, edited: Definition) -> None:
        """See Backend. A host's own libvirt would not notice a file that changes, and write over it."""
        where = os.path.dirname(layout.inside(self.root, now.path))
        if os.path.realpath(where) == os.path.realpath(domain_layout.DOMAINS):
            raise Refused(
                "refused", f"{where} is where this host's own libvirt keeps its guests; name no root for them"
            )
        super().refuse(now, edited)

    def waits(self, now: Definition, edited: Definition, after: Definition | None = None) -> bool:
        """See Backend: a tree does not show what runs."""
        return False

    def write(self, now: Definition, edited: Definition) -> Definition:
        """See Backend."""
        in_place.replace(self.root, now.path, edited.raw, lambda: self._load(now).digest, now.digest)
        return now.reread(self._raw(now.path))

    def _load(self, now: Definition) -> Definition:
        return self.load(now.id, now.node, now.path)

    def _raw(self, path: str) -> bytes:
        """The bytes of a definition; raises OSError as ``layout.read_config``."""
        return layout.read_config(self.root, path, MOST_BYTES)

    def _record(self, path: str, raw: bytes) -> Guest:
        guest = record(raw, id="", path=path, pools=self._pools[0], lines=True)
        return {**guest, "id": guest["name"]}

    @cached_property
    def _pools(self) -> tuple[dict[str, str | None], list[Problem]]:
        """The types of the storage pools by name, and what could not be read of them."""
        reading, pools = Reading(), dict[str, Optional[str]]()
        for path in domain_layout.files(self.root, domain_layout.POOLS):
            root = self._read(reading, path, None, parse)
            name = root.child("name") if root is not None and root.name == "pool" else None
            if root is not None and name is not None:
                pools[name.text.strip()] = root.attributes.get("type")
        return pools, reading.problems

    def _guest(self, reading: Reading, path: str) -> Guest | None:
        """The record of a definition; None for one that cannot be read, which is noted."""
        stem = os.path.splitext(os.path.basename(path))[0]
        return self._read(reading, path, stem, lambda raw: self._record(path, raw))

    def _read(self, reading: Reading, path: str, guest: str | None, use: Callable[[bytes], _Found]) -> _Found | None:
        """What a file holds; None where it cannot be read, which is noted."""
        try:
            return use(self._raw(path))
        except OSError as exc:
            reading.problem(path, f"cannot be read: {layout.reason(exc)}", guest)
        except XmlError as exc:
            reading.problem(path, str(exc), guest, exc.line)
        return None

    def _add(self, reading: Reading, name: str, guests: list[Guest]) -> None:
        """Take the guest of a name, unless the name does not tell which it is."""
        fault = None
        if len(guests) > 1:
            paths = ", ".join(_shown.path(str(guest["config"])) for guest in guests)
            fault = f"{plural(len(guests), 'domain')} have the name {piece(name)} ({paths}): remove what is out of date"
        elif self._beside_pve and layout.is_vmid(name):
            fault = "its name is that of a guest of Proxmox VE; rename it"
        if fault is None:
            reading.guests += guests
            return
        for guest in guests:
            reading.problem(str(guest["config"]), fault, name)
