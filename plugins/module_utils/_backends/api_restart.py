# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Restarting guests through Proxmox VE's API.

``status/reboot`` shuts a guest down and leaves its start to Proxmox VE, as ``qm reboot`` does: a run that is killed in
between leaves no guest down. What the API cannot ask is ``qm showcmd``, whether the guest could be started again; in
its place every storage of the guest must be there.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from typing import Any

from .._model.operations import Reason
from .._model.records import Guest
from .._pve_api.errors import ApiError, NoAnswer, NotUsable
from .._pve_api.permissions import READ, RESTART
from . import api, api_reading
from .api_cluster import Cluster
from .backend import Refused
from .restart import Failure, State

#: Seconds of Proxmox VE's own beyond the guest's: waiting for a lock, deactivating volumes.
_MARGIN = 120

_NOT_RUNNING = re.compile(r"VM \d+ not running")


class ApiRestarter:
    """See Restarter. Raises LayoutError where the token may not."""

    left_over = "check that qmeventd runs on its node"

    def __init__(self, cluster: Cluster, guest: str) -> None:
        self._cluster = cluster
        guests = {guest} if guest.isdigit() else None
        cluster.require(READ, guests)
        cluster.require(RESTART, guests)
        self._node = cluster.places().get(guest, "")

    def read(self, guest: str) -> Guest:
        """See Restarter."""
        reading = api_reading.read(self._cluster, "all", [guest])
        if reading.guests:
            self._node = str(reading.guests[0]["node"])
            return reading.guests[0]
        why = next(
            (problem["reason"] for problem in reading.problems if problem["guest"] in (guest, None)), "is not there"
        )
        raise Refused("moved", why)

    def managed(self, guest: Guest, allowed: bool) -> bool:
        """See Restarter: by HA, which must have it started, and as it is asked to."""
        ha = self._state(guest["id"]).ha
        if not int(ha.get("managed") or 0):
            return False
        state = str(ha.get("state") or "not known")
        if not allowed:
            raise Refused(
                "ha_managed", f"managed by HA (state {state}); restart it by hand, or allow it: ha_managed: true"
            )
        asked = self._asked_of_ha(guest["id"])
        if state != "started" or asked not in (None, "started", "enabled"):
            raise Refused("ha_state", f"HA's requested state is {asked or 'not known'}, its current state {state}")
        return True

    def _asked_of_ha(self, guest: str) -> str | None:
        """The state that HA is asked for; None where the token may not see it (Sys.Audit on /)."""
        try:
            return str(self._cluster.api.get(f"/cluster/ha/resources/vm:{guest}").get("state"))
        except NotUsable:
            raise
        except ApiError:
            return None

    def _state(self, guest: str) -> Any:
        try:
            return self._cluster.state(self._node, guest)
        except ApiError as exc:
            raise api.refused(exc, self._node) from exc

    def refuse(self, guest: str) -> None:
        """See Restarter."""
        if self._state(guest).qemu_state == "shutdown":
            raise Refused(
                "not_running",
                "has powered off, but its QEMU process has not ended; its pending changes take effect with:"
                f" {self.by_hand(guest)}",
            )
        try:
            unusable: Mapping[str, str | None] = self._cluster.unusable(self._node)
        except ApiError as exc:
            raise Refused(
                "would_not_start", f"not touched, because its node does not say which storages it can use: {exc}"
            ) from exc
        for disk in self.read(guest)["disks"]:
            name = disk["storage"]["id"] if disk["storage"] else None
            why = unusable.get(name, f"its node has no storage '{name}'") if name else None
            if why:
                raise Refused(
                    "would_not_start", f"not touched, because it could not be started again: {disk['key']}: {why}"
                )

    def process(self, guest: str) -> int | None:
        """See Restarter."""
        state = self._state(guest)
        return int(state.process) if state.running and state.process else None

    def state(self, guest: str) -> State:
        """See Restarter."""
        state = self._state(guest).qemu_state
        if state == "running":
            return State(False, "still runs as before")
        return State(state == "shutdown", f"its QEMU is still there, in the state {state}")

    def shut_down(self, guest: str, seconds: int) -> Failure | None:
        """See Restarter."""
        return self._task("reboot", guest, {"timeout": seconds}, seconds + _MARGIN)

    def stop(self, guest: str) -> Failure | None:
        """See Restarter."""
        return self._task("stop", guest, {}, _MARGIN)

    def start(self, guest: str, seconds: int) -> Failure | None:
        """See Restarter."""
        return self._task("start", guest, {}, seconds + _MARGIN)

    def by_hand(self, guest: str, stop: bool = True) -> str:
        """See Restarter."""
        commands = f"qm stop {guest} && qm start {guest}" if stop else f"qm start {guest}"
        return f"{commands} on node {self._node}, or in its web interface"

    def _task(self, verb: str, guest: str, parameters: Mapping[str, str | int], seconds: int) -> Failure | None:
        """Begin a task, and wait for its end."""
        try:
            upid = self._cluster.begin(self._node, guest, verb, parameters)
        except ApiError as exc:
            return _failure(api.reason(exc), exc.words)
        end, pause = time.monotonic() + seconds, 0.2
        while time.monotonic() < end:
            try:
                task = self._cluster.task(self._node, upid)
            except NoAnswer:
                task = {}
            except ApiError as exc:
                return _failure(api.reason(exc), f"the task {upid} cannot be followed: {exc.words}")
            if task.get("status") == "stopped":
                said = str(task.get("exitstatus"))
                if said == "OK" or said.startswith("WARNINGS"):
                    return None
                return _failure(api.reason(ApiError(said)), said)
            time.sleep(pause)
            pause = min(pause * 1.5, 3)
        return Failure("busy", f"the task {upid} has not ended within {seconds} s")


def _failure(reason: Reason, words: str) -> Failure:
    if _NOT_RUNNING.search(words):
        return Failure("not_running", words)
    # "got timeout" is what a shutdown says that the guest ignored; the API says of a lock that it can't be had.
    return Failure("no_shutdown" if reason == "refused" and "got timeout" in words else reason, words)
