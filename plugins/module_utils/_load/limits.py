# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The limits of restore, migration, clone and move: those of datacenter.cfg, and the same property of a storage.

PVE::DataCenterConfig, PVE::Storage ``get_bandwidth_limit``. Text in, values out.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypedDict

from . import key_value
from .key_value import Ignored
from .property_string import BWLIMIT, FormatFault, parse


class Datacenter(TypedDict):
    """``file`` is None where there is none; ``stored`` is the text of its bwlimit, ``limits`` that in KiB/s by
    operation, both None where it is not set or Proxmox VE does not take it (``stored`` is there then).
    """

    file: str | None
    line: int | None
    stored: str | None
    limits: dict[str, float] | None
    ignored: list[Ignored]


def limits_of(text: str) -> dict[str, float]:
    """Operation → KiB/s. Raises FormatFault."""
    return {key: float(value) for key, value in parse(text, BWLIMIT).items()}


def parse_datacenter(text: str | None, path: str) -> Datacenter:
    """Read datacenter.cfg: its bwlimit alone."""
    found = key_value.parse(text or "", {"bwlimit": limits_of})
    value = found.values.get("bwlimit")
    return {
        "file": None if text is None else path,
        "line": found.lines.get("bwlimit"),
        "stored": found.stored.get("bwlimit"),
        "limits": None if value is None else limits_of(value),
        # A line without a key is some other setting's, and no limit.
        "ignored": [one for one in found.ignored if one["key"]],
    }


def of_storage(text: str | None) -> tuple[dict[str, float] | None, str | None]:
    """The limits of a storage's bwlimit, and why Proxmox VE does not take it."""
    if text is None:
        return None, None
    try:
        return limits_of(text), None
    except FormatFault as exc:
        return None, str(exc)


def effective(
    operation: str, storages: Iterable[dict[str, float] | None], datacenter: dict[str, float] | None
) -> float | None:
    """KiB/s of an operation that involves storages with these limits, in their order; 0 and None are no limit.

    A storage's own value counts before its ``default``, and the datacenter's where one of the storages has neither.
    The lowest wins by a plain ``<``: a 0 ends the limit of a storage before it, and loses to one after it.
    """
    limit: float | None = None
    left_open = False
    listed = list(storages)
    for limits in listed:
        value = _value(operation, limits)
        if value is None:
            left_open = True
        elif not limit or value < limit:
            limit = value
    if left_open or not listed:
        value = _value(operation, datacenter)
        if value is not None and (not limit or value < limit):
            limit = value
    return limit


def _value(operation: str, limits: dict[str, float] | None) -> float | None:
    limits = limits or {}
    return limits.get(operation, limits.get("default"))
