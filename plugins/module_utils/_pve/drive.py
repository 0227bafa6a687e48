# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Drive strings of Proxmox VE: read as ``parse_drive`` reads them, edited without losing an option.

A drive string is ``volume,option=value,...``; the volume is the default key and may be anywhere. A duplicate or unknown
option, or a value that its option does not take (drive_options.py), rejects the whole drive (qemu-server Drive.pm,
pve-common JSONSchema.pm parse_property_string).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

from .._model.findings import Value
from .._truth import boolean
from .drive_options import ALIASES, is_boolean, shown
from .drive_options import fault as option_fault

#: Buses with the highest index they take (qemu-server Drive.pm).
BUSES = {"ide": 3, "sata": 5, "scsi": 30, "virtio": 15, "efidisk": 0, "tpmstate": 0}

#: Buses of disks, with aio, cache and the like.
DISK_BUSES = ("ide", "sata", "scsi", "virtio")

#: Buses with an iothread option.
IOTHREAD_BUSES = ("scsi", "virtio")

_BLANKS = " \t\n\r\f\v"
_KEY = re.compile(r"^(ide|sata|scsi|virtio|efidisk|tpmstate)(0|[1-9]\d?)$", re.ASCII)
_CLOUDINIT = re.compile(r"[:/](?:vm-\d+-)?cloudinit(?:\.(?:raw|qcow2|qed|vmdk|cloop|qcow|cow))?$", re.ASCII)
# A key followed by a colon, an equals sign or the volume.
_LIKE_A_DRIVE = re.compile(
    r"\W*(?:ide|sata|scsi|virtio)\d+(?:\s*[:=]|\s+(?:[a-z][\w.\-]*:(?!//)|/)\S+\s*\Z)", re.IGNORECASE
)
_NEEDS = tuple(
    pair
    for way in ("", "_rd", "_wr")
    for pair in (
        (f"mbps{way}_max", f"mbps{way}"),
        (f"bps{way}_max_length", f"mbps{way}_max"),
        (f"iops{way}_max_length", f"iops{way}_max"),
    )
)


class DriveError(ValueError):
    """Proxmox VE rejects this drive string; the message says why, for a person."""


class Drive(NamedTuple):
    """A drive's options: booleans as bool, the rest as text; ``file`` is the volume."""

    bus: str
    options: dict[str, str | bool]

    @property
    def volume(self) -> str:
        """The volume: ``storage:name``, a path, ``none`` or ``cdrom``."""
        return str(self.options["file"])

    @property
    def media(self) -> str:
        """disk, cdrom, cloudinit, efi or tpm."""
        if self.bus in ("efidisk", "tpmstate"):
            return {"efidisk": "efi", "tpmstate": "tpm"}[self.bus]
        if _CLOUDINIT.search(self.volume):
            return "cloudinit"
        return str(self.options.get("media", "disk"))


@lru_cache(maxsize=1024)
def parse_key(key: str) -> tuple[str, int] | None:
    """``scsi0`` → ``("scsi", 0)``; None where the key is not a drive's (``unused0``, ``scsi31``, ``net0``)."""
    match = _KEY.match(key)
    if not match or int(match[2]) > BUSES[match[1]]:
        return None
    return match[1], int(match[2])


def meant_for_a_drive(line: str) -> bool:
    """True for a config line that a person would take for a disk, even where Proxmox VE does not."""
    return bool(_LIKE_A_DRIVE.match(line))


def parse(key: str, text: str) -> Drive:
    """Read a drive string; raises DriveError where Proxmox VE would drop the line."""
    place = parse_key(key)
    if place is None:
        raise DriveError(f"'{shown(key)}' is not a drive")
    return Drive(place[0], read_options(place[0], text))


def read_options(bus: str, text: str) -> dict[str, str | bool]:
    """The options of a drive string on one of the buses of drive_options.py; raises DriveError."""
    options: dict[str, str | bool] = {}
    for part in text.split(","):
        if not part.strip(_BLANKS):
            continue
        name, value = _split(part)
        name = ALIASES.get(name, name)
        if name in options:
            raise DriveError("two volumes" if name == "file" else f"duplicate option '{name}'")
        fault = option_fault(bus, name, value)
        if fault:
            raise DriveError(fault)
        options[name] = bool(boolean(value)) if is_boolean(bus, name) else value
    if "file" not in options:
        raise DriveError("no volume")
    return options


def _split(part: str) -> tuple[str, str]:
    name, equals, value = part.partition("=")
    if not equals:
        return "file", part
    if not name or not value:
        raise DriveError(f"'{shown(part)}' is not of the form option=value")
    return name, value


def unusable(drive: Drive) -> str | None:
    """Why Proxmox VE keeps a drive's line but starts the guest without the drive; None where the guest gets it.

    Each option is valid, but they exclude each other (Drive.pm ``parse_drive``; AbstractConfig.pm ``foreach_volume``
    skips such a drive silently).
    """
    options = drive.options
    for way in ("", "_rd", "_wr"):
        if f"bps{way}" in options and f"mbps{way}" in options:
            return f"options 'bps{way}' and 'mbps{way}' exclude each other"
    for option, needed in _NEEDS:
        if _true(options.get(option)) and not _limit(options, needed):
            return f"option '{option}' needs '{needed}'"
    for unit in ("mbps", "iops"):
        for way in ("_rd", "_wr"):
            if _limit(options, unit) and _limit(options, unit + way):
                return f"options '{unit}' and '{unit}{way}' exclude each other"
    if options.get("media") == "cdrom":
        if drive.bus == "virtio":
            return "a cdrom cannot be on virtio"
        if options.get("snapshot") or "format" in options:
            return "a cdrom takes neither 'snapshot' nor 'format'"
    return None


def _limit(options: dict[str, str | bool], name: str) -> bool:
    """True for a limit that is set; a limit in bytes counts as the one in megabytes."""
    return _true(options.get(name)) or (name.startswith("mbps") and name[1:] in options)


def _true(value: str | bool | None) -> bool:
    """What is true in Perl."""
    return value not in (None, False, "0")


def edit(text: str, changes: Mapping[str, Value]) -> str:
    """The drive string with these options set and every other byte kept.

    A value of None removes the option. An option that has the value already, in any spelling, is not touched. Unknown
    options are kept.
    """
    parts = text.split(",")
    todo = dict(changes)
    kept = []
    for part in parts:
        name, equals, value = part.partition("=")
        if not equals or name not in changes:
            kept.append(part)
            continue
        wanted = todo.pop(name, changes[name])
        if wanted is None:
            continue
        same = boolean(value) == wanted if isinstance(wanted, bool) else value == wanted
        kept.append(part if same else f"{name}={_text(wanted)}")
    kept.extend(f"{name}={_text(value)}" for name, value in todo.items() if value is not None)
    return ",".join(kept)


def _text(value: str | int) -> str:
    return ("1" if value else "0") if isinstance(value, bool) else str(value)
