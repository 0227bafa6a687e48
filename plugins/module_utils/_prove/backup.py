# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors
"""The backup of a running guest, as Proxmox VE makes it with QEMU: copy before write, with or without fleecing. Pure.

A write of the guest to a place that is not backed up yet waits until the old data is in the backup's target; with
fleecing, until it is in the fleecing image. A backup, plain JSON::

    max_workers: 16              # requests of the job at a time, Proxmox VE's performance: max-workers
    rate_mb_per_s: 0             # the job's own limit, Proxmox VE's bwlimit; 0 is none
    cluster_kb: 64               # what a write of the guest waits for at least; 4096 for a Proxmox Backup Server
    target: /mnt/backup          # a directory; null: the data is read and goes nowhere
    target_mb_per_s: 0           # how fast the target is made to be, by QEMU; 0 is as fast as it is
    target_requests_per_s: 0
    fleecing: /var/lib/vz        # a directory for the fleecing image; null: no fleecing

Sources: QEMU's qapi/block-core.json (blockdev-backup, copy-before-write, snapshot-access); pve-qemu's
pve-backup.c, setup_snapshot_access, for the graph, cbw-timeout and on-cbw-error.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

from .errors import ProveError

Backup = dict[str, Any]
Command = tuple[str, dict[str, Any]]

BACKUP = "backup"
"""The value of ``during``."""

DEFAULTS: Backup = {
    "max_workers": 16,
    "rate_mb_per_s": 0,
    "cluster_kb": 64,
    "target": None,
    "target_mb_per_s": 0,
    "target_requests_per_s": 0,
    "fleecing": None,
}
_BOUNDS = {
    # Proxmox VE's own: PVE::VZDump::Common, performance.
    "max_workers": (1, 256),
    "rate_mb_per_s": (0, 1000000),
    "cluster_kb": (64, 65536),
    "target_mb_per_s": (0, 1000000),
    "target_requests_per_s": (0, 10000000),
}
_PATHS = ("target", "fleecing")

_FIRST_WITH_FLEECING = (8, 1)
"""pve-qemu 8.1.5 is the first that fleeces."""
_FIRST_WITH_CLUSTERS = (9, 2)
"""The first with BackupPerf's min-cluster-size."""

DEVICE = "disk0"
"""The id of the guest's disk device."""
_JOB, _TARGET, _IMAGE, _FILTER, _ACCESS = "backup", "backup-target", "fleecing-image", "fleecing", "fleecing-access"
PROGRESS = ("query-block-jobs", _JOB)
"""The question about a job that still runs, and the id of its answer."""


def check(given: Backup, where: str) -> Backup:
    """A complete backup from one that may lack keys. Raises ProveError that begins with ``where``."""
    given = {key: value for key, value in given.items() if value is not None}
    unknown = sorted(set(given) - set(DEFAULTS))
    if unknown:
        raise ProveError(f"{where}: unknown {', '.join(unknown)} in backup; allowed: {', '.join(DEFAULTS)}")
    full = {**DEFAULTS, **given}
    for key, (low, high) in _BOUNDS.items():
        if isinstance(full[key], bool) or not isinstance(full[key], int) or not low <= full[key] <= high:
            raise ProveError(f"{where}: {key} of the backup is {full[key]!r}; allowed: {low} to {high}")
    if full["cluster_kb"] & (full["cluster_kb"] - 1):
        raise ProveError(f"{where}: cluster_kb of the backup is {full['cluster_kb']}; allowed: powers of two")
    for key in _PATHS:
        if full[key] is not None and not str(full[key]).startswith("/"):
            raise ProveError(f"{where}: {key} of the backup is {full[key]!r}; name a directory of the host")
    if full["target"] is None and (full["target_mb_per_s"] or full["target_requests_per_s"]):
        raise ProveError(f"{where}: a target that is slow on purpose needs a directory (target)")
    return full


def directories(backup: Backup) -> list[str]:
    """The directories in which the backup needs a file as large as the disk, one for each file."""
    return [backup[key] for key in _PATHS if backup[key] is not None]


def version_in(text: str) -> tuple[int, int] | None:
    """Major and minor in what ``qemu --version`` writes, None where there is no version."""
    found = re.search(r"version (\d+)\.(\d+)", text)
    return (int(found.group(1)), int(found.group(2))) if found else None


def check_version(backup: Backup, version: tuple[int, int] | None, where: str) -> None:
    """Raises ProveError where this QEMU cannot make the backup."""
    shown = ".".join(map(str, version or ())) or "not known"
    for needs, first, what in (
        (
            backup["fleecing"] is not None,
            _FIRST_WITH_FLEECING,
            "fleecing needs QEMU 8.1 or later, as in Proxmox VE 8.2",
        ),
        (backup["cluster_kb"] > 64, _FIRST_WITH_CLUSTERS, "a backup with cluster_kb needs QEMU 9.2 or later"),
    ):
        if needs and (version is None or version < first):
            raise ProveError(
                f"{where}: {what}; this host's is {shown}. Measure without it, or name another QEMU (qemu)"
            )


