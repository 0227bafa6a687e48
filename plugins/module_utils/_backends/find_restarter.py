# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""How the guests of a host are restarted. A new hypervisor is a line here.

Apart from find.py, because Ansible sends a host all that a module imports.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from . import find
from .hypervisors import AUTO, LIBVIRT, PVE, here
from .layout import is_vmid
from .libvirt_connection import SYSTEM
from .restart import Restarter

# pylint: disable=import-outside-toplevel


def restarter(
    root: str,
    run: Any,
    api: Mapping[str, Any] | None = None,
    guest: str = "",
    hypervisor: str = AUTO,
    libvirt_uris: Sequence[str] = (SYSTEM,),
) -> Restarter | None:
    """How a guest of this host is restarted, or one behind an API; None where it cannot be, as in a tree.

    On a host with both hypervisors, a guest whose id is a number of Proxmox VE is Proxmox VE's: a domain that is named
    so is not read there. Raises layout.LayoutError.
    """
    if api is not None:
        from .api import connected
        from .api_restart import ApiRestarter

        return ApiRestarter(connected(api), guest)
    if not find.is_this_host(root):
        return None
    kinds = here(root, hypervisor, libvirt_uris)
    if LIBVIRT in kinds and not (PVE in kinds and is_vmid(guest)):
        from .libvirt_restart import LibvirtRestarter

        return LibvirtRestarter(root, libvirt_uris, run)
    if PVE in kinds:
        from .qm_restart import QmRestarter

        return QmRestarter(root, run)
    return None
