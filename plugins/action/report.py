# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Action report: findings documents to a verdict, lines on the terminal, and files. Documentation: modules/report.py.

It runs on the controller and handles the documents in memory: those of thousands of guests pass through templates
only where a playbook asks for it.
"""

from __future__ import annotations

import datetime
import os
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ..module_utils import _shown
from ..module_utils._model.findings import SEVERITIES, gate
from ..module_utils._text import one_line, visible
from ..plugin_utils._fleet.document import ReportError
from ..plugin_utils._fleet.from_hosts import from_hosts
from ..plugin_utils._fleet.gate import judge
from ..plugin_utils._fleet.join import join_documents
from ..plugin_utils._fleet.slice import pack, unpack
from ..plugin_utils._policy.errors import PolicyError
from ..plugin_utils._policy.policy import parse, parse_date
from ..plugin_utils._policy.waivers_file import load
from ..plugin_utils._render.failures import trouble
from ..plugin_utils._render.gate import gate_lines
from ..plugin_utils._render.table import table_lines
from ..plugin_utils._render.words import MIGRATE
from ..plugin_utils._render.write import write_all

#: Option of a report to its file's name in the folder ``directory``.
FILES = {"json": "guest-io.json", "junit": "guest-io.junit.xml", "sarif": "guest-io.sarif", "html": "guest-io.html"}

ARGUMENTS = {
    "documents": {"type": "dict"},
    "variables": {
        "type": "dict",
        "options": {"documents": {"type": "str"}, "results": {"type": "str"}, "assessments": {"type": "dict"}},
    },
    "guests": {"type": "bool", "default": True},
    "parts": {"type": "list", "elements": "str"},
    "root": {"type": "path"},
    "policy": {"type": "raw"},
    "waivers": {"type": "raw"},
    "waivers_file": {"type": "path"},
    "date": {"type": "raw"},
    "hosts": {"type": "list", "elements": "str"},
    "complete": {"type": "bool", "default": True},
    "results": {"type": "dict"},
    "assessments": {"type": "dict"},
    "migrate_variable": {"type": "str", "default": MIGRATE},
    "fail_on": {"type": "str", "choices": list(SEVERITIES)},
    "part": {"type": "bool", "default": False},
    "directory": {"type": "path"},
    **{name: {"type": "path"} for name in FILES},
    "base": {"type": "path"},
}

SOURCES = ("documents", "variables", "parts", "root")

display = Display()


class ActionModule(ActionBase):
    """Join, judge, render, write, show. A report that cannot be made or written fails the task after the others."""

    TRANSFERS_FILES = False
    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp: Any = None, task_vars: Any = None) -> dict[str, Any]:
        """Ansible's entry point."""
        result = super().run(tmp, task_vars)
        _checked, options = self.validate_argument_spec(
            ARGUMENTS,
            mutually_exclusive=[SOURCES],
            required_one_of=[SOURCES],
            required_by={"variables": "hosts"},
        )
        if options["variables"]:
            raw = task_vars["hostvars"].raw_get
            options.update(from_hosts(options["hosts"], raw, options["variables"], options["guests"]))
        try:
            result.update(self._report(options))
        except (PolicyError, ReportError) as exc:
            raise AnsibleActionFail(one_line(exc)) from None
        return result

    def _report(self, options: dict[str, Any]) -> dict[str, Any]:
        check = bool(self._task.check_mode)
        document = _document(options)
        for finding in document["findings"]:
            finding["hint"] = finding["hint"].replace(f" {MIGRATE}: ", f" {options['migrate_variable']}: ")
        verdict = judge(document, options["fail_on"]) if options["fail_on"] else None
        if verdict:
            document["gate"] = gate(**{key: verdict[key] for key in ("fail_on", "passed", "reason")})
            lines = gate_lines(document, options["fail_on"])
        else:
            lines = table_lines(document, check, variable=options["migrate_variable"])
        paths = _paths(options)
        texts, failed = _rendered(paths, options, document, check)
        failed.update(write_all(texts))
        written = [path for path in texts if path not in failed]
        problems = [f"cannot write the report {_shown.path(path)}: {one_line(why)}" for path, why in failed.items()]
        for line in [*(_line(path, path == paths.get("sarif"), document) for path in written), *problems, *lines]:
            display.display(line)
        returned: dict[str, Any] = {"changed": False, "summary": document["summary"], "written": written}
        if options["documents"] is not None:
            returned.update(trouble(options["documents"], options["results"] or {}))
        if options["part"]:
            returned["part"] = pack(document)
        if verdict:
            returned["passed"] = verdict["passed"]
            returned["msg"] = f"gate {'passed' if verdict['passed'] else 'failed'}: {verdict['reason']}"
            returned["failed"] = not verdict["passed"]
        if problems:
            returned["msg"] = "; ".join([*([returned["msg"]] if returned.get("failed") else []), *problems])
            returned["failed"] = True
        return returned


