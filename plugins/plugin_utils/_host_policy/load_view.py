# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The backups of a node as the judges of the load see them: each job, and what is effective in it there. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from ...module_utils._load import effective, storages
from ...module_utils._load.effective import Backup
from ...module_utils._load.jobs_cfg import Job
from ...module_utils._load.mounts import RemoteDirectory
from ...module_utils._load.storages import LoadStorage
from ...module_utils._shown import piece, some

Facts = Mapping[str, Any]

#: More workers than this make a guest's writes wait noticeably longer on slow disks and targets (docs/load.md).
FEW_WORKERS = 4


class Target(NamedTuple):
    """Where a job backs up to. ``key`` names it as a finding does, ``remote`` is whether it is on another machine,
    None where that is not known, ``hard`` whether it is a mount of another machine's NFS that waits for ever for a
    server that is gone.
    """

    key: str
    remote: bool | None
    hard: bool
    servers: tuple[str, ...]
    file: str
    line: int | None


class Running(NamedTuple):
    """A job that runs on this node. ``guests`` are those of QEMU that it backs up here; None where its pool is not
    known. ``target`` is None where it is no storage of storage.cfg, and no directory on another machine. ``place`` is
    the target in words, "" where it is not known, and so is None for ``workers``.
    """

    job: Job
    backup: Backup
    target: Target | None
    guests: list[str] | None
    place: str
    workers: int | None

    @property
    def waits(self) -> bool:
        """Whether guests' writes wait for its target: QEMU copies before it writes, and no fleecing takes the copy.

        In each mode: stop and suspend let a guest that ran go on as soon as the backup has begun (qemu-server,
        VZDump/QemuServer.pm, resume_vm_after_job_start).
        """
        return self.guests != [] and not self.backup.fleecing["enabled"]

    @property
    def remote(self) -> bool | None:
        """Whether its target is on another machine; None where that is not known."""
        return self.target is not None and self.target.remote


def running(facts: Facts) -> list[Running]:
    """The jobs that are enabled and run on this node. Without its vzdump.conf nothing is known of what they use."""
    file = facts["vzdump"]
    if file is None:
        return []
    return [_running(job, facts) for job in enabled(facts) if effective.runs_on(job, facts["node"])]


def enabled(facts: Facts) -> list[Job]:
    """The jobs of the cluster that are enabled, on whichever node they run."""
    return [job for job in facts["jobs"] if job["enabled"]]


def of_cluster(job: Job, facts: Facts) -> Running:
    """A job wherever it runs, and whosever guests it backs up: where it does not run here, or vzdump.conf is not known,
    what it sets itself is all that is known.
    """
    here = effective.runs_on(job, facts["node"])
    file = facts["vzdump"]["values"] if here and facts["vzdump"] else None
    backup = effective.backup(job["values"], file)
    known = file is not None or job["values"]["storage"] or job["values"]["dumpdir"]
    return Running(
        job,
        backup,
        _target(backup, facts, here) if known else None,
        guests=None,
        place=_place(backup) if known else "",
        workers=backup.max_workers if file is not None else job["values"]["max_workers"],
    )


def alone(job: Job, facts: Facts) -> bool:
    """Whether a job runs on this node and on no other, so that this vzdump.conf is all that it takes anything from."""
    one_node = facts["cluster"] is None or len(facts["cluster"]["nodes"]) < 2
    return effective.runs_on(job, facts["node"]) and (one_node or job["node"] is not None)


def backs_up_none(job: Job, facts: Facts) -> bool:
    """Whether it is known here that a job backs up no guest of QEMU, on whichever node."""
    if job["guests"] and (job["node"] is None or job["node"] == facts["node"]):
        return set(job["guests"]) <= set(facts["guests"]["lxc"])
    return alone(job, facts) and effective.covered(job, facts["guests"]["qemu"], facts["pools"]) == []


def _running(job: Job, facts: Facts) -> Running:
    backup = effective.backup(job["values"], facts["vzdump"]["values"])
    guests = effective.covered(job, facts["guests"]["qemu"], facts["pools"])
    return Running(job, backup, _target(backup, facts, True), guests, _place(backup), backup.max_workers)


def _place(backup: Backup) -> str:
    return piece(backup.storage or backup.dumpdir or "?")


def _target(backup: Backup, facts: Facts, here: bool) -> Target | None:
    """The target of a backup; one that this node serves is local ``here``, and remote for another node."""
    if backup.storage is None and (facts["dumpdirs"] is None or not here):
        return Target(f"directory {_place(backup)}", None, False, (), f"{facts['pve']}/jobs.cfg", None)
    if backup.storage is None:
        return next((_directory(one, facts) for one in facts["dumpdirs"] if one["path"] == backup.dumpdir), None)
    storage = by_id(facts).get(backup.storage)
    if storage is None:
        return None
    own = storage["own"] and here
    return Target(
        key=f"storage {piece(storage['id'])}",
        remote=storage["remote"] and not own,
        hard=bool(storage["hard"]) and not own,
        servers=tuple(storage["servers"]),
        file=f"{facts['pve']}/storage.cfg",
        line=storage["line"],
    )


def _directory(one: RemoteDirectory, facts: Facts) -> Target:
    file = "/proc/mounts" if facts["live"] else "/etc/fstab"
    return Target(f"mount {piece(one['at'])}", True, one["hard"], tuple(one["servers"]), file, None)


def by_id(facts: Facts) -> dict[str, LoadStorage]:
    """The storages by their ids."""
    return {one["id"]: one for one in facts["storages"] or ()}


def why_unusable(facts: Facts, name: str, content: str, job: Job | None = None) -> str | None:
    """Why a node cannot put backups or images on a storage, a clause; None where it can, or nothing is known.

    The node is this one, or the only one that a job runs on. Where a job backs up no guest of this node, none is asked.
    """
    node = facts["node"]
    if job is not None:
        some_here = effective.covered(job, facts["guests"]["qemu"] + facts["guests"]["lxc"], facts["pools"]) != []
        node = job["node"] or (node if some_here else None)
    if facts["storages"] is None:
        return None
    storage = by_id(facts).get(name)
    if storage is None:
        return "is not in storage.cfg"
    if storage["disabled"]:
        return "is disabled"
    if not storages.usable(storage, node):
        return f"is not for node {node}"
    if storage["content"] is not None and content not in storage["content"]:
        return f"has no content {content}"
    return None


def named(jobs: Iterable[Job]) -> str:
    """Jobs in a sentence: ``job a``, ``jobs a, b and 7 more``."""
    names = [label(job) for job in jobs]
    return f"{'job' if len(names) == 1 else 'jobs'} {', '.join(some(names))}".replace(", and ", " and ")


def label(job: Job) -> str:
    """A job's id, with its comment where it has one: ids are made by Proxmox VE, and say nothing."""
    comment = (job["comment"] or "").split("\n", 1)[0].strip()
    return f"{job['id']} ({piece(comment)})" if comment else job["id"]


def about(job: Job) -> str:
    """How a sentence about a job begins, after ``job ID:``."""
    comment = (job["comment"] or "").split("\n", 1)[0].strip()
    return f"({piece(comment)}) " if comment else ""


def line(one: Mapping[str, Any], key: str) -> int | None:
    """The line of an option, that of the job where it does not have it."""
    return one["lines"].get(key, one.get("line"))  # type: ignore[no-any-return]
