# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""A cold restart of one guest of this node: what waits comes into force, or the guest is left as it was.

``qm reboot`` shuts the guest down and leaves its start to Proxmox VE (qmeventd, ``qm cleanup``), so that a run
that is killed in between leaves no guest down. A guest that does not answer stays up (vm_reboot, _do_vm_stop).
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any, NamedTuple

from .. import _restart
from .._qemu_server import ha
from . import layout, qm, reader

#: Seconds of qm's own beyond the guest's: interpreter start, waiting for a lock, deactivating volumes.
_MARGIN = 120

_UNDER_WAY = 10

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
        return _result(guest, {}, "failed", "not_here", f"{options.root} is a tree of configs; guests are restarted on their node")
    for name in ("timeout", "start_timeout"):
        seconds = getattr(options, name)
        if seconds < 1:
            return _result(guest, {}, "failed", "refused", f"{name} is {seconds}; it takes seconds from 1 on. The guest was not touched")
    begun = options.clock()
    record: dict[str, Any] = {}
    try:
        record = _record(guest, options)
        waits = _waits(record)
        managed = _refuse(record, options)
        if not options.check:
            _cold_start(record, managed, options)
            _prove(guest, options)
    except _Ends as end:
        return _result(guest, record, end.status, end.reason, end.detail, options.clock() - begun)
    except OSError as exc:
        return _result(guest, record, "failed", "error", layout.reason(exc), options.clock() - begun)
    return {**_result(guest, record, "restarted", None, None, options.clock() - begun), "in_force": waits}


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
        raise _Ends("unchanged", "nothing_waits", "nothing waits for a cold start")
    held = _restart.held(record)
    if held:
        raise _Ends("failed" if held[0] == "would_not_start" else "left_alone", *held)
    return waits


def _refuse(record: dict[str, Any], options: Options) -> bool:
    """Whether HA manages the guest; ends where it may not be restarted because of that."""
    guest = record["id"]
    asked = ha.requested(_text(options, "/etc/pve/ha/resources.cfg"), guest)
    if asked is None:
        return False
    if not options.ha_managed:
        raise _Ends(
            "left_alone", "ha_managed", f"managed by HA (asked to be {asked}); restart it by hand, or allow it: restart_ha_managed: true"
        )
    state, node = ha.current(_text(options, "/etc/pve/ha/manager_status"), guest)
    if (asked, state, node) != ("started", "started", record["node"]):
        raise _Ends("left_alone", "ha_state", f"HA asks it to be {asked}, and has it as {state or 'not known'} on node {node or 'not known'}")
    return True


def _text(options: Options, path: str) -> str:
    try:
        return reader.text(options.root, path)
    except FileNotFoundError:
        return ""


def _cold_start(record: dict[str, Any], managed: bool, options: Options) -> None:
    guest = record["id"]
    before = reader.pid(options.root, guest)
    refusal = qm.command(options.run, ["reboot", guest, "--timeout", str(options.timeout)], options.timeout + _MARGIN)
    stopped = bool(refusal) and _is_up(guest, before, options)
    if stopped:
        _stop_hard(guest, before, refusal, managed, options)
    elif refusal and _NOT_RUNNING.search(refusal.detail):
        raise _Ends("left_alone", "not_running", "was shut down meanwhile by somebody else, and stays so")
    # Nobody but this run starts what was stopped hard: qm reboot has taken back its request.
    _wait_for_start(guest, before, 0 if stopped else options.start_timeout, managed, options)


def _is_up(guest: str, before: int | None, options: Options) -> bool:
    return before is not None and reader.pid(options.root, guest) == before


def _stop_hard(guest: str, before: int | None, refusal: qm.Refusal, managed: bool, options: Options) -> None:
    """The guest still runs, as it did: that is the end, unless it ignored the shutdown and a hard stop is asked for."""
    if refusal.reason == "locked":
        raise _Ends("left_alone", "locked", f"{refusal.detail}; run again when that has ended")
    if "got timeout" not in refusal.detail or refusal.reason == "busy":
        raise _Ends("failed", refusal.reason, f"still runs as before: {refusal.detail}")
    if managed or not options.force_stop:
        raise _Ends(
            "failed",
            "no_shutdown",
            f"did not shut down within {options.timeout} s and still runs as before; should it go down later, start it: qm start {guest}",
        )
    refusal = qm.command(options.run, ["stop", guest], _MARGIN)
    if _is_up(guest, before, options):
        raise _Ends("failed", "no_shutdown", f"could not be stopped and still runs as before: {refusal.detail if refusal else 'no word of qm'}")


def _wait_for_start(guest: str, before: int | None, seconds: int, managed: bool, options: Options) -> None:
    """Until Proxmox VE, or HA, has started the guest again; what has not come up in time is started here, but not HA's."""
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