def _document(options: dict[str, Any]) -> dict[str, Any]:
    if options["root"] is not None:
        documents: Any = [_of_directory(options)]
    elif options["documents"] is not None:
        documents = options["documents"]
    else:
        documents = [unpack(part, f"part {number}") for number, part in enumerate(options["parts"], 1)]
    return join_documents(documents, options["results"], options["assessments"], options["hosts"], options["complete"])


# Ansible compiles the code of a collection anew in every run: only what a task needs is loaded.
# pylint: disable=import-outside-toplevel


def _of_directory(options: dict[str, Any]) -> dict[str, Any]:
    from ..module_utils._backends.layout import LayoutError
    from ..plugin_utils._sources.directory import assess_directory

    day = datetime.date.today() if options["date"] is None else parse_date("date", options["date"])
    policy = parse(options["policy"], options["waivers"], load(options["waivers_file"]))
    try:
        return assess_directory(options["root"], policy, day)
    except LayoutError as exc:
        raise ReportError(str(exc)) from None


def _json(document: dict[str, Any]) -> str:
    from ..plugin_utils._render.to_json import json_report

    return json_report(document)


def _junit(document: dict[str, Any], fail_on: str) -> str:
    from ..plugin_utils._render.to_junit import junit_report

    return junit_report(document, fail_on)


def _sarif(document: dict[str, Any], base: str, here: str) -> str:
    from ..plugin_utils._render.to_sarif import sarif_report

    return sarif_report(document, base, here)


def _html(document: dict[str, Any], check: bool, variable: str) -> str:
    from ..plugin_utils._render.to_html import html_report

    return html_report(document, check, variable)


def _left_out(document: dict[str, Any]) -> str | None:
    from ..plugin_utils._render.to_sarif import left_out

    return left_out(document)


def _paths(options: dict[str, Any]) -> dict[str, str]:
    """Each requested report with its path. Raises ReportError where two have the same path."""
    paths = {name: options[name] for name in FILES if options[name]}
    if options["directory"]:
        for name, file in FILES.items():
            paths.setdefault(name, os.path.join(options["directory"], file))
    if len(set(map(os.path.realpath, paths.values()))) < len(paths):
        same = ", ".join(map(_shown.path, paths.values()))
        raise ReportError(f"two reports have the same path: {same}. Give one of them another path.")
    return paths


def _rendered(
    paths: dict[str, str], options: dict[str, Any], document: dict[str, Any], check: bool
) -> tuple[dict[str, str], dict[str, str]]:
    """Path to text of each report, and path to reason of each that cannot be made."""
    here = os.getcwd()
    base = os.path.join(here, options["base"] or "")
    render = {
        "json": lambda: _json(document),
        "junit": lambda: _junit(document, options["fail_on"] or SEVERITIES[0]),
        "sarif": lambda: _sarif(document, base, here),
        "html": lambda: _html(document, check, options["migrate_variable"]),
    }
    texts: dict[str, str] = {}
    failed: dict[str, str] = {}
    for name, path in paths.items():
        try:
            texts[path] = render[name]()
        except ReportError as exc:
            failed[path] = str(exc)
    return texts, failed


def _line(path: str, is_sarif: bool, document: dict[str, Any]) -> str:
    """The line that names a report, and what it lacks."""
    omitted = _left_out(document) if is_sarif else None
    return f"Report: {visible(path)}{f' ({omitted})' if omitted else ''}"
