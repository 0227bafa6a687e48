# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""A cold restart of one guest of this node: what waits comes into force, or the guest is left as it was.

``qm showcmd`` says first whether Proxmox VE could start the guest. ``qm reboot`` shuts it down and leaves its start to
Proxmox VE (qmeventd, ``qm cleanup``), so that a run that is killed in between leaves no guest down. A guest that does
not answer stays up (vm_reboot, _do_vm_stop).
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any, NamedTuple

from .. import _restart
from .._pve import ha
from . import layout, qm, reader

#: Seconds of qm's own beyond the guest's: interpreter start, waiting for a lock, deactivating volumes.
_MARGIN = 120

_UNDER_WAY = 10

#: Seconds for a question that qm answers in about one (recorded).
_QUESTION = 60

_NOT_RUNNING = re.compile(r"^VM \d+ not running", re.MULTILINE)


class Options(NamedTuple):
    """How to restart; ``timeout`` for the shutdown and ``start_timeout`` for the start are seconds."""

    run: qm.Run
    root: str = "/"
    check: bool = False
    timeout: int = 300
    start_timeout: int = 120
    force_stop: bool = False
    ha_managed: bool = False
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic


class _Ends(Exception):
    """The restart ends here with this status, reason and sentence."""

    def __init__(self, status: str, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.reason = reason
        self.detail = detail


def restart(guest: str, options: Options) -> dict[str, Any]:
    """Restart one guest; its result as in docs/data.md, "Restart"."""
    if not layout.is_live(options.root):
        return _result(
            guest, {}, "failed", "not_here", f"{options.root} is a tree of configs; guests are restarted on their node"
        )
    for name in ("timeout", "start_timeout"):
        seconds = getattr(options, name)
        if seconds < 1:
            return _result(
                guest,
                {},
                "failed",
                "refused",
                f"{name} is {seconds}; it takes seconds from 1 on. The guest was not touched",
            )
    begun = options.clock()
    record: dict[str, Any] = {}
    remark = None
    try:
        record = _record(guest, options)
        waits = _waits(record)
        managed = _refuse(record, options)
        _ask(guest, options)
        if not options.check:
            remark = _cold_start(record, managed, options)
            _prove(guest, options)
    except _Ends as end:
        return _result(guest, record, end.status, end.reason, end.detail, options.clock() - begun)
    except OSError as exc:
        return _result(guest, record, "failed", "error", layout.reason(exc), options.clock() - begun)
    return {**_result(guest, record, "restarted", None, remark, options.clock() - begun), "in_force": waits}


def _result(
    guest: str, record: dict[str, Any], status: str, reason: str | None, detail: str | None, seconds: float = 0
) -> dict[str, Any]:
    return {
        "guest": guest,
        "name": record.get("name", ""),
        "node": record.get("node"),
        "status": status,
        "reason": reason,
        "detail": detail,
        "in_force": [],
        "seconds": round(seconds, 1),
    }


def _record(guest: str, options: Options) -> dict[str, Any]:
    own = layout.own_node(options.root)
    reading = reader.read(options.root, own, [guest])
    if reading.guests:
        return reading.guests[0]
    elsewhere = [source.node for source in layout.sources(options.root, "all") if source.guest == guest]
    if elsewhere and elsewhere[0] != own:
        raise _Ends("failed", "moved", f"it is on node {elsewhere[0]}; run this there")
    why = next((problem["reason"] for problem in reading.problems if problem["guest"] == guest), "is not there")
    raise _Ends("failed", "moved", why)


def _waits(record: dict[str, Any]) -> list[str]:
    """What waits; ends where nothing does, or where the guest is not to be touched now."""
    waits = _restart.waiting(record)
    if not waits:
        raise _Ends("unchanged", "nothing_pending", "nothing waits for a cold start")
    held = _restart.held(record)
    if held:
        raise _Ends("failed" if held[0] == "would_not_start" else "skipped", *held)
    return waits


def _refuse(record: dict[str, Any], options: Options) -> bool:
    """Whether HA manages the guest; ends where it may not be restarted because of that."""
    guest = record["id"]
    asked = ha.requested(_text(options, "/etc/pve/ha/resources.cfg"), guest)
    if asked is None:
        return False
    if not options.ha_managed:
        raise _Ends(
            "skipped",
            "ha_managed",
            f"managed by HA (asked to be {asked}); restart it by hand, or allow it: restart_ha_managed: true",
        )
    state, node = ha.current(_text(options, "/etc/pve/ha/manager_status"), guest)
    if (asked, state, node) != ("started", "started", record["node"]):
        raise _Ends(
            "skipped",
            "ha_state",
            f"HA asks it to be {asked}, and has it as {state or 'not known'} on node {node or 'not known'}",
        )
    return True


def _text(options: Options, path: str) -> str:
    try:
        return reader.text(options.root, path)
    except FileNotFoundError:
        return ""


def _ask(guest: str, options: Options) -> None:
    """Ends where the guest has powered off already, or Proxmox VE could not start it: a volume, a bridge, a storage is
    not there.
    """
    if qm.state(options.run, guest, _QUESTION) == "shutdown":
        raise _Ends(
            "skipped",
            "not_running",
            f"has powered off, though its QEMU has not ended; what waits comes into force with: qm stop {guest} && qm"
            f" start {guest}",
        )
    refusal = qm.command(options.run, ["showcmd", guest], _QUESTION)
    if refusal:
        reason = refusal.reason if refusal.reason in ("busy", "moved") else "would_not_start"
        raise _Ends("failed", reason, f"not touched, because it could not be started again: {refusal.detail}")


def _cold_start(record: dict[str, Any], managed: bool, options: Options) -> str | None:
    """Restart; a remark on how it went, None where there is nothing to say."""
    guest = record["id"]
    before = reader.pid(options.root, guest)
    refusal = qm.command(options.run, ["reboot", guest, "--timeout", str(options.timeout)], options.timeout + _MARGIN)
    stopped = bool(refusal) and _is_up(guest, before, options)
    remark = None
    if stopped:
        remark = _stop(guest, before, refusal, managed, options)
    elif refusal and _NOT_RUNNING.search(refusal.detail):
        raise _Ends("skipped", "not_running", "was shut down meanwhile by somebody else, and stays so")
    # Nobody but this run starts what was stopped with qm stop: qm reboot has taken back its request.
    _wait_for_start(guest, before, 0 if stopped else options.start_timeout, managed, options)
    return remark


def _is_up(guest: str, before: int | None, options: Options) -> bool:
    return before is not None and reader.pid(options.root, guest) == before


def _stop(guest: str, before: int | None, refusal: qm.Refusal, managed: bool, options: Options) -> str | None:
    """End the QEMU that a reboot has not ended; a remark, None where there is nothing to say.

    A guest that still runs stays so, unless it ignored the shutdown and a hard stop is asked for. One that has powered
    off has nothing left to lose.
    """
    state = qm.state(options.run, guest, _QUESTION)
    off = state == "shutdown"
    if off and managed:
        raise _Ends("failed", "not_started", f"{_POWERED_OFF}; HA manages the guest: stop and start it by hand")
    if not off:
        _refuse_hard_stop(guest, _standing(state), refusal, managed, options)
    refusal = qm.command(options.run, ["stop", guest], _MARGIN)
    if _is_up(guest, before, options):
        said = refusal.detail if refusal else "no word of qm"
        if off:
            raise _Ends(
                "failed",
                "not_started",
                f"{_POWERED_OFF} and could not be stopped: {said}; then: qm stop {guest} && qm start {guest}",
            )
        standing = _standing(qm.state(options.run, guest, _QUESTION))
        raise _Ends("failed", "no_shutdown", f"could not be stopped and {standing}: {said}")
    return (
        "it powered off, but its QEMU did not end by itself: look whether qmeventd runs on this node" if off else None
    )


_POWERED_OFF = "IS DOWN: it has powered off, but its QEMU has not ended (does qmeventd run on this node?)"


def _refuse_hard_stop(guest: str, standing: str, refusal: qm.Refusal, managed: bool, options: Options) -> None:
    if refusal.reason == "locked":
        raise _Ends("skipped", "locked", f"{refusal.detail}; run again when that has ended")
    if "got timeout" not in refusal.detail or refusal.reason == "busy":
        raise _Ends("failed", refusal.reason, f"{standing}: {refusal.detail}")
    if managed or not options.force_stop:
        raise _Ends(
            "failed",
            "no_shutdown",
            f"did not shut down within {options.timeout} s and {standing}; should it go down later, start it: qm start"
            f" {guest}",
        )


def _standing(state: str | None) -> str:
    """How a guest is whose QEMU is still there, by what qm status says of it."""
    if state == "running":
        return "still runs as before"
    return (
        "its QEMU is still there,"
        f" {'and qm status does not tell its state' if state is None else f'in the state {state} by qm status'}"
    )


def _wait_for_start(guest: str, before: int | None, seconds: int, managed: bool, options: Options) -> None:
    """Until Proxmox VE, or HA, has started the guest again; what has not come up in time is started here, but not
    HA's.
    """
    if not _comes_up(guest, before, seconds, options):
        refusal = None if managed else qm.command(options.run, ["start", guest], options.start_timeout + _MARGIN)
        # A start of somebody else's that was under way makes this one fail, and comes up.
        if not _comes_up(guest, before, _UNDER_WAY, options):
            said = refusal.detail if refusal else f"nothing has started it within {options.start_timeout} s"
            raise _Ends("failed", "not_started", f"IS DOWN: shut down, and did not start again: {said}")


def _comes_up(guest: str, before: int | None, seconds: int, options: Options) -> bool:
    end = options.clock() + seconds
    while True:
        now = reader.pid(options.root, guest)
        if now is not None and now != before:
            return True
        if options.clock() >= end:
            return False
        options.sleep(min(1, max(end - options.clock(), 0)))


def _prove(guest: str, options: Options) -> None:
    """Read again: the guest runs, and nothing waits, by its config and by what its process runs with."""
    record = _record(guest, options)
    if not record["running"]:
        raise _Ends("failed", "not_started", "IS DOWN: it was started and has ended since")
    left = _restart.waiting(record)
    if left:
        raise _Ends("failed", "not_in_force", "was restarted, and still waits: " + ", ".join(left))
