# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Restarting the guests of this Proxmox VE node.

``qm showcmd`` says first whether Proxmox VE could start the guest. ``qm reboot`` shuts it down and leaves its start to
Proxmox VE (qmeventd, ``qm cleanup``), so that a run that is killed in between leaves no guest down. A guest that does
not answer stays up (vm_reboot, _do_vm_stop).
"""

from __future__ import annotations

import re

from .._model.operations import Reason
from .._model.records import Guest
from .._pve import ha
from . import layout, qm_command
from .backend import Refused
from .qm import Qm
from .restart import Failure, State
from .running import pid

#: Seconds of qm's own beyond the guest's: interpreter start, waiting for a lock, deactivating volumes.
_MARGIN = 120

#: Seconds for a question that qm answers in about one (recorded).
_QUESTION = 60

_NOT_RUNNING = re.compile(r"^VM \d+ not running", re.MULTILINE)


class QmRestarter:
    """See Restarter."""

    left_over = "check that qmeventd runs on this node"

    def __init__(self, root: str, run: qm_command.Run) -> None:
        self._root = root
        self._run = run
        self._own = layout.own_node(root)

    def read(self, guest: str) -> Guest:
        """See Restarter."""
        reading = Qm(self._root).read([guest])
        if reading.guests:
            return reading.guests[0]
        elsewhere = [source.node for source in layout.node_sources(self._root, "all") if source.guest == guest]
        if elsewhere and elsewhere[0] != self._own:
            raise Refused("moved", f"it is on node {elsewhere[0]}; run this there")
        why = next((problem["reason"] for problem in reading.problems if problem["guest"] == guest), "is not there")
        raise Refused("moved", why)

    def managed(self, guest: Guest, allowed: bool) -> bool:
        """See Restarter: by HA, which must have it started here, and as it is asked to."""
        asked = ha.requested(self._text("/etc/pve/ha/resources.cfg"), guest["id"])
        if asked is None:
            return False
        if not allowed:
            raise Refused(
                "ha_managed",
                f"managed by HA (requested state {asked}); restart it by hand, or allow it: ha_managed: true",
            )
        state, node = ha.current(self._text("/etc/pve/ha/manager_status"), guest["id"])
        if (asked, state, node) != ("started", "started", guest["node"]):
            raise Refused(
                "ha_state",
                f"HA's requested state is {asked}, its current state {state or 'not known'} on node"
                f" {node or 'not known'}",
            )
        return True

    def _text(self, path: str) -> str:
        try:
            return layout.text(self._root, path)
        except FileNotFoundError:
            return ""

    def refuse(self, guest: str) -> None:
        """See Restarter."""
        if qm_command.state(self._run, guest, _QUESTION) == "shutdown":
            raise Refused(
                "not_running",
                "has powered off, but its QEMU process has not ended; its pending changes take effect with:"
                f" {self.by_hand(guest)}",
            )
        refusal = qm_command.command(self._run, ["showcmd", guest], _QUESTION)
        if refusal:
            reason = refusal.reason if refusal.reason in ("busy", "moved") else "would_not_start"
            raise Refused(reason, f"not touched, because it could not be started again: {refusal.detail}")

    def process(self, guest: str) -> int | None:
        """See Restarter."""
        return pid(self._root, guest)

    def state(self, guest: str) -> State:
        """See Restarter."""
        state = qm_command.state(self._run, guest, _QUESTION)
        if state == "running":
            return State(False, "still runs as before")
        how = "and qm status does not tell its state" if state is None else f"in the state {state} by qm status"
        return State(state == "shutdown", f"its QEMU is still there, {how}")

    def shut_down(self, guest: str, seconds: int) -> Failure | None:
        """See Restarter."""
        return self._qm(["reboot", guest, "--timeout", str(seconds)], seconds + _MARGIN)

    def stop(self, guest: str) -> Failure | None:
        """See Restarter."""
        return self._qm(["stop", guest], _MARGIN)

    def start(self, guest: str, seconds: int) -> Failure | None:
        """See Restarter."""
        return self._qm(["start", guest], seconds + _MARGIN)

    def by_hand(self, guest: str, stop: bool = True) -> str:
        """See Restarter."""
        return f"qm stop {guest} && qm start {guest}" if stop else f"qm start {guest}"

    def _qm(self, arguments: list[str], seconds: int) -> Failure | None:
        refusal = qm_command.command(self._run, arguments, seconds)
        if refusal is None:
            return None
        reason: Reason = refusal.reason
        if _NOT_RUNNING.search(refusal.detail):
            reason = "not_running"
        elif reason == "refused" and "got timeout" in refusal.detail:
            reason = "no_shutdown"
        return Failure(reason, refusal.detail)
