# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The cluster as a whole: its resources and nodes, and what a token may."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .cluster import Cluster
from .privileges import Caller
from .storages import Storages

Params = Mapping[str, str]


class Overview:
    """What is asked of the cluster and of no guest."""

    def __init__(self, cluster: Cluster, storages: Storages, versions: Mapping[str, str]) -> None:
        self.cluster, self.storages, self._versions = cluster, storages, versions

    def version(self, _caller: Caller, _params: Params, node: str = "") -> dict[str, str]:
        """The version of the node that answers, or of the one that is asked for."""
        version = self._versions.get(node, self._versions[""])
        return {"version": version, "release": ".".join(version.split(".")[:2]), "repoid": "14a22df3"}

    def permissions(self, caller: Caller, params: Params) -> dict[str, dict[str, int]]:
        """What the token may, by path."""
        return caller.effective(params.get("path"))

    def resources(self, caller: Caller, params: Params) -> list[dict[str, Any]]:
        """Guests, nodes and storages that the caller may see; the others are left out without a word."""
        kind, rows = params.get("type"), []
        if kind in (None, "vm"):
            rows += [
                self._guest(vmid, node)
                for vmid, node in self.cluster.guests()
                if caller.may(f"/vms/{vmid}", "VM.Audit")
            ]
        if kind in (None, "node"):
            rows += [
                {"id": f"node/{node}", "node": node, "type": "node", "status": self._status(node)}
                for node in self.cluster.nodes()
            ]
        return rows + (self.storages.resources(caller) if kind in (None, "storage") else [])

    def _guest(self, vmid: int, node: str) -> dict[str, Any]:
        row: dict[str, Any] = {"id": f"qemu/{vmid}", "vmid": vmid, "node": node, "type": "qemu", "status": "unknown"}
        offline = node in self.cluster.offline
        # pmxcfs has the lock and the tags of every config, also of those on nodes that are down.
        qm = self.cluster.any_node() if offline else self.cluster.node(node)
        config = qm.Config(str(vmid))
        config.path = str(self.cluster.root / f"etc/pve/nodes/{node}/qemu-server/{vmid}.conf")
        config.load(quiet=True)
        row.update({key: config.main[key] for key in ("lock", "tags") if key in config.main})
        if self.cluster.pvestatd and not offline:
            values = qm.status_values(config)
            row.update({key: values[key] for key in ("name", "status", "maxmem", "maxdisk", "uptime")})
            row.update({"template": int(config.main.get("template", "0")), "maxcpu": values["cpus"]})
        return row

    def _status(self, node: str) -> str:
        if not self.cluster.pvestatd:
            return "unknown"
        return "offline" if node in self.cluster.offline else "online"

    def nodes(self, _caller: Caller, _params: Params) -> list[dict[str, Any]]:
        """The nodes of the cluster."""
        return [
            {
                "id": f"node/{node}",
                "node": node,
                "type": "node",
                "status": self._status(node),
                "ssl_fingerprint": ":".join(["D5"] * 32),
            }
            for node in self.cluster.nodes()
        ]
