# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Action report: findings documents to a verdict, lines on the terminal, and files. Documentation: modules/report.py.

It runs on the controller and handles the documents in memory: those of thousands of guests pass through templates
only where a playbook asks for it.
"""

from __future__ import annotations

import datetime
import gc
import os
import time
from typing import Any

from ..module_utils import _shown
from ..module_utils._model.findings import SEVERITIES, gate
from ..module_utils._text import one_line, visible
from ..plugin_utils._action import Action
from ..plugin_utils._called import called
from ..plugin_utils._fleet.document import ReportError
from ..plugin_utils._fleet.from_hosts import from_hosts
from ..plugin_utils._fleet.gate import judge
from ..plugin_utils._fleet.join import join_documents
from ..plugin_utils._fleet.slice import pack, unpack
from ..plugin_utils._fleet.threshold import threshold
from ..plugin_utils._policy import shapes
from ..plugin_utils._policy.policy import parse
from ..plugin_utils._policy.waivers_file import load
from ..plugin_utils._render.failures import trouble
from ..plugin_utils._render.gate import gate_lines
from ..plugin_utils._render.next_lines import step_lines
from ..plugin_utils._render.next_steps import next_steps
from ..plugin_utils._render.reports import REPORTS, Wanted, left_out, notes
from ..plugin_utils._render.table import table_lines
from ..plugin_utils._render.text import toned
from ..plugin_utils._render.words import MIGRATE
from ..plugin_utils._render.write import write_all
from ..plugin_utils._terminal import show, width

SOURCES = ("documents", "variables", "parts", "root")


class ActionModule(Action):
    """Join, judge, render, write, show. A report that cannot be made or written fails the task after the others."""

    ARGUMENTS = {
        "documents": {"type": "dict"},
        "variables": {
            "type": "dict",
            "options": {
                "documents": {"type": "str"},
                "results": {"type": "str"},
                "changes": {"type": "list", "elements": "str"},
                "assessments": {"type": "dict"},
                "api": {"type": "str"},
            },
        },
        "guests": {"type": "bool", "default": True},
        "parts": {"type": "list", "elements": "str"},
        "root": {"type": "path"},
        "storage_cfg": {"type": "path"},
        "source": {"type": "path"},
        "write_waivers": {"type": "path"},
        "policy": {"type": "raw"},
        "load_policy": {"type": "raw"},
        "waivers": {"type": "raw"},
        "waivers_file": {"type": "path"},
        "date": {"type": "raw"},
        "hosts": {"type": "list", "elements": "str"},
        "complete": {"type": "bool", "default": True},
        "results": {"type": "dict"},
        "assessments": {"type": "dict"},
        "migrate_variable": {"type": "str", "default": MIGRATE},
        "fail_on": {"type": "raw"},
        "part": {"type": "bool", "default": False},
        "directory": {"type": "path"},
        **{name: {"type": "path"} for name in REPORTS},
        "annotations": {"type": "bool", "default": False},
        "base": {"type": "path"},
    }
    CONDITIONS = {
        "mutually_exclusive": [SOURCES],
        "required_one_of": [SOURCES],
        "required_by": {"variables": "hosts"},
    }

    def act(self, options: dict[str, Any]) -> dict[str, Any]:
        """The counts, the verdict, what was written, and what fails the run."""
        # Millions of values and no cycle: to look for garbage among them takes an eighth of the time of a large plan.
        gc.disable()
        try:
            return self._report(options)
        finally:
            gc.enable()

    def _report(self, options: dict[str, Any]) -> dict[str, Any]:
        # A gate whose threshold is null or empty is a mistake, and no report without a gate.
        limit = threshold(options["fail_on"]) if "fail_on" in self._task.args else None
        if options["write_waivers"] and limit is None:
            raise ReportError("waivers are written for what fails the gate, and this run has no gate")
        if options["variables"]:
            raw = self.task_vars["hostvars"].raw_get
            options.update(from_hosts(options["hosts"], raw, options["variables"], options["guests"]))
        document = _document(options)
        for finding in document["findings"]:
            finding["hint"] = finding["hint"].replace(f" {MIGRATE}: ", f" {options['migrate_variable']}: ")
        columns = width()
        verdict = judge(document, limit) if limit else None
        if verdict:
            document["gate"] = gate(**{key: verdict[key] for key in ("fail_on", "passed", "reason")})
            lines = gate_lines(document, limit, columns)
        else:
            lines = table_lines(document, self.check, columns, variable=options["migrate_variable"])
        paths = _paths(options)
        call = called(self.task_vars)
        steps = next_steps(document, options.get("run"), call, self.check, paths.get("html"))
        here = os.getcwd()
        wanted = Wanted(
            self.check,
            limit,
            options["migrate_variable"],
            os.path.join(here, options["base"] or ""),
            here,
            time.time(),
            steps,
            call.left_out,
        )
        texts, failed = _rendered(paths, document, wanted)
        failed.update(write_all(texts))
        failed.update(_write_waivers(options["write_waivers"], document, verdict))
        names = {path: name for name, path in paths.items()}
        written = [path for path in texts if path not in failed]
        waivers = [f"Waivers: {visible(path)}" for path in [options["write_waivers"]] if path and path not in failed]
        problems = _not_written(failed)
        shown = notes(document, wanted) if options["annotations"] else []
        shown += [_line(path, names[path], document) for path in written]
        show(["", *shown, *waivers, *toned("error", problems), *lines])
        if not options["part"]:
            steps = [step for step in steps if step["kind"] != "page" or step["text"] in written]
            left = any(document["summary"]["findings"][severity] for severity in SEVERITIES[:2])
            show(step_lines(steps, left, call.left_out, columns))
        returned: dict[str, Any] = {"summary": document["summary"], "written": written}
        if options["documents"] is not None:
            returned.update(trouble(options["documents"], options["results"] or {}, options["assessments"] or {}))
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
        documents: Any = _of_root(options)
    elif options["documents"] is not None:
        documents = options["documents"]
    else:
        documents = [unpack(part, f"part {number}") for number, part in enumerate(options["parts"], 1)]
    return join_documents(documents, options["results"], options["assessments"], options["hosts"], options["complete"])


def _of_root(options: dict[str, Any]) -> list[dict[str, Any]]:
    # Only what a task needs is loaded: see reports.py.
    # pylint: disable=import-outside-toplevel
    from ..module_utils._backends.layout import LayoutError
    from ..plugin_utils._host_policy import load_policy
    from ..plugin_utils._sources.gated import assess_root

    day = datetime.date.today() if options["date"] is None else shapes.date("date", options["date"])
    policy = parse(options["policy"], options["waivers"], load(options["waivers_file"]))
    limits = load_policy.parse(options["load_policy"], "load_policy")
    try:
        return assess_root(options["root"], policy, day, options["storage_cfg"], options["source"], limits)
    except LayoutError as exc:
        raise ReportError(str(exc)) from None


def _write_waivers(path: str | None, document: dict[str, Any], verdict: dict[str, Any] | None) -> dict[str, str]:
    """Write waivers for what fails the gate; path to reason where they cannot be. A file that is there is kept."""
    if not path or verdict is None:
        return {}
    # Only what a task needs is loaded: see reports.py.
    # pylint: disable=import-outside-toplevel
    from ..plugin_utils._render.to_waivers import waivers_file

    if os.path.lexists(path):
        return {path: "it is there already; name another file, or remove it"}
    return write_all({path: waivers_file(document, verdict["findings"], shapes.date("date", document["date"]))})


def _paths(options: dict[str, Any]) -> dict[str, str]:
    """Each requested report with its path. Raises ReportError where two have the same path."""
    paths = {name: options[name] for name in REPORTS if options[name]}
    if options["directory"]:
        for name, report in REPORTS.items():
            paths.setdefault(name, os.path.join(options["directory"], report.file))
    if len(set(map(os.path.realpath, paths.values()))) < len(paths):
        same = ", ".join(map(_shown.path, paths.values()))
        raise ReportError(f"two reports have the same path: {same}. Give one of them another path.")
    return paths


def _rendered(paths: dict[str, str], document: dict[str, Any], wanted: Wanted) -> tuple[dict[str, str], dict[str, str]]:
    """Path to text of each report, and path to reason of each that cannot be made."""
    texts: dict[str, str] = {}
    failed: dict[str, str] = {}
    for name, path in paths.items():
        try:
            texts[path] = REPORTS[name].make(document, wanted)
        except ReportError as exc:
            failed[path] = str(exc)
    return texts, failed


def _not_written(failed: dict[str, str]) -> list[str]:
    """A sentence for each cause: the reports of one folder that fail for one reason are told together."""
    together: dict[tuple[str, str], list[str]] = {}
    for path, why in failed.items():
        together.setdefault((os.path.dirname(path), one_line(why)), []).append(path)
    problems = []
    for (folder, why), paths in together.items():
        what = f"report {_shown.path(paths[0])}"
        if len(paths) > 1:
            files = ", ".join(_shown.path(os.path.basename(path)) for path in paths)
            what = f"{len(paths)} reports in {_shown.path(folder or '.')} ({files})"
        problems.append(f"cannot write {'the ' if len(paths) == 1 else ''}{what}: {why}")
    return problems


def _line(path: str, name: str, document: dict[str, Any]) -> str:
    """The line that names a report, and what it lacks."""
    omitted = left_out(name, document)
    return f"Report: {visible(path)}{f' ({omitted})' if omitted else ''}"
