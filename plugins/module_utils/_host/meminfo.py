# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The kernel's account of the memory (proc(5), /proc/meminfo). No I/O."""

from __future__ import annotations

from .._number import whole_number

PATH = "/proc/meminfo"


def parse(text: str) -> dict[str, int]:
    """The amounts in bytes, by the kernel's names (``MemTotal``); lines without a whole number are left out."""
    found = {}
    for line in text.splitlines():
        name, _colon, rest = line.partition(":")
        number = whole_number(rest.strip().partition(" ")[0])
        if number is not None:
            found[name] = number * 1024
    return found
