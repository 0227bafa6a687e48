# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Action refuse_values: fail where a value must be a mistake. Documentation: modules/refuse_values.py."""

from __future__ import annotations

from typing import Any

from ..plugin_utils._action import Action
from ..plugin_utils._asked.values import TAKES, value_refusals


class ActionModule(Action):
    """Looks at the values that it is given, at no host."""

    ARGUMENTS = {name: {"type": "raw"} for name in TAKES}

    def act(self, options: dict[str, Any]) -> dict[str, Any]:
        """Nothing more."""
        # An option that is null is not one that is not given.
        if refusals := value_refusals({name: options[name] for name in self._task.args}):
            raise ValueError("; ".join(refusals))
        return {}
