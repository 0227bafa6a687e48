# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""A stand-in for Proxmox VE's API: an HTTPS server that answers for a tree of guests as pveproxy 9.2 was recorded to.

It acts on the same tree as the stand-in for ``qm`` and through it, so what one of them writes the other reads. It shares
no code with the collection. ``tests/unit/stand_ins/test_pve_api_replay.py`` holds it against the recorded exchanges.
"""

from __future__ import annotations

from .faults import Fault
from .privileges import Token
from .server import ApiStandIn

__all__ = ["ApiStandIn", "Fault", "Token"]