def describe(backup: Backup) -> str:
    """A short text for a table: ``16 workers to /mnt/backup at 5 MB/s, fleecing on /var/lib/vz``."""
    text = "1 worker" if backup["max_workers"] == 1 else f"{backup['max_workers']} workers"
    if backup["rate_mb_per_s"]:
        text += f" with {backup['rate_mb_per_s']} MB/s"
    if backup["cluster_kb"] != DEFAULTS["cluster_kb"]:
        text += f" and clusters of {backup['cluster_kb']} KiB"
    text += f" to {backup['target']}" if backup["target"] is not None else " to nowhere"
    limits = [
        f"{backup[key]} {unit}"
        for key, unit in (("target_mb_per_s", "MB/s"), ("target_requests_per_s", "requests/s"))
        if backup[key]
    ]
    text += f" at {' and '.join(limits)}" if limits else ""
    return text + (f", fleecing on {backup['fleecing']}" if backup["fleecing"] is not None else "")


def argv(backup: Backup, files: dict[str, int], size: int) -> list[str]:
    """QEMU's arguments for the job's target and the fleecing image; ``files`` are descriptors of sparse files of the
    disk's ``size``, {target, fleecing}, without those that the backup does not have.
    """

    def file(name: str) -> dict[str, Any]:
        # Past the host's cache: a target is to be as slow as its storage.
        cache = {"direct": True}
        path = f"/proc/self/fd/{files[name]}"
        return {"driver": "file", "filename": path, "aio": "threads", "cache": cache, "locking": "off"}

    if backup["target"] is None:
        command = ["-blockdev", json.dumps({"driver": "null-co", "node-name": _TARGET, "size": size})]
    else:
        limits = {
            "x-bps-total": backup["target_mb_per_s"] * 1000000,
            "x-iops-total": backup["target_requests_per_s"],
        }
        group = ",".join(f"{name}={limit}" for name, limit in limits.items() if limit)
        command = ["-object", f"throttle-group,id=backup-limit{',' + group if group else ''}"]
        node = {"driver": "raw", "file": file("target")}
        throttled = {"driver": "throttle", "throttle-group": "backup-limit", "node-name": _TARGET, "file": node}
        command += ["-blockdev", json.dumps(throttled)]
    if backup["fleecing"] is not None:
        node = {"driver": "raw", "node-name": _IMAGE, "file": file("fleecing"), "discard": "unmap"}
        command += ["-blockdev", json.dumps(node)]
    return command


def commands(backup: Backup, node: str, bus: str) -> list[Command]:
    """The QMP commands that begin the backup of the disk with this block node, in their order."""
    perf = {"max-workers": backup["max_workers"]}
    if backup["cluster_kb"] > DEFAULTS["cluster_kb"]:
        perf["min-cluster-size"] = backup["cluster_kb"] * 1024
    job: dict[str, Any] = {"job-id": _JOB, "device": node, "target": _TARGET, "sync": "full", "x-perf": perf}
    if backup["rate_mb_per_s"]:
        job["speed"] = backup["rate_mb_per_s"] * 1000000
    if backup["fleecing"] is None:
        return [("blockdev-backup", job)]
    copies = {
        "driver": "copy-before-write",
        "node-name": _FILTER,
        "file": node,
        "target": _IMAGE,
        "on-cbw-error": "break-snapshot",
        "cbw-timeout": 45,
    }
    access = {"driver": "snapshot-access", "node-name": _ACCESS, "file": _FILTER}
    device = f"/machine/peripheral/{DEVICE}" + ("/virtio-backend" if bus == "virtio" else "")
    return [
        ("blockdev-add", copies),
        ("qom-set", {"path": device, "property": "drive", "value": _FILTER}),
        ("blockdev-add", access),
        ("blockdev-backup", {**job, "device": _ACCESS}),
    ]


def progress(messages: Iterable[tuple[float, dict[str, Any]]], begun: float | None) -> dict[str, Any]:
    """How far the job came: {mb_per_s, ended}, from QEMU's messages, each with the time when it arrived (s).

    ``begun`` is when the job began, None where it did not; mb_per_s (10^6 bytes) is what it read of the disk in a
    second, None where that is not known; ended is whether the job ended before the measurement did. Raises ProveError
    where the job failed.
    """
    found: dict[str, Any] = {"mb_per_s": None, "ended": False}
    for arrived, message in messages:
        data = message.get("data") or {}
        if message.get("event") == "BLOCK_JOB_COMPLETED" and data.get("device") == _JOB:
            if data.get("error"):
                raise ProveError(f"the backup failed: {data['error']}")
            read, found["ended"] = data["offset"], True
        elif message.get("id") == PROGRESS[1] and not found["ended"]:
            jobs = [job for job in message.get("return") or () if job["device"] == _JOB]
            if not jobs:
                continue
            read = jobs[0]["offset"]
        else:
            continue
        if begun is not None and arrived > begun:
            found["mb_per_s"] = round(read / (arrived - begun) / 1e6, 1)
    return found
