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
from ...module_utils._load.options import Options
from ...module_utils._load.vzdump_conf import PATH
from ...module_utils._model.findings import Finding, Severity, change, finding
from ...module_utils._shown import piece
from ...module_utils._text import plural
from . import load_words as words
from .load_policy import LoadPolicy
from .load_view import (
    FEW_WORKERS,
    Facts,
    Running,
    about,
    alone,
    backs_up_none,
    by_id,
    enabled,
    line,
    named,
    of_cluster,
    running,
    why_unusable,
)


def judge(facts: Facts, policy: LoadPolicy, leads: bool) -> Iterator[Finding]:
    """What is found about fleecing on a node; what is set in jobs is judged where ``leads``."""
    jobs = enabled(facts) if leads else []
    if facts["vzdump"] is not None:
        if policy.backup.fleecing is not None:
            yield from _of_file(facts, policy.backup.fleecing)
        file = facts["vzdump"]
        yield from _storage(facts, stored.VZDUMP, policy.backup.fleecing, file["values"], PATH, file["lines"])
    yield from _waits(facts, policy)
    for job in jobs:
        wanted = policy.of_job(job["id"]).fleecing
        own = job["values"]["fleecing"]
        if wanted is not None:
            yield from _of_job(facts, job, wanted, policy)
        elif own is not None and not own["enabled"]:
            yield from _own_off(facts, job)
        named = wanted if own or wanted != policy.backup.fleecing else None
        yield from _storage(facts, stored.job(job["id"]), named, job["values"], job["file"], job["lines"], job)


def _spelled(own: Any) -> str:
    return _onto(own["storage"] if own and own["enabled"] else "")


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
        f"vzdump.conf: fleecing is {_spelled(own)}, wanted {_wanted(wanted)}",
        _hint(facts, wanted, f"Set fleecing: {after} in {PATH}."),
        file=PATH,
        line=file["lines"].get("fleecing"),
        actual=before,
        wanted=after,
        cure=_cure(facts, wanted, stored.VZDUMP, before, after),
    )


def _wanted(wanted: str) -> str:
    """What is wanted, and what it does for guests."""
    return f"{_onto(wanted)}; {words.FLEECING}" if wanted else "off"


def _onto(storage: str) -> str:
    return f"onto {storage}" if storage else "off"


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
    file = _file_fleecing(facts, job)
    if own is not None:
        if _same(own, wanted):
            return
        said = _dropped(file) if _drops(own, file) else f"its fleecing is {_spelled(own)}"
    elif policy.backup.fleecing is not None:
        if policy.backup.fleecing == wanted:
            return
        said = f"its fleecing is {_onto(policy.backup.fleecing)}"
    elif alone(job, facts):
        if facts["vzdump"] is None or _same(file, wanted):
            return
        said = f"its fleecing is {_spelled(file)}"
    else:
        said = "it has no fleecing of its own"
    before = job["stored"]["fleecing"]
    after = stored.fleecing(before, wanted, of_job=True)
    yield _job_finding(
        facts,
        job,
        "error",
        f"{said}, wanted {_wanted(wanted)}",
        _hint(facts, wanted, words.set_job(job, f"fleecing {after}")),
        wanted=after,
        cure=[] if job["old"] else _cure(facts, wanted, stored.job(job["id"]), before, after, job),
    )


def _file_fleecing(facts: Facts, job: Job) -> Any:
    """The fleecing of vzdump.conf that a job meets on this node; None where it does not run here."""
    here = facts["vzdump"] is not None and effective.runs_on(job, facts["node"])
    return facts["vzdump"]["values"]["fleecing"] if here else None


