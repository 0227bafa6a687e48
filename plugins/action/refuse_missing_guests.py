# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Action refuse_missing_guests: fail where a guest that was named is on no host. Documentation:
modules/refuse_missing_guests.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..plugin_utils._action import Action
from ..plugin_utils._asked.parts import nowhere


class ActionModule(Action):
    """Looks at the answers of hosts, at no host."""

    ARGUMENTS = {"answers": {"type": "dict", "required": True}, "lacks": {"type": "str", "default": "is not there"}}

    def act(self, options: dict[str, Any]) -> dict[str, Any]:
        """Nothing while a host gave no answer: the guest may be there."""
        answers = options["answers"].values()
        if not all(isinstance(named, Mapping) for named in answers):
            return {}
        if missing := nowhere(options["answers"], options["lacks"]):
            raise ValueError("; ".join(missing))
        return {}
