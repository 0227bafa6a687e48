# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""What is mounted from other machines: /proc/mounts, or fstab of a tree. Text in, values out."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Collection
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
# nfs(5), mount.cifs(8): an address of IPv6 is in brackets, the part before an @ is a user's name.
_SERVER = re.compile(r"//([^/]+)/|(?:[^/@]*@)?(?:\[([0-9a-fA-F:.%]+)\]|([^/:\[\],]+)):", re.ASCII)
_OCTAL = re.compile(r"\\([0-7]{3})")


class Mount(TypedDict):
    """A mount; ``hard`` of NFS alone: whether it waits for ever for a server that is gone. ``server`` is that of
    ``SERVER:/path`` or ``//SERVER/share``, None for another source.
    """

    at: str
    type: str
    source: str
    server: str | None
    network: bool
    hard: bool | None


class RemoteDirectory(TypedDict):
    """A directory on another machine, mounted ``at``."""

    path: str
    at: str
    servers: list[str]
    hard: bool


def parse(text: str) -> list[Mount]:
    """The mounts of /proc/mounts or fstab, in their order."""
    found: list[Mount] = []
    for line in text.split("\n"):
        words = [_OCTAL.sub(lambda match: chr(int(match[1], 8)), word) for word in line.split()]
        if len(words) < 4 or words[0].startswith("#") or not words[1].startswith("/"):
            continue
        source, at, kind, options = words[:4]
        hard = None if kind not in ("nfs", "nfs4") else not {"soft", "softerr"} & {*options.split(",")}
        network = kind in _NETWORK
        server = _SERVER.match(source) if network else None
        found.append(
            {
                "at": at,
                "type": kind,
                "source": source,
                "server": server[1] or server[2] or server[3] if server else None,
                "network": network,
                "hard": hard,
            }
        )
    return found


def of(path: str, mounts: list[Mount]) -> Mount | None:
    """The mount that a path lies on; the last one where several are on one directory."""
    path = posixpath.normpath(path)
    found = None
    for mount in mounts:
        at = mount["at"].rstrip("/")
        if (path == at or path.startswith(at + "/")) and (found is None or len(at) >= len(found["at"].rstrip("/"))):
            found = mount
    return found


def remote_directory(path: str, real: str, mounts: list[Mount], own: Collection[str]) -> RemoteDirectory | None:
    """What a directory, in truth at ``real``, has of another machine; None for one of this machine. ``own`` are the
    names and addresses of this node.
    """
    mount = of(real, mounts)
    if mount is None or not mount["network"] or mount["server"] in own:
        return None
    servers = [mount["server"]] if mount["server"] else []
    return {"path": path, "at": mount["at"], "servers": servers, "hard": bool(mount["hard"])}
