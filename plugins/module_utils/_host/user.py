# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The user that a module runs as on its host, and what to do where only root may."""

from __future__ import annotations

import os
import pwd

#: What to do where a run needs root.
BECOME = (
    "run again with --become (-b; add -K where sudo asks for a password), or set ansible_become: true in the inventory"
)


def name() -> str:
    """The user's name, or the number of one without a name."""
    number = os.geteuid()
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return f"number {number}"


def may_act_for(path: str) -> bool:
    """Whether the user is root, or the owner of a file or directory. Raises OSError."""
    return os.geteuid() in (0, os.stat(path).st_uid)
