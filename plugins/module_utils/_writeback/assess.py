# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""A host's write-back limits: facts and settings in, findings and a plan out. Pure, no I/O.

Facts are what ``host_writeback_info`` returns, the plan is what ``host_writeback`` carries out (docs/data.md, "Host
write-back").
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .._model.findings import Finding
from .._sysctl import dirty
from . import boot, findings
from .paths import file_text
from .plan import change, refusal, removal
from .settings import check_settings, wanted_limits


def assess(
    facts: dict[str, Any], settings: dict[str, Any], host: str | None = None, prefix: str = ""
) -> dict[str, Any]:
    """Compare a host's facts with the settings: ``{findings, plan, wanted, status, then, detail}``.

    ``settings`` and ``prefix`` are as :func:`.settings.check_settings` takes them, ``host`` is the inventory's name for
    the findings.

    ``plan`` is None where nothing is to do; ``host_writeback`` refuses one that relies on what could not be read.
    ``status`` is compliant, to_change, overruled (nothing is left to write, and another file or manager still has the
    last word) or unknown (nothing is left to write, and something that could set the limits could not be read).
    ``then`` is the status after the plan is carried out.
    """
    settings = check_settings(settings, prefix)
    refused = refusal(facts, settings)
    if settings["state"] == "absent":
        return _assess_removal(facts, refused, host)
    wanted, reason = wanted_limits(settings, (facts["memory"] or {}).get("total"), facts["devices"])
    text = file_text(wanted)
    must_write = boot.must_write(facts, wanted, text)
    conflicts, state, deciders = boot.conflicts(facts, wanted, text if must_write else None)
    by_tuned = list(findings.of_tuned(facts, wanted, state, deciders))
    found: list[Finding] = [
        *findings.of_kernel(facts, wanted),
        *findings.of_files(facts, wanted, must_write, conflicts, settings["take_over"]),
        *findings.of_problems(facts, refused),
        *by_tuned,
        *findings.of_queues(facts, wanted),
    ]
    taken = [one for one in conflicts if one["can_take"]] if settings["take_over"] else []
    plan = refused or change(facts, wanted, text if must_write else None, taken)
    overruled = len(taken) < len(conflicts) or dirty.in_force(state) != wanted
    then = "overruled" if overruled else "unknown" if facts["problems"] else "compliant"
    detail = f"{dirty.spell(wanted)} ({reason})"
    if overruled:
        detail += "; not after a reboot: " + "; ".join(
            one["message"]
            for one in found
            if one["rule"] in ("IO202", "IO203") and not one["fixable"] and one["severity"] == "error"
        )
    elif any(one["severity"] == "warning" for one in by_tuned):
        detail += f"; not known: whether tuned's profile {facts['tuned']['profile']} leaves them when it starts"
    return {
        "findings": _of_host(found, host),
        "plan": plan,
        "wanted": wanted,
        "status": "unknown" if refused else "to_change" if plan else then,
        "then": then,
        "detail": refused["refused"] if refused else detail,
    }


def _assess_removal(facts: dict[str, Any], refused: dict[str, Any] | None, host: str | None) -> dict[str, Any]:
    plan, detail = (refused, refused["refused"]) if refused else removal(facts)
    return {
        "findings": _of_host(findings.of_problems(facts, refused) if refused else [], host),
        "plan": plan,
        "wanted": None,
        "status": "unknown" if refused else "to_change" if plan else "compliant",
        "then": "compliant",
        "detail": detail,
    }


def _of_host(found: Iterable[Finding], host: str | None) -> list[Finding]:
    found = list(found)
    for one in found:
        one["host"] = host
    return found


def report(
    assessment: dict[str, Any], result: dict[str, Any] | None = None, check_mode: bool = False
) -> dict[str, Any]:
    """The result of a run as one of a host's assessments: ``{subject, findings, plan, status, changed, detail}``.

    ``result`` is what ``host_writeback`` returned; None, or skipped, where it did not run. The status is that of
    :func:`assess`, to_change only in check mode, or changed; taken_back where the limits were removed. What was changed
    is no finding any more.
    """
    result = {} if result is None or result.get("skipped") else result
    changed = bool(result.get("changed"))
    status, detail, found = assessment["status"], assessment["detail"], assessment["findings"]
    if result and not check_mode:
        taken_back = changed and assessment["wanted"] is None
        status = "taken_back" if taken_back else "changed" if changed else assessment["then"]
        detail = "; ".join([detail, *result.get("left", [])])
        if status == "changed":
            found = [one for one in found if not one["fixable"]]
    return {
        "subject": "writeback",
        "findings": found,
        "plan": assessment["plan"],
        "status": status,
        "changed": changed,
        "detail": detail,
    }
