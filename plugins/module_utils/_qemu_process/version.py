# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""QEMU's version, from the text that is built into its binary. No I/O.

A binary holds what ``--version`` would print. Reading it gives the version of a process even after its file was
replaced (``/proc/PID/exe`` still leads to the old one), and executes nothing: root must not run a program that merely
calls itself QEMU. QEMU's machine type is only a lower bound of the version.
"""

from __future__ import annotations

import re

MARKER = b"QEMU emulator version "
LONGEST = 200
_TEXT = re.compile(r"QEMU emulator version (\d+(?:\.\d+)+)(?: \(([^)\n]*)\))?", re.ASCII)
_PVE_PACKAGE = re.compile(r"pve-qemu-kvm_(?:\d+:)?(\d[\w.~+-]*)", re.ASCII)
_NUMBERS = re.compile(r"(\d{1,9})\.(\d{1,9})(?!\d)", re.ASCII)


def parse_version(text: str) -> str | None:
    """The version in a text that holds QEMU's --version line, None where there is none.

    Proxmox VE's package version where the text has it ("10.1.2-1", because fixes come with packages), else upstream's
    number ("7.2.22").
    """
    found = _TEXT.search(text)
    if found is None:
        return None
    package = _PVE_PACKAGE.search(found.group(2) or "")
    return package.group(1) if package else found.group(1)


def version_tuple(version: str | None) -> tuple[int, int] | None:
    """(major, minor) of a version string, None for anything that is not one."""
    found = _NUMBERS.match(version or "")
    return (int(found.group(1)), int(found.group(2))) if found else None
