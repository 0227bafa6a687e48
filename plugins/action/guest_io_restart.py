# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Action guest_io_restart: restart the guests that a selector matches, one after another. Documentation:
modules/guest_io_restart.py.
"""

from __future__ import annotations

from typing import Any

from ansible.errors import AnsibleConnectionFailure

from ..module_utils._backends.hypervisors import OPTIONS
from ..plugin_utils._action import Action, Ended
from ..plugin_utils._asked.restart import restart_order
from ..plugin_utils._render.operations import restart_line
from ..plugin_utils._render.text import toned, visible, who, wrap_all
from ..plugin_utils._terminal import show, width


class ActionModule(Action):
    """Calls guest_io_info once, and guest_restart for each guest."""

    ARGUMENTS = {
        "match": {"type": "raw"},
        "root": {"type": "str", "default": "/"},
        "api": {"type": "dict"},
        **OPTIONS,
        "node": {"type": "str"},
        "timeout": {"type": "int"},
        "start_timeout": {"type": "int"},
        "max_failures": {"type": "int", "default": 1},
        "force_stop": {"type": "bool"},
        "ha_managed": {"type": "bool"},
        "variable": {"type": "str"},
    }

    def act(self, options: dict[str, Any]) -> dict[str, Any]:
        """What became of each guest. A guest that failed is in ``failures``, and so is a host that gave no answer: what
        was done before is shown at the end of the run, which fails then.
        """
        done: dict[str, Any] = {
            "changed": False,
            "results": [],
            "failures": [],
            "order": None,
            "stopped": False,
            "broken": False,
        }
        if options["variable"] and self._stopped_before(options["variable"], options["max_failures"]):
            return {**done, "stopped": True}
        try:
            where = {name: options[name] for name in ("root", "node", "api", *OPTIONS)}
            read = self.module("guest_io_info", "guests", **where)
            done["order"] = restart_order(read["guests"], options["match"])
            self._restart(done["order"]["order"], options, done)
        except Ended as ended:
            self._broken(done, visible(ended))
        except AnsibleConnectionFailure as exc:
            self._broken(done, f"cannot be reached: {visible(exc)}")
        return done

    def _broken(self, done: dict[str, Any], why: str) -> None:
        done["failures"].append(why)
        done["broken"] = True
        show(toned("error", [f"{self.host}: {why}"]))

    def _stopped_before(self, variable: str, most: int) -> bool:
        """Whether the run has stopped on a host whose turn was before: it gave no answer, or too many guests failed."""
        of_host = self.task_vars["hostvars"].raw_get
        for host in self.task_vars["ansible_play_hosts_all"]:
            found = of_host(host).get(variable) or {}
            if found.get("broken") or len(found.get("failures", ())) >= most:
                return True
        return False

    def _restart(self, order: list[dict[str, Any]], options: dict[str, Any], done: dict[str, Any]) -> None:
        names = ("root", "api", *OPTIONS, "timeout", "start_timeout", "force_stop", "ha_managed")
        how = {name: options[name] for name in names}
        for number, entry in enumerate(order, 1):
            if len(done["failures"]) >= options["max_failures"]:
                return
            verb, goes_on = ("", "") if self.check else ("restarting ", " ...")
            show([f"{self.host}: {verb}guest {who(entry)} ({number} of {len(order)}){goes_on}"])
            returned = self.module("guest_restart", "result", guest=entry["guest"], **how)
            done["changed"] = done["changed"] or returned.get("changed", False)
            done["results"].append(returned["result"])
            line = restart_line(entry, returned["result"], self.check)
            show(wrap_all(toned("error" if "msg" in returned else None, [line]), width()))
            if "msg" in returned:
                done["failures"].append(returned["msg"])
