# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Workers, rate and ionice of backups: other than the policy names (IO304, IO305), and what they do not do (IO305)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from ...module_utils._load import effective, stored
from ...module_utils._load.jobs_cfg import Job
from ...module_utils._load.units import spelled
from ...module_utils._load.vzdump_conf import PATH
from ...module_utils._model.findings import Finding, Severity, change, finding
from . import load_words as words
from .load_policy import BackupPolicy, LoadPolicy
from .load_view import Facts, about, alone, enabled, line


class _Value(NamedTuple):
    """A value that the policy can name: its name there, its option in the files, and how it is told and stored."""

    name: str
    option: str
    rule: str
    severity: Severity
    default: int
    told: Callable[[int], str]
    stored: Callable[[str | None, int], str]
    does: str


_VALUES = (
    _Value(
        "max_workers",
        "performance",
        "IO304",
        "error",
        effective.MAX_WORKERS,
        lambda value: f"{value} {'worker' if value == 1 else 'workers'}",
        stored.performance,
        words.WORKERS,
    ),
    _Value(
        "bwlimit",
        "bwlimit",
        "IO305",
        "warning",
        effective.BWLIMIT,
        lambda value: f"bwlimit {spelled(value)}" if value else "no bwlimit",
        lambda _before, value: str(value),
        words.BWLIMIT,
    ),
    _Value(
        "ionice",
        "ionice",
        "IO305",
        "warning",
        effective.IONICE,
        lambda value: f"ionice {value}",
        lambda _before, value: str(value),
        words.IONICE,
    ),
)


def judge(facts: Facts, policy: LoadPolicy, leads: bool) -> Iterator[Finding]:
    """What is found about the values of a node's backups; what is set in jobs is judged where ``leads``."""
    for value in _VALUES:
        if facts["vzdump"] is not None:
            yield from _of_file(facts, value, policy.backup)
        for job in enabled(facts) if leads else ():
            yield from _of_job(facts, value, job, policy)


def _of_file(facts: Facts, value: _Value, policy: BackupPolicy) -> Iterator[Finding]:
    file = facts["vzdump"]
    own = file["values"][value.name]
    wanted = getattr(policy, value.name)
    at: dict[str, Any] = {"file": PATH, "line": file["lines"].get(value.option)}
    if wanted is None:
        yield from _belief(value, stored.VZDUMP + ":", file, at)
    elif (value.default if own is None else own) != wanted:
        before = file["stored"][value.option]
        after = value.stored(before, wanted)
        yield finding(
            value.rule,
            value.severity,
            f"vzdump.conf: {_told(value, own)}, wanted {value.told(wanted)}{_why(value, own, wanted)}",
            _too_old(facts, value) or f"Set {value.option}: {after} in {PATH}.",
            actual=before,
            wanted=after,
            cure=[] if _too_old(facts, value) else [change(stored.VZDUMP, value.option, before, after)],
            **at,
        )


def _too_old(facts: Facts, value: _Value) -> str:
    """What is said where this Proxmox VE does not have the value; "" where it has it."""
    if value.name != "max_workers" or effective.at_least(facts["version"], effective.MAX_WORKERS_SINCE) is not False:
        return ""
    return f"Proxmox VE {facts['version']} has no max-workers; 7.3 brings it."


def _why(value: _Value, own: int | None, wanted: int) -> str:
    """What the value does, where more of it is worse: of fewer workers than wanted nothing is to be said."""
    used = value.default if own is None else own
    return "" if value.name == "max_workers" and used < wanted else f"; {value.does}"


def _told(value: _Value, own: int | None) -> str:
    return value.told(value.default) + " by default" if own is None else value.told(own)


def _of_job(facts: Facts, value: _Value, job: Job, policy: LoadPolicy) -> Iterator[Finding]:
    own: int | None = job["values"][value.name]  # type: ignore[literal-required]
    wanted = getattr(policy.of_job(job["id"]), value.name)
    at: dict[str, Any] = {"file": job["file"], "line": line(job, value.option)}
    start = f"job {job['id']}: {about(job)}"
    before = job["stored"][value.option]
    if wanted is None:
        yield from _belief(value, start.rstrip(), job, at)
        return
    used, taken = own, ""
    if own is None:
        common = getattr(policy.backup, value.name)
        if common is None and alone(job, facts):
            if facts["vzdump"] is None:
                return
            common = facts["vzdump"]["values"][value.name]
            common = value.default if common is None else common
        used = common
        taken = f"it has no {value.name.replace('_', '-')} of its own"
        if used is not None:
            taken = f"it takes {value.told(used)} from vzdump.conf"
    if used == wanted:
        return
    after = value.stored(before, wanted)
    has = value.told(own) if own is not None else taken
    yield finding(
        value.rule,
        value.severity,
        f"{start}{has}, wanted {value.told(wanted)}{_why(value, used, wanted)}",
        _too_old(facts, value) or words.set_job(job, f"{value.option} {after}"),
        actual=before,
        wanted=after,
        cure=[]
        if job["old"] or _too_old(facts, value)
        else [change(stored.job(job["id"]), value.option, before, after)],
        **at,
    )


def _belief(value: _Value, start: str, where: Mapping[str, Any], at: Mapping[str, Any]) -> Iterator[Finding]:
    """IO305: a value that somebody set, and that does not do for guests what its name promises."""
    own = where["values"][value.name]
    if value.rule != "IO305" or own is None or own == value.default:
        return
    if value.name == "bwlimit" and (where["values"]["fleecing"] or {}).get("enabled"):
        return
    said = value.told(own)
    if value.name == "ionice" and own < value.default:
        said += f" raises the backup above the default {value.default}, and does little else"
    else:
        said += " does not protect guests from the backup"
    yield finding(
        "IO305",
        "note",
        f"{start} {said}: {value.does}",
        "Fewer workers and fleecing shorten what guests wait for.",
        actual=where["stored"][value.option],
        **at,
    )
