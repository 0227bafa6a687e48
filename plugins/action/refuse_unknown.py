# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Action refuse_unknown: fail when a variable or a tag is given that nothing looks at. Documentation:
modules/refuse_unknown.py.

An action, because it needs the names of the extra variables apart from all others, and names of variables without their
values: those of hundreds of hosts must not be templated for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible.plugins.lookup.inventory_hostnames import LookupModule as HostsOfPattern
from ansible.utils.vars import load_extra_vars

from ..plugin_utils._action import Action
from ..plugin_utils._asked.values import value_refusals
from ..plugin_utils._asked.variables import (
    KNOWN,
    SURVEY,
    nothing_to_do,
    selection_refusals,
    tag_refusals,
    unseen_refusals,
    variable_refusals,
)


class ActionModule(Action):
    """Looks at names, at no value but the pattern of hosts and the answers of a survey, and at no host."""

    ARGUMENTS = {
        "prefixes": {"type": "list", "elements": "str", "choices": list(KNOWN)},
        "hosts": {"type": "raw"},
        "does": {"type": "str", "default": "do"},
        "names_guests": {"type": "list", "elements": "str"},
        "no_hosts": {"type": "str"},
        "tags": {"type": "list", "elements": "str"},
    }

    def act(self, options: dict[str, Any]) -> dict[str, Any]:
        """The answers of a survey, and whether the run has all hosts of its pattern."""
        extra = set(load_extra_vars(self._loader))
        pattern, matched, hosts = options["hosts"], [], []
        if "hosts" in self._task.args:
            matched = self._matched(pattern)
            hosts = [host for host in matched if host in set(self.task_vars["ansible_play_hosts_all"])]
        of_hosts = self._variables_of(hosts)
        refusals = variable_refusals(extra, _others(self.task_vars, of_hosts), options["prefixes"])
        refusals += unseen_refusals(extra, of_hosts) if "hosts" in self._task.args else []
        if options["names_guests"] is not None:
            refusals += selection_refusals(extra, options["names_guests"])
        if options["tags"] is not None:
            run, skip = self.task_vars["ansible_run_tags"], self.task_vars["ansible_skip_tags"]
            refusals += tag_refusals(options["tags"], run, skip)
        if not refusals and "hosts" in self._task.args and not hosts:
            refusals.append(options["no_hosts"] or nothing_to_do(options["does"], pattern))
        if refusals:
            raise ValueError(" ".join(refusals))
        answers = self._answers()
        return {"answers": answers, "answered": bool(answers), "complete": len(hosts) == len(matched)}

    def _matched(self, pattern: Any) -> list[str]:
        """The inventory's hosts of a pattern, in the limit or not."""
        if refusals := value_refusals({"io_hardening_hosts": pattern}):
            raise ValueError(refusals[0])
        lookup = HostsOfPattern(loader=self._loader, templar=self._templar)
        return lookup.run([pattern], variables={"groups": self.task_vars["groups"]})

    def _variables_of(self, hosts: list[str]) -> dict[str, Mapping[str, Any]]:
        """Each host's variables, not templated; the task's own host's where there are no hosts."""
        of_host = self.task_vars["hostvars"].raw_get
        return {host: of_host(host) for host in hosts or [self.host]}

    def _answers(self) -> list[dict[str, Any]]:
        """Each question of a survey that was answered, as the variable that it is about and the answer."""
        given = {name: self._templar.template(self.task_vars[name]) for name in KNOWN[SURVEY] if name in self.task_vars}
        return [
            {"variable": name.removeprefix(SURVEY), "value": answer}
            for name, answer in given.items()
            if answer not in ("", None)
        ]


def _others(task_vars: dict[str, Any], of_hosts: dict[str, Mapping[str, Any]]) -> dict[str, str | None]:
    """Each variable of the play and of the hosts, with the host where only one has it."""
    # The host that a task of the whole run happens to be on need not be one of those.
    own = task_vars["hostvars"].raw_get(task_vars["inventory_hostname"])
    names: dict[str, str | None] = dict.fromkeys(set(task_vars) - set(own))
    for host, variables in of_hosts.items():
        for name in variables:
            names[name] = None if name in names else host
    return names
