# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""What is read of a host: guests, disks, storages."""

from __future__ import annotations

from collections.abc import Iterable

#: The problem of a guest that was asked for and has no config here; another host may have it.
NOT_THERE = "is not there"


def foreign_pending_detail(keys: Iterable[str]) -> str:
    """Why a stopped guest with these keys of somebody else in [PENDING] is not written, in a sentence."""
    return (
        f"stopped, with somebody else's pending changes ({', '.join(keys)}), which qm set would apply; "
        "start or revert them, or allow it: guest_io_apply_foreign_pending: true"
    )
