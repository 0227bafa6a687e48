# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Which hypervisors a host has: Proxmox VE, libvirt, both or neither."""

from __future__ import annotations

import os
from collections.abc import Sequence

from .. import _shown
from . import layout
from .libvirt_connection import SYSTEM

AUTO = "auto"
PVE = "pve"
LIBVIRT = "libvirt"

#: The options of a module that names hypervisors.
OPTIONS = {
    "hypervisor": {"type": "str", "choices": [AUTO, PVE, LIBVIRT], "default": AUTO},
    "libvirt_uris": {"type": "list", "elements": "str", "default": [SYSTEM]},
}

# Of libvirtd, and of virtqemud, which took its place. systemd listens there while neither runs.
_SOCKETS = ("/run/libvirt/libvirt-sock", "/run/libvirt/virtqemud-sock")
_DEFINITIONS = "/etc/libvirt/qemu"

#: What is said where a host has neither.
NEITHER = f"{layout.NO_NODES} There is no libvirt either: no {' or '.join(_SOCKETS)}, and no domain in {_DEFINITIONS}."


def here(root: str, wanted: str, uris: Sequence[str]) -> list[str]:
    """The hypervisors of the live host whose guests are ``wanted``: those that it has, or the one that is named.

    Raises layout.LayoutError where the one that is named is not there, or where this user may not read its guests.
    """
    if wanted not in (AUTO, PVE, LIBVIRT):
        raise layout.LayoutError(f"hypervisor is {_shown.shown(wanted)}; it takes {AUTO}, {PVE} or {LIBVIRT}")
    found = [PVE] if wanted != LIBVIRT and layout.is_node(root) else []
    # A session has no socket that is known beforehand: whoever names one has it.
    if wanted != PVE and (_has_libvirt(root) or any(uri != SYSTEM for uri in uris)):
        found.append(LIBVIRT)
    if wanted == PVE and not found:
        raise layout.LayoutError(f"hypervisor is {PVE}, and there are {layout.NO_NODES}")
    if wanted == LIBVIRT and not found:
        raise layout.LayoutError(
            f"hypervisor is {LIBVIRT}, and there is no libvirt on this host: no {' or '.join(_SOCKETS)}, and no domain"
            f" in {_DEFINITIONS}. Start it (systemctl start libvirtd), or set hypervisor to {AUTO}"
        )
    return found


def _has_libvirt(root: str) -> bool:
    """Whether it listens, or has guests that it would start."""
    if any(os.path.exists(layout.inside(root, path)) for path in _SOCKETS):
        return True
    try:
        names = os.listdir(layout.inside(root, _DEFINITIONS))
    except PermissionError:
        return True
    except OSError:
        return False
    return any(name.endswith(".xml") for name in names)
