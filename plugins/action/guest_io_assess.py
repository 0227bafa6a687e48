# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Action guest_io_assess: read on the host, assess on the controller. Documentation: modules/guest_io_assess.py.

The records of thousands of disks never become a variable: Ansible looks through each value of a variable for templates,
which takes longer than reading the disks.
"""

from __future__ import annotations

import datetime
import json
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

from ..module_utils._model.records import NOT_THERE
from ..module_utils._text import visible
from ..plugin_utils._asked.values import value_refusals
from ..plugin_utils._policy.assess import assess
from ..plugin_utils._policy.errors import PolicyError
from ..plugin_utils._policy.policy import parse, parse_date
from ..plugin_utils._policy.waivers_file import load

_READ = {
    "root": {"type": "str", "default": "/"},
    "node": {"type": "str"},
    "guests": {"type": "list", "elements": "str"},
    "writeback_root": {"type": "str"},
}
_ASSESS = {
    "policy": {"type": "raw", "required": True},
    "waivers": {"type": "raw"},
    "waivers_file": {"type": "path"},
    "date": {"type": "raw"},
    "migrate_controllers": {"type": "str"},
    "apply_foreign_pending": {"type": "bool", "default": False},
    "check_values": {"type": "dict", "default": {}},
}


class ActionModule(ActionBase):
    """Calls guest_io_info once, and assesses what it returned."""

    TRANSFERS_FILES = False
    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp: Any = None, task_vars: Any = None) -> dict[str, Any]:
        """Ansible's entry point."""
        super().run(tmp, task_vars)
        _checked, options = self.validate_argument_spec({**_READ, **_ASSESS})
        if refusals := value_refusals(options["check_values"]):
            raise AnsibleActionFail(visible("; ".join(refusals)))
        try:
            return self._run(options, task_vars or {})
        except PolicyError as exc:
            raise AnsibleActionFail(visible(exc)) from None

    def _run(self, options: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        policy = parse(
            options["policy"],
            options["waivers"],
            load(options["waivers_file"]),
            options["migrate_controllers"],
            options["apply_foreign_pending"],
        )
        began = f"{datetime.datetime.now(datetime.timezone.utc):%Y%m%dT%H%M%SZ}"
        date = datetime.date.today() if options["date"] is None else parse_date("date", options["date"])
        if options["guests"] is not None:
            options["guests"] = [guest.strip() for guest in options["guests"]]
        returned = self._execute_module(
            module_name="hypervisor.io_hardening.guest_io_info",
            module_args={name: options[name] for name in _READ if options[name] is not None} | {"as_text": True},
            task_vars=task_vars,
        )
        if returned.get("failed") or "reading" not in returned:
            return returned
        reading = json.loads(returned["reading"])
        missing = {problem["guest"] for problem in reading["problems"] if problem["reason"] == NOT_THERE}
        reading["problems"] = [problem for problem in reading["problems"] if problem["reason"] != NOT_THERE]
        return {
            "changed": False,
            **assess(reading, policy, date, task_vars.get("inventory_hostname")),
            "began": began,
            **({"writeback": reading["writeback"]} if "writeback" in reading else {}),
            "named": {guest: guest not in missing for guest in options["guests"] or ()},
        }
