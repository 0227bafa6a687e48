# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Fleecing: whether guests' writes wait for a backup's target, and what the fleecing storage is (IO301, IO303).

docs/load.md says what was measured.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ...module_utils._load import effective, stored
from ...module_utils._load.jobs_cfg import Job
from ...module_utils._load.vzdump_conf import PATH
from ...module_utils._model.findings import Finding, Severity, change, finding
from ...module_utils._shown import piece
from . import load_words as words
from .load_policy import LoadPolicy
from .load_view import FEW_WORKERS, Facts, Running, about, by_id, enabled, line, named, running, why_unusable


def judge(facts: Facts, policy: LoadPolicy, leads: bool) -> Iterator[Finding]:
    """What is found about fleecing on a node; what is set in jobs is judged where ``leads``."""
    jobs = enabled(facts) if leads else []
    if facts["vzdump"] is not None:
        if policy.backup.fleecing is not None:
            yield from _of_file(facts, policy.backup.fleecing)
        yield from _storage(facts, stored.VZDUMP, _file_storage(facts, policy), PATH, facts["vzdump"]["lines"])
    for job in jobs:
        wanted = policy.of_job(job["id"]).fleecing
        own = job["values"]["fleecing"]
        file = facts["vzdump"]["values"]["fleecing"] if facts["vzdump"] else None
        if wanted is not None:
            yield from _of_job(facts, job, wanted, policy)
        elif _drops(own, file):
            yield _job_finding(facts, job, "warning", _dropped(file), words.TAKE_FLEECING_OUT)
        name = wanted if wanted is not None and own else own["storage"] if own and own["enabled"] else None
        yield from _storage(facts, stored.job(job["id"]), name, job["file"], job["lines"], job)
    yield from _waits(facts, policy, leads)


def _file_storage(facts: Facts, policy: LoadPolicy) -> str | None:
    """The fleecing storage of vzdump.conf, as the policy wants it or as it is."""
    if policy.backup.fleecing is not None:
        return policy.backup.fleecing
    own = facts["vzdump"]["values"]["fleecing"]
    return own["storage"] if own and own["enabled"] else None


def _spelled(own: Any) -> str:
    return f"onto {own['storage']}" if own and own["enabled"] else "off"


def _same(own: Any, wanted: str) -> bool:
    return (own["storage"] if own and own["enabled"] else "") == wanted


def _of_file(facts: Facts, wanted: str) -> Iterator[Finding]:
    """IO301 where vzdump.conf has other fleecing than the policy names."""
    file = facts["vzdump"]
    own = file["values"]["fleecing"]
    if _same(own, wanted):
        return
    before = file["stored"]["fleecing"]
    after = stored.fleecing(before, wanted, of_job=False)
    yield finding(
        "IO301",
        "error",
        f"vzdump.conf: fleecing is {_spelled(own)}, wanted {_wanted(wanted)}; {words.FLEECING}",
        _hint(facts, wanted, f"Set fleecing: {after} in {PATH}."),
        file=PATH,
        line=file["lines"].get("fleecing"),
        actual=before,
        wanted=after,
        cure=_cure(facts, wanted, stored.VZDUMP, before, after),
    )


def _wanted(wanted: str) -> str:
    return f"onto {wanted}" if wanted else "off"


def _hint(facts: Facts, wanted: str, does: str) -> str:
    if wanted and effective.at_least(facts["version"], effective.FLEECING_SINCE) is False:
        return f"Proxmox VE {facts['version']} has no fleecing; 8.2 brings it."
    return does


def _cure(facts: Facts, wanted: str, key: str, before: str | None, after: str, job: Job | None = None) -> list[Any]:
    """The change; none where this Proxmox VE has no fleecing, or the node cannot use the storage (IO303 says so)."""
    if wanted and (
        effective.at_least(facts["version"], effective.FLEECING_SINCE) is False
        or why_unusable(facts, wanted, "images", job)
    ):
        return []
    return [change(key, "fleecing", before, after)]


def _of_job(facts: Facts, job: Job, wanted: str, policy: LoadPolicy) -> Iterator[Finding]:
    """IO301 where a job has other fleecing than the policy names, whatever vzdump.conf has: a waiver of it holds when
    that changes.
    """
    own = job["values"]["fleecing"]
    file = facts["vzdump"]["values"]["fleecing"] if facts["vzdump"] else None
    if own is None:
        common = policy.backup.fleecing
        as_wanted = common == wanted if common is not None else _same(file, wanted)
        if as_wanted or (common is None and facts["vzdump"] is None):
            return
    elif _same(own, wanted):
        return
    before = job["stored"]["fleecing"]
    after = stored.fleecing(before, wanted, of_job=True)
    said = _dropped(file) if _drops(own, file) else f"its fleecing is {_spelled(own if own else file)}"
    yield _job_finding(
        facts,
        job,
        "error",
        f"{said}, wanted {_wanted(wanted)}; {words.FLEECING}",
        _hint(facts, wanted, words.set_job(job, f"fleecing {after}")),
        wanted=after,
        cure=[] if job["old"] else _cure(facts, wanted, stored.job(job["id"]), before, after, job),
    )


