# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""What a plan may name of a libvirt guest. Pure."""

from __future__ import annotations

from typing import Any

CONTROLLER = None
A_DISK = "a disk such as vda or sda"


def misplaced(guest: Any, node: Any, config: Any) -> str | None:
    """What is wrong with a config's path; None where it is right."""
    return None


def options(key: Any) -> tuple[str, ...]:
    """The options that a plan may set of a key."""
    if key == "guest":
        return ("iothreads",)
    return ("aio", "cache", "iothread") if key in ("vda", "sda") else ()
