# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Storages: as they are defined, and as a node sees them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Any

from .cluster import Cluster
from .errors import ApiError
from .privileges import Caller

#: Types that are shared without being marked.
SHARED = "nfs cifs cephfs rbd iscsi iscsidirect pbs zfs glusterfs esxi".split()
NUMBERS = "shared disable krbd sparse nocow tagged_only saferemove maxfiles snapshot-as-volume-chain".split()
SIZES = {"total": 270553174016, "used": 33133133824, "avail": 75811160064}


class Storages:
    """What storage.cfg defines. Those that the caller may not see are left out without a word."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster

    def _entries(self, caller: Caller, *privileges: str) -> dict[str, dict[str, Any]]:
        digest = hashlib.sha1(self.cluster.file("storage.cfg") or b"").hexdigest()
        found = {}
        for name, entry in sorted(self.cluster.any_node().storages().items()):
            if caller.may(f"/storage/{name}", *privileges):
                values = {
                    key: int(value) if key in NUMBERS and value.isdigit() else value for key, value in entry.items()
                }
                shared = {"shared": 1} if entry["type"] in SHARED else {}
                found[name] = {"storage": name, "digest": digest, **shared, **values}
        return found

    def defined(self, caller: Caller, _params: Mapping[str, str]) -> list[dict[str, Any]]:
        """All definitions."""
        return list(self._entries(caller, "Datastore.Audit", "Datastore.AllocateSpace").values())

    def one(self, caller: Caller, _params: Mapping[str, str], name: str) -> dict[str, Any]:
        """One definition."""
        found = self._entries(caller, "Datastore.Allocate")
        if name not in found:
            raise ApiError(500, f"storage '{name}' does not exist\n")
        return found[name]

    def on_node(self, caller: Caller, _params: Mapping[str, str], node: str) -> list[dict[str, Any]]:
        """What a node sees: an offline storage is there, and not active."""
        qm = self.cluster.node(node)
        rows = []
        for name, entry in self._entries(caller, "Datastore.Audit", "Datastore.AllocateSpace").items():
            if "nodes" in entry and node not in re.split(r"[,;\s]+", entry["nodes"]):
                continue
            enabled = not entry.get("disable")
            up = enabled and name not in qm.offline()
            row = {"storage": name, "type": entry["type"], "content": entry.get("content", "images"),
                   "shared": entry.get("shared", 0), "enabled": int(enabled), "active": int(up)}  # fmt: skip
            sizes = SIZES if up else dict.fromkeys(SIZES, 0)
            rows.append({**row, **sizes, **({"used_fraction": SIZES["used"] / SIZES["total"]} if up else {})})
        return rows

    def resources(self, caller: Caller) -> list[dict[str, Any]]:
        """The rows of /cluster/resources: one a storage and node."""
        rows = []
        for name, entry in self._entries(caller, "Datastore.Audit").items():
            for node in self.cluster.nodes():
                if entry.get("disable") or ("nodes" in entry and node not in re.split(r"[,;\s]+", entry["nodes"])):
                    continue
                known = (
                    self.cluster.pvestatd
                    and node not in self.cluster.offline
                    and name not in self.cluster.node(node).offline()
                )
                rows.append({"id": f"storage/{node}/{name}", "node": node, "storage": name, "type": "storage",
                             "plugintype": entry["type"], "content": entry.get("content", "images"),
                             "shared": entry.get("shared", 0), "status": "available" if known else "unknown"})  # fmt: skip
        return rows
