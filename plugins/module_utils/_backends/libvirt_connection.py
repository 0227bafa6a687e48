# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""A connection to libvirt on this host: what is asked of it, by whichever of the two ways.

python3-libvirt where this Python has it, else the command virsh. Neither goes by the words of a message: libvirtd may
speak another language than this module.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple, Protocol

from .._shown import shown
from .libvirt_places import Owner

#: The connection that is asked unless another one is named.
SYSTEM = "qemu:///system"
#: Runs a command: as _host/run.py, command.
Run = Callable[..., tuple[int, str, str]]

# Another host's guests have neither processes nor images here.
_LOCAL = re.compile(r"qemu(?:\+unix)?:///(system|session)(?:\?socket=[^?&#;\s]+)?\Z", re.ASCII)


class LibvirtError(OSError):
    """libvirt did not do what it was asked for; the message is its own, or says why it could not be asked."""

    def __init__(self, message: str) -> None:
        super().__init__(0, message)

    def __str__(self) -> str:
        return str(self.strerror)


class Domain(NamedTuple):
    """A domain as libvirt lists it. ``saved``: it has a managed save image. ``snapshots`` are their names, sorted."""

    uuid: str
    name: str
    active: bool
    persistent: bool
    saved: bool
    snapshots: tuple[str, ...]


#: ``inactive`` is the persistent definition, ``secure`` the same with its secrets, ``live`` what an active domain has,
#: ``saved`` what its managed save image has, ``snapshot`` that of the named snapshot.
Kind = Literal["inactive", "secure", "live", "saved", "snapshot"]


class Asked(NamedTuple):
    """One XML document of a domain."""

    kind: Kind
    uuid: str
    snapshot: str = ""


class Connection(Protocol):
    """libvirt at one URI. Every method raises LibvirtError."""

    uri: str
    read_only: bool

    def domains(self) -> list[Domain]:
        """All domains, by name."""

    def documents(self, asked: Sequence[Asked]) -> list[bytes | LibvirtError]:
        """Each document, or why there is none; the failure of one is that one's."""

    def pools(self) -> list[bytes]:
        """The XML of each storage pool; a pool that goes meanwhile is left out."""

    def define(self, xml: bytes) -> None:
        """Make this the persistent definition of the domain that it names."""

    def number(self, uuid: str) -> int | None:
        """The number that an active domain got at its start, another one after every start; None where it is not."""

    def check_start(self, uuid: str) -> None:
        """Raise the error that keeps libvirt from making QEMU's command line of its persistent definition. Whether its
        images are there is not looked at.
        """

    def shut_down(self, uuid: str) -> None:
        """Ask the guest to shut down; does not wait."""

    def stop(self, uuid: str) -> None:
        """End its process at once."""

    def start(self, uuid: str) -> None:
        """Start it; from its managed save image where it has one."""

    def close(self) -> None:
        """End the connection."""


def is_local(uri: str) -> bool:
    """Whether a connection is to this host's QEMU."""
    return _LOCAL.match(uri) is not None


def owner_of(uri: str) -> Owner:
    """Whose guests a connection has. Raises LibvirtError for an address that is not one of this host's QEMU."""
    match = _LOCAL.match(uri)
    if match is None:
        raise LibvirtError(
            f"libvirt_uris has {shown(uri)}; it takes qemu:///system and qemu:///session, the guests of the host itself"
        )
    return "system" if match[1] == "system" else "session"
