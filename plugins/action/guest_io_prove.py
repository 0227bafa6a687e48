# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Action guest_io_prove: measure a guest's disk as it is and as the policy wants it. Documentation:
modules/guest_io_prove.py.
"""

from __future__ import annotations

from typing import Any

from ..module_utils._prove.errors import ProveError
from ..plugin_utils._action import Action
from ..plugin_utils._asked.measure import settings


class ActionModule(Action):
    """Calls guest_io_info and guest_io_assess for a guest that is named, and io_prove."""

    ARGUMENTS = {
        "guest": {"type": "str"},
        "disk": {"type": "str"},
        "root": {"type": "str", "default": "/"},
        "policy": {"type": "raw", "default": {}},
        "also": {"type": "list", "elements": "dict"},
        "during": {"type": "list", "elements": "str"},
        "measure": {"type": "dict", "required": True},
    }

    def act(self, options: dict[str, Any]) -> dict[str, Any]:
        """What io_prove returned."""
        guests: list[dict[str, Any]] = []
        findings: dict[str, Any] = {}
        guest = options["guest"]
        if guest:
            where = {"root": options["root"], "guests": [guest]}
            guests = self.module("guest_io_info", "guests", **where)["guests"]
            # Nothing is changed here: what a guest would get with another controller is measured.
            every_guest = "guest.id != ''"
            findings = self.action(
                "guest_io_assess", "plan", policy=options["policy"], migrate_controllers=every_guest, **where
            )
        try:
            compared = settings(guests, findings, guest, options["disk"], options["also"], options["during"])
        except ProveError as exc:
            raise ValueError(str(exc)) from None
        return self.module("io_prove", "lines", settings=compared, **options["measure"])
