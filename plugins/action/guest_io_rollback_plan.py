# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Action guest_io_rollback_plan: choose the run to roll back, and plan it on this host. Documentation:
modules/guest_io_rollback_plan.py.
"""

from __future__ import annotations

from typing import Any

from ..module_utils._backends.hypervisors import OPTIONS
from ..plugin_utils._action import Action, time_stamp
from ..plugin_utils._asked.rollback import choose_run, guest_ids, plan_rollback


class ActionModule(Action):
    """Reads the journal of the chosen run, and the guests."""

    ARGUMENTS = {
        "journals": {"type": "list", "elements": "dict", "required": True},
        "here": {"type": "dict"},
        "run": {"type": "raw", "default": "last"},
        "guests": {"type": "raw", "default": "all"},
        "root": {"type": "str", "default": "/"},
        "api": {"type": "dict"},
        **OPTIONS,
        "host_root": {"type": "str", "default": "/"},
        "journal": {"type": "str"},
        "node": {"type": "str"},
    }

    def act(self, options: dict[str, Any]) -> dict[str, Any]:
        """The plan, and the name for the run that carries it out."""
        where = {name: options[name] for name in ("root", "node", "api", *OPTIONS)}
        only = guest_ids(options["guests"])
        if not all(map(_is_journal, [*options["journals"], *([options["here"]] if options["here"] else [])])):
            raise ValueError("journals takes what guest_io_journal_info returned on each host")
        run = choose_run(options["journals"], options["run"])
        journal = options["here"]
        if not journal or journal["run"] != run:
            # The last run of all hosts need not be the last one here.
            place = {"journal": options["journal"], "host_root": options["host_root"]}
            journal = self.module("guest_io_journal_info", "entries", run=run, **place, **where)
        plan = plan_rollback(journal, self.module("guest_io_info", "guests", **where), run, only)
        return {"rollback": plan, "name": f"{time_stamp()}-rollback"}


def _is_journal(given: dict[str, Any]) -> bool:
    runs = given.get("runs")
    return isinstance(runs, list) and all(isinstance(run, dict) and {"run", "started"} <= run.keys() for run in runs)
