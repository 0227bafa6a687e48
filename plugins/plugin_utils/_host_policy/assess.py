# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""One subject of a host: facts and a policy in, an assessment with findings and a plan out. Pure.

A finding's ``cure`` is there where the policy names a value, and the plan is the cures of all that is not waived.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from ...module_utils._model.findings import Change, Finding, finding
from ...module_utils._settings.seam import SettingsEntry
from ...module_utils._text import plural
from .._policy.waivers import Waivers
from .waivers import waive

#: What finds something in a subject's facts: ``(facts, policy, leads)``. ``leads`` says whether this host speaks for
#: its cluster.
Judge = Callable[[Mapping[str, Any], Any, bool], Iterable[Finding]]


class Case(NamedTuple):
    """One subject of one host to be assessed; ``facts`` is None where it could not be read."""

    subject: str
    facts: Mapping[str, Any] | None
    policy: Any
    host: str
    leads: bool = True


def assess(case: Case, judges: Sequence[Judge], date: datetime.date) -> dict[str, Any]:
    """``{subject, findings, plan, status, changed, detail, waivers}``; ``date`` is the day of the waivers.

    ``status`` is to_change where the policy names something else than there is, unresolved where there are findings
    above a note, unknown where the subject could not be read, else compliant.
    """
    if case.facts is None:
        return _assessment(case, [], [], "unknown", "it could not be read")
    waivers = Waivers(case.policy.waivers, date)
    found = [_of_problem(problem) for problem in case.facts["problems"]]
    found += [one for judge in judges for one in judge(case.facts, case.policy, case.leads)]
    found = waive([{**one, "host": case.host} for one in found], case.subject, waivers)
    found = [{**one, "fixable": bool(one["cure"]) and not one["waived"]} for one in found]
    plan = entries(case.subject, found)
    state = "to_change" if plan else status(found)
    return {**_assessment(case, found, plan, state, detail(found, plan)), "waivers": waivers.used()}


def _of_problem(problem: Mapping[str, Any]) -> Finding:
    return finding(
        "IO100",
        "warning",
        f"{problem['file']} is not known: {problem['reason']}",
        "What it decides was not checked: make it readable and run again.",
        file=problem["file"],
        line=problem["line"],
    )


def entries(subject: str, findings: Iterable[Finding]) -> list[SettingsEntry]:
    """The plan: the changes that findings are cured by, of each object at once, and each option once."""
    plan: dict[str, dict[str, Change]] = {}
    for one in findings:
        for cure in one["cure"] if one["fixable"] else ():
            plan.setdefault(cure["key"], {}).setdefault(cure["option"], cure)
    return [{"subject": subject, "key": key, "changes": list(options.values())} for key, options in plan.items()]


def status(findings: Iterable[Finding]) -> str:
    """What findings come to where nothing is to be set."""
    open_ones = [one for one in findings if one["severity"] != "note" and not one["waived"]]
    return "unresolved" if open_ones else "compliant"


def detail(findings: Sequence[Finding], plan: Sequence[SettingsEntry]) -> str:
    """A few words for a table."""
    told = [one for one in findings if not one["waived"]]
    word = "note" if all(one["severity"] == "note" for one in told) else "finding"
    said = [plural(len(told), word) if told else "nothing found"]
    if plan:
        said.append(f"{plural(sum(len(entry['changes']) for entry in plan), 'setting')} to change")
    return ", ".join(said)


def _assessment(
    case: Case, findings: list[Finding], plan: list[SettingsEntry], state: str, words: str
) -> dict[str, Any]:
    return {
        "subject": case.subject,
        "findings": findings,
        "plan": plan,
        "status": state,
        "changed": False,
        "detail": words,
        "waivers": [],
    }


def in_check(assessment: Mapping[str, Any], results: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The assessment after a check run of its plan; ``results`` are those of ``host_settings``."""
    return {**assessment, "changed": _changed(results), "failures": _failures(results)}


def after(
    assessment: Mapping[str, Any],
    plan: Sequence[SettingsEntry],
    results: Sequence[Mapping[str, Any]],
    problem: str | None = None,
) -> dict[str, Any]:
    """The assessment of a subject whose plan was carried out, with ``failures``, sentences that fail the run.

    ``assessment`` is of what was read after that, ``results`` are those of ``host_settings``; ``problem`` says why
    nothing could be read. The status is changed only where nothing is left to do: what is open or failed is unresolved.
    """
    if not results:
        return {**assessment, "failures": []}
    failures = _failures(results) + ([f"{assessment['subject']}: {problem}"] if problem else [])
    state, made = assessment["status"], sum(len(one["changes"]) for one in results)
    if failures or assessment["plan"]:
        state = "unresolved"
    elif _changed(results) and state == "compliant":
        state = "changed"
    left = detail(assessment["findings"], []) if assessment["findings"] else problem or ""
    said = [*([f"{plural(made, 'setting')} changed"] if made else []), *([left] if left else [])]
    return {
        **assessment,
        "plan": list(plan),
        "status": state,
        "changed": _changed(results),
        "detail": "; ".join(said) or "nothing found",
        "failures": failures,
    }


def _changed(results: Iterable[Mapping[str, Any]]) -> bool:
    return any(one["status"] == "changed" for one in results)


def _failures(results: Iterable[Mapping[str, Any]]) -> list[str]:
    return [f"{one['key']}: {one['detail']}" for one in results if one["status"] == "failed"]


def taken_back(subject: str, returned: Mapping[str, Any], check: bool) -> dict[str, Any]:
    """The assessment of a subject whose settings were given back: ``returned`` is what ``host_settings`` returned."""
    results = [one for one in returned["results"] if one["subject"] == subject]
    left = [one for one in returned["left"] if one["subject"] == subject]
    refused = [one for one in left if one["reason"] == "refused"]
    failures = [*_failures(results), *(f"{one['key']}: {one['detail']}" for one in refused)]
    changed = _changed(results)
    made = sum(len(one["changes"]) for one in results)
    said = [f"{plural(made, 'setting')} {'to give' if check else 'given'} back"] if made else []
    said += [f"{one['key']} stays: {one['detail']}" for one in left]
    state = "unresolved" if failures else "compliant" if not changed else "to_change" if check else "taken_back"
    return {
        "subject": subject,
        "findings": [],
        "plan": [],
        "status": state,
        "changed": changed,
        "detail": "; ".join(said) or "nothing was set",
        "failures": failures,
    }
