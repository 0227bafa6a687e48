# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""A plan's neutral changes as values of a Proxmox VE guest config, and the proof that they are in it."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import unquote

from .._model import OPTIONS, VIRTIO_CONTROLLERS
from . import config as _config
from . import drive as _drive
from .effective import controller as _controller

_UNITS = {"K": 1, "M": 2, "G": 3, "T": 4}


def values(config: _config.Config, changes: list[dict[str, Any]]) -> dict[str, str | None]:
    """Config key → its whole new value, None to remove the key, for the changes of one guest's plan.

    A drive that waits in [PENDING] is edited as it waits there, for ``qm set``
    replaces it whole: what somebody else has waiting on it must not be lost.
    """
    new: dict[str, str | None] = {}
    drives: dict[str, dict[str, Any]] = {}
    for change in changes:
        if change["key"] == "controller":
            new["scsihw"] = change["after"]
        else:
            drives.setdefault(change["key"], {})[change["option"]] = change["after"]
    for key, options in drives.items():
        old = current(config, key)
        if old is None:
            raise _drive.DriveError(f"the guest has no drive {key}")
        _drive.parse(key, old)
        new[key] = _drive.edit(old, options)
        if _without_ours(key, old) != _without_ours(key, new[key]):
            raise _drive.DriveError(f"{key} would lose an option: {old!r} would become {new[key]!r}")
    return {key: value for key, value in new.items() if value != current(config, key)}


def differing(config: _config.Config, changes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Those of the changes that the config does not have, each with ``before`` as it stands there: null is unset.

    A plan's own ``before`` may be what an unset option comes to (``lsi``); what is to be put back is this one.
    Call it after ``values``, which refuses drives that are not there or not valid.
    """
    found = []
    for change in changes:
        standing = current(config, "scsihw" if change["key"] == "controller" else change["key"])
        if change["key"] != "controller":
            standing = _drive.parse(change["key"], standing or "").options.get(change["option"])
        if standing != change["after"]:
            found.append({"key": change["key"], "option": change["option"], "before": standing, "after": change["after"]})
    return found


def current(config: _config.Config, key: str) -> str | None:
    """A key's value after the next cold start: as it waits in [PENDING], or else stands in the main section."""
    waiting = config.pending.get(key) if config.pending else None
    if waiting is not None:
        return waiting
    return None if key in config.pending_deletes else config.main.get(key)


def pending_keys(config: _config.Config, keys: Any) -> frozenset[str]:
    """Those of the keys that wait in [PENDING]."""
    return frozenset(key for key in keys if config.pending and key in config.pending.entries)


def waiting(config: _config.Config, keys: Any) -> bool:
    """True where one of the keys waits in [PENDING], to be set or to be removed."""
    return bool(pending_keys(config, keys)) or any(key in config.pending_deletes for key in keys)


def foreign_pending(config: _config.Config) -> list[str]:
    """What waits in [PENDING] and is not of our making: everything but aio, cache and iothread of a drive
    and a change of controller that keeps the guest's driver."""
    if config.pending is None:
        return []
    foreign = [f"delete {key}" for key in config.pending_deletes]
    for key, entry in config.pending.entries.items():
        if key == "delete":
            continue
        now = config.main.get(key)
        if key == "scsihw" and entry.value in VIRTIO_CONTROLLERS and _controller(now) in VIRTIO_CONTROLLERS:
            continue
        if now is None or not _drive.parse_key(key) or _without_ours(key, now) != _without_ours(key, entry.value):
            foreign.append(key)
    return sorted(foreign)


def _without_ours(key: str, value: str) -> Any:
    options = normal(key, value)
    return {name: option for name, option in options.items() if name not in OPTIONS} if isinstance(options, dict) else options


def normal(key: str, value: str) -> Any:
    """A value in a form in which two spellings of the same are equal: drives as options, sizes in bytes."""
    if not _drive.parse_key(key):
        return value
    try:
        options = dict(_drive.parse(key, value).options)
    except _drive.DriveError:
        return value
    if "size" in options:
        options["size"] = str(_bytes(str(options["size"])))
    return options


def _stored(key: str, value: str) -> Any:
    """A value in a form in which two are equal where ``qm`` made one of the other: it writes a volume's own size, whatever
    was passed, booleans as 1 and 0, and text without the quotes around it (recorded; JSONSchema.pm)."""
    found = normal(key, value)
    if isinstance(found, dict):
        return {name: option for name, option in found.items() if name != "size"}
    truth = _drive.boolean(value)
    return value.strip('"') if truth is None else truth


def _bytes(size: str) -> float:
    size = size[:-2] if size.endswith("iB") else size
    unit = _UNITS.get(size[-1], 0)
    return float(size[:-1] if unit else size) * 1024**unit


def lost(before: _config.Config, after: _config.Config, written: dict[str, str | None], running: bool) -> list[str]:
    """What a write through ``qm`` did otherwise than it should: one sentence each, none when it is proven.

    A stopped guest's [PENDING] is applied with the write; a running one's grows by what was written.
    """
    main = {key: entry.value for key, entry in before.main.entries.items()}
    waiting = {key: entry.value for key, entry in before.pending.entries.items()} if before.pending else {}
    waiting.pop("delete", None)
    if not running:
        main.update(waiting)
        main = {key: value for key, value in main.items() if key not in before.pending_deletes or key in waiting}
        waiting = {}
    faults = []
    for key, value in written.items():
        found = current(after, key)
        if found is None or value is None:
            same = found is value
        else:
            same = _stored(key, found) == _stored(key, value)
        if not same:
            faults.append(f"{key} reads back as {found!r}, written was {value!r}")
    faults += _missing("", {k: v for k, v in main.items() if k not in written}, after.main)
    if waiting:
        faults += _missing(" of [PENDING]", {k: v for k, v in waiting.items() if k not in written}, after.pending)
    for name in before.snapshots:
        if name not in after.snapshots:
            faults.append(f"snapshot section [{name}] is gone")
    if _description(before.text) != _description(after.text):
        faults.append("the description is not what it was")
    return faults


def _missing(where: str, expected: dict[str, str], section: _config.Section | None) -> list[str]:
    faults = []
    for key, value in expected.items():
        found = section.get(key) if section else None
        if found is None:
            faults.append(f"{key}{where} is gone")
        elif _stored(key, found) != _stored(key, value):
            faults.append(f"{key}{where} was {value!r} and is {found!r}")
    return faults


def _description(text: str) -> list[str]:
    """The words of the description: how they are encoded and broken into lines is Proxmox VE's business."""
    main = re.split(r"^\[", text, maxsplit=1, flags=re.MULTILINE)[0]
    lines = [line[1:] if line.startswith("#") else line.partition(":")[2] for line in main.split("\n") if line.startswith(("#", "description:"))]
    return [word for word in "".join(char if char.isascii() else " " for char in unquote("\n".join(lines), errors="replace")).split() if word]
