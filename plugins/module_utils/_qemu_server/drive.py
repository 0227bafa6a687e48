# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Drive strings of Proxmox VE: read as ``parse_drive`` reads them, edited without losing an option.

A drive string is ``volume,option=value,...``; the volume is the default key
and may stand anywhere. An unknown or duplicate option rejects the whole
drive (qemu-server Drive.pm, pve-common JSONSchema.pm parse_property_string).
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from .._model import AIO_MODES, CACHE_MODES

#: Buses with the highest index they take (qemu-server Drive.pm).
BUSES = {"ide": 3, "sata": 5, "scsi": 30, "virtio": 15, "efidisk": 0, "tpmstate": 0}

#: Buses whose drives take aio, cache and the like.
DISK_BUSES = ("ide", "sata", "scsi", "virtio")

#: Buses whose schema has an iothread option.
IOTHREAD_BUSES = ("scsi", "virtio")

_KEY = re.compile(r"^(ide|sata|scsi|virtio|efidisk|tpmstate)(0|[1-9]\d*)$", re.ASCII)
_CLOUDINIT = re.compile(r"[:/](?:vm-\d+-)?cloudinit(?:\.(?:raw|qcow2|qed|vmdk|cloop|qcow|cow))?$", re.ASCII)
_LIKE_A_DRIVE = re.compile(r"\W*(?:ide|sata|scsi|virtio)\d+\s*:", re.IGNORECASE)
_ARGS_WITH_DISKS = re.compile(r"(?:^|\s)--?(?:drive|blockdev|hd[abcd])(?:[\s=]|$)", re.ASCII)
_SIZE = re.compile(r"^\d+(\.\d+)?[KMGT]?$", re.ASCII)
_TRUE = ("1", "on", "yes", "true")
_FALSE = ("0", "off", "no", "false")

_IGNORED = frozenset(("cyls", "heads", "secs", "trans"))
_ALIASES = {"volume": "file", "bps_rd_length": "bps_rd_max_length", "bps_wr_length": "bps_wr_max_length",
            "iops_rd_length": "iops_rd_max_length", "iops_wr_length": "iops_wr_max_length"}  # fmt: skip
_LIMITS = frozenset(
    f"{unit}{direction}{suffix}"
    for direction in ("", "_rd", "_wr")
    for unit, suffix in (("bps", ""), ("mbps", ""), ("iops", ""), ("mbps", "_max"), ("iops", "_max"),
                         ("bps", "_max_length"), ("iops", "_max_length"))
)  # fmt: skip
_BASE = frozenset(
    "file media snapshot cache format size backup replicate rerror werror aio discard detect_zeroes serial shared".split()
) | _LIMITS
_OPTIONS = {
    "ide": _BASE | {"model", "ssd", "wwn"},
    "sata": _BASE | {"ssd", "wwn"},
    "scsi": _BASE | {"iothread", "product", "queues", "ro", "scsiblock", "ssd", "vendor", "wwn"},
    "virtio": _BASE | {"iothread", "ro"},
    "efidisk": frozenset("file format size efitype pre-enrolled-keys ms-cert".split()),
    "tpmstate": frozenset("file format size version".split()),
}
_BOOLEANS = frozenset(
    "snapshot backup replicate detect_zeroes shared iothread ro scsiblock ssd pre-enrolled-keys".split()
)
_ENUMS = {
    "media": ("cdrom", "disk"),
    "cache": tuple(CACHE_MODES),
    "aio": AIO_MODES,
    "discard": ("ignore", "on"),
    "rerror": ("ignore", "report", "stop"),
    "werror": ("enospc", "ignore", "report", "stop"),
}
_REQUIRES = tuple(
    pair
    for d in ("", "_rd", "_wr")
    for pair in (
        (f"mbps{d}_max", f"mbps{d}"),
        (f"bps{d}_max_length", f"mbps{d}_max"),
        (f"iops{d}_max_length", f"iops{d}_max"),
    )
)


class DriveError(ValueError):
    """Proxmox VE rejects this drive string; the message says why, for a person."""


