# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""libvirt through python3-libvirt, see libvirt_connection.py."""

from __future__ import annotations

import contextlib
import functools
import importlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from .libvirt_connection import Asked, Domain, LibvirtError


def library() -> Any | None:
    """python3-libvirt, None where this Python does not have it."""
    try:
        found = importlib.import_module("libvirt")
        # Without a handler it prints every error to stderr.
        found.registerErrorHandler(_say_nothing, None)
    except (ImportError, AttributeError):
        return None
    return found


def _say_nothing(_context: Any, _error: Any) -> None:
    """libvirt raises the same error."""


class PythonConnection:
    """See Connection. It is one connection, whichever thread asks."""

    def __init__(self, library_: Any, uri: str, read_only: bool) -> None:
        self.uri = uri
        self.read_only = read_only
        self._libvirt = library_
        with self._failing():
            self._open = (library_.openReadOnly if read_only else library_.open)(uri)

    @contextlib.contextmanager
    def _failing(self) -> Iterator[None]:
        try:
            yield
        except self._libvirt.libvirtError as exc:
            raise LibvirtError(exc.get_error_message() or str(exc)) from exc

    def domains(self) -> list[Domain]:
        """See Connection. One question for each property, not one for each domain."""
        having = self._libvirt
        with self._failing():
            everyone = {domain.UUIDString(): domain for domain in self._open.listAllDomains(0)}
            active, transient, saved, with_snapshots = (
                {domain.UUIDString() for domain in self._open.listAllDomains(flag)}
                for flag in (
                    having.VIR_CONNECT_LIST_DOMAINS_ACTIVE,
                    having.VIR_CONNECT_LIST_DOMAINS_TRANSIENT,
                    having.VIR_CONNECT_LIST_DOMAINS_MANAGEDSAVE,
                    having.VIR_CONNECT_LIST_DOMAINS_HAS_SNAPSHOT,
                )
            )
        found = [
            Domain(
                uuid,
                domain.name(),
                uuid in active,
                uuid not in transient,
                uuid in saved,
                self._snapshots(domain) if uuid in with_snapshots else (),
            )
            for uuid, domain in everyone.items()
        ]
        return sorted(found, key=lambda domain: (domain.name, domain.uuid))

    def _snapshots(self, domain: Any) -> tuple[str, ...]:
        try:
            return tuple(sorted(snapshot.getName() for snapshot in domain.listAllSnapshots(0)))
        except self._libvirt.libvirtError:
            # It went; so says whoever asks for its definition.
            return ()

    def documents(self, asked: Sequence[Asked]) -> list[bytes | LibvirtError]:
        """See Connection."""
        having = self._libvirt
        flags = {
            "inactive": having.VIR_DOMAIN_XML_INACTIVE,
            "secure": having.VIR_DOMAIN_XML_INACTIVE | having.VIR_DOMAIN_XML_SECURE,
            "live": 0,
        }
        look_up = functools.lru_cache(maxsize=None)(self._domain)

        def read(one: Asked) -> Any:
            domain = look_up(one.uuid)
            if one.kind == "saved":
                return domain.managedSaveGetXMLDesc(0)
            if one.kind == "snapshot":
                return domain.snapshotLookupByName(one.snapshot, 0).getXMLDesc(0)
            return domain.XMLDesc(flags[one.kind])

        return [self._or_error(read, one) for one in asked]

    def _or_error(self, ask: Callable[[Any], Any], given: Any) -> bytes | LibvirtError:
        try:
            with self._failing():
                return str(ask(given)).encode()
        except LibvirtError as exc:
            return exc

    def pools(self) -> list[bytes]:
        """See Connection."""
        with self._failing():
            pools = self._open.listAllStoragePools(0)
        texts = [self._or_error(lambda pool: pool.XMLDesc(0), pool) for pool in pools]
        return [text for text in texts if isinstance(text, bytes)]

    def define(self, xml: bytes) -> None:
        """See Connection."""
        with self._failing():
            self._open.defineXML(xml.decode())

    def number(self, uuid: str) -> int | None:
        """See Connection."""
        with self._failing():
            found = self._domain(uuid).ID()
        return None if found == -1 else int(found)

    def check_start(self, uuid: str) -> None:
        """See Connection."""
        having = self._libvirt
        with self._failing():
            xml = self._domain(uuid).XMLDesc(having.VIR_DOMAIN_XML_INACTIVE | having.VIR_DOMAIN_XML_SECURE)
            self._open.domainXMLToNative("qemu-argv", xml, 0)

    def shut_down(self, uuid: str) -> None:
        """See Connection."""
        with self._failing():
            self._domain(uuid).shutdown()

    def stop(self, uuid: str) -> None:
        """See Connection."""
        with self._failing():
            self._domain(uuid).destroy()

    def start(self, uuid: str) -> None:
        """See Connection."""
        with self._failing():
            self._domain(uuid).create()

    def close(self) -> None:
        """See Connection."""
        with self._failing():
            self._open.close()

    def _domain(self, uuid: str) -> Any:
        return self._open.lookupByUUIDString(uuid)
