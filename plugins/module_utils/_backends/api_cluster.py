# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""What Proxmox VE's API says of a cluster and of its guests, in the shapes of the other backends."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import Any, NamedTuple, TypeVar

from .._model.records import Problem
from .._pve import answer
from .._pve import storage as _storage
from .._pve_api import permissions as _permissions
from .._pve_api.connection import Connection, segment
from .._pve_api.errors import ApiError, NotUsable
from .._text import one_line
from .config_reader import Storages
from .layout import LayoutError

#: Requests at the same time: Proxmox VE answers them with a few workers on each node.
AT_ONCE = 8

#: Where a node has its storages, in messages.
STORAGE_CFG = "/etc/pve/storage.cfg"

_Asked = TypeVar("_Asked")
_Said = TypeVar("_Said")


class State(NamedTuple):
    """How a guest is: whether it has a process, QEMU's state of it, its QEMU's version, and HA's view of it."""

    running: bool
    qemu_state: str
    qemu_version: str | None
    process: int | None
    ha: Mapping[str, Any]


class Cluster:
    """The cluster behind an API. Methods raise ApiError; what is asked once raises LayoutError where it ends a run."""

    def __init__(self, connection: Connection) -> None:
        self.api = connection
        self.options = connection.options
        self._unusable: dict[str, dict[str, str | None]] = {}
        self._lock = threading.Lock()
        # Each worker keeps its connection from one question to the next.
        self._workers = ThreadPoolExecutor(max_workers=AT_ONCE)

    def each(self, ask: Callable[[_Asked], _Said], asked: Iterable[_Asked]) -> list[_Said]:
        """What ``ask`` gives for each, in their order, several at the same time."""
        return list(self._workers.map(ask, asked))

    def require(self, purpose: _permissions.Purpose, guests: Collection[str] | None) -> None:
        """Raise LayoutError with what the token lacks, for these guests or for all."""
        refusal = _permissions.refusal(self._may, self.options.token_id, purpose, guests)
        if refusal:
            raise LayoutError(refusal)

    def may(self, path: str, privilege: str) -> bool:
        """Whether the token has a privilege on a path and below it."""
        return _permissions.may(self._may, path, privilege)

    @cached_property
    def _may(self) -> Mapping[str, Mapping[str, int]]:
        said = self.once("/access/permissions")
        return said if isinstance(said, dict) else {}

    def once(self, path: str, **parameters: str) -> Any:
        """The answer to what everything else rests on. Raises LayoutError."""
        try:
            return self.api.get(path, **parameters)
        except ApiError as exc:
            raise LayoutError(_sentence(exc, path)) from exc

    def places(self) -> dict[str, str]:
        """Guest → the node that it is on, for the guests that the token may see, by their ids. Raises LayoutError."""
        rows = [row for row in self.once("/cluster/resources", type="vm") if row.get("type") == "qemu"]
        return {str(row["vmid"]): str(row["node"]) for row in sorted(rows, key=lambda row: int(row["vmid"]))}

    def node_states(self) -> dict[str, str]:
        """Node → online, offline or unknown. Raises LayoutError."""
        return {str(row["node"]): str(row.get("status")) for row in self.once("/nodes")}

    def addresses(self) -> dict[str, str]:
        """Node → its address in the cluster's network; none where the token may not see it."""
        return self.members()[1]

    def members(self) -> tuple[str | None, dict[str, str]]:
        """The cluster's name, None of a node that is alone, and the addresses."""
        try:
            rows = self.api.get("/cluster/status")
        except NotUsable:
            raise
        except ApiError:
            return None, {}
        name = next((str(row["name"]) for row in rows if row.get("type") == "cluster"), None)
        return name, {str(row["name"]): str(row["ip"]) for row in rows if row.get("type") == "node" and row.get("ip")}

    def installed_qemu(self, node: str) -> str | None:
        """The version of the QEMU that a start on this node would use; None where the node does not say."""
        try:
            rows = self.api.get(f"/nodes/{segment(node)}/apt/versions")
        except NotUsable:
            raise
        except ApiError:
            return None
        # Version is that of the package that could be installed.
        found = (row.get("OldVersion") for row in rows if row.get("Package") == "pve-qemu-kvm")
        return next((str(version) for version in found if version), None)

    @cached_property
    def _defined(self) -> tuple[Storages, list[Problem]]:
        found, problems = _storage.parse(answer.storage_cfg(self.once("/storage")), None, STORAGE_CFG)
        # The lines are those of a text that was made here.
        return {one["id"]: one for one in found}, [{**problem, "line": None} for problem in problems]

    @property
    def storages(self) -> Storages:
        """The storages by their ids. Raises LayoutError."""
        return self._defined[0]

    @property
    def storage_problems(self) -> list[Problem]:
        """What is wrong with their definitions."""
        return self._defined[1]

    @cached_property
    def _seen(self) -> dict[str, dict[str, bool]]:
        found: dict[str, dict[str, bool]] = {}
        for row in self.once("/cluster/resources", type="storage"):
            found.setdefault(str(row["node"]), {})[str(row["storage"])] = row.get("status") == "available"
        return found

    def seen(self, node: str) -> dict[str, bool]:
        """Storage → whether the node's own daemon said lately that it is there. Raises LayoutError.

        Where none is there, that daemon does not run, and nothing is known.
        """
        with self._lock:
            return self._seen.get(node, {})

    def unusable(self, node: str, needed: Collection[str] | None = None) -> Mapping[str, str | None]:
        """Storage → why a node cannot use it, None where it can; of the ``needed`` ones at least.

        The node itself is asked only once, and only where its daemon has not seen all that are needed: it takes seconds
        where a storage is offline.
        """
        seen = self.seen(node)
        if needed is not None and all(seen.get(name) for name in needed):
            return dict.fromkeys(needed)
        with self._lock:
            if node not in self._unusable:
                rows = self.api.get(f"/nodes/{segment(node)}/storage")
                self._unusable[node] = {str(row["storage"]): _why_not(row) for row in rows}
            return self._unusable[node]

    def config(self, node: str, guest: str) -> answer.Answer:
        """A guest's config with its snapshots. Raises ApiError, and JsonConfigError for what is no config."""
        items = self.api.get(f"{_of(node, guest)}/pending")
        found = answer.config(items)
        # A config with snapshots has the latest one as its parent; without one, all is here unless something is hidden.
        if not found.has("parent") and (found.whole or found.has("cipassword")):
            return found
        names = [str(row["name"]) for row in self.api.get(f"{_of(node, guest)}/snapshot") if row["name"] != "current"]
        snapshots = {name: self.api.get(f"{_of(node, guest)}/snapshot/{segment(name)}/config") for name in names}
        return answer.config(items, snapshots) if snapshots else found

    def state(self, node: str, guest: str) -> State:
        """How a guest is now. Raises ApiError."""
        said = self.api.get(f"{_of(node, guest)}/status/current")
        version, process = said.get("running-qemu"), said.get("pid")
        return State(
            said.get("status") == "running",
            str(said.get("qmpstatus") or said.get("status")),
            str(version) if version else None,
            int(process) if process else None,
            said.get("ha") or {},
        )

    def monitor(self, node: str, guest: str, command: str) -> str:
        """What the monitor of a guest's QEMU says. Raises ApiError, also where Proxmox VE got no answer within 25 s."""
        said = str(self.api.post(f"{_of(node, guest)}/monitor", {"command": command}))
        if said.startswith("ERROR: "):
            raise ApiError(one_line(said[len("ERROR: ") :].strip()))
        return said

    def write(self, node: str, guest: str, parameters: Mapping[str, str]) -> None:
        """Write a guest's config. Always PUT: POST answers 200 and may fail in its task, with half of it stored."""
        self.api.put(f"{_of(node, guest)}/config", parameters)

    def begin(self, node: str, guest: str, verb: str, parameters: Mapping[str, str | int]) -> str:
        """Begin a task of ``status/VERB``; its UPID."""
        return str(self.api.post(f"{_of(node, guest)}/status/{verb}", parameters))

    def task(self, node: str, upid: str) -> Mapping[str, Any]:
        """The state of a task: ``status`` is running or stopped, ``exitstatus`` OK or its words."""
        found: Mapping[str, Any] = self.api.get(f"/nodes/{segment(node)}/tasks/{segment(upid)}/status")
        return found


def _of(node: str, guest: str) -> str:
    return f"/nodes/{segment(node)}/qemu/{segment(guest)}"


def _why_not(row: Mapping[str, Any]) -> str | None:
    name = row["storage"]
    if not int(row.get("enabled", 1)):
        return f"storage '{name}' is disabled"
    return None if int(row.get("active", 0)) else f"storage '{name}' is not online"


def _sentence(exc: ApiError, path: str) -> str:
    return str(exc) if isinstance(exc, NotUsable) else f"the API does not answer {path}: {exc}"
