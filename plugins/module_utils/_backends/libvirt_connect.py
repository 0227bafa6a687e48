# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Opens a connection to libvirt on this host, in the way that this Python has."""

from __future__ import annotations

import os

from .._host import user
from .libvirt_connection import Connection, LibvirtError, Run, owner_of
from .libvirt_places import Owner


def connect(uri: str, run: Run, timeout: int = 300) -> Connection:
    """A connection that can write; where this user may only read, one that reads. Raises LibvirtError.

    A command of virsh has ``timeout`` seconds.
    """
    owner = owner_of(uri)
    if owner == "session" and os.geteuid() == 0:
        # libvirt gives root the system's guests there: they would be read twice.
        raise LibvirtError(
            f"{uri} has the guests of the user who runs this, and root has none: set ansible_become to false, or"
            " ansible_become_user to the user whose guests they are"
        )
    try:
        return _open(uri, run, timeout, False)
    except LibvirtError as exc:
        first = exc
    # Only the system's libvirtd has a socket for those who may read (libvirtd.conf, unix_sock_ro_perms).
    if owner == "system" and os.geteuid() != 0:
        try:
            return _open(uri, run, timeout, True)
        except LibvirtError:
            pass
    raise LibvirtError(f"libvirt gives no connection to {uri}: {first}; {_help(owner)}") from first


def _help(owner: Owner) -> str:
    if owner == "system" and os.geteuid() != 0:
        return f"this is user {user.name()}: {user.BECOME}; or put the user into the group libvirt"
    return "see whether it runs: systemctl status libvirtd virtqemud"


def _open(uri: str, run: Run, timeout: int, read_only: bool) -> Connection:
    # Only here: a host without the library, or without libvirt, loads neither way.
    from .libvirt_python import PythonConnection, library

    found = library()
    if found is not None:
        return PythonConnection(found, uri, read_only)
    from .libvirt_command import CommandConnection

    return CommandConnection(uri, run, timeout, read_only)
