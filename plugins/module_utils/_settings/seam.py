# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The seam between a plan for a host's settings and the subject that they belong to, such as its load or its queues.

A setting is an option of an object: ``bwlimit`` of ``vzdump.conf``, ``nr_requests`` of ``disk wwn-0x5000c500a1b2c3d4``.
A plan asks for changes of settings, each with the value as it is stored, before and after; None is "not set".
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Literal, Protocol, TypedDict

from .._model.findings import Change

#: What becomes of an object of a plan.
SettingStatus = Literal["changed", "unchanged", "failed"]
#: Why an object was not written, or not as planned.
SettingReason = Literal["changed_since", "error", "gone", "journal", "not_proven", "refused"]


class SettingsEntry(TypedDict):
    """One object of a plan: ``key`` is its name, and that of each of its changes."""

    subject: str
    key: str
    changes: list[Change]


class SettingsResult(TypedDict):
    """What became of one object of a plan; ``changes`` are those that were made."""

    subject: str
    key: str
    status: SettingStatus
    changes: list[Change]
    reason: SettingReason | None
    detail: str | None


class SettingsError(ValueError):
    """A change that a subject cannot make, whoever asks for it; the message says why and what is allowed."""


class Refused(Exception):
    """Why an object cannot be written, or was not; the message is a sentence for a person."""

    def __init__(self, detail: str, reason: SettingReason = "refused") -> None:
        super().__init__(detail)
        self.reason = reason


class Settings(Protocol):
    """The settings of one subject on a host, or below the root of a tree."""

    subject: str

    def check(self, change: Change) -> None:
        """Raise SettingsError for what this subject cannot set. Plans and journals are checked by it: both are only
        as trustworthy as whoever wrote them.
        """

    def check_back(self, change: Change) -> None:
        """The same where ``change`` gives back what was there before: that need not be a value that anybody would ask
        for. Raise SettingsError for what cannot have been there.
        """

    def now(self, keys: Collection[str]) -> dict[tuple[str, str], Any]:
        """(key, option) → the value as it is stored, None where it is not set. An object that is gone has no options.

        Raises OSError or Refused where it cannot be read.
        """

    def write(self, key: str, changes: list[Change]) -> None:
        """Make all changes of one object at once. Raises OSError or Refused; what it had written by then is taken back
        or said.
        """