def _own_off(facts: Facts, job: Job) -> Iterator[Finding]:
    """IO301 where a job turns fleecing off itself, and the policy does not name any."""
    file = _file_fleecing(facts, job)
    if _drops(job["values"]["fleecing"], file):
        yield _job_finding(facts, job, "warning", _dropped(file), words.TAKE_FLEECING_OUT)
        return
    one = of_cluster(job, facts)
    if not backs_up_none(job, facts) and (one.remote or _many(one)):
        where = f"it backs up to {one.place}{_which(one.remote, 1)}" if one.place else ""
        yield _wait(facts, f"job {job['id']}: {about(job)}", where, [one], job["file"], line(job, "fleecing"))


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
    facts: Facts,
    where: str,
    wanted: str | None,
    values: Options,
    file: str,
    lines: dict[str, int],
    job: Job | None = None,
) -> Iterator[Finding]:
    """IO303: a storage that cannot take fleecing images, or takes them badly: the one that is ``wanted``, else that of
    the ``values``.
    """
    own = values["fleecing"]
    name = wanted if wanted is not None else own["storage"] if own and own["enabled"] else None
    if not name:
        return
    set_already = _same(own, name)
    severity: Severity = "warning"
    why = why_unusable(facts, name, "images", job)
    storage = by_id(facts).get(name)
    if why:
        said = f"{why}: a backup of a guest {'fails' if set_already else 'would fail'}"
    elif storage and storage["remote"] and not storage["own"]:
        waits = "wait" if set_already else "would wait"
        said = f"is remote ({storage['type']}): guests' writes {waits} for it in place of the target"
    elif storage and storage["thin"] is False:
        severity = "note"
        takes = "reserves" if set_already else "would reserve"
        said = f"is thick ({storage['type']}): each backup {takes} the size of the guest's disks there once more"
    else:
        return
    yield finding(
        "IO303",
        severity,
        f"{where}: fleecing storage {piece(name)} {said}",
        words.FLEECING_STORAGE,
        file=file,
        line=lines.get("fleecing"),
        actual=name,
    )


def _waits(facts: Facts, policy: LoadPolicy) -> Iterator[Finding]:
    """IO301 for the jobs that take no fleecing from this node's vzdump.conf, where the policy does not name any."""
    waiting = [
        one
        for one in running(facts)
        if one.waits and one.backup.origins["fleecing"] != "job" and policy.of_job(one.job["id"]).fleecing is None
    ]
    for remote in (True, False, None):
        together = [one for one in waiting if one.remote == remote and (remote or _many(one))]
        if together:
            at = facts["vzdump"]["lines"].get("fleecing")
            yield _wait(facts, "vzdump.conf: ", _where(together), together, PATH, at)


def _many(one: Running) -> bool:
    return one.workers is None or one.workers > FEW_WORKERS


def _where(together: list[Running]) -> str:
    """Which job backs up where: ``job a backs up to nas, and jobs b, c to vault, which are remote``."""
    places: dict[str, list[Running]] = {}
    for one in together:
        places.setdefault(one.place, []).append(one)
    parts: list[str] = []
    for place, jobs in places.items():
        backs = "" if parts else " backs up" if len(jobs) == 1 else " back up"
        parts.append(f"{named(one.job for one in jobs)}{backs} to {place}")
    return ", and ".join(parts) + _which(together[0].remote, len(places))


def _which(remote: bool | None, places: int) -> str:
    return "" if remote is None else f", which {'is' if places == 1 else 'are'} {'remote' if remote else 'local'}"


def _wait(facts: Facts, start: str, where: str, together: list[Running], file: str, at: int | None) -> Finding:
    """IO301 of jobs that are all remote or all local; ``start`` begins the message, ``where`` tells their targets."""
    remote = together[0].remote
    many = any(map(_many, together))
    has_it = effective.at_least(facts["version"], effective.FLEECING_SINCE)
    severity: Severity = "warning" if remote and many and has_it is not False else "note"
    workers = max((one.workers for one in together if one.workers is not None), default=None)
    told = ["no fleecing", *([] if workers is None else [plural(workers, "worker")])]
    said = ", ".join(told) + (f", and {where}" if where else "")
    return finding(
        "IO301",
        severity,
        f"{start}{said}: {words.WAITS}{', and for ever where it hangs' if remote else ''}",
        words.without_fleecing(
            bool(remote), many, has_it, effective.at_least(facts["version"], effective.MAX_WORKERS_SINCE)
        ),
        file=file,
        line=at,
        actual={"fleecing": None, "max_workers": workers},
    )
