# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Who a host is: its node, its cluster, its addresses and its Proxmox VE. Texts in, values out."""

from __future__ import annotations

import json
import re
from typing import TypedDict

_BLOCK = re.compile(r"\bnode\s*\{([^}]*)\}", re.ASCII)
_FIELD = re.compile(r"^\s*(\w+)\s*:\s*(\S.*?)\s*$", re.ASCII | re.MULTILINE)
_CLUSTER = re.compile(r"^\s*cluster_name\s*:\s*(\S+)\s*$", re.ASCII | re.MULTILINE)
_ADDRESS = re.compile(r"^\s*address\s+([0-9a-fA-F.:]+)(?:/\d+)?\s*$", re.ASCII | re.MULTILINE)
# pve-manager's pvecfg.pm is made from pvecfg.pm.in, which has the version in this shape.
_VERSION = re.compile(r"^sub version \{\s*return '([0-9][0-9A-Za-z.~+-]{0,40})'", re.ASCII | re.MULTILINE)
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


class Cluster(TypedDict):
    """A cluster; ``node`` is this host's name in it, None where that is not known."""

    name: str
    nodes: list[str]
    node: str | None


def own_node(members: str | None, local: str | None, hostname: str | None) -> str | None:
    """The name of this node, by pmxcfs' .members, its link ``local``, or /etc/hostname; None where none tells."""
    try:
        name = json.loads(members or "")["nodename"]
    except (ValueError, KeyError, TypeError, RecursionError):
        name = None
    if isinstance(name, str) and name:
        return name
    return local or (hostname or "").strip().split(".", 1)[0] or None


def cluster(corosync: str | None, node: str | None) -> Cluster | None:
    """The cluster of corosync.conf; None for a node that is alone."""
    if corosync is None:
        return None
    match = _CLUSTER.search(corosync)
    nodes = [fields["name"] for fields in _nodes(corosync) if "name" in fields]
    return {"name": match[1] if match else "", "nodes": sorted(nodes), "node": node} if nodes else None


def own_names(node: str | None, corosync: str | None, hosts: str | None, interfaces: str | None) -> set[str]:
    """The names and addresses of this node: those of corosync.conf, /etc/hosts and /etc/network/interfaces."""
    found = {*_LOOPBACK, *_ADDRESS.findall(interfaces or "")}
    if node is None:
        return found
    found.add(node)
    for fields in _nodes(corosync or ""):
        if fields.get("name") == node:
            found |= {value for key, value in fields.items() if re.match(r"ring\d+_addr\Z", key)}
    for line in (hosts or "").split("\n"):
        words = line.split("#", 1)[0].split()
        if node in words[1:]:
            found |= set(words)
    return found


def version(pvecfg: str | None) -> str | None:
    """The version of pve-manager, such as 8.2.4; None where its file does not tell."""
    match = _VERSION.search(pvecfg or "")
    return match[1] if match else None


def _nodes(corosync: str) -> list[dict[str, str]]:
    return [dict(_FIELD.findall(block)) for block in _BLOCK.findall(corosync)]
