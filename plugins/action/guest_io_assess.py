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

from ..module_utils._backends.hypervisors import OPTIONS
from ..module_utils._model.records import NOT_THERE
from ..plugin_utils._action import Action, time_stamp
from ..plugin_utils._asked.values import guests_named
from ..plugin_utils._policy import shapes
from ..plugin_utils._policy.assess import assess
from ..plugin_utils._policy.policy import parse
from ..plugin_utils._policy.waivers_file import load

_READ = {
    "root": {"type": "str", "default": "/"},
    "api": {"type": "dict"},
    **OPTIONS,
    "node": {"type": "str"},
    "guests": {"type": "raw"},
    "host_roots": {"type": "dict"},
}
_ASSESS = {
    "policy": {"type": "raw", "required": True},
    "waivers": {"type": "raw"},
    "waivers_file": {"type": "path"},
    "date": {"type": "raw"},
    "migrate_controllers": {"type": "str"},
    "apply_foreign_pending": {"type": "bool", "default": False},
}


class ActionModule(Action):
    """Calls guest_io_info once, and assesses what it returned."""

    ARGUMENTS = {"assess_guests": {"type": "bool", "default": True}, **_READ, **_ASSESS}

    def act(self, options: dict[str, Any]) -> dict[str, Any]:
        """The findings document, with what else the read of the host found."""
        if not options["assess_guests"]:
            return {"began": time_stamp(), **self._read_host(options)}
        # null is not the same as not given: whoever gives it did not mean all guests.
        options["guests"] = guests_named(options["guests"]) if "guests" in self._task.args else None
        policy = parse(
            options["policy"],
            options["waivers"],
            load(options["waivers_file"]),
            options["migrate_controllers"],
            options["apply_foreign_pending"],
        )
        began = time_stamp()
        date = datetime.date.today() if options["date"] is None else shapes.date("date", options["date"])
        given = {name: options[name] for name in _READ}
        reading = json.loads(self.module("guest_io_info", "reading", as_text=True, **given)["reading"])
        missing = {problem["guest"] for problem in reading["problems"] if problem["reason"] == NOT_THERE}
        reading["problems"] = [problem for problem in reading["problems"] if problem["reason"] != NOT_THERE]
        return {
            **assess(reading, policy, date, self.host),
            "began": began,
            **({"host": reading["host"]} if "host" in reading else {}),
            "named": {guest: guest not in missing for guest in options["guests"] or ()},
        }

    def _read_host(self, options: dict[str, Any]) -> dict[str, Any]:
        """What the host itself is, without its guests: one call for each root."""
        found: dict[str, Any] = {}
        roots = options["host_roots"] or {}
        way = {name: options[name] for name in ("api", "node")} if options["api"] else {}
        # The write-back limits are read by their own task where no guests are.
        wanted = {subject: root for subject, root in roots.items() if subject != "writeback"}
        for root in dict.fromkeys(wanted.values()):
            subjects = [subject for subject, place in wanted.items() if place == root]
            found.update(self.module("host_settings_info", "host", subjects=subjects, root=root, **way)["host"])
        return {"host": found}
