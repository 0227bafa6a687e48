# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Restarting the guests of libvirt on this host: shut down, wait, start.

libvirt does not start a guest again by itself. A run that is killed in between leaves it down.
"""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable, Sequence
from typing import Any

from .._model.records import Guest
from .backend import Refused
from .libvirt_connection import LibvirtError
from .restart import Failure, State
from .virsh import Here, Virsh


class LibvirtRestarter:
    """See Restarter."""

    left_over = "see its log in /var/log/libvirt/qemu"

    def __init__(
        self,
        root: str,
        uris: Sequence[str],
        run: Any,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._virsh = Virsh(root, uris, run)
        self._sleep = sleep
        self._clock = clock

    def read(self, guest: str) -> Guest:
        """See Restarter."""
        reading = self._virsh.read([guest])
        # It is asked for by its id or its name, and another connection may have one of that name.
        found = next((one for one in reading.guests if one["id"] == guest), None)
        if found:
            return found
        why = next((problem["reason"] for problem in reading.problems if problem["guest"] == guest), "is not there")
        raise Refused("moved", why)

    def managed(self, guest: Guest, allowed: bool) -> bool:
        """See Restarter. libvirt has no cluster."""
        return False

    def refuse(self, guest: str) -> None:
        """See Restarter."""
        here = self._here(guest)
        if not here.domain.persistent:
            raise Refused("refused", "not touched, because it is transient: it would be gone after its shutdown")
        if here.connection.read_only:
            raise Refused("refused", "not touched, because this user may only read what libvirt has; run as root")
        try:
            here.connection.check_start(here.domain.uuid)
        except LibvirtError as exc:
            raise Refused("would_not_start", f"not touched, because it could not be started again: {exc}") from exc

    def process(self, guest: str) -> int | None:
        """See Restarter. A domain gets another number at every start."""
        here = self._here(guest)
        return here.connection.number(here.domain.uuid)

    def state(self, guest: str) -> State:
        """See Restarter."""
        return State(False, "still runs as before")

    def shut_down(self, guest: str, seconds: int) -> Failure | None:
        """See Restarter. Its start is done here as well."""
        here = self._here(guest)
        before = self.process(guest)
        if before is None:
            return Failure("not_running", "it does not run")
        try:
            here.connection.shut_down(here.domain.uuid)
        except LibvirtError as exc:
            return Failure("refused", str(exc))
        end = self._clock() + seconds
        while self.process(guest) == before:
            if self._clock() >= end:
                return Failure("no_shutdown", "libvirt has asked it, and it still runs")
            self._sleep(0.5)
        failure = self.start(guest, seconds)
        return failure._replace(reason="not_started") if failure else None

    def stop(self, guest: str) -> Failure | None:
        """See Restarter."""
        here = self._here(guest)
        return self._failure(lambda: here.connection.stop(here.domain.uuid))

    def start(self, guest: str, seconds: int) -> Failure | None:
        """See Restarter. libvirt answers when it runs, or why it does not."""
        here = self._here(guest)
        failure = self._failure(lambda: here.connection.start(here.domain.uuid))
        # Somebody else may have started it.
        return failure if failure and self.process(guest) is None else None

    def by_hand(self, guest: str, stop: bool = True) -> str:
        """See Restarter."""
        here = self._here(guest)
        start = self._command(here, "start")
        return f"{self._command(here, 'destroy')} && {start}" if stop else start

    def _here(self, guest: str) -> Here:
        return self._virsh.here(guest)

    def _failure(self, act: Callable[[], None]) -> Failure | None:
        try:
            act()
        except LibvirtError as exc:
            return Failure("refused", str(exc))
        return None

    def _command(self, here: Here, verb: str) -> str:
        # A name may be an option of virsh, or the number of another domain.
        return f"virsh -c {shlex.quote(here.connection.uri)} {verb} --domain {here.domain.uuid}"
