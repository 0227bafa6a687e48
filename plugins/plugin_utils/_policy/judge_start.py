# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""What lies in wait in a guest's lines: a start that Proxmox VE refuses, and what ``args:`` does behind the drives."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from ...module_utils._shown import piece
from . import qemu
from .judge_disk import Remark
from .judge_running import process_only

_MACHINE = re.compile(r"(?:pc(?:-i440fx|-q35)?|virt)-(\d{1,4})\.", re.ASCII)

_NAMED = 5


def judge(guest: dict[str, Any], disk: dict[str, Any]) -> Iterator[Remark]:
    """IO113 for a drive that keeps its guest from starting."""
    if disk["pending_delete"] or disk["error"]:
        return
    if disk["start_fault"]:
        yield Remark(
            "IO113",
            "error",
            f"Proxmox VE does not start the guest: {disk['start_fault']}",
            "Mend the line by hand.",
            disk["start_fault"],
            None,
        )
    elif disk["overlay"] and not process_only(guest) and _starts_with_machine_10(guest):
        yield Remark(
            "IO113",
            "error",
            "Proxmox VE does not start the guest: snapshot=1 from machine version 10.0 on",
            "Remove snapshot=1, or set a machine version below 10.0.",
            True,
            None,
        )


def args(said: dict[str, Any]) -> Remark:
    """IO100 for what the ``args:`` line does to disks."""
    return Remark(
        "IO100",
        "warning",
        f"args {said['does']}: {said['args']}",
        "Judge it by hand and waive this, or make it settings of the guest's own lines.",
        said["args"],
        None,
    )


def unknown_keys(guest: dict[str, Any]) -> Iterator[Remark]:
    """IO100 for the settings of which only a live node can tell whether its Proxmox VE keeps them; one that was asked
    has told.
    """
    keys = guest["unknown_keys"]
    if keys and guest["running"] is None:
        named = ", ".join(f"'{piece(key)}'" for key in keys[:_NAMED]) + (
            f" and {len(keys) - _NAMED} more" if len(keys) > _NAMED else ""
        )
        settings, them = (f"the setting {named}", "it") if len(keys) == 1 else (f"the settings {named}", "them")
        yield Remark(
            "IO100",
            "note",
            f"this collection does not know {settings}; an older Proxmox VE drops {them} on a write",
            "Make sure that it is spelled as Proxmox VE spells it; on a live node Proxmox VE is asked.",
            keys[:_NAMED],
            None,
        )


def _starts_with_machine_10(guest: dict[str, Any]) -> bool:
    """True unless the machine line of the next cold start, the installed QEMU or the QEMU that Windows is pinned to
    tells of an older one.
    """
    match = _MACHINE.match(guest["next_start"]["machine"] or "")
    if match:
        return int(match[1]) >= 10
    installed = qemu.version(guest["qemu"]["installed"])
    if installed is not None and installed < (10,):
        return False
    created = qemu.version(guest["qemu"].get("proven"))
    windows = (guest["next_start"]["ostype"] or "").startswith("w")  # w2k … wvista, win7 …; no other ostype does
    return not windows or (created is not None and created >= (10,))
