# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Action refuse_unknown: fail when a variable or a tag is given that nothing looks at. Documentation:
modules/refuse_unknown.py.

An action, because it needs the names of the extra variables apart from all others, and names of variables without their
values: those of hundreds of hosts must not be templated for it.
"""

from __future__ import annotations

from typing import Any

from ansible.utils.vars import load_extra_vars

from ..plugin_utils._action import Action
from ..plugin_utils._asked.variables import KNOWN, SURVEY, selection_refusals, tag_refusals, variable_refusals


class ActionModule(Action):
    """Looks at names, at no value but the answers of a survey, and at no host."""

    ARGUMENTS = {
        "prefixes": {"type": "list", "elements": "str", "choices": list(KNOWN)},
        "hosts": {"type": "list", "elements": "str", "default": []},
        "names_guests": {"type": "list", "elements": "str"},
        "no_hosts": {"type": "str"},
        "tags": {"type": "list", "elements": "str"},
    }

    def act(self, options: dict[str, Any]) -> dict[str, Any]:
        """The answers of a survey."""
        extra = set(load_extra_vars(self._loader))
        refusals = variable_refusals(extra, _others(self.task_vars, options["hosts"]), options["prefixes"])
        if options["names_guests"] is not None:
            refusals += selection_refusals(extra, options["names_guests"])
        if options["tags"] is not None:
            run, skip = self.task_vars["ansible_run_tags"], self.task_vars["ansible_skip_tags"]
            refusals += tag_refusals(options["tags"], run, skip)
        if not refusals and options["no_hosts"] is not None and not options["hosts"]:
            refusals.append(options["no_hosts"])
        if refusals:
            raise ValueError(" ".join(refusals))
        answers = self._answers()
        return {"answers": answers, "answered": bool(answers)}

    def _answers(self) -> list[dict[str, Any]]:
        """Each question of a survey that was answered, as the variable that it is about and the answer."""
        given = {name: self._templar.template(self.task_vars[name]) for name in KNOWN[SURVEY] if name in self.task_vars}
        return [
            {"variable": name.removeprefix(SURVEY), "value": answer}
            for name, answer in given.items()
            if answer not in ("", None)
        ]


def _others(task_vars: dict[str, Any], hosts: list[str]) -> dict[str, str | None]:
    """Each variable of the play and of ``hosts``, with the host where only one has it; without hosts, of the task's
    own.
    """
    if not hosts:
        return dict.fromkeys(task_vars)
    of_host = task_vars["hostvars"].raw_get
    # The host that a task of the whole run happens to be on need not be one of those.
    names: dict[str, str | None] = dict.fromkeys(set(task_vars) - set(of_host(task_vars["inventory_hostname"])))
    for host in hosts:
        for name in of_host(host):
            names[name] = None if name in names else host
    return names
