# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The policy document about hosts: validated as a whole before a host is judged by it.

It is about the host itself: its disks' queues, its memory, its arrays and pools. A value that is named is set on the
host; what is not named is only reported.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from .._policy import shapes
from .._policy.waiver import Waiver
from . import disks_policy, units, waivers

#: A thin pool above it is reported.
THIN_POOL_PERCENT = 80

_KEYS = (
    "disks",
    "swappiness",
    "zfs_arc_max",
    "md_sync_speed_max",
    "wbt",
    "transparent_hugepage",
    "thin_pool_percent",
    "guest_agent",
    "waivers",
)
# OpenZFS ignores a smaller zfs_arc_max (module/zfs/arc.c, MIN_ARC_MAX).
_LEAST_ARC = 64 << 20
# Below it md's own minimum, dev.raid.speed_limit_min, has the last word: 1000 KiB/s.
_LEAST_SYNC = 1 << 20


class HostPolicy(NamedTuple):
    """A validated policy. None: not named, so it is only reported.

    ``zfs_arc_max`` in bytes, ``md_sync_speed_max`` in bytes per second, ``wbt``: default, ``transparent_hugepage``:
    madvise. ``thin_pool_percent`` is judged against and never set. ``guest_agent``: the guest agent may be asked for
    virtio-win's version.
    """

    disks: tuple[disks_policy.DiskWish, ...]
    swappiness: int | None
    zfs_arc_max: int | None
    md_sync_speed_max: int | None
    wbt: str | None
    transparent_hugepage: str | None
    thin_pool_percent: int
    guest_agent: bool
    waivers: tuple[Waiver, ...]


def parse(document: Any, place: str = "host_policy") -> HostPolicy:
    """Validate the document; null is an empty one. Raises PolicyError with the place and what it allows."""
    raw = {} if document is None else document
    shapes.mapping(place, raw, _KEYS)

    def named(key: str, check: Any, *allowed: Any, **more: Any) -> Any:
        return None if raw.get(key) is None else check(f"{place}.{key}", raw[key], *allowed, **more)

    percent = named("thin_pool_percent", shapes.number, 1, 99)
    return HostPolicy(
        disks=disks_policy.parse(f"{place}.disks", raw.get("disks")),
        swappiness=named("swappiness", shapes.number, 0, 100),
        zfs_arc_max=named("zfs_arc_max", units.size, least=_LEAST_ARC),
        md_sync_speed_max=named("md_sync_speed_max", units.rate, least=_LEAST_SYNC, most=1 << 40, whole=1 << 10),
        wbt=named("wbt", shapes.choice, ("default",)),
        transparent_hugepage=named("transparent_hugepage", shapes.choice, ("madvise",)),
        thin_pool_percent=THIN_POOL_PERCENT if percent is None else percent,
        guest_agent=bool(named("guest_agent", shapes.truth)),
        waivers=waivers.parse([(f"{place}.waivers", raw.get("waivers"))]),
    )
