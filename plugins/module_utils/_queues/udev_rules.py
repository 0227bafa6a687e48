# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

r"""Our file of udev's rules, which sets disks' queues whenever a disk appears: text in, values out. No I/O.

A rule finds its disk by a name in /dev/disk/by-id, which udev's own rules have given to it by then (``SYMLINK`` as a
match, udev(7)); udev reads the files by their names, so ours comes after those that set a scheduler.

The kernel keeps ``max_bytes`` as a share of the host's own limit (``bdi_set_max_bytes`` in mm/page-writeback.c). At
boot, udev and systemd-sysctl run side by side: seen on Linux 6.12, 32 MiB became 13 MiB when ``vm.dirty_bytes`` was set
after it. So a rule with ``max_bytes`` has systemd-sysctl set the host's limit first.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

PATH = "/etc/udev/rules.d/99-hypervisor-io-hardening.rules"

#: What a disk is set to, in the order of the writes, and where it is below /sys/block/NAME.
OPTIONS = {
    "max_sectors_kb": "queue/max_sectors_kb",
    "nr_requests": "queue/nr_requests",
    "max_bytes": "bdi/max_bytes",
    "strict_limit": "bdi/strict_limit",
}
#: What a name in /dev/disk/by-id may be, so that udev takes it as it is: no pattern, no quote, no escape.
ID = re.compile(r"[A-Za-z0-9#+\-.:=@_]{1,200}", re.ASCII)

_HEADER = (
    "# Written by the hypervisor.io_hardening collection (role io_host). A disk's lines are replaced as a whole; other"
    " lines stay.\n"
)
_SYSCTL = "/usr/lib/systemd/systemd-sysctl " + " ".join(
    f"--prefix=vm/dirty_{key}" for key in ("bytes", "ratio", "background_bytes", "background_ratio")
)
_OURS = re.compile(
    r'ACTION=="add\|change", SUBSYSTEM=="block", ENV\{DEVTYPE\}=="disk", SYMLINK=="disk/by-id/(' + ID.pattern + r')", ',
    re.ASCII,
)
_SET = re.compile(r'ATTR\{([a-z_/]+)\}="([0-9]{1,20})"', re.ASCII)

Rules = dict[str, dict[str, str]]


def parse(text: str) -> Rules:
    """Disk's id → option → value, of our lines."""
    found: Rules = {}
    for line in text.splitlines():
        ours = _OURS.match(line)
        if ours:
            values = dict(_SET.findall(line))
            found.setdefault(ours[1], {}).update(
                {option: values[place] for option, place in OPTIONS.items() if place in values}
            )
    return {disk: options for disk, options in found.items() if options}


def edit(text: str, disk: str, options: Mapping[str, str]) -> str:
    """The text with these options for one disk, and every other line as it was; empty where no rule is left.

    No options: the disk's lines go.
    """
    lines = [line for line in text.splitlines(keepends=True) if not _is_of(line, disk)]
    if lines and not lines[-1].endswith("\n"):
        lines[-1] += "\n"
    if options:
        lines = (lines or [_HEADER]) + _lines(disk, options)
    return "" if lines == [_HEADER] else "".join(lines)


def _is_of(line: str, disk: str) -> bool:
    ours = _OURS.match(line)
    return bool(ours) and ours[1] == disk  # type: ignore[index]


def _lines(disk: str, options: Mapping[str, str]) -> list[str]:
    match = f'ACTION=="add|change", SUBSYSTEM=="block", ENV{{DEVTYPE}}=="disk", SYMLINK=="disk/by-id/{disk}", '
    lines = []
    for kind in ("queue", "bdi"):
        values = [
            f'ATTR{{{place}}}="{options[option]}"'
            for option, place in OPTIONS.items()
            if option in options and place.startswith(kind)
        ]
        if kind == "bdi" and "max_bytes" in options:
            lines.append(f'{match}PROGRAM=="{_SYSCTL}", ENV{{IO_HARDENING_LIMITS}}="set"\n')
        if values:
            lines.append(match + ", ".join(values) + "\n")
    return lines
