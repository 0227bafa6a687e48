# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The options of a backup: what vzdump.conf, a job and vzdump.cron have in common. Text in, values out.

Keys, defaults and checks are those of pve-guest-common's VZDump/Common.pm, 9.0.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypedDict

from .._shown import piece
from .property_string import FLEECING, PERFORMANCE, FormatFault, integer, parse, storage_id

MODES = ("snapshot", "suspend", "stop")


class Fleecing(TypedDict):
    """Where a backup keeps the old data of what the guest overwrites meanwhile, in place of the target."""

    enabled: bool
    storage: str | None


class Options(TypedDict):
    """What a file or a job sets of a backup; None where it does not. ``bwlimit`` is in KiB/s, 0 for no limit."""

    bwlimit: int | None
    ionice: int | None
    max_workers: int | None
    fleecing: Fleecing | None
    mode: str | None
    storage: str | None
    dumpdir: str | None


def _mode(text: str) -> None:
    if text not in MODES:
        raise FormatFault(f"{piece(text)} is not one of {', '.join(MODES)}")


#: Key → what raises FormatFault for a value that Proxmox VE drops. ``STORED`` are those that a plan can set.
CHECKS: Mapping[str, Callable[[str], object]] = {
    "bwlimit": integer(0),
    "ionice": integer(0, 8),
    "performance": lambda text: parse(text, PERFORMANCE),
    "fleecing": lambda text: parse(text, FLEECING),
    "mode": _mode,
    "storage": storage_id,
    "dumpdir": lambda text: None,
}
STORED = ("bwlimit", "ionice", "performance", "fleecing")


def options(values: Mapping[str, str]) -> Options:
    """The options of texts that ``CHECKS`` accept."""
    fleecing = parse(values["fleecing"], FLEECING) if "fleecing" in values else None
    workers = parse(values.get("performance", ""), PERFORMANCE).get("max-workers")
    return {
        "bwlimit": int(values["bwlimit"]) if "bwlimit" in values else None,
        "ionice": int(values["ionice"]) if "ionice" in values else None,
        "max_workers": int(workers) if workers else None,
        "fleecing": None
        if fleecing is None
        else {"enabled": fleecing.get("enabled") == "1", "storage": fleecing.get("storage")},
        "mode": values.get("mode"),
        "storage": values.get("storage"),
        "dumpdir": values.get("dumpdir"),
    }


def stored(texts: Mapping[str, str]) -> dict[str, str | None]:
    """The texts of the options that a plan can set, as they stand in the file, None where they do not."""
    return {key: texts.get(key) for key in STORED}
