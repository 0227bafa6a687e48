# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Proxmox VE's HA manager, as far as a restart needs it: its resources and their state. Text in, values out.

From pve-ha-manager: ``vm_is_ha_managed`` and ``read_and_check_resources_config`` of HA/Config.pm, Resources/PVEVM.pm.
"""

from __future__ import annotations

import json
import re
from typing import Any

_RESOURCE = re.compile(r"^(vm|ct):\s*(\d+)\s*$", re.ASCII)
_STATE = re.compile(r"^\s+state\s+(\S+)\s*$", re.ASCII)


def requested(resources: str, guest: str) -> str | None:
    """The requested state of a guest in resources.cfg; None where HA does not manage it.

    A guest with the state ``ignored`` is not managed. Without a state it is ``started``.
    """
    state, mine = None, False
    for line in resources.split("\n"):
        if match := _RESOURCE.match(line):
            mine = match[2] == guest
            state = "started" if mine else state
        elif mine and (match := _STATE.match(line)):
            state = "started" if match[1] == "enabled" else match[1]
        elif line[:1].strip():
            mine = False
    return None if state == "ignored" else state


def current(status: str, guest: str) -> tuple[str | None, str | None]:
    """(state, node) of a guest in manager_status; (None, None) where HA lacks it, or the text is not HA's status."""
    try:
        services: Any = json.loads(status).get("service_status", {})
        service = services.get(f"vm:{guest}", {})
        return service.get("state"), service.get("node")
    except (ValueError, AttributeError):
        return None, None
