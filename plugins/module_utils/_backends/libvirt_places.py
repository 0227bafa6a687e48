# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""What a guest of a connection to libvirt is called, and where libvirt keeps its definition and its process id.

Source: libvirt 9.0, qemuStateInitialize: /etc/libvirt/qemu and /run/libvirt/qemu for the system; for a session
~/.config, and XDG_RUNTIME_DIR, in whose place GLib takes ~/.cache. virPidFileBuildPath: a pid file has the domain's
name escaped as in XML; every other file has it as it is.
"""

from __future__ import annotations

import os
from typing import Literal

from .._host.pid_file import read_pid
from . import layout

#: Whose guests a connection has: the system's, or those of the user who runs this.
Owner = Literal["system", "session"]

_SESSION = "session:"
# xml.sax.saxutils takes longer to import than a domain to be read.
_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&apos;"})


def guest_id(owner: Owner, name: str) -> str:
    """The id of a domain by its name."""
    return name if owner == "system" else _SESSION + name


def config(owner: Owner, name: str) -> str:
    """The path of a domain's persistent definition."""
    if owner == "system":
        return f"/etc/libvirt/qemu/{name}.xml"
    return os.path.expanduser(f"~/.config/libvirt/qemu/{name}.xml")


def process(root: str, owner: Owner, name: str) -> int | None:
    """The id of a domain's process by its pid file; None where there is none, or where it cannot be read."""
    folders = ["/run/libvirt/qemu"]
    if owner == "session":
        folders = [
            f"{os.environ.get('XDG_RUNTIME_DIR') or f'/run/user/{os.geteuid()}'}/libvirt/qemu/run",
            os.path.expanduser("~/.cache/libvirt/qemu/run"),
        ]
    for folder in folders:
        try:
            found = read_pid(layout.inside(root, f"{folder}/{name.translate(_ESCAPES)}.pid"))
        except PermissionError:
            continue
        if found is not None:
            return found
    return None
