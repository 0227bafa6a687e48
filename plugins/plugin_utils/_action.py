# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""What the collection's action plugins share: options that Ansible checks, modules and actions to run, errors."""

from __future__ import annotations

import datetime
from abc import abstractmethod
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

from ..module_utils._text import builtin, one_line
from ._libraries import missing_libraries

_COLLECTION = "hypervisor.io_hardening"


class Ended(Exception):
    """A module or an action failed; ``result`` is what it returned, and so what the task returns."""

    def __init__(self, result: dict[str, Any]) -> None:
        super().__init__(result.get("msg"))
        self.result = result


class Action(ActionBase):
    """An action that handles what hosts return where it is: no value passes through a template.

    A subclass has its options as ``ARGUMENTS``, an argument spec, with ``CONDITIONS`` between them where there are any
    (``mutually_exclusive`` and the like), and does its work in ``act``. A ValueError from there is a sentence for a
    person, and fails the task. It gets values of Python's own types, as do its rooms and their libraries, whatever
    Ansible marks its values with: JMESPath does not take a subclass of a text for a text.
    """

    TRANSFERS_FILES = False
    ARGUMENTS: dict[str, Any]
    CONDITIONS: dict[str, Any] = {}
    task_vars: dict[str, Any]
    _supports_check_mode = True
    _supports_async = False

    @abstractmethod
    def act(self, options: dict[str, Any]) -> dict[str, Any]:
        """The task's result, without ``changed`` where nothing is."""

    def run(self, tmp: Any = None, task_vars: Any = None) -> dict[str, Any]:
        """Ansible's entry point."""
        super().run(tmp, task_vars)
        self.task_vars = task_vars or {}
        if missing := missing_libraries():
            return {"failed": True, "msg": missing}
        try:
            _checked, options = self.validate_argument_spec(self.ARGUMENTS, **self.CONDITIONS)
            return {"changed": False, **self.act(builtin(options))}
        except Ended as ended:
            return ended.result
        except (AnsibleActionFail, ValueError) as exc:
            # Returned, not raised: up to 2.18, ansible-core adds a line about an exception and its traceback.
            return {"failed": True, "msg": one_line(exc)}

    @property
    def host(self) -> str:
        """The inventory's name of the host."""
        return self.task_vars["inventory_hostname"]

    @property
    def check(self) -> bool:
        """Whether the task runs in check mode."""
        return bool(self._task.check_mode)

    def module(self, name: str, expects: str, **arguments: Any) -> dict[str, Any]:
        """What a module of the collection returned on the host. Raises Ended where the key ``expects`` is not in it."""
        returned = self._execute_module(
            module_name=f"{_COLLECTION}.{name}", module_args=_given(arguments), task_vars=self.task_vars
        )
        return _checked(returned, expects)

    def action(self, name: str, expects: str, **arguments: Any) -> dict[str, Any]:
        """The same of an action of the collection."""
        task = self._task.copy()
        task.args = _given(arguments)
        plugin = self._shared_loader_obj.action_loader.get(
            f"{_COLLECTION}.{name}",
            task=task,
            connection=self._connection,
            play_context=self._play_context,
            loader=self._loader,
            templar=self._templar,
            shared_loader_obj=self._shared_loader_obj,
        )
        return _checked(plugin.run(task_vars=self.task_vars), expects)


def time_stamp() -> str:
    """The time now, in UTC, as the journal names a run by default: ``20261123T223005Z``."""
    return f"{datetime.datetime.now(datetime.timezone.utc):%Y%m%dT%H%M%SZ}"


def _given(arguments: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in arguments.items() if value is not None}


def _checked(returned: dict[str, Any], expects: str) -> dict[str, Any]:
    if expects not in returned:
        raise Ended({"failed": True, "msg": f"the module did not return {expects}", **returned})
    return builtin(returned)
