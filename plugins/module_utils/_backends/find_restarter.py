# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""How the guests of a host are restarted. A new hypervisor is a line here.

Apart from find.py, because Ansible sends a host all that a module imports.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from . import find, layout
from .qm_command import Run
from .qm_restart import QmRestarter
from .restart import Restarter


def restarter(root: str, run: Run, api: Mapping[str, Any] | None = None, guest: str = "") -> Restarter | None:
    """How a guest of this host is restarted, or one behind an API; None where it cannot be, as in a tree.

    Raises layout.LayoutError.
    """
    if api is not None:
        from .api import connected
        from .api_restart import ApiRestarter

        return ApiRestarter(connected(api), guest)
    return QmRestarter(root, run) if find.is_this_host(root) and layout.is_node(root) else None
