# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Values of a Proxmox VE guest config in a form in which two spellings of the same value are equal. Pure."""

from __future__ import annotations

from typing import Any

from .._model.disk_io import OPTIONS
from .._truth import boolean
from . import drive as _drive
from . import settings as _settings

_UNITS = {"K": 1, "M": 2, "G": 3, "T": 4}


def normal(key: str, value: str) -> Any:
    """A drive as its options with its size in bytes; every other value, and a drive that is not valid, as it is."""
    if not _drive.parse_key(key):
        return value
    try:
        options = dict(_drive.parse(key, value).options)
    except _drive.DriveError:
        return value
    if "size" in options:
        options["size"] = str(_bytes(str(options["size"])))
    return options


def without_ours(key: str, value: str) -> Any:
    """The same without the options that this collection sets."""
    options = normal(key, value)
    return _but(OPTIONS, options) if isinstance(options, dict) else options


def ours(key: str, value: str) -> Any:
    """Only the options that this collection sets."""
    options = normal(key, value)
    return {name: options.get(name) for name in OPTIONS} if isinstance(options, dict) else options


def equal(key: str, one: str | None, other: str | None, own_size: bool = False) -> bool:
    """Whether a value is what it was, given what ``qm`` makes of one that it writes again (recorded; JSONSchema.pm).

    It writes booleans as 1 and 0, whole numbers without leading zeros, and text without the quotes around it. Of a
    drive that is set it writes the volume's real size, whatever was passed: ``own_size`` ignores that size.
    """
    if one is None or other is None:
        return one is other
    first, second = normal(key, one), normal(key, other)
    if isinstance(first, dict) and isinstance(second, dict):
        ignored = ("size",) if own_size else ()
        return _but(ignored, first) == _but(ignored, second)
    return one == other or _plain(key, one) == _plain(key, other)


def _but(names: tuple[str, ...], options: dict[str, Any]) -> dict[str, Any]:
    return {name: option for name, option in options.items() if name not in names}


def _plain(key: str, value: str) -> Any:
    if _settings.is_whole_number(key):
        return value.lstrip("0")
    truth = boolean(value)
    return value.strip('"') if truth is None else truth


def _bytes(size: str) -> float:
    size = size[:-2] if size.endswith("iB") else size
    unit = _UNITS.get(size[-1], 0)
    return float(float(size[:-1] if unit else size) * 1024**unit)
