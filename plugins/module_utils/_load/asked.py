# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""What a plan or a journal may ask for: objects, their options, and values. No I/O.

An object's key and the texts of its options are those of stored.py.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from .._model.findings import Change
from .._number import whole_number
from .._settings.seam import SettingsError
from .._shown import piece, shown
from .limits import limits_of
from .options import CHECKS, STORED
from .property_string import FLEECING, PERFORMANCE, Format, FormatFault, parse, storage_id
from .stored import DATACENTER, VZDUMP

#: Kind of object → its options, each with what raises FormatFault for a value that Proxmox VE does not take.
OPTIONS: Mapping[str, Mapping[str, Callable[[str], object]]] = {
    VZDUMP: {option: CHECKS[option] for option in STORED},
    "job": {option: CHECKS[option] for option in STORED},
    DATACENTER: {"bwlimit": limits_of},
    "storage": {"bwlimit": limits_of},
}

# As pve-manager's pve-backup-jobid has them, without what ends a part of a path of its API.
_JOB_ID = re.compile(r"[!-.0-~]{1,50}\Z", re.ASCII)
# No value of these options has a blank, and none is longer.
_LONGEST = 500
_VALUE = re.compile(r"[!-~]{1,500}\Z", re.ASCII)
_FORMATS: Mapping[str, Format] = {"performance": PERFORMANCE, "fleecing": FLEECING}


class Target(NamedTuple):
    """An object: its kind, a key of ``OPTIONS``, and the id of a job or a storage ("" of the others)."""

    kind: str
    id: str


def target(key: str) -> Target:
    """The object of a key. Raises SettingsError."""
    if key in (VZDUMP, DATACENTER):
        return Target(key, "")
    kind, _blank, name = key.partition(" ")
    if kind == "job" and _JOB_ID.match(name) and name not in (".", ".."):
        return Target(kind, name)
    with contextlib.suppress(FormatFault):
        if kind == "storage" and storage_id(name):
            return Target(kind, name)
    raise SettingsError(f"{piece(key)} is none of vzdump.conf, datacenter, job ID, storage ID")


def check(change: Change, back: bool = False) -> None:
    """Raise SettingsError for what is none of the options, or no value of them.

    ``back``: what was there before is given back, which may be any one line that a person wrote.
    """
    kind, _name = target(change["key"])
    checks = OPTIONS[kind]
    option = change["option"]
    if option not in checks:
        raise SettingsError(f"{piece(change['key'])} has no option {shown(option)}; it has {', '.join(checks)}")
    for when in ("before", "after"):
        value = change[when]
        if value is not None and not isinstance(value, str):
            raise SettingsError(f"{option} {when} is {shown(value)}, not the text that is stored, or null")
    if change["after"] is not None and back:
        if len(change["after"]) > _LONGEST or not change["after"].isprintable():
            raise SettingsError(f"{option}: {shown(change['after'])} is no line of text")
    elif change["after"] is not None:
        _check_value(option, change["after"], checks[option])


def _check_value(option: str, value: str, fits: Callable[[str], object]) -> None:
    try:
        if not _VALUE.match(value):
            raise FormatFault(f"{shown(value)} is empty, too long, or has blanks or characters beyond ASCII")
        fits(value)
    except FormatFault as exc:
        raise SettingsError(f"{option}: {exc}") from None


def meaning(option: str, value: str | None) -> Any:
    """What a value says, however it is spelled; the text itself where it is none that Proxmox VE takes."""
    if value is None:
        return None
    try:
        if option in _FORMATS:
            return parse(value, _FORMATS[option])
        # datacenter and storages have a limit for each operation, backups one number.
        return limits_of(value) if "=" in value else whole_number(value) or value
    except FormatFault:
        return value
