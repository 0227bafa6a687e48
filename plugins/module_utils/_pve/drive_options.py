# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The options each drive takes, and the values each option takes.

From qemu-server 9.2.6 (Drive.pm) and pve-common 9.2.1 (JSONSchema.pm ``check_prop``): Proxmox VE drops the whole line
when an option or a value does not fit.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from .._model.disk_io import AIO_MODES, CACHE_MODES
from .._truth import FALSE, TRUE

_SHOWN = 40


class Kind(NamedTuple):
    """The values an option takes: in words (``takes``), as a pattern, and the bounds of a number or a length."""

    takes: str
    pattern: re.Pattern[str]
    minimum: int | None = None
    longest: int | None = None


def _kind(takes: str, pattern: str, minimum: int | None = None, longest: int | None = None) -> Kind:
    return Kind(takes, re.compile(rf"(?:{pattern})\Z", re.ASCII), minimum, longest)


def _one_of(*words: str) -> Kind:
    return _kind(f"one of {', '.join(words)}", "|".join(map(re.escape, words)))


def _url_encoded(longest: int) -> Kind:
    return _kind(f"URL-encoded text of at most {longest} characters", r"[-%a-zA-Z0-9_.!~*'()]*", longest=longest)


_BOOLEAN = _kind("1 or 0", "|".join(f"(?i:{word})" for word in TRUE + FALSE))
_INTEGER = r"[+-]?\d+"
_NUMBER = r"[+-]?(?:\d+\.\d+|\d+\.|\.\d+|\d+)(?:[eE][+-]?\d+)?"

_VOLUME_ID = r"(?i:[a-z][a-z0-9\-_.]*[a-z0-9]):.+"
_VOLUME = _kind("a volume 'STORAGE:NAME', an absolute path, none or cdrom", rf"none|cdrom|/.*|{_VOLUME_ID}")
_VOLUME_AND_SIZE = {"file": _VOLUME, "size": _kind("a number with K, M, G or T", r"\d+(?:\.\d+)?(?:[KMGT](?:iB)?)?")}
_IMAGE_FORMAT = _one_of("raw", "qcow", "qed", "qcow2", "vmdk", "cloop")

_LIMITS = {
    f"{unit}{direction}{suffix}": kind
    for direction in ("", "_rd", "_wr")
    for unit, suffix, kind in (
        ("bps", "", _kind("a whole number", _INTEGER)),
        ("iops", "", _kind("a whole number", _INTEGER)),
        ("iops", "_max", _kind("a whole number", _INTEGER)),
        ("mbps", "", _kind("a number", _NUMBER)),
        ("mbps", "_max", _kind("a number", _NUMBER)),
        ("bps", "_max_length", _kind("a whole number from 1", _INTEGER, minimum=1)),
        ("iops", "_max_length", _kind("a whole number from 1", _INTEGER, minimum=1)),
    )
}
_BASE = {
    **_VOLUME_AND_SIZE,
    **_LIMITS,
    **dict.fromkeys(("snapshot", "backup", "replicate", "detect_zeroes", "shared"), _BOOLEAN),
    "media": _one_of("cdrom", "disk"),
    "cache": _one_of(*CACHE_MODES),
    "aio": _one_of(*AIO_MODES),
    "format": _IMAGE_FORMAT,
    "discard": _one_of("ignore", "on"),
    "rerror": _one_of("ignore", "report", "stop"),
    "werror": _one_of("enospc", "ignore", "report", "stop"),
    "serial": _url_encoded(60),
}
_SSD_AND_WWN = {"ssd": _BOOLEAN, "wwn": _kind("0x and 16 hexadecimal digits", r"0x[0-9a-fA-F]{16}")}
_NAMED = r"[A-Za-z0-9\-_\s]"

#: Bus → option → its kind.
OPTIONS = {
    "ide": {**_BASE, **_SSD_AND_WWN, "model": _url_encoded(120)},
    "sata": {**_BASE, **_SSD_AND_WWN},
    "scsi": {
        **_BASE,
        **_SSD_AND_WWN,
        **dict.fromkeys(("iothread", "ro", "scsiblock"), _BOOLEAN),
        "product": _kind("at most 16 letters, digits, hyphens, underscores and blanks", _NAMED + "{0,16}"),
        "vendor": _kind("at most 8 letters, digits, hyphens, underscores and blanks", _NAMED + "{0,8}"),
        "queues": _kind("a whole number from 2", _INTEGER, minimum=2),
    },
    "virtio": {**_BASE, "iothread": _BOOLEAN, "ro": _BOOLEAN},
    "efidisk": {
        **_VOLUME_AND_SIZE,
        "format": _IMAGE_FORMAT,
        "efitype": _one_of("2m", "4m"),
        "pre-enrolled-keys": _BOOLEAN,
        "ms-cert": _one_of("2011", "2023", "2023w", "2023k"),
    },
    "tpmstate": {**_VOLUME_AND_SIZE, "format": _one_of("raw", "qcow2", "vmdk"), "version": _one_of("v1.2", "v2.0")},
    "unused": {"file": _kind("a volume 'STORAGE:NAME'", _VOLUME_ID)},
}

#: Other names of an option.
ALIASES = {
    "volume": "file",
    **{f"{unit}_{way}_length": f"{unit}_{way}_max_length" for unit in ("bps", "iops") for way in ("rd", "wr")},
}


def fault(bus: str, name: str, value: str) -> str | None:
    """Why Proxmox VE rejects an option of a drive, None where it accepts it. The caller resolves aliases."""
    kind = OPTIONS[bus].get(name)
    if kind is None:
        return f"{'an' if bus[0] in 'eiu' else 'a'} {bus} drive has no option '{shown(name)}'"
    if kind.pattern.match(value) and not _out_of_bounds(kind, value):
        return None
    what = "the volume" if name == "file" else f"option '{name}'"
    return f"{what} is '{shown(value)}'; it takes {kind.takes}"


def is_boolean(bus: str, name: str) -> bool:
    """True for an option of a bus that is on or off."""
    return OPTIONS[bus].get(name) is _BOOLEAN


def shown(text: str) -> str:
    """As much of a value as a message needs."""
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def _out_of_bounds(kind: Kind, value: str) -> bool:
    if kind.longest is not None:
        return len(value) > kind.longest
    if kind.minimum is None:
        return False
    # Compared as text: Python refuses to read a number of more than 4300 digits.
    digits = value.lstrip("+-").lstrip("0")
    return value.startswith("-") or (len(digits) < 2 and int(digits or "0") < kind.minimum)
