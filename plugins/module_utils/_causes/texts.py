# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""What the kernel, LVM and OpenZFS print about other causes of freezes: text in, values out. No I/O.

Sources: proc(5), block/blk-wbt.c, drivers/md/md.c (sync_max_show),
mm/huge_memory.c (enabled_show), module/zfs/arc.c (the kstat arcstats), lvmreport(7), cmd/zpool/zpool_main.c
(print_scan_status). Sizes are in bytes.
"""

from __future__ import annotations

import json
import re
from typing import Any

from .._number import whole_number

_OCTAL = re.compile(r"\\([0-7]{3})")
_NUMBERED = re.compile(r"\s*([0-9]{1,20})(?: \((local|system)\))?\s*\Z", re.ASCII)
_CHOSEN = re.compile(r"\[([^\]]+)\]")
_SCAN = re.compile(r"(scrub|resilver) in progress")
_VERSION = re.compile(r"\s*([0-9]+)\.([0-9]+)", re.ASCII)

Entry = dict[str, Any]


def swaps(text: str) -> list[Entry]:
    """/proc/swaps: ``{path, kind, size, used}``; kind is zvol, zram, file or partition."""
    found = []
    for line in text.splitlines()[1:]:
        fields = line.split()
        size, used = (whole_number(field) for field in fields[2:4]) if len(fields) >= 4 else (None, None)
        if size is None or used is None:
            continue
        path = _plain(fields[0])
        kind = "zvol" if path.startswith("/dev/zd") else "zram" if path.startswith("/dev/zram") else fields[1]
        found.append({"path": path, "kind": kind, "size": size * 1024, "used": used * 1024})
    return found


def arcstats(text: str) -> dict[str, int]:
    """/proc/spl/kstat/zfs/arcstats: its numbers by name (``size``, ``c_max``, ``c_min``)."""
    rows = (line.split() for line in text.splitlines())
    numbers = {row[0]: whole_number(row[2]) for row in rows if len(row) == 3}
    return {name: number for name, number in numbers.items() if number is not None}


def chosen(text: str) -> str | None:
    """The word in brackets of ``always [madvise] never``."""
    found = _CHOSEN.search(text)
    return found and found[1]


def sync_speed(text: str) -> tuple[int, bool] | None:
    """An array's sync_speed_max in KiB/s, and whether it is its own: ``200000 (system)`` is not. None: not a number."""
    found = _NUMBERED.match(text)
    return (int(found[1]), found[2] == "local") if found else None


def thin_pools(text: str) -> list[Entry]:
    """What ``lvs --reportformat json`` says of thin pools: ``{name, data_percent, metadata_percent}``, name VG/LV.

    A pool that is not active has no percentages. Raises ValueError where it is not such a report.
    """
    try:
        rows = [row for report in json.loads(text)["report"] for row in report["lv"]]
        return [
            {
                "name": f"{row['vg_name']}/{row['lv_name']}",
                "data_percent": _percent(row["data_percent"]),
                "metadata_percent": _percent(row["metadata_percent"]),
            }
            for row in rows
        ]
    except (KeyError, TypeError, RecursionError) as exc:
        raise ValueError("is not a report of lvs") from exc


def pools(text: str) -> list[Entry]:
    """What ``zpool status`` says: ``{name, scan}``; scan is scrub, resilver, or None where none runs."""
    found: list[Entry] = []
    for line in text.splitlines():
        key, colon, value = line.strip().partition(": ")
        if colon and key == "pool":
            found.append({"name": value.strip(), "scan": None})
        elif colon and key == "scan" and found:
            running = _SCAN.match(value)
            found[-1]["scan"] = running and running[1]
    return found


def version(text: str | None) -> tuple[int, int] | None:
    """The first two numbers of a version of OpenZFS, such as ``2.3.3-pve1``; None: not known."""
    found = _VERSION.match(text or "")
    return (int(found[1]), int(found[2])) if found else None


def _percent(value: Any) -> float | None:
    return float(value) if value else None


def _plain(path: str) -> str:
    """A path of /proc, where blanks and backslashes are in octal (``\\040``)."""
    return _OCTAL.sub(lambda found: chr(int(found[1], 8)), path)
