# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The kernel's own write-back limits, read from /proc/sys/vm."""

from __future__ import annotations

from .._host.tree import Tree
from . import dirty

KERNEL = "/proc/sys/vm"


def read_kernel(tree: Tree) -> dirty.State | None:
    """The four values; None where there is no kernel to ask."""
    state = {}
    for key in dirty.KEYS:
        text = tree.kernel_text(f"{KERNEL}/{key}")
        value = None if text is None else dirty.number(text)
        if value is None:
            return None
        state[key] = value
    return state
