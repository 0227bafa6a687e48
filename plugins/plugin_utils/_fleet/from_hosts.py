# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""What the hosts' variables hold for a report. Pure.

Variables are taken as they are. Ansible would template every value of thousands of guests, which took longer than
reading them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

from ...module_utils._model.findings import document
from .document import ReportError
from .twice import judged_twice

#: The document of a host whose guests the run does not look at: the host is not silent.
_NO_GUESTS = {
    **document(date="", findings=[], plan=[], unresolved=[], guests=[], waivers=[]),
    "guests_asked": False,
}


def from_hosts(
    hosts: Iterable[str], variables_of: Callable[[str], Mapping[str, Any]], names: Mapping[str, Any], guests: bool
) -> dict[str, Any]:
    """``documents`` and ``results`` by host, ``assessments`` by subject and host, and ``run``, the name under which
    the journals know the run: None where nothing was written.

    ``names`` says which variable holds each: {documents, results, changes: [...], assessments: {subject: variable}},
    each may be None; a name may lead to a key, with dots. ``changes`` are those with the name of the run. ``guests``
    says whether the run looks at guests. ``api`` among the names is the variable that hosts have that stand for a
    cluster behind an API. Raises ReportError where a guest of theirs is another host's as well, and the run changes
    nothing: a run that changes something has refused that before.
    """
    documents: dict[str, Any] = {}
    results: dict[str, Any] | None = {} if names.get("results") else None
    run = None
    assessments: dict[str, dict[str, Any]] = {subject: {} for subject in names.get("assessments") or {}}
    for host in hosts:
        variables = variables_of(host)
        documents[host] = _returned(variables, names.get("documents")) or (None if guests else _NO_GUESTS)
        if results is not None:
            results[host] = variables.get(names["results"]) or []
        run = run or next(filter(None, map(partial(_run, variables), names.get("changes") or ())), None)
        for subject, by_host in assessments.items():
            by_host[host] = _returned(variables, names["assessments"][subject])
    if results is None and names.get("api"):
        _refuse_judged_twice(documents, [host for host in hosts if variables_of(host).get(names["api"])])
    return {"documents": documents, "results": results, "assessments": assessments, "run": run}


def _run(variables: Mapping[str, Any], name: str) -> Any:
    value = variables.get(name)
    return value.get("run") if isinstance(value, Mapping) else None


def _refuse_judged_twice(documents: Mapping[str, Any], behind_api: Iterable[str]) -> None:
    guests = {host: document["guests"] for host, document in documents.items() if document}
    for host in behind_api:
        others = {other: theirs for other, theirs in guests.items() if other != host}
        twice = judged_twice(guests.get(host, ()), others)
        if twice:
            raise ReportError(f"host {host}: {twice}")


def _returned(variables: Mapping[str, Any], name: str | None) -> Any:
    """What a task left in a variable, or in a key of one, such as ``report.queues``; None where it failed or was
    skipped.
    """
    first, *keys = (name or "").split(".")
    value = variables.get(first) or {}
    for key in keys:
        value = value.get(key) or {} if isinstance(value, Mapping) else {}
    return value if "findings" in value else None
