# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""A cold restart of one guest: its pending changes take effect, or the guest stays as it was.

A guest is restarted only where something waits, it could be started again, and it is not locked, stopped or a template.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple, Protocol

from .. import _restart
from .._model.operations import Reason, RestartReason, RestartResult, RestartStatus
from .._model.records import Guest
from .backend import Refused

_UNDER_WAY = 10

# Reasons that do not fail the run; every other one but _UNCHANGED fails the run.
_SKIPPED = ("template", "not_here", "not_running", "locked", "ha_managed", "ha_state")
_UNCHANGED: RestartReason = "nothing_pending"

_POWERED_OFF = "IS DOWN: it has powered off, but its QEMU process has not ended"


class Failure(NamedTuple):
    """Why the hypervisor did not do what it was told: a reason of docs/data.md, and its own words.

    Of a shutdown, ``no_shutdown`` is a guest that ignored it, ``not_running`` one that was down already, and
    ``not_started`` one that is down now, and that the hypervisor could not start.
    """

    reason: Reason
    detail: str


class State(NamedTuple):
    """A guest with a live process: whether it has powered off nevertheless, and its state in words."""

    off: bool
    words: str


class Restarter(Protocol):
    """Who can shut down and start the guests of one hypervisor on this host. Every method may raise OSError."""

    #: What to look at where a process is left over after its guest has powered off.
    left_over: str

    def read(self, guest: str) -> Guest:
        """Its record, as it is now. Raises Refused: moved."""

    def managed(self, guest: Guest, allowed: bool) -> bool:
        """Whether a cluster's HA manages it. Raises Refused where that keeps it from being restarted now."""

    def refuse(self, guest: str) -> None:
        """Raise Refused where it has powered off, or could not be started again."""

    def process(self, guest: str) -> int | None:
        """Its live process, another one after every start; None where it is down."""

    def state(self, guest: str) -> State:
        """How it is, where its process is alive."""

    def shut_down(self, guest: str, seconds: int) -> Failure | None:
        """Shut it down within so many seconds, and leave its start to the hypervisor."""

    def stop(self, guest: str) -> Failure | None:
        """End its process."""

    def start(self, guest: str, seconds: int) -> Failure | None:
        """Start it within so many seconds."""

    def by_hand(self, guest: str, stop: bool = True) -> str:
        """The commands that start it, after they stopped it."""


class Options(NamedTuple):
    """How to restart; ``timeout`` for the shutdown and ``start_timeout`` for the start are seconds."""

    check: bool = False
    timeout: int = 300
    start_timeout: int = 120
    force_stop: bool = False
    ha_managed: bool = False
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic


def restart(guest: str, restarter: Restarter | None, options: Options) -> RestartResult:
    """Restart one guest; its result as in docs/data.md, "Restart". Without a restarter nothing can be."""
    begun = options.clock()
    record: Guest | None = None
    try:
        for name, seconds in (("timeout", options.timeout), ("start_timeout", options.start_timeout)):
            if seconds < 1:
                raise Refused("refused", f"{name} is {seconds}; it takes 1 second or more. The guest was not touched")
        if restarter is None:
            detail = "no guest can be restarted here: this is a tree of files, or a host without a known hypervisor"
            return _result(guest, record, "failed", "not_here", f"{detail}; run this on the guest's node")
        record = restarter.read(guest)
        waits = _waits(record)
        managed = restarter.managed(record, options.ha_managed)
        restarter.refuse(guest)
        remark = None if options.check else _Restart(guest, managed, restarter, options).carry_out()
    except Refused as end:
        return _result(guest, record, _status(end.reason), end.reason, end.detail, options.clock() - begun)
    except OSError as exc:
        return _result(guest, record, "failed", "error", exc.strerror or str(exc), options.clock() - begun)
    return {**_result(guest, record, "restarted", None, remark, options.clock() - begun), "in_force": waits}


def _status(reason: Reason) -> RestartStatus:
    if reason == _UNCHANGED:
        return "unchanged"
    return "skipped" if reason in _SKIPPED else "failed"


def _result(
    guest: str,
    record: Guest | None,
    status: RestartStatus,
    reason: Reason | None,
    detail: str | None,
    seconds: float = 0,
) -> RestartResult:
    return {
        "guest": guest,
        "name": record["name"] if record else "",
        "node": record["node"] if record else None,
        "status": status,
        "reason": reason,
        "detail": detail,
        "in_force": [],
        "seconds": round(seconds, 1),
    }


