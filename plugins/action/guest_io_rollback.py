# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Action guest_io_rollback: carry out the plan of a rollback. Documentation: modules/guest_io_rollback.py."""

from __future__ import annotations

from typing import Any

from ..module_utils._backends.hypervisors import OPTIONS
from ..plugin_utils._action import Action


class ActionModule(Action):
    """Calls guest_io once, and host_settings where the run set something of the host itself."""

    ARGUMENTS = {
        "rollback": {"type": "dict", "required": True},
        "name": {"type": "str", "required": True},
        "root": {"type": "str", "default": "/"},
        "api": {"type": "dict"},
        **OPTIONS,
        "host_root": {"type": "str", "default": "/"},
        "journal": {"type": "str"},
        "max_parallel": {"type": "int"},
        "apply_foreign_pending": {"type": "bool"},
    }

    def act(self, options: dict[str, Any]) -> dict[str, Any]:
        """The results. A guest that failed is in ``failures``: the others go on, and the run fails at its end."""
        rollback = options["rollback"]
        names = ("root", "api", *OPTIONS, "journal", "max_parallel", "apply_foreign_pending")
        done = self.module(
            "guest_io",
            "results",
            plan=rollback["plan"],
            run=options["name"],
            policy=f"rollback of {rollback['run']}",
            rolls_back=rollback["run"],
            **{name: options[name] for name in names},
        )
        settings = self._put_back_settings(options) if rollback["settings"] else {}
        said = (done.get("msg"), settings.get("msg"), rollback["not_whole"])
        failures = [sentence for sentence in said if sentence]
        return {
            "changed": done["changed"] or bool(settings.get("changed")),
            "results": done["results"],
            "settings": settings.get("results", []),
            "left": settings.get("left", []),
            "diff": done.get("diff", []) + settings.get("diff", []),
            "rollback": rollback,
            "failures": failures,
        }

    def _put_back_settings(self, options: dict[str, Any]) -> dict[str, Any]:
        run = options["rollback"]["run"]
        return self.module(
            "host_settings",
            "results",
            undo_run=run,
            run=options["name"],
            policy=f"rollback of {run}",
            root=options["host_root"],
            journal=options["journal"],
        )
