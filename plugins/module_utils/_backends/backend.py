# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The seam: what reading, applying, the journal and the rollback know of a hypervisor.

A new hypervisor, or a new way to one, is a module with a class that fits ``Backend``, and a line in find.py.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Protocol, TypeVar

from .._model.findings import Change, Value, Wanted
from .._model.operations import Reason
from .._model.records import Guest
from .reading import Reading


class Refused(Exception):
    """A guest is not written, or not as it should be: ``reason`` is a result's (docs/data.md), ``detail`` says what to
    do.
    """

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


class Definition(Protocol):
    """One guest's definition, parsed once."""

    @property
    def guest(self) -> Guest:
        """The guest's record."""

    @property
    def digest(self) -> str:
        """The digest of the whole definition."""

    @property
    def raw(self) -> bytes:
        """The whole definition, for the journal."""

    def lines(self) -> Mapping[str, str]:
        """Setting → its text after the next cold start, for the diff."""

    def value(self, key: str, option: str) -> Value:
        """What an option of a plan is set to after the next cold start."""


D = TypeVar("D", bound=Definition)


class Backend(Protocol[D]):
    """One way to the guests of one hypervisor. Every method may raise OSError."""

    hypervisor: str
    #: How many guests are best written at the same time.
    at_once: int

    def covers(self, node: str | None) -> bool:
        """Whether the guests of a node are this backend's to read; None is a guest without a node."""

    def read(self, only: Collection[str] | None = None) -> Reading:
        """All guests, or those with these ids, and the problems on the way. Raises LayoutError where there is nothing
        to read from.
        """

    def alone(self, configs: Sequence[str]) -> AbstractContextManager[None]:
        """Keep every other run from writing the guests with these configs. Raises Refused: busy."""

    def load(self, guest: str, node: str | None, config: str) -> D:
        """A guest's definition as it is now; ``config`` is the path in its record. Raises Refused: moved, refused."""

    def edit(self, now: D, wanted: Wanted) -> D:
        """The definition with the options set; ``now`` itself where nothing changes. Raises Refused: refused."""

    def also(self, now: D, edited: D) -> list[Change]:
        """What the edit had to change besides what it was asked for, so that a rollback takes it back too."""

    def refuse(self, now: D, edited: D) -> None:
        """Raise Refused where the edited definition must not be written; the reason says why."""

    def waits(self, now: D, edited: D, after: D | None = None) -> bool:
        """Whether something that was set waits for a cold start; without ``after``, whether it would after a write."""

    def write(self, now: D, edited: D) -> D:
        """Write it where the guest is still as in ``now``; what reads back. Raises Refused."""

    def lost(self, now: D, edited: D, after: D) -> list[str]:
        """A sentence for each thing that the write lost or did differently; none proves it."""
