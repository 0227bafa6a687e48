# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The proof that a write to a Proxmox VE guest config did what it should and lost nothing. Pure."""

from __future__ import annotations

import contextlib
import re
from urllib.parse import unquote

from . import config as _config
from . import drive as _drive
from .same import equal, ours

_HEADER = re.compile(r"^\[([^\]]+)\]\s*$", re.ASCII)


def lost(
    before: _config.Config, after: _config.Config, written: dict[str, str | None], running: bool | None
) -> list[str]:
    """One sentence for each thing that a write lost or did differently; none when the write is proven.

    ``running`` tells whether the guest ran when ``qm`` wrote it, None for a file that was written without ``qm``. After
    the next cold start every key must have the value that it had, or that was written. Until then the main section
    stays as it was, with two exceptions: ``qm`` may have applied other keys that waited, and written ones that need no
    cold start. Controller, aio, cache and iothread of a running guest always need one (recorded). Snapshots and the
    description stay as they were.
    """
    faults: list[str] = []
    for key, value in written.items():
        found = after.next(key)
        if not equal(key, value, found, own_size=True):
            faults.append(f"{key} reads back as {found!r}, {value!r} was written")
        elif not _in_force(before.main.get(key), key, value, after.main.get(key), running):
            faults.append(f"{key} of the main section was {before.main.get(key)!r} and is {after.main.get(key)!r}")
    for key in _keys(before):
        if key not in written and not _dropped_by_design(key, before, after):
            faults += _kept(key, before, after, running)
    for name, section in before.snapshots.items():
        faults += _snapshot_kept(name, section, after.snapshots.get(name))
    was, now = _descriptions(before.text), _descriptions(after.text)
    for name in ("", *before.snapshots):
        if (name == "" or name in after.snapshots) and was.get(name, []) != now.get(name, []):
            faults.append(f"the description{_of(name)} is not what it was")
    return faults


def _keys(config: _config.Config) -> list[str]:
    """Every key of the main section and of [PENDING]."""
    waiting = config.pending.entries if config.pending else {}
    return [key for key in dict.fromkeys([*config.main.entries, *waiting]) if key != "delete"]


def _in_force(old: str | None, key: str, value: str | None, new: str | None, running: bool | None) -> bool:
    """Whether the main section has the old value of a written key, or the new one where it may take effect at once."""
    if equal(key, old, new, own_size=True):
        return True
    if running:
        is_drive = _drive.parse_key(key) and old is not None and value is not None
        if not is_drive or ours(key, old or "") != ours(key, value or ""):
            return False
    return equal(key, value, new, own_size=True)


def _kept(key: str, before: _config.Config, after: _config.Config, running: bool | None) -> list[str]:
    """The faults of a key that was not written; ``qm`` may have put in force what waited."""
    old, new = before.main.get(key), after.main.get(key)
    waited, waits = before.next(key), after.next(key)
    if not equal(key, waited, waits):
        if waited is None:
            return [f"{key} was to be removed by [PENDING], and is {waits!r}"]
        where = "" if equal(key, old, waited) else " of [PENDING]"
        return [f"{key}{where} is gone" if waits is None else f"{key}{where} was {waited!r} and is {waits!r}"]
    if not equal(key, old, new) and (running is None or not equal(key, waited, new)):
        return [f"{key} is gone" if new is None else f"{key} was {old!r} and is {new!r}"]
    return []


def _snapshot_kept(name: str, before: _config.Section, after: _config.Section | None) -> list[str]:
    if after is None:
        return [f"snapshot section [{name}] is gone"]
    faults = []
    for key in dict.fromkeys([*before.entries, *after.entries]):
        old, new = before.get(key), after.get(key)
        if not equal(key, old, new):
            faults.append(
                f"{key}{_of(name)} is gone"
                if new is None
                else f"{key}{_of(name)} was {'unset' if old is None else repr(old)} and is {new!r}"
            )
    return faults


def _of(snapshot: str) -> str:
    return f" of snapshot [{snapshot}]" if snapshot else ""


def _dropped_by_design(key: str, before: _config.Config, after: _config.Config) -> bool:
    """Whether a key is an unusedN with the volume of a disk: Proxmox VE drops it on every write (write_vm_config)."""
    if not key.startswith("unused"):
        return False
    return before.main.get(key) in _volumes(before) | _volumes(after)


def _volumes(config: _config.Config) -> set[str]:
    """The volumes of all drives, including those in [PENDING]."""
    found = set()
    for section in (config.main, config.pending):
        for key, entry in section.entries.items() if section else ():
            if _drive.parse_key(key):
                with contextlib.suppress(_drive.DriveError):
                    found.add(_drive.parse(key, entry.value).volume)
    return found


def _descriptions(text: str) -> dict[str, list[str]]:
    """Section → the words of its description, however Proxmox VE encodes them and breaks them into lines."""
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
