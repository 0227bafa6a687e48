# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Rates as Proxmox VE stores them, in KiB/s, for a person to read."""

from __future__ import annotations

_UNITS = (("GiB/s", 1 << 20), ("MiB/s", 1 << 10), ("KiB/s", 1))


def spelled(kib: float) -> str:
    """``80 MiB/s``, ``48.8 MiB/s``, ``512 KiB/s``, ``unlimited``."""
    unit, factor = next(((unit, factor) for unit, factor in _UNITS if kib >= factor), _UNITS[-1])
    return f"{round(kib / factor, 1):g} {unit}" if kib else "unlimited"
