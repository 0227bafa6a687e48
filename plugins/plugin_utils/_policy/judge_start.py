# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""What only shows at the next start: a drive that keeps the guest from starting, and arguments behind the drives."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ...module_utils._model.records import ArgsDisk, Disk, Guest
from ...module_utils._shown import piece
from . import qemu
from .hypervisors import hint, overlays_end
from .remark import Remark
from .version import version

_MACHINE = re.compile(r"(?:pc(?:-i440fx|-q35)?|virt)-(\d{1,4})\.", re.ASCII)

_NAMED = 5
_QEMU_10 = version("10")


def judge(guest: Guest, disk: Disk) -> Iterator[Remark]:
    """IO113 for a drive that keeps its guest from starting."""
    if disk["pending_delete"] or disk["error"]:
        return
    if disk["start_fault"]:
        message, advice = f"the guest does not start: {disk['start_fault']}", "Fix the line by hand."
        yield Remark("IO113", "error", message, advice, disk["start_fault"])
    elif disk["overlay"] and overlays_end(guest) and _starts_with_machine_10(guest):
        message = "the guest does not start: temporary overlays (snapshot=1) end with machine version 10.0"
        yield Remark("IO113", "error", message, hint(guest, "start_snapshot"), True)


def args(said: ArgsDisk) -> Remark:
    """IO100 for what an argument that is added to QEMU's command line does to disks."""
    message = f"an added QEMU argument {said['does']}: {said['args']}"
    advice = "Check it by hand and waive this, or configure the disk on a line of its own."
    return Remark("IO100", "warning", message, advice, said["args"])


def unknown_settings(guest: Guest) -> Iterator[Remark]:
    """IO100 for settings that only a live node can tell to be lost or kept; one that was asked has told."""
    keys = guest["unknown_keys"]
    if keys and guest["running"] is None:
        more = f" and {len(keys) - _NAMED} more" if len(keys) > _NAMED else ""
        named = ", ".join(f"'{piece(key)}'" for key in keys[:_NAMED]) + more
        settings, them = (f"the setting {named}", "it") if len(keys) == 1 else (f"the settings {named}", "them")
        message = f"this collection does not know {settings}; a write may drop {them}"
        yield Remark("IO100", "note", message, hint(guest, "unknown_setting"), keys[:_NAMED])


def _starts_with_machine_10(guest: Guest) -> bool:
    """False where the machine type of the next cold start, the installed QEMU, or the QEMU that Windows is pinned to is
    older.
    """
    match = _MACHINE.match(guest["next_start"]["machine"] or "")
    if match:
        return int(match[1]) >= 10
    installed = qemu.installed(guest)
    if installed is not None and installed < _QEMU_10:
        return False
    created = qemu.proven(guest)
    windows = (guest["next_start"]["ostype"] or "").startswith("w")  # w2k … wvista, win7 …; no other ostype does
    return not windows or (created is not None and created >= _QEMU_10)
