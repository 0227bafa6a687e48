# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Action harden_parts: which parts of harden_io a host gets. Documentation: modules/harden_parts.py."""

from __future__ import annotations

from typing import Any

from ..plugin_utils._action import Action
from ..plugin_utils._asked.parts import SUBJECTS, parts


class ActionModule(Action):
    """Looks at what the run is asked for, at no host."""

    ARGUMENTS = {"parts": {"type": "raw"}, "guests": {"type": "raw"}, "roots": {"type": "dict", "default": {}}}

    def act(self, options: dict[str, Any]) -> dict[str, Any]:
        """The parts, and the subjects of the host that are read for them."""
        tags = self.task_vars["ansible_run_tags"], self.task_vars["ansible_skip_tags"]
        chosen = parts(options["parts"], options["guests"], *tags)
        roots = options["roots"]
        found = {name: roots[part] for part in chosen if part in roots for name in SUBJECTS.get(part, ())}
        return {"parts": chosen, "roots": found}
