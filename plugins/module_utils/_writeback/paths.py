# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""What this collection puts on a host for the limits: names and texts."""

from __future__ import annotations

import hashlib

FILE = "/etc/sysctl.d/99-hypervisor-io-hardening.conf"
"""The file this collection writes. Its name is fixed: a later file that wins is reported, never outrun."""

RECORD = "/var/lib/hypervisor-io-hardening/host_writeback.json"
"""What was in force before, and which files were taken over."""

ASIDE = ".before-io-hardening"
"""Suffix of the original of a file that was taken over. It is not .conf, so systemd does not read it."""

REMARK = "taken over by hypervisor.io_hardening.host_writeback, the original is kept next to this file:"


def file_text(limits: dict[str, int]) -> str:
    """The text of :data:`FILE`."""
    return (
        "# Written by the hypervisor.io_hardening collection (role host_writeback); edits are overwritten.\n"
        "# How much written data may wait in memory: fewer and shorter storms on the guests' storage.\n"
        + "".join(f"vm.{key} = {value}\n" for key, value in limits.items())
    )


def digest(text: str | bytes) -> str:
    """SHA-256 of a text or of bytes, as facts and plans carry it."""
    return hashlib.sha256(text if isinstance(text, bytes) else text.encode("utf-8")).hexdigest()
