# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The mounts of a host (proc(5), mountinfo): text in, values out. No I/O."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

_ESCAPE = re.compile(r"\\([0-7]{3})")
#: Nothing is written to these that a disk of the host has to take.
_IN_MEMORY = frozenset("cgroup cgroup2 devpts devtmpfs proc ramfs securityfs sysfs tmpfs".split())


class Mount(NamedTuple):
    """``number`` is the device's MAJOR:MINOR, which btrfs, ZFS and NFS make up; ``source`` is what was mounted."""

    number: str
    point: str
    kind: str
    source: str


def parse(text: str) -> list[Mount]:
    """The mounts in their order, without those in memory; lines that are not understood are left out."""
    found = []
    for line in text.splitlines():
        left, _dash, right = line.partition(" - ")
        fields, described = left.split(" "), right.split(" ")
        if len(fields) > 4 and len(described) > 1 and described[0] not in _IN_MEMORY:
            found.append(Mount(fields[2], _plain(fields[4]), described[0], _plain(described[1])))
    return found


def of_path(mounts: Iterable[Mount], path: str) -> Mount | None:
    """The mount that a path without links lies on: that of the longest mount point, and of these the last one."""
    best = None
    for mount in mounts:
        inside = mount.point == "/" or path == mount.point or path.startswith(f"{mount.point}/")
        if inside and (best is None or len(mount.point) >= len(best.point)):
            best = mount
    return best


def _plain(text: str) -> str:
    return _ESCAPE.sub(lambda match: chr(int(match[1], 8)), text)
