# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""How a plan names the guests, configs, disks and controllers of Proxmox VE. Pure."""

from __future__ import annotations

import re
from typing import Any

from .._shown import shown
from .drive import DISK_BUSES, IOTHREAD_BUSES, parse_key

# A guest's id is from 100 to 999999999 (pve-common JSONSchema, pve-vmid); a node is named like a host.
_GUEST = re.compile(r"[1-9][0-9]{2,8}")
_NODE = re.compile(r"[a-zA-Z0-9](?:[a-zA-Z0-9\-]*[a-zA-Z0-9])?")

_KEY = re.compile(r"[a-z]{1,10}[0-9]{1,2}")

#: What a guest config calls the SCSI controller.
CONTROLLER = "scsihw"

#: What is said of a guest that does not run and for which something waits.
STOPPED = "does not run; its pending changes take effect at its next cold start"

#: What a disk is called, for an error.
A_DISK = "a disk such as scsi0 or virtio0"


def misplaced(guest: Any, node: Any, config: Any) -> str | None:
    """What is wrong with a config that is not at a path where layout.py finds that of the guest; None where it is."""
    if not (isinstance(guest, str) and _GUEST.fullmatch(guest)):
        return f"guest is {shown(guest)}; it takes an id from 100 to 999999999"
    if node is not None and not (isinstance(node, str) and _NODE.fullmatch(node)):
        return f"node is {shown(node)}; it takes the name of a node, or null"
    if node is None:
        paths = [f"/etc/pve/qemu-server/{guest}.conf", f"/{guest}.conf", f"/{guest}.json"]
    else:
        paths = [f"/etc/pve/nodes/{node}/qemu-server/{guest}.conf"]
    if config in paths:
        return None
    on = f"on node {node}" if node else "without a node"
    return f"config is {shown(config)}; that of guest {guest} {on} is {' or '.join(paths)}"


def options(key: Any) -> tuple[str, ...]:
    """The options that a plan may set on a disk; none where the key is not that of a disk."""
    place = parse_key(key) if isinstance(key, str) and _KEY.fullmatch(key) else None
    if place is None or place[0] not in DISK_BUSES:
        return ()
    return ("aio", "cache", "iothread") if place[0] in IOTHREAD_BUSES else ("aio", "cache")
