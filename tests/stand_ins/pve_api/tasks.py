# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Tasks: work that goes on after its call was answered with a UPID."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from .cluster import Cluster
from .errors import VERIFICATION, ApiError
from .privileges import Caller


@dataclass
class Task:
    """One task; ``exit`` is None while it runs."""

    upid: str
    node: str
    pid: int
    pstart: int
    started: int
    kind: str
    id: str
    user: str
    exit: str | None = None
    log: list[str] = field(default_factory=list)
    ended: threading.Event = field(default_factory=threading.Event)

    def status(self) -> dict[str, Any]:
        """What /nodes/N/tasks/UPID/status answers."""
        user, _sign, token = self.user.partition("!")
        found: dict[str, Any] = {
            "id": self.id, "node": self.node, "pid": self.pid, "pstart": self.pstart, "starttime": self.started,
            "type": self.kind, "upid": self.upid, "user": user,
        }  # fmt: skip
        if token:
            found["tokenid"] = token
        return (
            {**found, "status": "running"}
            if self.exit is None
            else {**found, "status": "stopped", "exitstatus": self.exit}
        )


class Tasks:
    """All tasks. Each is still running ``seconds`` after it was answered, and has done nothing by then."""

    def __init__(self, cluster: Cluster, seconds: float) -> None:
        self._cluster, self._seconds = cluster, seconds
        self._tasks: dict[str, Task] = {}
        self._lock = threading.Lock()

    def start(
        self,
        caller: Caller,
        node: str,
        kind: str,
        vmid: str,
        work: Callable[[Callable[[], None]], Any],
        checks: bool = False,
    ) -> Task:
        """Begin a task. ``work`` is called with a function to call where its checks end: what it raises before is
        raised here, and there is no task then. Without ``checks`` it begins at once.
        """
        with self._lock:
            pid, now = 0x1000 + len(self._tasks), int(time.time())
            upid = f"UPID:{node}:{pid:08X}:{now & 0xFFFFFF:08X}:{now:08X}:{kind}:{vmid}:{caller.name}:"
            task = Task(upid, node, pid, now & 0xFFFFFF, now, kind, vmid, caller.name)
            self._tasks[upid] = task
        begun, refused = threading.Event(), []

        def accepted() -> None:
            begun.set()
            time.sleep(self._seconds)

        def run() -> None:
            output, failure = self._cluster.output, None
            output.text = ""
            try:
                if not checks:
                    accepted()
                work(accepted)
            except Exception as error:
                if not begun.is_set():
                    refused.append(error)
                    begun.set()
                    return
                failure = re.sub(r"\s*\n\s*", " ", str(getattr(error, "text", error)).strip())
            task.log = [line for line in output.text.split("\n") if line]
            warnings = sum(line.startswith("WARN") for line in task.log)
            done = f"WARNINGS: {warnings}" if warnings else "OK"
            task.log.append(f"TASK ERROR: {failure}" if failure else f"TASK {done}")
            task.exit = failure or done
            task.ended.set()

        threading.Thread(target=run, daemon=True).start()
        begun.wait()
        if refused:
            del self._tasks[upid]
            raise refused[0]
        return task

    def find(self, caller: Caller, node: str, upid: str) -> Task:
        """A task that the caller may see: its own, and with Sys.Audit those of others."""
        task = self._tasks.get(upid)
        if task is None or task.node != node:
            raise ApiError(400, VERIFICATION, {"upid": "no such task"})
        if task.user != caller.name and task.user.partition("!")[0] != caller.name:
            caller.check(f"/nodes/{node}", "Sys.Audit")
        return task