def _waits(record: Guest) -> list[str]:
    """What waits. Raises Refused where nothing does, or where the guest must not be touched now."""
    waits = _restart.waiting(record)
    if not waits:
        raise Refused(_UNCHANGED, "nothing waits for a cold start")
    blocker = _restart.blocker(record)
    if blocker:
        raise Refused(*blocker)
    return waits


class _Restart:
    """One restart under way."""

    def __init__(self, guest: str, managed: bool, restarter: Restarter, options: Options) -> None:
        self._guest = guest
        self._managed = managed
        self._restarter = restarter
        self._options = options
        self._before = restarter.process(guest)

    def carry_out(self) -> str | None:
        """Shut down, have it started, prove it; a remark on how it went, None where there is nothing to say."""
        failure = self._restarter.shut_down(self._guest, self._options.timeout)
        stays_up = failure is not None and self._is_up()
        remark = None
        if failure and stays_up:
            remark = self._stop(failure)
        elif failure and failure.reason == "not_started":
            raise Refused("not_started", f"IS DOWN: shut down, and did not start again: {failure.detail}")
        elif failure and failure.reason == "not_running":
            raise Refused("not_running", "somebody else has shut it down in the meantime; it was left so")
        # Nobody but this run starts what was stopped: the hypervisor has forgotten the failed shutdown.
        self._wait_for_start(0 if stays_up else self._options.start_timeout)
        self._prove()
        return remark

    def _is_up(self) -> bool:
        return self._before is not None and self._restarter.process(self._guest) == self._before

    def _stop(self, failure: Failure) -> str | None:
        """End the process that the shutdown has not ended; a remark, None where there is nothing to say.

        A guest that still runs stays so, unless it ignored the shutdown and a hard stop is asked for. One that has
        powered off has nothing left to lose.
        """
        guest, restarter = self._guest, self._restarter
        state = restarter.state(guest)
        powered_off = f"{_POWERED_OFF}; {restarter.left_over}"
        if state.off and self._managed:
            raise Refused("not_started", f"{powered_off}. HA manages the guest: stop and start it by hand")
        if not state.off:
            self._refuse_hard_stop(state, failure)
        stop = restarter.stop(guest)
        if self._is_up():
            said = stop.detail if stop else "the stop gave no reason"
            if state.off:
                raise Refused(
                    "not_started", f"{powered_off}. It could not be stopped: {said}; then: {restarter.by_hand(guest)}"
                )
            raise Refused("no_shutdown", f"could not be stopped and {restarter.state(guest).words}: {said}")
        return (
            f"it powered off, but its QEMU process did not end by itself; {restarter.left_over}" if state.off else None
        )

    def _refuse_hard_stop(self, state: State, failure: Failure) -> None:
        if failure.reason == "locked":
            raise Refused("locked", f"{failure.detail}; run again when that has ended")
        if failure.reason != "no_shutdown":
            reason = "refused" if failure.reason == "not_running" else failure.reason
            raise Refused(reason, f"{state.words}: {failure.detail}")
        if self._managed or not self._options.force_stop:
            raise Refused(
                "no_shutdown",
                f"did not shut down within {self._options.timeout} s and {state.words}; if it goes down later, start"
                f" it: {self._restarter.by_hand(self._guest, stop=False)}",
            )

    def _wait_for_start(self, seconds: int) -> None:
        """Until the hypervisor, or HA, has started the guest; what has not come up in time is started here, unless HA
        manages it.
        """
        if self._comes_up(seconds):
            return
        seconds = self._options.start_timeout
        failure = None if self._managed else self._restarter.start(self._guest, seconds)
        # Where somebody else's start is under way this one fails, and the guest comes up nevertheless.
        if not self._comes_up(_UNDER_WAY):
            said = failure.detail if failure else f"nothing has started it within {seconds} s"
            raise Refused("not_started", f"IS DOWN: shut down, and did not start again: {said}")

    def _comes_up(self, seconds: int) -> bool:
        clock = self._options.clock
        end = clock() + seconds
        while self._restarter.process(self._guest) in (None, self._before):
            if clock() >= end:
                return False
            self._options.sleep(min(1, max(end - clock(), 0)))
        return True

    def _prove(self) -> None:
        """Read again: the guest runs, and nothing waits, by its definition and by what its process runs with."""
        record = self._restarter.read(self._guest)
        if not record["running"]:
            raise Refused("not_started", "IS DOWN: it was started and has ended since")
        left = _restart.waiting(record)
        if left:
            raise Refused("not_in_force", "was restarted, but still waits for a cold start: " + ", ".join(left))
