# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Action host_writeback_limits: read on the host, assess on the controller, and set what differs. Documentation:
modules/host_writeback_limits.py.
"""

from __future__ import annotations

import datetime
from typing import Any

from ..module_utils._writeback.assess import assess, report
from ..plugin_utils._action import Action
from ..plugin_utils._asked.api import needs_ssh

SETTINGS = {
    "mode": {"type": "raw", "default": "auto"},
    "state": {"type": "raw", "default": "present"},
    "take_over": {"type": "bool", "default": False},
    "ratio": {"type": "raw", "default": 2},
    "background_ratio": {"type": "raw", "default": 1},
    "limit_bytes": {"type": "raw", "default": 268435456},
    "background_limit_bytes": {"type": "raw", "default": 134217728},
}


class ActionModule(Action):
    """Calls host_writeback_info unless it is given its facts, and host_writeback where there is something to set."""

    ARGUMENTS = {
        "root": {"type": "str", "default": "/"},
        "api": {"type": "dict"},
        "set": {"type": "bool", "default": True},
        "facts": {"type": "dict"},
        **SETTINGS,
    }

    def act(self, options: dict[str, Any]) -> dict[str, Any]:
        """What was found, and what became of it."""
        if options["api"]:
            return needs_ssh("writeback")
        return {**self._done(options), "date": datetime.date.today().isoformat()}

    def _done(self, options: dict[str, Any]) -> dict[str, Any]:
        facts = options["facts"] or self.module("host_writeback_info", "kernel", root=options["root"])
        assessment = assess(facts, {name: options[name] for name in SETTINGS}, self.host, "host_writeback_")
        if not options["set"] or assessment["plan"] is None:
            return report(assessment, None, self.check)
        done = self.module("host_writeback", "changes", root=options["root"], plan=assessment["plan"])
        returned = report(assessment, done, self.check)
        return {**returned, "diff": done["diff"]} if "diff" in done else returned
