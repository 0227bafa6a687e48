# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The cluster as a whole: its resources and nodes, and what a token may."""

from __future__ import annotations

import re
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
        # As pmxcfs does: lines of the main section, of every node, also of those that are down.
        text = (self.cluster.file(f"nodes/{node}/qemu-server/{vmid}.conf") or b"").decode("latin-1")
        main = dict(line.split(": ", 1) for line in text.partition("\n[")[0].split("\n") if ": " in line)
        row.update({key: main[key] for key in ("lock", "tags") if key in main})
        if self.cluster.pvestatd and node not in self.cluster.offline:
            status = "running" if self.cluster.node(node).running(str(vmid)) else "stopped"
            row.update(
                {"name": main.get("name", f"VM {vmid}"), "status": status, "template": int(main.get("template", 0))}
            )
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

    def status(self, _caller: Caller, _params: Params) -> list[dict[str, Any]]:
        """The members, with their addresses of corosync.conf; of a node without a cluster, itself alone."""
        nodes = self.cluster.nodes()
        text = (self.cluster.file("corosync.conf") or b"").decode("latin-1")
        entries = [
            dict(re.findall(r"(\w+): *(\S+)", entry)) for entry in re.findall(r"node \{(.*?)\}", text, re.DOTALL)
        ]
        addresses = {entry.get("name"): entry.get("ring0_addr") for entry in entries}
        rows = [
            {
                "type": "node", "id": f"node/{node}", "name": node, "ip": addresses.get(node) or f"192.0.2.{number}", "level": "",
                "nodeid": number, "local": int(number == 1), "online": int(node not in self.cluster.offline),
            }
            for number, node in enumerate(nodes, 1)
        ]  # fmt: skip
        if len(nodes) == 1:
            return [{**rows[0], "nodeid": 0}]
        whole = {"type": "cluster", "id": "cluster", "name": "test", "version": 1, "nodes": len(nodes), "quorate": 1}
        return [whole, *rows]
