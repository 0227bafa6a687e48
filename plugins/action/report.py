# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Action report: findings documents to a verdict, a text on the terminal and files. Documentation: modules/report.py.

It runs on the controller and handles the documents where they are: what thousands of guests come to is passed
through templates only where a playbook asks for it.
"""

from __future__ import annotations

import datetime
import os
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ..module_utils import _shown
from ..module_utils._backends.layout import LayoutError
from ..module_utils._model.findings import SEVERITIES
from ..plugin_utils._fleet.document import ReportError
from ..plugin_utils._fleet.join import join_documents
from ..plugin_utils._fleet.slice import pack, unpack
from ..plugin_utils._policy.document import parse_date
from ..plugin_utils._policy.errors import PolicyError
from ..plugin_utils._policy.waivers_file import load
from ..plugin_utils._render.gate import gate_lines, judge
from ..plugin_utils._render.table import table_lines
from ..plugin_utils._render.text import one_line, visible
from ..plugin_utils._render.to_html import html_report
from ..plugin_utils._render.to_json import json_report
from ..plugin_utils._render.to_junit import junit_report
from ..plugin_utils._render.to_sarif import left_out, sarif_report
from ..plugin_utils._render.write import write_all
from ..plugin_utils._sources.directory import assess_directory

#: Report by option, with its file's name in O(directory).
FILES = {"json": "guest-io.json", "junit": "guest-io.junit.xml", "sarif": "guest-io.sarif", "html": "guest-io.html"}

ARGUMENTS = {
    "documents": {"type": "dict"},
    "parts": {"type": "list", "elements": "str"},
    "root": {"type": "path"},
    "policy": {"type": "raw"},
    "waivers": {"type": "raw"},
    "waivers_file": {"type": "path"},
    "date": {"type": "raw"},
    "hosts": {"type": "list", "elements": "str"},
    "complete": {"type": "bool", "default": True},
    "results": {"type": "dict"},
    "writeback": {"type": "dict"},
    "fail_on": {"type": "str", "choices": list(SEVERITIES)},
    "part": {"type": "bool", "default": False},
    "directory": {"type": "path"},
    **{name: {"type": "path"} for name in FILES},
    "base": {"type": "path"},
}

display = Display()


class ActionModule(ActionBase):
    """Join, judge, render, write, show. A report that cannot be made or written fails the task at its end; the others
    are there.
    """

    TRANSFERS_FILES = False
    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp: Any = None, task_vars: Any = None) -> dict[str, Any]:
        """Ansible's entry point."""
        result = super().run(tmp, task_vars)
        _checked, options = self.validate_argument_spec(
            ARGUMENTS,
            mutually_exclusive=[("documents", "parts", "root")],
            required_one_of=[("documents", "parts", "root")],
        )
        try:
            result.update(self._report(options))
        except (PolicyError, LayoutError, ReportError) as exc:
            raise AnsibleActionFail(one_line(exc)) from None
        return result

    def _report(self, options: dict[str, Any]) -> dict[str, Any]:
        check = bool(self._task.check_mode)
        document = _document(options)
        verdict = judge(document, options["fail_on"]) if options["fail_on"] else None
        if verdict:
            document["gate"] = {key: verdict[key] for key in ("fail_on", "passed", "reason")}
        lines = gate_lines(document, options["fail_on"]) if options["fail_on"] else table_lines(document, check=check)
        paths = _paths(options)
        texts, failed = _rendered(paths, options, document, check)
        failed.update(write_all(texts))
        written = [path for path in texts if path not in failed]
        problems = [
            "cannot write the report %s: %s" % (_shown.path(path), one_line(why)) for path, why in failed.items()
        ]
        for line in [*(told(path, path == paths.get("sarif"), document) for path in written), *problems, *lines]:
            display.display(line)
        returned: dict[str, Any] = {"changed": False, "summary": document["summary"], "written": written}
        if options["part"]:
            returned["part"] = pack(document)
        if verdict:
            returned["passed"] = verdict["passed"]
            returned["msg"] = "gate %s: %s" % ("passed" if verdict["passed"] else "failed", verdict["reason"])
            returned["failed"] = not verdict["passed"]
        if problems:
            returned["msg"] = "; ".join([*([returned["msg"]] if returned.get("failed") else []), *problems])
            returned["failed"] = True
        return returned


def _document(options: dict[str, Any]) -> dict[str, Any]:
    if options["root"] is not None:
        day = datetime.date.today() if options["date"] is None else parse_date("date", options["date"])
        documents: Any = [
            assess_directory(options["root"], options["policy"], day, options["waivers"], load(options["waivers_file"]))
        ]
    elif options["documents"] is not None:
        documents = options["documents"]
    else:
        documents = [unpack(part, "part %d" % number) for number, part in enumerate(options["parts"], 1)]
    return join_documents(documents, options["results"], options["writeback"], options["hosts"], options["complete"])


def _paths(options: dict[str, Any]) -> dict[str, str]:
    """Report to its path, of those that are asked for. Raises ReportError where two have the same."""
    paths = {name: options[name] for name in FILES if options[name]}
    if options["directory"]:
        for name, file in FILES.items():
            paths.setdefault(name, os.path.join(options["directory"], file))
    if len(set(map(os.path.realpath, paths.values()))) < len(paths):
        raise ReportError(
            "two reports have the same path: %s. Name another for one of them."
            % ", ".join(map(_shown.path, paths.values()))
        )
    return paths


def _rendered(
    paths: dict[str, str], options: dict[str, Any], document: dict[str, Any], check: bool
) -> tuple[dict[str, str], dict[str, str]]:
    """Path to text of each report, and path to why of each that cannot be made."""
    here = os.getcwd()
    base = os.path.join(here, options["base"] or "")
    render = {
        "json": lambda: json_report(document),
        "junit": lambda: junit_report(document, options["fail_on"] or SEVERITIES[0]),
        "sarif": lambda: sarif_report(document, base, here),
        "html": lambda: html_report(document, check),
    }
    texts: dict[str, str] = {}
    failed: dict[str, str] = {}
    for name, path in paths.items():
        try:
            texts[path] = render[name]()
        except ReportError as exc:
            failed[path] = str(exc)
    return texts, failed


def told(path: str, is_sarif: bool, document: dict[str, Any]) -> str:
    """The line that names a report, with what is not in it."""
    omitted = left_out(document) if is_sarif else None
    return "Report: %s%s" % (visible(path), " (%s)" % omitted if omitted else "")
