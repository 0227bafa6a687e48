# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""storage.cfg of Proxmox VE: text in, storages and problems out.

Follows pve-common's SectionConfig.pm and pve-storage's Plugin.pm: a section
starts with ``type: id`` in column 0, its properties are indented, a blank line
ends it; ``local`` always exists.
"""

from __future__ import annotations

import re
from typing import Any

from . import drive as _drive

_HEADER = re.compile(r"^(\S+):\s*(\S+)\s*$", re.ASCII)
_PROPERTY = re.compile(r"^\s+(\S+)(?:\s+(.*\S))?\s*$", re.ASCII)
_COMMENT = re.compile(r"^\s*#", re.ASCII)
_STORAGE_ID = re.compile(r"^[a-z][a-z0-9\-_.]*[a-z0-9]$", re.ASCII | re.IGNORECASE)
_MON_HOST = re.compile(r"^\s*mon[_ ]host\s*=\s*(.+?)\s*$", re.ASCII | re.MULTILINE)
_BRACKETED = re.compile(r"\[([^\]]*)\]", re.ASCII)

# QEMU's block driver for a storage type's images (the plugins' qemu_blockdev_options and path).
_DRIVERS = {
    "dir": "file",
    "nfs": "file",
    "cifs": "file",
    "cephfs": "file",
    "glusterfs": "file",
    "btrfs": "file",
    "esxi": "file",
    "lvm": "host_device",
    "lvmthin": "host_device",
    "zfspool": "host_device",
    "iscsi": "host_device",
    "iscsidirect": "iscsi",
    "zfs": "iscsi",
}
_SHARED = ("nfs", "cifs", "cephfs", "glusterfs", "rbd", "iscsi", "iscsidirect", "zfs", "pbs", "esxi")
_SERVER_KEYS = ("server", "server2", "portal", "monhost")


def driver(storage: dict[str, Any]) -> str | None:
    """QEMU's block driver for a storage's images, None for a type this collection does not know."""
    if storage["type"] == "rbd":
        return "host_device" if storage["krbd"] else "rbd"
    return _DRIVERS.get(storage["type"])


def parse(text: str, ceph_conf: str | None = None) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Read storage.cfg: ``(storages, problems)``, both as in docs/data.md; a problem's ``file`` is left to the caller.

    ``ceph_conf`` is the text of /etc/pve/ceph.conf: an rbd storage without a
    ``monhost`` is the cluster's own Ceph, whose monitors that file names.
    """
    storages: dict[str, dict[str, Any]] = {}
    problems: list[dict[str, Any]] = []
    current: dict[str, str] | None = None
    inside = False
    for number, line in enumerate(text.split("\n"), 1):
        if _COMMENT.match(line):
            continue
        if not line.strip():
            current, inside = None, False
            continue
        if not inside:
            header = _HEADER.match(line)
            if not header:
                problems.append(_problem(number, f"line ignored, it is no 'type: id': {line.strip()!r}"))
                continue
            current = _open_section(header[1].lower(), header[2], number, storages, problems)
            inside = True
            continue
        prop = _PROPERTY.match(line)
        if not prop:
            problems.append(_problem(number, f"line ignored, it is no indented 'property value': {line.strip()!r}"))
        elif current is not None:
            if prop[1] in current:
                problems.append(_problem(number, f"property '{prop[1]}' stands twice, the first is kept"))
            current.setdefault(prop[1], prop[2] if prop[2] is not None else "1")
    local = storages.get("local")
    if local is None or local["type"] != "dir":
        storages["local"] = {"type": "dir"}
    return [_storage(name, raw, ceph_conf) for name, raw in storages.items()], problems


def _open_section(
    kind: str, name: str, number: int, storages: dict[str, dict[str, Any]], problems: list[dict[str, Any]]
) -> dict[str, str] | None:
    if not _STORAGE_ID.match(name):
        problems.append(_problem(number, f"storage skipped, '{name}' is no storage id"))
        return None
    if name in storages:
        problems.append(_problem(number, f"storage '{name}' stands twice, the second replaces the first"))
    storages[name] = {"type": kind}
    return storages[name]


def _problem(line: int, reason: str) -> dict[str, Any]:
    return {"file": None, "line": line, "guest": None, "reason": reason}


def _flag(raw: dict[str, str], key: str) -> bool:
    return bool(_drive.boolean(raw.get(key, "0")))


def _storage(name: str, raw: dict[str, str], ceph_conf: str | None) -> dict[str, Any]:
    servers = [host for key in _SERVER_KEYS for host in split_hosts(raw.get(key, ""))]
    if raw["type"] in ("rbd", "cephfs") and not servers and ceph_conf:
        match = _MON_HOST.search(ceph_conf)
        servers = split_hosts(match[1]) if match else []
    return {
        "id": name,
        "type": raw["type"],
        "krbd": raw["type"] == "rbd" and _flag(raw, "krbd"),
        "nocow": raw["type"] == "btrfs" and _flag(raw, "nocow"),
        "shared": raw["type"] in _SHARED or _flag(raw, "shared"),
        "servers": servers,
        "disabled": _flag(raw, "disable"),
        "active": None,
    }


def split_hosts(text: str) -> list[str]:
    """Hosts of a server, portal or monitor list, without their ports.

    Separators are commas, semicolons and blanks; Ceph's ``[v2:10.0.0.1:3300/0,v1:…]`` and
    ``[::1]:3260`` are understood.
    """
    hosts: list[str] = []
    flat = _BRACKETED.sub(lambda match: match[1] if "v1:" in match[1] or "v2:" in match[1] else match[0], text)
    for part in re.split(r"[,;\s]+", flat):
        host = re.sub(r"^v[12]:", "", part.strip()).split("/", 1)[0]
        if host.startswith("["):
            host = host[1:].split("]", 1)[0]
        elif host.count(":") == 1:
            host = host.split(":", 1)[0]
        if host and host not in hosts:
            hosts.append(host)
    return hosts
