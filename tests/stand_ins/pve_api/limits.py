# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""What backup jobs, vzdump and the datacenter are set to, as the stand-in for ``pvesh`` reads it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from .cluster import Cluster
from .privileges import Caller

Params = Mapping[str, str]


class Limits:
    """Reads only. What a caller may not see of an answer is left out of it."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster

    def jobs(self, _caller: Caller, _params: Params) -> Any:
        """All backup jobs."""
        return self._get("/cluster/backup")

    def job(self, _caller: Caller, _params: Params, job: str) -> Any:
        """One backup job."""
        return self._get(f"/cluster/backup/{job}")

    def options(self, caller: Caller, _params: Params) -> dict[str, Any]:
        """datacenter.cfg; without Sys.Audit on / little of it."""
        found: dict[str, Any] = self._get("/cluster/options")
        shown = (
            found
            if caller.may("/", "Sys.Audit")
            else {key: found[key] for key in ("console", "tag-style") if key in found}
        )
        return {**shown, "allowed-tags": found["allowed-tags"]}

    def vzdump(self, caller: Caller, params: Params, node: str) -> dict[str, Any]:
        """What vzdump does where a job does not say it, with the storage that is asked for."""
        found: dict[str, Any] = {**self._get(f"/nodes/{node}/vzdump/defaults", node), **params}
        if "storage" in found:
            caller.check(f"/storage/{found['storage']}", "Datastore.Audit", "Datastore.AllocateSpace")
        hidden = (
            () if caller.may(f"/nodes/{node}", "Sys.Audit") else ("mailto", "tmpdir", "dumpdir", "script", "ionice")
        )
        return {key: value for key, value in found.items() if key not in hidden}

    def packages(self, _caller: Caller, _params: Params, node: str) -> Any:
        """Proxmox VE's packages: those that are declared, else QEMU's, by the binary. ``Version`` is what could be
        installed; what is installed is ``OldVersion``.
        """
        # Not through pvesh: one for each of 50 nodes would take seconds to load.
        declared = json.loads("\n".join(self.cluster.node(node).declared("apt-versions")) or "[]")
        binary = self.cluster.root / "usr/bin/kvm"
        found = re.search(rb"pve-qemu-kvm_([\w.+~-]+)", binary.read_bytes()) if binary.is_file() else None
        if declared or not found:
            return declared
        return [
            {
                "Package": "pve-qemu-kvm",
                "CurrentState": "Installed",
                "OldVersion": found[1].decode(),
                "Version": "99.0.0-1",
            }
        ]

    def _get(self, path: str, node: str | None = None) -> Any:
        return self.cluster.pvesh(node or self.cluster.names()[0]).get(path, "")