def _drops(own: Any, file: Any) -> bool:
    return own is not None and not own["enabled"] and bool(file and file["enabled"])


def _dropped(file: Any) -> str:
    return f"its own fleecing is off, which drops that of vzdump.conf (onto {file['storage']}) as a whole"


def _job_finding(facts: Facts, job: Job, severity: Severity, said: str, hint: str, **more: Any) -> Finding:
    return finding(
        "IO301",
        severity,
        f"job {job['id']}: {about(job)}{said}",
        hint,
        file=job["file"],
        line=line(job, "fleecing"),
        actual=job["stored"]["fleecing"],
        **more,
    )


def _storage(
    facts: Facts, where: str, name: str | None, file: str, lines: dict[str, int], job: Job | None = None
) -> Iterator[Finding]:
    """IO303: a storage that cannot take fleecing images, or takes them badly."""
    if not name:
        return
    severity: Severity = "warning"
    why = why_unusable(facts, name, "images", job)
    storage = by_id(facts).get(name)
    if why:
        why, hint = f"{why}: a backup of a guest fails", words.FLEECING_STORAGE
    elif storage and storage["remote"] and not storage["own"]:
        why = f"is remote ({storage['type']}): guests' writes wait for it in place of the target"
        hint = words.FLEECING_STORAGE
    elif storage and storage["thin"] is False:
        severity = "note"
        why = f"is thick ({storage['type']}): each backup reserves the size of the guest's disks there once more"
        hint = words.FLEECING_STORAGE
    else:
        return
    yield finding(
        "IO303",
        severity,
        f"{where}: fleecing storage {piece(name)} {why}",
        hint,
        file=file,
        line=lines.get("fleecing"),
        actual=name,
    )


def _waits(facts: Facts, policy: LoadPolicy, leads: bool) -> Iterator[Finding]:
    """IO301 for the jobs without fleecing, where the policy does not name any; one finding for all that have it from
    vzdump.conf, or from nothing.
    """
    waiting = [one for one in running(facts) if one.waits and policy.of_job(one.job["id"]).fleecing is None]
    by_file = [one for one in waiting if one.backup.origins["fleecing"] != "job"]
    for remote in (True, False):
        together = [one for one in by_file if one.remote == remote and (remote or _many(one))]
        if together:
            yield _wait(facts, "vzdump.conf: ", together, remote, PATH, facts["vzdump"]["lines"].get("fleecing"))
    for one in waiting if leads else ():
        file = facts["vzdump"]["values"]["fleecing"]
        if one.backup.origins["fleecing"] == "job" and not (file and file["enabled"]) and (one.remote or _many(one)):
            start = f"job {one.job['id']}: {about(one.job)}"
            yield _wait(facts, start, [one], one.remote, one.job["file"], line(one.job, "fleecing"))


def _many(one: Running) -> bool:
    return one.backup.max_workers > FEW_WORKERS


def _wait(facts: Facts, start: str, together: list[Running], remote: bool, file: str, at: int | None) -> Finding:
    many = [one for one in together if _many(one)]
    has_it = effective.at_least(facts["version"], effective.FLEECING_SINCE)
    severity: Severity = "warning" if remote and many and has_it is not False else "note"
    places = sorted({one.place for one in together})
    targets = f"{', '.join(places)}, which {'is' if len(places) == 1 else 'are'} {'remote' if remote else 'local'}"
    workers = max(one.backup.max_workers for one in together)
    which = "it backs" if start.startswith("job ") else f"{named(one.job for one in together)} back"
    which += "s" if not start.startswith("job ") and len(together) == 1 else ""
    ends = f"{words.WAITS}, and for ever where it hangs" if remote else words.WAITS
    return finding(
        "IO301",
        severity,
        f"{start}no fleecing, {workers} {'worker' if workers == 1 else 'workers'}, and {which} up to {targets}: {ends}",
        words.without_fleecing(remote, bool(many), has_it),
        file=file,
        line=at,
        actual={"fleecing": None, "max_workers": workers},
    )
