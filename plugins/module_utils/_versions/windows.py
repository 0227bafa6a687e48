# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Asks the guest agents of the Windows guests that run on a host for their disk drivers.

It is read only where somebody allows it: an agent is inside the guest, and Proxmox VE needs it too (agent.py).
"""

from __future__ import annotations

import re
from typing import Any

from .._host.tree import Tree
from .._model.records import Problem
from .._pve import config
from .._shown import piece
from . import agent, drivers
from .read import read_file

_CONFIGS = "/etc/pve/qemu-server"
_SOCKETS = "/run/qemu-server"
_SOCKET = re.compile(r"([1-9]\d{2,8})\.qga", re.ASCII)


def read_facts(tree: Tree) -> dict[str, Any]:
    """The facts about the drivers of Windows guests (docs/data.md, "Windows drivers"); below another root nobody is
    asked.
    """
    problems: list[Problem] = []
    return {"root": tree.root or "/", "guests": _guests(tree, problems) if tree.live else [], "problems": problems}


def _guests(tree: Tree, problems: list[Problem]) -> list[dict[str, Any]]:
    sockets, found = {}, {}
    for name in tree.names(_SOCKETS):
        match = _SOCKET.fullmatch(name)
        text = read_file(tree, f"{_CONFIGS}/{match[1]}.conf", problems) if match else None
        if match is None or text is None:
            continue
        main = config.parse(text.decode("utf-8", "replace")).main
        if (main.get("ostype") or "").startswith("w"):
            lock = main.get("lock")
            if lock:
                # Its job may need the agent, to freeze the file systems.
                found[match[1]] = _guest(match[1], None, f"locked ({piece(lock)})")
            else:
                sockets[match[1]] = tree.real(f"{_SOCKETS}/{name}")
    for guest, answer in agent.ask(sockets, "guest-get-devices").items():
        known = drivers.from_answer(answer.value)
        reason = answer.unknown or ("the agent's answer is not understood" if known is None else None)
        found[guest] = _guest(guest, known, reason)
    return [found[guest] for guest in sorted(found, key=int)]


def _guest(guest: str, known: dict[str, str] | None, unknown: str | None) -> dict[str, Any]:
    return {"guest": guest, "drivers": known or {}, "unknown": unknown}
