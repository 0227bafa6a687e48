# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors
"""What is tried under a load: today's values, and values that should shorten the freeze, mildest first. Pure.

A candidate, plain JSON::

    name: queue 16 x 128 KiB     # short, for a table
    queue: {nr_requests: 16, max_sectors_kb: 128}   # of each disk; empty: as it is
    dirty: {max_bytes: 8388608, strict_limit: 1}    # of the device; empty: as it is
    backup: {max_workers: 1, …}  # what differs from today's backup; empty: nothing
    load_mb_per_s: 0             # what the writer is held to; 0: nothing

How large a value is follows the disk's rate: a flush may not put more before the guest's request than the disk does in
a moment. At 40 MB/s these were 16 requests, 128 KiB, 32 and 8 MiB; docs/calibrate.md has the measurements.
"""

from __future__ import annotations

import math
from typing import Any

LOADS = ("backup", "writer", "restore")
"""In the order in which they are measured: what is chosen for one is set under those after it."""

Candidate = dict[str, Any]
ABOVE = "as chosen above"
TODAY: Candidate = {"name": "today", "queue": {}, "dirty": {}, "backup": {}, "load_mb_per_s": 0}

_MILD_S, _STRONG_S = 0.5, 0.1
"""Seconds of the disk's rate that its queue may hold."""
_MILD_DIRTY_S, _STRONG_DIRTY_S = 0.8, 0.2
_FEWEST_REQUESTS, _SMALLEST_KB = 8, 64
_SMALLEST_DIRTY = 4 << 20


def _near(value: float, least: int) -> int:
    """The nearest power of two, ``least`` at least."""
    return max(least, 1 << max(0, round(math.log2(max(1.0, value)))))


def _mib(number: int) -> str:
    return f"{number >> 20} MiB"


def made(name: str, **given: Any) -> Candidate:
    """A candidate that differs from today in what is given."""
    return {**TODAY, "name": name, **given}


def joined(one: Candidate, other: Candidate) -> Candidate:
    """Both at once; ``other`` has precedence."""
    names = [each["name"] for each in (one, other) if each["name"] != TODAY["name"]]
    both = {key: {**one[key], **other[key]} for key in ("queue", "dirty", "backup")}
    rate = other["load_mb_per_s"] or one["load_mb_per_s"]
    return {**both, "name": ", ".join(names) or TODAY["name"], "load_mb_per_s": rate}


def of_queue(facts: dict[str, Any], rate_mb_per_s: float) -> tuple[list[Candidate], list[str]]:
    """The candidates of a writer, and a sentence for each kind that is not possible on this storage.

    ``facts`` are those of disk.facts(). A value that is no smaller than today's is no candidate.
    """
    device, disks = facts["device"], facts["disks"]
    if device is None:
        return [], ["This directory is on no block device of its own (ZFS, btrfs, NFS): it has no queue to shorten."]
    out, missing = [], []
    rate = rate_mb_per_s * 1e6
    requests = min((disk["nr_requests"] for disk in disks if disk["nr_requests"]), default=None)
    size_kb = min((disk["max_sectors_kb"] for disk in disks if disk["max_sectors_kb"]), default=None)
    queues = max((disk["hw_queues"] for disk in disks), default=1)
    short = None
    if requests is None or size_kb is None:
        missing.append(
            "These disks have no request queue of the kernel's: nr_requests and max_sectors_kb are left out."
        )
    else:
        fewer = _near(_MILD_S * rate / queues / (size_kb * 1024), _FEWEST_REQUESTS)
        smaller = _near(_MILD_S * rate / queues / 1024 / requests, _SMALLEST_KB)
        if fewer < requests:
            out.append(made(f"{fewer} requests", queue={"nr_requests": fewer}))
        if smaller < size_kb:
            out.append(made(f"requests of {smaller} KiB", queue={"max_sectors_kb": smaller}))
        both = {"nr_requests": min(fewer, requests), "max_sectors_kb": min(smaller, size_kb)}
        while queues * both["nr_requests"] * both["max_sectors_kb"] * 1024 > _STRONG_S * rate:
            key = "nr_requests" if both["nr_requests"] >= 2 * _FEWEST_REQUESTS else "max_sectors_kb"
            if both["max_sectors_kb"] <= _SMALLEST_KB and key == "max_sectors_kb":
                break
            both[key] //= 2
        if both != {"nr_requests": requests, "max_sectors_kb": size_kb}:
            short = made(f"{both['nr_requests']} requests of {both['max_sectors_kb']} KiB", queue=both)
    limits = []
    if device["max_bytes"] is None:
        missing.append("This kernel has no max_bytes of a device (Linux 6.2 has): that limit is left out.")
    else:
        sizes = [_near(share * rate, _SMALLEST_DIRTY) for share in (_MILD_DIRTY_S, _STRONG_DIRTY_S)]
        strict = {} if device["strict_limit"] is None else {"strict_limit": 1}
        limits = [
            made(f"{_mib(size)} dirty", dirty={"max_bytes": size, **strict})
            for size in dict.fromkeys(sizes)
            if size < device["max_bytes"]
        ]
    out += limits[:1] + ([short] if short else []) + limits[1:]
    if short and limits:
        out.append(joined(short, limits[-1]))
    return out, missing


def of_backup(
    today: dict[str, Any], disk_mb_per_s: float, target_mb_per_s: float | None, fleecing: str | None
) -> list[Candidate]:
    """The candidates of a backup that is ``today`` (_prove/backup.py); ``fleecing`` is a directory, null for none.

    The target's rate is null where the data goes nowhere.
    """
    out = [
        made("1 worker" if count == 1 else f"{count} workers", backup={"max_workers": count})
        for count in (4, 1)
        if count < today["max_workers"]
    ]
    fewest = made("1 worker", backup={"max_workers": 1}) if today["max_workers"] > 1 else TODAY
    if fleecing is not None and today["fleecing"] is None:
        fleeced = made("fleecing", backup={"fleecing": fleecing})
        out += [fleeced, *([joined(fewest, fleeced)] if fewest is not TODAY else [])]
    rate = int(min([disk_mb_per_s / 2, *([target_mb_per_s * 4 / 5] if target_mb_per_s else [])]))
    if rate >= 1 and not 0 < today["rate_mb_per_s"] <= rate:
        out.append(joined(fewest, made(f"{rate} MB/s", backup={"rate_mb_per_s": rate})))
    return out


def of_restore(disk_mb_per_s: float, shorter: list[Candidate]) -> list[Candidate]:
    """The candidates of a restore: it is held to a half and to a quarter of the disk's rate.

    A restore that goes through the host's cache needs a short queue as well: the last of ``shorter``, the candidates of
    a writer, is tried with it.
    """
    rates = [int(disk_mb_per_s / part) for part in (2, 4)]
    held = [made(f"{rate} MB/s", load_mb_per_s=rate) for rate in rates if rate >= 1]
    return held + [joined(shorter[-1], one) for one in held if shorter]


def on(chosen: Candidate, candidates: list[Candidate]) -> list[Candidate]:
    """The candidates of a load after those for which something was chosen: today, that alone, and each with it."""
    if not any(chosen[key] for key in TODAY if key != "name"):
        return [TODAY, *candidates]
    return [TODAY, {**chosen, "name": ABOVE}, *({**joined(chosen, one), "name": one["name"]} for one in candidates)]
