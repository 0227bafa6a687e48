# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Action refuse_unknown: fail where a variable or a tag is given that nothing looks at. Documentation:
modules/refuse_unknown.py.

An action, because it needs the names of the extra variables apart from all others, and names of variables without their
values: those of hundreds of hosts are not to be templated for it.
"""

from __future__ import annotations

from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible.utils.vars import load_extra_vars

from ..module_utils._text import visible
from ..plugin_utils._asked.variables import KNOWN, selection_refusals, tag_refusals, variable_refusals

ARGUMENTS = {
    "prefixes": {"type": "list", "elements": "str", "choices": list(KNOWN)},
    "hosts": {"type": "list", "elements": "str", "default": []},
    "names_guests": {"type": "list", "elements": "str"},
    "no_hosts": {"type": "str"},
    "tags": {"type": "list", "elements": "str"},
}


class ActionModule(ActionBase):
    """Looks at names, at no value and no host."""

    TRANSFERS_FILES = False
    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp: Any = None, task_vars: Any = None) -> dict[str, Any]:
        """Ansible's entry point."""
        super().run(tmp, task_vars)
        task_vars = task_vars or {}
        _checked, options = self.validate_argument_spec(ARGUMENTS)
        extra = set(load_extra_vars(self._loader))
        refusals = variable_refusals(extra, _others(task_vars, options["hosts"]), options["prefixes"])
        if options["names_guests"] is not None:
            refusals += selection_refusals(extra, options["names_guests"])
        if options["tags"] is not None:
            refusals += tag_refusals(options["tags"], task_vars["ansible_run_tags"], task_vars["ansible_skip_tags"])
        if not refusals and options["no_hosts"] is not None and not options["hosts"]:
            refusals.append(options["no_hosts"])
        if refusals:
            raise AnsibleActionFail(visible(" ".join(refusals)))
        return {"changed": False}


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
