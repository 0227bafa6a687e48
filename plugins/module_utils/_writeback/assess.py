# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors
"""Host write-back limits: facts and settings in; findings and a plan out. Pure, no I/O.

Facts are what ``host_writeback_info`` returns, findings have the shape of docs/data.md; the plan is
what ``host_writeback`` carries out (docs/data.md, "Host write-back").
"""

from __future__ import annotations

from .._sysctl import dirty
from . import boot, findings
from .paths import file_text
from .plan import change, refusal, removal
from .settings import check_settings, wanted_limits


def assess(facts, settings, host=None):
    """Hold a host's facts against the settings.

    :param facts: what ``host_writeback_info`` returns
    :param settings: as :func:`check_settings` takes them
    :param host: the inventory's name for the host, for the findings
    :returns: ``{findings, plan, wanted, status, then, detail}``; plan is ``None`` where nothing is to do; one that
        relies on what could not be read is refused by ``host_writeback``.
        status is compliant, to_change, overruled (nothing left to write, and still another file or manager has the
        last word) or unknown (the same, and something that could set the limits could not be read); then is the
        status that carrying out the plan leaves
    """
    settings = check_settings(settings)
    refused = refusal(facts, settings)
    if settings["state"] == "absent":
        return _assess_removal(facts, refused, findings.Findings(host))
    wanted, reason = wanted_limits(settings, (facts["memory"] or {}).get("total"))
    text = file_text(wanted)
    must_write = boot.must_write(facts, wanted, text)
    conflicts, state, deciders = boot.conflicts(facts, wanted, text if must_write else None)
    finding = findings.Findings(host)
    findings.judge_kernel(finding, facts, wanted)
    findings.judge_files(finding, facts, wanted, must_write, conflicts, settings["take_over"])
    findings.judge_problems(finding, facts, refused)
    findings.judge_tuned(finding, facts, wanted, state, deciders)
    findings.judge_queues(finding, facts, wanted)
    taken = [one for one in conflicts if one["can_take"]] if settings["take_over"] else []
    plan = refused or change(facts, wanted, text if must_write else None, taken)
    overruled = len(taken) < len(conflicts) or dirty.in_force(state) != wanted
    then = "overruled" if overruled else "unknown" if facts["problems"] else "compliant"
    detail = f"{dirty.spell(wanted)} ({reason})"
    if overruled:
        detail += "; not after a reboot: " + "; ".join(
            one["message"]
            for one in finding.found
            if one["rule"] in ("IO202", "IO203") and not one["fixable"] and one["severity"] == "error"
        )
    elif any((one["rule"], one["severity"]) == ("IO203", "warning") for one in finding.found):
        detail += f"; not known: whether tuned's profile {facts['tuned']['profile']} leaves them when it starts"
    status = "unknown" if refused else "to_change" if plan else then
    detail = refused["refused"] if refused else detail
    return {"findings": finding.found, "plan": plan, "wanted": wanted, "status": status, "then": then, "detail": detail}


def _assess_removal(facts, refused, finding):
    plan, detail = (refused, refused["refused"]) if refused else removal(facts)
    if refused:
        findings.judge_problems(finding, facts, refused)
    status = "unknown" if refused else "to_change" if plan else "compliant"
    return {
        "findings": finding.found,
        "plan": plan,
        "wanted": None,
        "status": status,
        "then": "compliant",
        "detail": detail,
    }


def report(assessment, result=None, check_mode=False):
    """What a run came to, for the table at the end.

    :param assessment: of :func:`assess`
    :param result: what ``host_writeback`` returned, ``None`` or a skipped result where it did not run
    :returns: ``{findings, changed, plan, status, detail}``; status is compliant, to_change (check mode),
        changed, overruled, unknown
    """
    ran = bool(result) and not result.get("skipped", False)
    changed = bool(ran and result.get("changed", False))
    status, detail = assessment["status"], assessment["detail"]
    if ran and not check_mode:
        status = "changed" if changed else assessment["then"]
        if result.get("left"):
            detail += "; " + "; ".join(result["left"])
    return {
        "findings": assessment["findings"],
        "changed": changed,
        "plan": assessment["plan"],
        "status": status,
        "detail": detail,
    }
