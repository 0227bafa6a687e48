# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The ``args:`` line of a guest, which Proxmox VE appends to QEMU's command line."""

from __future__ import annotations

import re

from .. import _qemu_args
from .drive import parse_key

_WORD = re.compile(
    r"""\s+|"(?P<double>(?:[^"\\]|\\.)*)"|'(?P<single>(?:[^'\\]|\\.)*)'|(?P<plain>(?:\\.|[^\s\\'"])+)""",
    re.ASCII | re.DOTALL,
)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_CONTROLLER = re.compile(r"(?:scsihw|virtioscsi|ahci|megasas)\d+\Z", re.ASCII)


def split(args: str) -> list[str]:
    """The words that Proxmox VE makes of the line (pve-common ``split_args``, Perl's Text::ParseWords); an empty list
    where a quote is not closed.
    """
    words: list[list[str]] = []
    begun = False
    at = 0
    while at < len(args):
        match = _WORD.match(args, at)
        if not match:
            return []
        at = match.end()
        if match.lastgroup is None:
            begun = False
            continue
        part = match[match.lastgroup]
        part = part if match.lastgroup == "single" else _ESCAPE.sub(r"\1", part)
        if not begun:
            words.append([])
        words[-1].append(part)
        begun = True
    return ["".join(parts) for parts in words]


def touching_disks(args: str) -> list[_qemu_args.Said]:
    """What in ``args:`` gives the guest disks, or changes those it has; in the order of the line."""
    # Where a quote is not closed, QEMU gets none of it; what was meant is still reported.
    words = split(args) or args.split()
    return _qemu_args.touching_disks(words, _drive, lambda name: bool(_CONTROLLER.match(name)))


def _drive(name: str) -> str | None:
    """Proxmox VE gives a drive's device the drive's key."""
    return name if parse_key(name) else None
