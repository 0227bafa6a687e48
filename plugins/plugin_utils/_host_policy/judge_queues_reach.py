# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""What limits on a host's disks do not reach, IO214: once per disk and storage. Pure, no I/O.

That they do not reach what ZFS writes is IO503.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ...module_utils._model.findings import Finding, finding
from ...module_utils._shown import piece, some
from ...module_utils._text import amount, exact_amount

Disk = Mapping[str, Any]


def of_disk(disk: Disk, wanted: Mapping[str, str], facts: Mapping[str, Any]) -> Iterator[Finding]:
    """A disk that holds guests' images, or that the policy names."""
    if not (disk["images"] or wanted):
        return
    said = [*_behind(disk), *_own_limit(disk, wanted, facts)]
    if said:
        best = disk["ids"][0] if disk["ids"] else disk["name"]
        yield finding("IO214", "note", f"disk {best}: " + "; ".join(said), "Measure with the limits as they are.")


def of_storages(facts: Mapping[str, Any], named: bool) -> Iterator[Finding]:
    """Storages with guests' images that are on no disk of this host, or on none that is known; ``named``: the policy
    names disks.

    Of a tree without a kernel's files no disk is known, which is said once for all of its storages.
    """
    remote = [storage["id"] for storage in facts["storages"] if storage["kind"] == "network"]
    unknown = [storage["id"] for storage in facts["storages"] if storage["kind"] == "unknown"]
    if not facts["sys"] and (named or unknown):
        yield finding(
            "IO214",
            "warning" if named else "note",
            "there is no /sys/block here: the disks and their queues are not known"
            + (", and what the policy's disks ask for was not checked" if named else ""),
            "In a tree of files, add what the kernel shows; on a host, see why it cannot be read. Then run again.",
        )
        unknown = []
    if remote:
        yield finding(
            "IO214",
            "note",
            f"{_storages(remote)}: no limit of this host reaches the queues of disks in another machine",
            "Limit what writes to them: the backups, restores and moves of this host, and the queues over there.",
        )
    if unknown:
        yield finding(
            "IO214",
            "note",
            f"{_storages(unknown)}: the disks below are not known, so they were not looked at",
            "Mount the folder, or activate a volume of the group, and run again.",
        )


def _storages(names: list[str]) -> str:
    return f"{'storage' if len(names) == 1 else 'storages'} {', '.join(map(piece, names))}"


def _behind(disk: Disk) -> Iterator[str]:
    """What stands between the queue and what holds the data."""
    name = disk["name"]
    if disk["remote"]:
        yield f"{name} is in another machine, whose own queue and cache no limit of this host reaches"
    if disk["raid"]:
        yield (
            f"{name} is behind a RAID controller ({disk['raid']}), whose own queue and cache no limit of the kernel"
            " reaches"
        )
    if disk["scheduler"] == "none" and not disk["rotational"]:
        queues = disk["hw_queues"]
        each = f", and its nr_requests counts for each of {queues} hardware queues" if queues > 1 else ""
        yield f"{name} has no scheduler, so a flush and a guest's request are the same to it{each}"


def _own_limit(disk: Disk, wanted: Mapping[str, str], facts: Mapping[str, Any]) -> Iterator[str]:
    """What a ``max_bytes`` of this disk does not do."""
    if "max_bytes" not in wanted or not disk["has_limit"]:
        return
    name, size, dirty = disk["name"], int(wanted["max_bytes"]), facts["dirty"]
    above = [layer for layer in facts["disks"] if name in layer["below"] and layer["mounts"]]
    if above:
        mounts = sorted({mount for layer in above for mount in layer["mounts"]})
        names = [layer["ids"][0] if layer["ids"] else layer["name"] for layer in above]
        yield (
            f"max_bytes of {name} does not reach what is written to {', '.join(some(mounts))}: that lies on"
            f" {', '.join(some(names))}, which has its own max_bytes"
        )
    if any(name in storage["disks"] for storage in facts["storages"] if storage["kind"] == "zfs"):
        yield f"max_bytes of {name} does not reach what ZFS writes"
    if dirty["limit"] is None:
        return
    if size >= dirty["limit"]:
        yield (
            f"max_bytes {exact_amount(size)} is not set, because the host's own limit of {amount(dirty['limit'])} does"
            " as much"
        )
    elif dirty["percent"]:
        yield (
            "max_bytes is kept as a share of the host's limit, which is a percentage of the available memory here: it"
            " moves with it; limits in bytes (vm.dirty_bytes) hold it"
        )
