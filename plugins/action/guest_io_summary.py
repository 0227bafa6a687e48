# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Action guest_io_summary: show what restarts or a rollback did on all hosts, and what to do next. Documentation:
modules/guest_io_summary.py.
"""

from __future__ import annotations

from typing import Any

from ..plugin_utils._action import Action
from ..plugin_utils._called import called
from ..plugin_utils._fleet.operations import restarted, rolled_back
from ..plugin_utils._render.next_lines import step_lines
from ..plugin_utils._render.next_steps import restarts_steps, rollbacks_steps
from ..plugin_utils._render.operations import restart_table, rollback_table
from ..plugin_utils._terminal import show, width


class ActionModule(Action):
    """Shows, and returns what fails the run."""

    ARGUMENTS = {
        "hosts": {"type": "list", "elements": "str", "required": True},
        "restarts": {"type": "str"},
        "rollbacks": {"type": "str"},
        "run": {"type": "str"},
    }
    CONDITIONS = {
        "mutually_exclusive": [("restarts", "rollbacks")],
        "required_one_of": [("restarts", "rollbacks")],
    }

    def act(self, options: dict[str, Any]) -> dict[str, Any]:
        """``failures``: host to a sentence for each thing that fails it."""
        variable, raw = options["restarts"] or options["rollbacks"], self.task_vars["hostvars"].raw_get
        done = {host: raw(host).get(variable) for host in options["hosts"]}
        call, columns = called(self.task_vars), width()
        if options["restarts"]:
            show(restart_table(done, self.check, columns))
            steps, guests = restarts_steps(done, call, self.check), restarted(done)
        else:
            show(rollback_table(done, self.check, columns))
            steps, guests = rollbacks_steps(done, options["run"], call, self.check), rolled_back(done)
        left = any(guest["status"] in ("skipped", "failed") for guest in guests)
        show(step_lines(steps, left, call.left_out, columns))
        failures = {host: list((found or {}).get("failures", ())) for host, found in done.items()}
        return {"failures": failures, "trouble": any(failures.values())}
