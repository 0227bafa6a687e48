# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""What is effective in a backup: a job's own value, else that of the node's vzdump.conf, else Proxmox VE's. Pure.

PVE::VZDump ``new`` and ``read_vzdump_defaults``, 9.2: of ``performance`` each sub-key counts by itself, ``fleecing`` is
one value, and a job's storage or dumpdir hides both of the file.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from .jobs_cfg import Job
from .options import Fleecing, Options

#: Where a value comes from.
Origin = Literal["job", "file", "default"]

#: Proxmox VE's defaults (VZDump/Common.pm). bwlimit 0 is no limit.
BWLIMIT, IONICE, MAX_WORKERS, MODE, STORAGE = 0, 7, 16, "snapshot", "local"
#: The versions that brought what is set here (pve-manager).
FLEECING_SINCE, MAX_WORKERS_SINCE = (8, 2), (7, 3)


class Backup(NamedTuple):
    """A backup as it runs on a node; ``origins`` says where each value comes from. ``storage`` is None where it goes
    into a directory that is named (``dumpdir``).
    """

    bwlimit: int
    ionice: int
    max_workers: int
    fleecing: Fleecing
    mode: str
    storage: str | None
    dumpdir: str | None
    origins: dict[str, Origin]


def backup(job: Options | None, file: Options | None) -> Backup:
    """What a job does on a node; None for ``job`` is a backup by hand that names nothing, None for ``file`` a node
    without a vzdump.conf.
    """
    levels: list[tuple[Origin, Options]] = [("job", job)] if job else []
    levels += [("file", file)] if file else []
    origins: dict[str, Origin] = {}

    def first(key: str, default: object) -> object:
        for origin, values in levels:
            value = values[key]  # type: ignore[literal-required]
            if value is not None:
                origins[key] = origin
                return value
        origins[key] = "default"
        return default

    target = next((values for _origin, values in levels if values["storage"] or values["dumpdir"]), None)
    storage = (target["storage"] if target else None) or (None if target and target["dumpdir"] else STORAGE)
    return Backup(
        bwlimit=first("bwlimit", BWLIMIT),  # type: ignore[arg-type]
        ionice=first("ionice", IONICE),  # type: ignore[arg-type]
        max_workers=first("max_workers", MAX_WORKERS),  # type: ignore[arg-type]
        fleecing=first("fleecing", {"enabled": False, "storage": None}),  # type: ignore[arg-type]
        mode=first("mode", MODE),  # type: ignore[arg-type]
        storage=storage,
        dumpdir=None if storage or not target else target["dumpdir"],
        origins=origins,
    )


def runs_on(job: Job, node: str | None) -> bool:
    """Whether a job is enabled and runs on a node; None is any node."""
    return job["enabled"] and (job["node"] is None or node is None or job["node"] == node)


def covered(job: Job, guests: list[str], pools: dict[str, list[str]] | None) -> list[str] | None:
    """Those of the guests that a job backs up (``get_included_guests``); None where its pool is not known."""
    if job["pool"] is not None:
        if pools is None:
            return None
        taken = pools.get(job["pool"], [])
        return [guest for guest in guests if guest in taken]
    if job["guests"]:
        return [guest for guest in guests if guest in job["guests"]]
    return [guest for guest in guests if guest not in job["exclude"]] if job["all"] else []


def at_least(version: str | None, needed: tuple[int, int]) -> bool | None:
    """Whether a version of Proxmox VE is at least another one; None where it is not known."""
    if version is None:
        return None
    numbers = version.replace("-", ".").replace("~", ".").split(".")
    try:
        return (int(numbers[0]), int(numbers[1])) >= needed
    except (IndexError, ValueError):
        return None