class Drive(NamedTuple):
    """A drive's options: booleans as bool, the rest as text; ``file`` is the volume."""

    bus: str
    index: int
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
    """``scsi0`` → ``("scsi", 0)``; None where the key names no drive (``unused0``, ``scsi31``, ``net0``)."""
    match = _KEY.match(key)
    if not match or int(match[2]) > BUSES[match[1]]:
        return None
    return match[1], int(match[2])


def meant_for_a_drive(line: str) -> bool:
    """True for a config line that was to be a disk by all that a person sees, whatever Proxmox VE makes of it."""
    return bool(_LIKE_A_DRIVE.match(line))


def args_have_disks(args: str) -> bool:
    """True where the free text of ``args:`` gives QEMU disks of its own, past every drive key."""
    return bool(_ARGS_WITH_DISKS.search(args))


def boolean(text: str) -> bool | None:
    """Proxmox VE's spellings of a boolean, in any case; None for anything else."""
    lowered = text.lower()
    return True if lowered in _TRUE else False if lowered in _FALSE else None


def parse(key: str, text: str) -> Drive:
    """Read a drive string; raises DriveError where Proxmox VE would reject it."""
    place = parse_key(key)
    if place is None:
        raise DriveError(f"'{key}' is no drive")
    bus, index = place
    options: dict[str, str | bool] = {}
    for part in text.split(","):
        if not part.strip():
            continue
        name, value = _split(part)
        if name in _IGNORED:
            continue
        name = _ALIASES.get(name, name)
        if name in options:
            raise DriveError("two volumes" if name == "file" else f"option '{name}' stands twice")
        options[name] = _checked(bus, name, value)
    if "file" not in options:
        raise DriveError("no volume")
    _check_together(bus, options)
    return Drive(bus, index, options)


def _split(part: str) -> tuple[str, str]:
    name, equals, value = part.partition("=")
    if not equals:
        return "file", part
    if not name or not value:
        raise DriveError(f"'{part}' is not of the form option=value")
    return name, value


def _checked(bus: str, name: str, value: str) -> str | bool:
    if name not in _OPTIONS[bus]:
        raise DriveError(f"a {bus} drive has no option '{name}'")
    if name in _BOOLEANS:
        truth = boolean(value)
        if truth is None:
            raise DriveError(f"option '{name}' is '{value}', it takes 1 or 0")
        return truth
    if name in _ENUMS and value not in _ENUMS[name]:
        raise DriveError(f"option '{name}' is '{value}', it takes one of {', '.join(_ENUMS[name])}")
    if name == "queues" and not (value.isdecimal() and int(value) >= 2):
        raise DriveError(f"option 'queues' is '{value}', it takes a whole number from 2")
    if name == "size" and not _SIZE.match(value):
        raise DriveError(f"option 'size' is '{value}', it takes a number with K, M, G or T")
    return value


def _check_together(bus: str, options: dict[str, str | bool]) -> None:
    for option, needed in _REQUIRES:
        if option in options and needed not in options:
            raise DriveError(f"option '{option}' needs '{needed}'")
    for unit in ("mbps", "iops"):
        if unit in options and (f"{unit}_rd" in options or f"{unit}_wr" in options):
            raise DriveError(f"option '{unit}' excludes '{unit}_rd' and '{unit}_wr'")
    for direction in ("", "_rd", "_wr"):
        if f"bps{direction}" in options and f"mbps{direction}" in options:
            raise DriveError(f"option 'bps{direction}' excludes 'mbps{direction}'")
    if options.get("media") == "cdrom":
        if bus == "virtio":
            raise DriveError("a cdrom cannot be on virtio")
        if options.get("snapshot") or "format" in options:
            raise DriveError("a cdrom takes neither 'snapshot' nor 'format'")


def edit(text: str, changes: dict[str, str | bool | None]) -> str:
    """The drive string with the named options set; every other byte stays.

    A value of None removes the option. An option that has the value already,
    in whatever spelling, is left as it is. Options unknown to us are kept.
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


def without_ignored(text: str) -> str:
    """The drive string without cyls, heads, secs and trans: read from a file and ignored, but refused in ``qm set``."""
    return ",".join(part for part in text.split(",") if part.partition("=")[0] not in _IGNORED)


def _text(value: str | bool) -> str:
    return ("1" if value else "0") if isinstance(value, bool) else value
