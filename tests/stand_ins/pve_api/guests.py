# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""One guest: its config, what waits, its state; and writing, starting and stopping it."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Mapping
from typing import Any

from .cluster import Cluster
from .errors import VERIFICATION, ApiError
from .privileges import Caller
from .tasks import Tasks

Params = Mapping[str, str]
#: What is shown of a cloud-init password.
HIDDEN = "**********"


class Guests:
    """The guests of the cluster, each on the node that a call names."""

    def __init__(self, cluster: Cluster, tasks: Tasks) -> None:
        self.cluster, self.tasks = cluster, tasks

    def on_node(self, caller: Caller, params: Params, node: str) -> list[dict[str, Any]]:
        """The guests of a node that the caller may see; the others are left out without a word."""
        qm, rows = self.cluster.node(node), []
        for vmid, where in self.cluster.guests():
            if where == node and caller.may(f"/vms/{vmid}", "VM.Audit"):
                values = self._state(qm, qm.Config(str(vmid)).load(quiet=True))
                rows.append(
                    values if params.get("full") == "1" else {k: v for k, v in values.items() if k != "qmpstatus"}
                )
        return rows

    def config(self, _caller: Caller, params: Params, node: str, vmid: str) -> dict[str, Any]:
        """The config, with what waits merged in; ``current`` without it."""
        qm = self.cluster.node(node)
        config = qm.Config(vmid).load(quiet=True)
        values = qm.shown_config(config, params)
        shown = {key: qm.typed(key, value) for key, value in values.items()}
        return {**shown, **({"cipassword": HIDDEN} if "cipassword" in shown else {}), "digest": config.digest}

    def pending(self, _caller: Caller, _params: Params, node: str, vmid: str) -> list[dict[str, Any]]:
        """Each key with what holds and what waits."""
        qm = self.cluster.node(node)
        items = qm.pending_items(qm.Config(vmid).load(quiet=True))
        for item in items:
            if item["key"] == "cipassword":
                item.update(
                    {"value": HIDDEN} if "value" in item else {},
                    **({"pending": HIDDEN + " "} if "pending" in item else {}),
                )
        return items

    def snapshots(self, _caller: Caller, _params: Params, node: str, vmid: str) -> list[dict[str, Any]]:
        """The snapshots, and ``current``."""
        qm = self.cluster.node(node)
        config = qm.Config(vmid).load(quiet=True)
        rows = []
        for name, values in sorted(config.snapshots.items()):
            row = {"name": name, "snaptime": int(values.get("snaptime", 0)), "vmstate": int("vmstate" in values),
                   "description": values.get("description", "")}  # fmt: skip
            rows.append({**row, "parent": values["parent"]} if "parent" in values else row)
        now = {
            "name": "current",
            "digest": config.digest,
            "running": int(bool(qm.running(vmid))),
            "description": "You are here!",
        }
        return [*rows, {**now, "parent": config.main["parent"]} if "parent" in config.main else now]

    def snapshot(self, _caller: Caller, _params: Params, node: str, vmid: str, name: str) -> dict[str, Any]:
        """The config of a snapshot; here the password is shown."""
        qm = self.cluster.node(node)
        values = qm.shown_config(qm.Config(vmid).load(quiet=True), {"snapshot": name})
        return {key: qm.typed(key, value) for key, value in values.items()}

    def status(self, _caller: Caller, _params: Params, node: str, vmid: str) -> dict[str, Any]:
        """The state; what a running QEMU says of itself is declared in the tree, as ``VMID VERSION MACHINE`` in ``qmp``."""
        qm = self.cluster.node(node)
        config = qm.Config(vmid).load(quiet=True)
        values = self._state(qm, config)
        values["ha"] = self._ha(vmid)
        if "vga" in config.main:
            values["clipboard"] = None
        if re.match(r"(enabled=)?1", config.main.get("agent", "")):
            values["agent"] = 1
        told = {line.split()[0]: line.split()[1:] for line in qm.declared("qmp")}
        if values["status"] == "running" and vmid in told:
            values["running-qemu"], values["running-machine"] = told[vmid]
        return values

    @staticmethod
    def _state(qm: Any, config: Any) -> dict[str, Any]:
        values = {**qm.status_values(config), "cpu": 0}
        if any(re.match(r"serial\d", key) for key in config.main):
            values["serial"] = 1
        return values

    def _ha(self, vmid: str) -> dict[str, Any]:
        text = (self.cluster.file("ha/resources.cfg") or b"").decode("latin-1")
        section = re.search(rf"(?m)^vm: {vmid}\n((?:[ \t].*\n?)*)", text)
        if not section or re.search(r"\sstate\s+ignored\s", section[1]):
            return {"managed": 0}
        services = json.loads(self.cluster.file("ha/manager_status") or b"{}").get("service_status", {})
        return {"managed": 1, "state": services.get(f"vm:{vmid}", {}).get("state")}

    def monitor(self, caller: Caller, params: Params, node: str, vmid: str) -> str:
        """A command to QEMU's monitor, from PVE 9 on; what it says is declared in the tree, in ``hmp/VMID/COMMAND``."""
        name, command = params["command"].split()[0], params["command"]
        if name not in ("help", "?", "info"):
            caller.check("/", "Sys.Modify")
        qm = self.cluster.node(node)
        qm.Config(vmid).load(quiet=True)
        if not qm.running(vmid):
            return f"ERROR: VM {vmid} qmp command 'human-monitor-command' failed - VM {vmid} not running\n"
        said = self.cluster.root / "var/lib/qm-stand-in/hmp" / vmid / command
        return said.read_text() if said.is_file() else f"unknown command: '{command}'\n"

    def put(self, caller: Caller, params: Params, node: str, vmid: str) -> None:
        """Write the config, and answer when it is written."""
        qm = self.cluster.node(node)
        qm.command_set(vmid, self._checked(qm, vmid, params), caller.at(qm))

    def post(self, caller: Caller, params: Params, node: str, vmid: str) -> str | None:
        """Write the config in a task. Checks are made before it is answered, and what a drive may is none of them."""
        qm, params = self.cluster.node(node), dict(params)
        wait = float(params.pop("background_delay", 0)) * self.cluster.second
        options = self._checked(qm, vmid, params)
        task = self.tasks.start(
            caller,
            node,
            "qmconfig",
            vmid,
            lambda accepted: qm.command_set(vmid, options, caller.at(qm), accepted),
            checks=True,
        )
        if wait and task.ended.wait(wait):
            if task.exit != "OK" and not str(task.exit).startswith("WARNINGS"):
                raise ApiError(500, f"failed to update VM {vmid}: {task.exit}\n")
            return None
        return task.upid

    @staticmethod
    def _checked(qm: Any, vmid: str, params: Params) -> dict[str, str]:
        options = qm.verified("set", vmid, dict(params))
        if options.get("skiplock") == "1":
            raise ApiError(400, VERIFICATION, {"skiplock": "Only root may use this option."})
        return options

    def power(self, caller: Caller, params: Params, node: str, vmid: str, verb: str) -> str:
        """Start, stop, shut down or reboot, in a task. With HA, the task ends when HA has been asked."""
        qm = self.cluster.node(node)
        options = qm.verified(verb, vmid, dict(params))
        if options.get("skiplock") == "1":
            raise ApiError(400, VERIFICATION, {"skiplock": "Only root may use this option."})
        qm.Config(vmid).load(quiet=True)
        if verb == "reboot" and not qm.running(vmid):
            raise ApiError(500, f"VM {vmid} not running\n")
        act = {"start": qm.start_now, "stop": qm.stop_now, "shutdown": qm.shutdown_now, "reboot": qm.command_reboot}[
            verb
        ]
        if verb == "reboot" or not self._ha(vmid)["managed"]:
            return self.tasks.start(caller, node, f"qm{verb}", vmid, lambda _accepted: act(vmid, options)).upid

        def ask(_accepted: object) -> None:
            asked = ("start", "started") if verb == "start" else ("stop", "stopped")
            qm.asked_of_ha(vmid, *asked)
            threading.Thread(target=later, daemon=True).start()

        def later() -> None:
            time.sleep(self.cluster.second)
            act(vmid, options)

        return self.tasks.start(caller, node, "hastart" if verb == "start" else "hastop", vmid, ask).upid
