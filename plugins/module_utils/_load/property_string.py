# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The property strings of backups and limits: ``max-workers=4``, ``enabled=1,storage=local-lvm``, ``restore=102400``.

Read as pve-common's ``parse_property_string`` does, 9.1: one fault, and Proxmox VE drops the whole text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

from .._shown import piece

_INTEGER = re.compile(r"[+-]?\d+\Z", re.ASCII)
_NUMBER = re.compile(r"[+-]?(?:\d+\.\d+|\d+\.|\.\d+|\d+)(?:[eE][+-]?\d+)?\Z", re.ASCII)
_STORAGE_ID = re.compile(r"[a-z][a-z0-9\-_.]*[a-z0-9]\Z", re.ASCII | re.IGNORECASE)
_MOST_DIGITS = 15


class FormatFault(ValueError):
    """Why Proxmox VE does not take a value; a sentence without its subject and full stop."""


class Format(NamedTuple):
    """Sub-key → what checks its text, and the sub-key of a value without one (None: such a value is a fault)."""

    keys: Mapping[str, Callable[[str], str]]
    default_key: str | None = None


def boolean(text: str) -> str:
    """A boolean as ``1`` or ``0`` (pve-common ``parse_boolean``)."""
    if text.lower() in ("1", "on", "yes", "true"):
        return "1"
    if text.lower() in ("0", "off", "no", "false"):
        return "0"
    raise FormatFault(f"{piece(text)} is not 1 or 0")


def integer(least: int, most: int | None = None) -> Callable[[str], str]:
    """What checks a whole number of ``least`` to ``most``."""

    def check(text: str) -> str:
        if not _INTEGER.match(text) or len(text) > _MOST_DIGITS:
            raise FormatFault(f"{piece(text)} is not a whole number")
        if int(text) < least or (most is not None and int(text) > most):
            upto = f"{least} to {most}" if most is not None else f"{least} or more"
            raise FormatFault(f"{piece(text)} is not {upto}")
        return text

    return check


def number(text: str) -> str:
    """A number of 0 or more, with a fraction or not."""
    if not _NUMBER.match(text) or len(text) > _MOST_DIGITS:
        raise FormatFault(f"{piece(text)} is not a number")
    if float(text) < 0:
        raise FormatFault(f"{piece(text)} is not 0 or more")
    return text


def storage_id(text: str) -> str:
    """The id of a storage."""
    if not _STORAGE_ID.match(text):
        raise FormatFault(f"{piece(text)} is not a storage id")
    return text


#: pve-guest-common, ``backup-fleecing`` and ``backup-performance`` (VZDump/Common.pm).
FLEECING = Format({"enabled": boolean, "storage": storage_id}, "enabled")
PERFORMANCE = Format({"max-workers": integer(1, 256), "pbs-entries-max": integer(1)})
#: The operations of pve-common's ``bwlimit``, in KiB/s each. A backup is none of them.
OPERATIONS = ("restore", "migration", "clone", "move")
BWLIMIT = Format(dict.fromkeys(("default", *OPERATIONS), number))


def parse(text: str, form: Format) -> dict[str, str]:
    """Sub-key → its text, in the order of the text. Raises FormatFault."""
    found: dict[str, str] = {}
    for part in text.split(","):
        if not part.strip():
            continue
        key, equals, value = part.partition("=")
        if not equals:
            if form.default_key is None or form.default_key in found:
                raise FormatFault(f"{piece(part)} is a value without a key")
            key, value = form.default_key, part
        elif not key or not value:
            raise FormatFault(f"{piece(part)} is not KEY=VALUE")
        if key in found:
            raise FormatFault(f"{piece(key)} is there twice")
        if key not in form.keys:
            raise FormatFault(f"{piece(key)} is not one of {', '.join(form.keys)}")
        try:
            found[key] = form.keys[key](value)
        except FormatFault as exc:
            raise FormatFault(f"{key}: {exc}") from None
    if form is FLEECING and found.get("enabled") == "1" and "storage" not in found:
        raise FormatFault("'storage' is required when 'enabled' is set")
    return found


def spelled(values: Mapping[str, str]) -> str:
    """The text of sub-keys, in their order. ``pvesh`` and ``pvesm`` take it, and a file may hold it."""
    return ",".join(f"{key}={value}" for key, value in values.items())
