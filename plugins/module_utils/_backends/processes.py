# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The QEMU processes of a host, looked at once for all of its backends; and the guests that none of them knows."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from functools import cached_property

from .._model import records
from .._model.records import NOT_THERE, Problem, RunningGuest
from .._qemu_process import proc as _proc
from .._qemu_process.record import record
from .._text import natural_key
from . import layout, nodes
from .reading import Reading


class Processes:
    """The QEMU processes of the host below ``root``. A backend takes those of the guests that it knows."""

    def __init__(self, root: str) -> None:
        self._root = root
        self._taken: dict[str, str] = {}

    @cached_property
    def _found(self) -> tuple[list[RunningGuest], list[Problem]]:
        return _proc.running_guests(self._root)

    @property
    def all(self) -> list[RunningGuest]:
        """All of them."""
        return self._found[0]

    @property
    def problems(self) -> list[Problem]:
        """What could not be read of them."""
        return self._found[1]

    @cached_property
    def installed(self) -> str | None:
        """The version of the QEMU that a guest started now would get."""
        return _proc.installed_version(self._root)

    def take(self, known: Mapping[str, RunningGuest]) -> None:
        """These are of guests that a backend knows, by their ids."""
        self._taken.update({self._place(process): guest for guest, process in known.items()})

    def _place(self, process: RunningGuest) -> str:
        return os.path.join(self._root, "proc", str(process["pid"]))

    def _with_id(self, problem: Problem) -> Problem:
        """A problem of a process under its guest's id: the process itself tells no more than a name."""
        named = problem.copy()
        named["guest"] = self._taken.get(problem["file"] or "", problem["guest"])
        return named

    def others(self, only: Collection[str] | None, hypervisor: str | None = None) -> Reading:
        """The guests that run and that no backend has taken, or ``only`` those with these ids or names, or those of one
        hypervisor. They cannot be written.
        """
        reading = Reading()
        own = layout.own_node(self._root)
        problems = map(self._with_id, self.problems)
        reading.problems += [one for one in problems if only is None or one["guest"] is None or one["guest"] in only]
        rest = [guest for guest in self.all if self._place(guest) not in self._taken]
        rest = [guest for guest in rest if hypervisor in (None, guest["hypervisor"])]
        known = {name for guest in rest for name in (guest["id"], guest["name"])}
        for name in sorted(set(only or ()) - known, key=natural_key):
            reading.problem("", NOT_THERE, guest=name)
        reading.guests = [
            record(guest, own) for guest in rest if only is None or guest["id"] in only or guest["name"] in only
        ]
        reading.nodes = [records.node(name=own, addresses=nodes.kernel_addresses())]
        return reading
