# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Action guest_io_change: apply a plan in batches, plan once more what changed meanwhile, and assess how the guests are
then. Documentation: modules/guest_io_change.py.
"""

from __future__ import annotations

from typing import Any

from ansible.errors import AnsibleConnectionFailure
from ansible.utils.display import Display

from ..module_utils._backends.hypervisors import OPTIONS
from ..plugin_utils._action import Action, Ended
from ..plugin_utils._fleet.retry import MOVED, merge
from ..plugin_utils._fleet.twice import judged_twice

APPLY = {
    "root": {"type": "str", "default": "/"},
    "api": {"type": "dict"},
    **OPTIONS,
    "max_parallel": {"type": "int"},
    "apply_foreign_pending": {"type": "bool", "default": False},
    "journal": {"type": "str"},
    "run": {"type": "str"},
}
ASSESS = {
    "node": {"type": "str"},
    "guests": {"type": "list", "elements": "str"},
    "policy": {"type": "raw", "required": True},
    "waivers": {"type": "raw"},
    "waivers_file": {"type": "path"},
    "migrate_controllers": {"type": "str"},
}

display = Display()


class ActionModule(Action):
    """Calls guest_io for each batch, and guest_io_assess where guests have to be read again."""

    ARGUMENTS = {
        "plan": {"type": "list", "elements": "dict", "required": True},
        "policy_id": {"type": "str"},
        "batch": {"type": "int", "default": 25},
        **APPLY,
        **ASSESS,
    }

    def act(self, options: dict[str, Any]) -> dict[str, Any]:
        """The results so far are returned where a later step fails: what was written is reported."""
        self._apply_options = {name: options[name] for name in APPLY} | {"policy": options["policy_id"]}
        both = ("root", "api", "apply_foreign_pending", *OPTIONS)
        self._assess_options = {name: options[name] for name in (*ASSESS, *both)}
        if options["api"]:
            self._refuse_judged_twice()
        done: dict[str, Any] = {"changed": False, "results": [], "diff": [], "run": None}
        try:
            self._change(options["plan"], max(options["batch"], 1), done)
        except Ended as ended:
            return {**ended.result, **done, "failed": True}
        except AnsibleConnectionFailure as exc:
            if not done["results"]:
                raise
            return {**done, "failed": True, "msg": str(exc)}
        return done

    def _refuse_judged_twice(self) -> None:
        """A host behind an API leaves the guests of all others to these."""
        of_host = self.task_vars["hostvars"].raw_get
        found = {
            host: of_host(host).get("guest_io_findings") or {} for host in self.task_vars["ansible_play_hosts_all"]
        }
        guests = {host: document.get("guests") or () for host, document in found.items()}
        twice = judged_twice(guests.pop(self.host, ()), guests)
        if twice:
            raise ValueError(twice)

    def _change(self, plan: list[dict[str, Any]], batch: int, done: dict[str, Any]) -> None:
        for first in range(0, len(plan), batch):
            done["results"] += self._apply(plan[first : first + batch], done)
            if len(plan) > batch:
                display.display(f"{self.host}: {min(first + batch, len(plan))} of {len(plan)} guests done")
        moved = [result["guest"] for result in done["results"] if result["reason"] == MOVED]
        if moved:
            again = self._assess(guests=moved)
            second = self._apply(again["plan"], done) if again["plan"] else []
            done["results"] = merge(done["results"], again, second)
        if not self.check and any(result["status"] == "changed" for result in done["results"]):
            done["findings"] = self._assess()

    def _apply(self, plan: list[dict[str, Any]], done: dict[str, Any]) -> list[dict[str, Any]]:
        # One guest's failure is that guest's: the others go on, and the run fails at its end.
        returned = self.module("guest_io", "results", plan=plan, **self._apply_options)
        done["changed"] = done["changed"] or returned["changed"]
        if returned["changed"] and not self.check:
            done["run"] = returned.get("run")
        done["diff"] += returned.get("diff", [])
        return returned["results"]

    def _assess(self, **instead: Any) -> dict[str, Any]:
        return self.action("guest_io_assess", "plan", **{**self._assess_options, **instead})
