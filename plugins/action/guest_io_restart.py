# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Action guest_io_restart: restart the guests that a selector matches, one after another. Documentation:
modules/guest_io_restart.py.
"""

from __future__ import annotations

from typing import Any

from ansible.utils.display import Display

from ..plugin_utils._action import Action, Ended
from ..plugin_utils._asked.restart import restart_order
from ..plugin_utils._render.operations import restart_lines
from ..plugin_utils._render.text import visible

display = Display()


class ActionModule(Action):
    """Calls guest_io_info once, and guest_restart for each guest."""

    ARGUMENTS = {
        "match": {"type": "raw"},
        "root": {"type": "str", "default": "/"},
        "node": {"type": "str"},
        "timeout": {"type": "int"},
        "start_timeout": {"type": "int"},
        "max_failures": {"type": "int", "default": 1},
        "force_stop": {"type": "bool"},
        "ha_managed": {"type": "bool"},
    }

    def act(self, options: dict[str, Any]) -> dict[str, Any]:
        """What became of each guest. A guest that failed is in ``failures``."""
        read = self.module("guest_io_info", "guests", root=options["root"], node=options["node"])
        order = restart_order(read["guests"], options["match"])
        done: dict[str, Any] = {"changed": False, "results": [], "failures": []}
        try:
            self._restart(order["order"], options, done)
        except Ended as ended:
            return {**ended.result, **done, "failed": True}
        finally:
            self._show(order, done["results"])
        return done

    def _restart(self, order: list[dict[str, Any]], options: dict[str, Any], done: dict[str, Any]) -> None:
        how = {name: options[name] for name in ("root", "timeout", "start_timeout", "force_stop", "ha_managed")}
        for number, entry in enumerate(order, 1):
            if len(done["failures"]) >= options["max_failures"]:
                return
            name = f"{visible(entry['guest'])} {visible(entry['name'])}".rstrip()
            if not self.check:
                display.display(f"{self.host}: restarting guest {name} ({number} of {len(order)})")
            returned = self.module("guest_restart", "result", guest=entry["guest"], **how)
            done["changed"] = done["changed"] or returned.get("changed", False)
            done["results"].append(returned["result"])
            if "msg" in returned:
                done["failures"].append(returned["msg"])

    def _show(self, order: dict[str, Any], results: list[dict[str, Any]]) -> None:
        lines = restart_lines(order, results, self.check)
        display.display(f"{self.host}: {lines[0]}")
        for line in [*lines[1:], order["names_nobody"]]:
            if line:
                display.display(visible(line))
