# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Modules and action plugins in the process of the tests: arguments as Ansible passes them, results as Ansible gets them."""

from __future__ import annotations

import contextlib
import importlib
import io
import json
from collections.abc import Callable
from types import ModuleType, SimpleNamespace
from typing import Any
from unittest import mock

import pytest
from ansible.module_utils import basic


def run_module(module: ModuleType, check: bool = False, diff: bool = False, **options: Any) -> dict[str, Any]:
    """What the module returned, with its ``warnings``. Only a failure has the key ``failed``."""
    arguments = {**options, "_ansible_check_mode": check, "_ansible_diff": diff, "_ansible_remote_tmp": "/tmp"}
    printed = io.StringIO()
    warned: list[str] = []
    # Where a controller's code is imported as well, ansible-core shows a module's warnings and does not return them.
    warn = mock.patch.object(basic.AnsibleModule, "warn", lambda _module, text, **_options: warned.append(text))
    with _arguments(arguments), warn, contextlib.redirect_stdout(printed), pytest.raises(SystemExit) as ended:
        module.main()
    returned = json.loads(printed.getvalue())
    assert bool(returned.get("failed")) == bool(ended.value.code)
    returned.pop("invocation", None)
    return {**returned, "warnings": warned}


@contextlib.contextmanager
def _arguments(arguments: dict[str, Any]):
    try:
        from ansible.module_utils.testing import patch_module_args
    except ImportError:
        # ansible-core of the oldest managed hosts.
        basic._ANSIBLE_ARGS = json.dumps({"ANSIBLE_MODULE_ARGS": arguments}).encode()
        try:
            yield
        finally:
            basic._ANSIBLE_ARGS = None
    else:
        with patch_module_args(arguments):
            yield


def run_action(
    action: ModuleType,
    task_vars: dict[str, Any] | None = None,
    check: bool = False,
    modules: dict[str, Callable[..., dict[str, Any]]] | None = None,
    **options: Any,
) -> dict[str, Any]:
    """What an action plugin returned. The modules and actions that it calls run in this process too, unless ``modules``
    has a stand-in for the module.
    """
    # Not at the top: the controller's part of ansible-core, which modules are tested without.
    from ansible.errors import AnsibleActionFail
    from ansible.parsing.dataloader import DataLoader
    from ansible.playbook.play_context import PlayContext
    from ansible.playbook.task import Task
    from ansible.template import Templar

    task, loader = Task(), DataLoader()
    task.args, task.check_mode = options, check
    given = (mock.MagicMock(), PlayContext(), loader, Templar(loader=loader), mock.MagicMock())

    def plugin(module: ModuleType, task: Task) -> Any:
        found = module.ActionModule(task, *given)
        found._execute_module = execute_module

        def get(name: str, task: Task, **_parts: Any) -> Any:
            return plugin(_named("action", name), task)

        found._shared_loader_obj = SimpleNamespace(action_loader=SimpleNamespace(get=get))
        return found

    def execute_module(module_name: str, module_args: dict[str, Any], **_options: Any) -> dict[str, Any]:
        stand_in = (modules or {}).get(module_name.removeprefix("hypervisor.io_hardening."))
        if stand_in:
            return stand_in(**module_args)
        return run_module(_named("modules", module_name), check=check, **module_args)

    try:
        return plugin(action, task).run(task_vars=task_vars or {})
    except AnsibleActionFail as exc:
        return {"failed": True, "msg": str(exc)}


def _named(kind: str, name: str) -> ModuleType:
    """The module or action plugin of this collection with that full name."""
    name = name.removeprefix("hypervisor.io_hardening.")
    return importlib.import_module(f"ansible_collections.hypervisor.io_hardening.plugins.{kind}.{name}")
