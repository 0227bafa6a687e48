# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""What is mounted from other machines: /proc/mounts, or fstab of a tree. Text in, values out."""

from __future__ import annotations

import re
from typing import TypedDict

_NETWORK = (
    "ceph",
    "cifs",
    "smb3",
    "nfs",
    "nfs4",
    "glusterfs",
    "fuse.glusterfs",
    "fuse.sshfs",
    "fuse.ceph",
    "9p",
    "lustre",
)
_OCTAL = re.compile(r"\\([0-7]{3})")


class Mount(TypedDict):
    """A mount; ``hard`` of NFS alone: whether it waits for ever for a server that is gone."""

    at: str
    type: str
    source: str
    network: bool
    hard: bool | None


def parse(text: str) -> list[Mount]:
    """The mounts of /proc/mounts or fstab, in their order."""
    found = []
    for line in text.split("\n"):
        words = [_OCTAL.sub(lambda match: chr(int(match[1], 8)), word) for word in line.split()]
        if len(words) < 4 or words[0].startswith("#") or not words[1].startswith("/"):
            continue
        source, at, kind, options = words[:4]
        hard = None if kind not in ("nfs", "nfs4") else not {"soft", "softerr"} & {*options.split(",")}
        mount: Mount = {"at": at, "type": kind, "source": source, "network": kind in _NETWORK, "hard": hard}
        found.append(mount)
    return found
