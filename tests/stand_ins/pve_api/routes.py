# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The paths that there are: who may call them, which parameters they take, and who answers."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .cluster import Cluster
from .errors import VERIFICATION, ApiError
from .guests import Guests
from .limits import Limits
from .overview import Overview
from .privileges import CONFIG, Caller
from .storages import Storages
from .tasks import Tasks

NOT_DEFINED = "property is not defined in schema and the schema does not allow additional properties"


@dataclass(frozen=True)
class Route:
    """A method and a path with names in braces.

    ``needs``: path and privileges, one of which is enough; None where every token may, and what it may not see is left out.
    ``takes``: its parameters, by the kinds of the ``qm`` stand-in's schema; None where the answer checks them itself.
    """

    method: str
    path: str
    answer: Callable[..., Any]
    needs: tuple[str, Sequence[str]] | None = None
    takes: Mapping[str, tuple[Any, ...]] | None = field(default_factory=dict)

    def match(self, method: str, path: str) -> dict[str, str] | None:
        """The names of the path, None where it is another."""
        pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", self.path)
        found = re.fullmatch(pattern, path) if method == self.method else None
        return found.groupdict() if found else None


class Api:
    """All of it. ``call`` gives what the body has as ``data``, or raises ApiError."""

    def __init__(self, cluster: Cluster, versions: Mapping[str, str], task_seconds: float) -> None:
        self.cluster = cluster
        self.tasks = Tasks(cluster, task_seconds)
        guests, storages, limits = Guests(cluster, self.tasks), Storages(cluster), Limits(cluster)
        overview = Overview(cluster, storages, versions)
        vm, on_vm = "/nodes/{node}/qemu/{vmid}", "/vms/{vmid}"
        audit = (on_vm, ["VM.Audit"])
        text, flag = ("string",), ("boolean",)
        self._routes = [
            Route("GET", "/version", overview.version),
            Route("GET", "/nodes/{node}/version", overview.version),
            Route("GET", "/access/permissions", overview.permissions, takes={"path": text, "userid": text}),
            Route(
                "GET",
                "/cluster/resources",
                overview.resources,
                takes={"type": ("string", ["vm", "storage", "node", "sdn"])},
            ),
            Route("GET", "/cluster/status", overview.status, ("/", ["Sys.Audit"])),
            Route("GET", "/cluster/options", limits.options),
            Route("GET", "/cluster/backup", limits.jobs, ("/", ["Sys.Audit"])),
            Route("GET", "/cluster/backup/{job}", limits.job, ("/", ["Sys.Audit"])),
            Route("GET", "/nodes", overview.nodes),
            Route("GET", "/nodes/{node}/vzdump/defaults", limits.vzdump, takes={"storage": text}),
            Route("GET", "/nodes/{node}/apt/versions", limits.packages, ("/nodes/{node}", ["Sys.Audit"])),
            Route("GET", "/storage", storages.defined, takes={"type": text}),
            Route("GET", "/storage/{name}", storages.one, ("/storage/{name}", ["Datastore.Allocate"])),
            Route("GET", "/nodes/{node}/storage", storages.on_node),
            Route("GET", "/nodes/{node}/qemu", guests.on_node, takes={"full": flag}),
            Route("GET", vm + "/config", guests.config, audit, {"current": flag, "snapshot": text}),
            Route("GET", vm + "/pending", guests.pending, audit),
            Route("GET", vm + "/status/current", guests.status, audit),
            Route("GET", vm + "/snapshot", guests.snapshots, audit),
            Route(
                "GET",
                vm + "/snapshot/{name}/config",
                guests.snapshot,
                (on_vm, ["VM.Snapshot", "VM.Snapshot.Rollback", "VM.Audit"]),
            ),
            Route("PUT", vm + "/config", guests.put, (on_vm, CONFIG), None),
            Route("POST", vm + "/config", guests.post, (on_vm, CONFIG), None),
            Route("POST", vm + "/monitor", guests.monitor, (on_vm, ["Sys.Audit", "Sys.Modify"]), {"command": text}),
            Route("POST", vm + "/status/{verb}", guests.power, (on_vm, ["VM.PowerMgmt"]), None),
            Route("GET", "/nodes/{node}/tasks/{upid}/status", self._task_status),
            Route(
                "GET",
                "/nodes/{node}/tasks/{upid}/log",
                self._task_log,
                takes={"start": ("integer", 0), "limit": ("integer", 0)},
            ),
        ]

    def call(self, caller: Caller, method: str, path: str, params: Mapping[str, str]) -> Any:
        """Answer a call. The order of the checks is Proxmox VE's: path, privileges, node, parameters."""
        found = [(route, names) for route in self._routes if (names := route.match(method, path)) is not None]
        if not found or found[0][1].get("verb") not in (None, "start", "stop", "shutdown", "reboot"):
            raise ApiError(501, f"Method '{method} {path}' not implemented")
        route, names = found[0]
        if route.needs:
            where, privileges = route.needs
            caller.check(where.format(**names), *privileges)
        qm = self.cluster.node(names["node"]) if "node" in names else self.cluster.any_node()
        if not re.fullmatch(r"[1-9]\d{2,8}", names.get("vmid", "100")):
            raise ApiError(400, VERIFICATION, {"vmid": "invalid format - value does not look like a valid VM ID\n"})
        if route.takes is not None:
            params = self._checked(qm, route.takes, params)
        try:
            return route.answer(caller, params, **names)
        except qm.BadParameters as error:
            raise ApiError(400, f"{error.message}\n", error.errors) from None
        except qm.Failure as error:
            raise ApiError(500, error.text) from None

    @staticmethod
    def _checked(qm: Any, takes: Mapping[str, tuple[Any, ...]], params: Mapping[str, str]) -> dict[str, str]:
        errors = {key: qm.wrong(value, *takes[key]) if key in takes else NOT_DEFINED for key, value in params.items()}
        errors = {key: error for key, error in errors.items() if error}
        if errors:
            raise ApiError(400, VERIFICATION, errors)
        return {key: qm.boolean(value) if takes[key][0] == "boolean" else value for key, value in params.items()}

    def _task_status(self, caller: Caller, _params: Mapping[str, str], node: str, upid: str) -> dict[str, Any]:
        return self.tasks.find(caller, node, upid).status()

    def _task_log(self, caller: Caller, params: Mapping[str, str], node: str, upid: str) -> dict[str, Any]:
        lines = self.tasks.find(caller, node, upid).log
        first = int(params.get("start", 0))
        shown = lines[first : first + int(params.get("limit", 50))]
        return Whole(
            {"data": [{"n": number, "t": line} for number, line in enumerate(shown, first + 1)], "total": len(lines)}
        )


class Whole(dict):  # type: ignore[type-arg]
    """A body that is more than its ``data``."""
