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
from ...module_utils._load.storages import LoadStorage
from ...module_utils._shown import piece, some

Facts = Mapping[str, Any]

#: More workers than this make a guest's writes wait noticeably longer on slow disks and targets (docs/load.md).
FEW_WORKERS = 4


class Running(NamedTuple):
    """A job that runs on this node. ``guests`` are those of QEMU that it backs up here; None where its pool is not
    known. ``target`` is None where it is no storage of storage.cfg.
    """

    job: Job
    backup: Backup
    target: LoadStorage | None
    guests: list[str] | None

    @property
    def waits(self) -> bool:
        """Whether guests' writes wait for its target: QEMU copies before it writes, and no fleecing takes the copy.

        In each mode: stop and suspend let a guest that ran go on as soon as the backup has begun (qemu-server,
        VZDump/QemuServer.pm, resume_vm_after_job_start).
        """
        return self.guests != [] and not self.backup.fleecing["enabled"]

    @property
    def remote(self) -> bool:
        """Whether its target is on another machine."""
        return self.target is not None and self.target["remote"] and not self.target["own"]

    @property
    def place(self) -> str:
        """Its target in words."""
        return piece(self.backup.storage or self.backup.dumpdir or "?")


def running(facts: Facts) -> list[Running]:
    """The jobs that are enabled and run on this node. Without its vzdump.conf nothing is known of what they use."""
    file = facts["vzdump"]
    if file is None:
        return []
    return [_running(job, facts) for job in enabled(facts) if effective.runs_on(job, facts["node"])]


def enabled(facts: Facts) -> list[Job]:
    """The jobs of the cluster that are enabled, on whichever node they run."""
    return [job for job in facts["jobs"] if job["enabled"]]


def _running(job: Job, facts: Facts) -> Running:
    backup = effective.backup(job["values"], facts["vzdump"]["values"])
    target = by_id(facts).get(backup.storage or "")
    return Running(job, backup, target, effective.covered(job, facts["guests"]["qemu"], facts["pools"]))


def by_id(facts: Facts) -> dict[str, LoadStorage]:
    """The storages by their ids."""
    return {one["id"]: one for one in facts["storages"] or ()}


def why_unusable(facts: Facts, name: str, content: str, job: Job | None = None) -> str | None:
    """Why a node cannot put backups or images on a storage, a clause; None where it can, or nothing is known.

    The node is this one, or the only one that a job runs on.
    """
    node = (job["node"] if job else None) or facts["node"]
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
