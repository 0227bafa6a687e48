# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""A plan's neutral changes as values of a Proxmox VE guest config, and the proof that they are in it."""

from __future__ import annotations

import contextlib
import re
from typing import Any
from urllib.parse import unquote

from .._model.disk_io import OPTIONS, VIRTIO_CONTROLLERS
from . import config as _config
from . import drive as _drive
from . import settings as _settings
from .effective import controller as _controller

_HEADER = re.compile(r"^\[([^\]]+)\]\s*$", re.ASCII)
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
            found.append(
                {"key": change["key"], "option": change["option"], "before": standing, "after": change["after"]}
            )
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
    return (
        {name: option for name, option in options.items() if name not in OPTIONS}
        if isinstance(options, dict)
        else options
    )


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


def _bytes(size: str) -> float:
    size = size[:-2] if size.endswith("iB") else size
    unit = _UNITS.get(size[-1], 0)
    return float(size[:-1] if unit else size) * 1024**unit


def lost(
    before: _config.Config, after: _config.Config, written: dict[str, str | None], running: bool | None
) -> list[str]:
    """What a write did otherwise than it should: one sentence each, none when it is proven.

    ``running`` is how ``qm`` found the guest, None for a file that was written without it. Every key must be after the
    next cold start what it was, or what was written. Until then the main section has what it had: of other keys ``qm``
    may have applied what waited, and of written ones what needs no cold start, which is never a controller, aio, cache
    or iothread of a running guest (recorded). Snapshots and the description stay as they were.
    """
    faults = []
    for key, value in written.items():
        found = current(after, key)
        if not _equal(key, value, found, own_size=True):
            faults.append(f"{key} reads back as {found!r}, written was {value!r}")
        elif not _in_force(before.main.get(key), key, value, after.main.get(key), running):
            faults.append(f"{key} of the main section was {before.main.get(key)!r} and is {after.main.get(key)!r}")
    for key in _keys(before):
        if key not in written and not _dropped_by_design(key, before, after):
            faults += _kept(key, before, after, running)
    for name, section in before.snapshots.items():
        faults += _snapshot_kept(name, section, after.snapshots.get(name))
    was, now = _descriptions(before.text), _descriptions(after.text)
    for name in ("", *before.snapshots):
        if name == "" or name in after.snapshots:
            faults += (
                [f"the description{_of(name)} is not what it was"] if was.get(name, []) != now.get(name, []) else []
            )
    return faults


def _keys(config: _config.Config) -> list[str]:
    """Every key of the main section and of [PENDING]."""
    waiting = config.pending.entries if config.pending else {}
    return [key for key in dict.fromkeys([*config.main.entries, *waiting]) if key != "delete"]


def _in_force(old: str | None, key: str, value: str | None, new: str | None, running: bool | None) -> bool:
    """Whether a written key of the main section is as it was, or as it was written where that may be at once."""
    if _equal(key, old, new, own_size=True):
        return True
    at_once = not running or (
        bool(_drive.parse_key(key)) and None not in (old, value) and _ours(key, old) == _ours(key, value)
    )  # type: ignore[arg-type]
    return at_once and _equal(key, value, new, own_size=True)


def _ours(key: str, value: str) -> Any:
    options = normal(key, value)
    return {name: options.get(name) for name in OPTIONS} if isinstance(options, dict) else options


def _kept(key: str, before: _config.Config, after: _config.Config, running: bool | None) -> list[str]:
    """A key that was not written: what waited may be in force after a write through ``qm``."""
    old, new = before.main.get(key), after.main.get(key)
    waited, waits = current(before, key), current(after, key)
    if not _equal(key, waited, waits):
        if waited is None:
            return [f"{key} was to be removed by [PENDING], and is {waits!r}"]
        where = "" if _equal(key, old, waited) else " of [PENDING]"
        return [f"{key}{where} is gone" if waits is None else f"{key}{where} was {waited!r} and is {waits!r}"]
    if not _equal(key, old, new) and (running is None or not _equal(key, waited, new)):
        return [f"{key} is gone" if new is None else f"{key} was {old!r} and is {new!r}"]
    return []


def _snapshot_kept(name: str, before: _config.Section, after: _config.Section | None) -> list[str]:
    if after is None:
        return [f"snapshot section [{name}] is gone"]
    faults = []
    for key in dict.fromkeys([*before.entries, *after.entries]):
        old, new = before.get(key), after.get(key)
        if not _equal(key, old, new):
            faults.append(
                f"{key}{_of(name)} is gone"
                if new is None
                else f"{key}{_of(name)} was {'unset' if old is None else repr(old)} and is {new!r}"
            )
    return faults


def _of(snapshot: str) -> str:
    return f" of snapshot [{snapshot}]" if snapshot else ""


def _dropped_by_design(key: str, before: _config.Config, after: _config.Config) -> bool:
    """An unusedN whose volume a disk uses: Proxmox VE drops it at every write (write_vm_config), and the volume keeps
    its name there.
    """
    if not key.startswith("unused"):
        return False
    return before.main.get(key) in _volumes(before) | _volumes(after)


def _volumes(config: _config.Config) -> set[str]:
    """The volumes of all drives, those of [PENDING] as well."""
    found = set()
    for section in (config.main, config.pending):
        for key, entry in section.entries.items() if section else ():
            if _drive.parse_key(key):
                with contextlib.suppress(_drive.DriveError):
                    found.add(_drive.parse(key, entry.value).volume)
    return found


def _equal(key: str, before: str | None, after: str | None, own_size: bool = False) -> bool:
    """Whether a value is what it was, for what ``qm`` makes of one that it writes again (recorded; JSONSchema.pm).

    It writes booleans as 1 and 0, whole numbers without leading zeros, and text without the quotes around it. Of a
    drive that is set it writes the volume's own size, whatever was passed: that is ``own_size``.
    """
    if before is None or after is None:
        return before is after
    one, other = normal(key, before), normal(key, after)
    if isinstance(one, dict) and isinstance(other, dict):
        unlike = {"size"} if own_size else set()
        return {name: one[name] for name in one if name not in unlike} == {
            name: other[name] for name in other if name not in unlike
        }
    return before == after or _plain(key, before) == _plain(key, after)


def _plain(key: str, value: str) -> Any:
    if _settings.is_whole_number(key):
        return value.lstrip("0")
    truth = _drive.boolean(value)
    return value.strip('"') if truth is None else truth


def _descriptions(text: str) -> dict[str, list[str]]:
    """Section → the words of its description: how they are encoded and broken into lines is Proxmox VE's business."""
    found: dict[str, list[str]] = {"": []}
    name = ""
    for line in text.split("\n"):
        header = _HEADER.match(line)
        if header:
            name = header[1]
            found[name] = []
        elif line.startswith("#"):
            found[name].append(line[1:])
        elif line.startswith("description:"):
            found[name].append(line.partition(":")[2])
    return {name: _words("\n".join(lines)) for name, lines in found.items()}


def _words(description: str) -> list[str]:
    return "".join(char if char.isascii() else " " for char in unquote(description, errors="replace")).split()
