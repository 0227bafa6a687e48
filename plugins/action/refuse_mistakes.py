# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Action refuse_mistakes: fail when a variable or a tag is given that nothing looks at, or a value that cannot be.
Documentation: modules/refuse_mistakes.py.

An action, because it needs the names of the extra variables apart from all others, and the variables of hundreds of
hosts without a template for each.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible.errors import AnsibleError
from ansible.plugins.lookup.inventory_hostnames import LookupModule as HostsOfPattern
from ansible.utils.vars import load_extra_vars

from ..plugin_utils._action import Action
from ..plugin_utils._asked.api import without_journal
from ..plugin_utils._asked.given import given_refusals
from ..plugin_utils._asked.specs import PREFIXES, SURVEY, known
from ..plugin_utils._asked.values import value_refusal
from ..plugin_utils._asked.variables import (
    nothing_to_do,
    selection_refusals,
    tag_refusals,
    unseen_refusals,
    variable_refusals,
)


class ActionModule(Action):
    """Looks at variables and tags, and at no host."""

    ARGUMENTS = {
        "prefixes": {"type": "list", "elements": "str", "choices": list(PREFIXES)},
        "hosts": {"type": "raw"},
        "does": {"type": "str", "default": "do"},
        "names_guests": {"type": "list", "elements": "str"},
        "no_hosts": {"type": "str"},
        "journal": {"type": "bool", "default": False},
        "tags": {"type": "list", "elements": "str"},
    }

    def act(self, options: dict[str, Any]) -> dict[str, Any]:
        """The answers of a survey, and whether the run has all hosts of its pattern."""
        extra = set(load_extra_vars(self._loader))
        if "hosts" in self._task.args:
            matched = self._matched(options["hosts"])
            hosts = [host for host in matched if host in set(self.task_vars["ansible_play_hosts_all"])]
        else:
            matched = hosts = [self.host]
        own = self._of_host(self.host)
        of_hosts = {host: self._of_host(host) for host in hosts}
        # The host that a task of the whole run happens to be on need not be one of those.
        of_play = {name: self.task_vars[name] for name in self.task_vars.keys() - own.keys()}
        refusals = variable_refusals(extra, _with_hosts(of_play, of_hosts), options["prefixes"])
        if "hosts" in self._task.args:
            # The pattern may come from its variables, and match no host.
            refusals += unseen_refusals(extra, {self.host: own, **of_hosts})
        if options["names_guests"] is not None:
            refusals += selection_refusals(extra, options["names_guests"])
        if options["journal"]:
            refusals += without_journal(of_hosts)
        if options["tags"] is not None:
            run, skip = self.task_vars["ansible_run_tags"], self.task_vars["ansible_skip_tags"]
            refusals += tag_refusals(options["tags"], run, skip)
        if not refusals and not hosts:
            refusals.append(options["no_hosts"] or nothing_to_do(options["does"], options["hosts"]))
        values = {None: of_play, **of_hosts}
        refusals += given_refusals(values, extra, options["prefixes"], self._templar.is_template, self._evaluated)
        if refusals:
            raise ValueError(
                " ".join(refusal if refusal.endswith((".", "?")) else f"{refusal}." for refusal in refusals)
            )
        answers = self._answers()
        return {"answers": answers, "answered": bool(answers), "complete": len(hosts) == len(matched)}

    def _matched(self, pattern: Any) -> list[str]:
        """The inventory's hosts of a pattern, in the limit or not."""
        if refusal := value_refusal("io_hardening_hosts", pattern):
            raise ValueError(refusal)
        lookup = HostsOfPattern(loader=self._loader, templar=self._templar)
        return lookup.run([pattern], variables={"groups": self.task_vars["groups"]})

    def _of_host(self, host: str) -> Mapping[str, Any]:
        """The variables of a host, not templated."""
        return self.task_vars["hostvars"].raw_get(host)

    def _evaluated(self, host: str | None, name: str) -> Any:
        """The value of a host's variable, or of the play's; None where it is not known yet."""
        try:
            if host is None or host == self.host:
                return self._templar.template(self.task_vars[name])
            return self.task_vars["hostvars"][host][name]
        except AnsibleError:
            return None

    def _answers(self) -> list[dict[str, Any]]:
        """Each question of a survey that was answered, as the variable that it is about and the answer."""
        given = {
            name: self._templar.template(self.task_vars[name]) for name in known()[SURVEY] if name in self.task_vars
        }
        return [
            {"variable": name.removeprefix(SURVEY), "value": answer}
            for name, answer in given.items()
            if answer not in ("", None)
        ]


def _with_hosts(of_play: Mapping[str, Any], of_hosts: Mapping[str, Mapping[str, Any]]) -> dict[str, str | None]:
    """Each variable of the play and of the hosts, with the host where only one has it."""
    names: dict[str, str | None] = dict.fromkeys(of_play)
    for host, variables in of_hosts.items():
        for name in variables:
            names[name] = None if name in names else host
    return names
