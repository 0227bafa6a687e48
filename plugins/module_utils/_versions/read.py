# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Reads which versions a host runs and has installed. Decides nothing, changes nothing, starts no process."""

from __future__ import annotations

import re
from typing import Any

from .._host.tree import Tree
from .._model.records import Problem, problem
from .._pve import config, storage
from .._shown import piece
from . import agent, drivers, packages

#: Larger than dpkg's list of a node with thousands of packages.
_LARGEST_STATUS = 64 * 1024 * 1024
# proxmox-boot-tool kernel pin
_PIN = "/etc/kernel/proxmox-boot-pin"
_STORAGES = "/etc/pve/storage.cfg"
_CONFIGS = "/etc/pve/qemu-server"
_SOCKETS = "/run/qemu-server"
_SOCKET = re.compile(r"([1-9]\d{2,8})\.qga", re.ASCII)
_STRIPED = re.compile(r"^\S+ \S+ ext4 (?:\S*,)?stripe=\d", re.ASCII | re.MULTILINE)


def read_facts(tree: Tree, guest_agent: bool = False) -> dict[str, Any]:
    """The facts about versions (docs/data.md, "Host versions").

    ``guest_agent``: the agents of the Windows guests that run here may be asked for their drivers.
    """
    problems: list[Problem] = []
    installed = _installed(tree, problems)
    pin = (_read(tree, _PIN, problems) or b"").decode("utf-8", "replace").split()
    return {
        "root": tree.root or "/",
        "packages": installed and installed.packages,
        "kernels": installed.kernels if installed else [],
        "kernel": _kernel(tree),
        "pinned": pin[0] if pin else None,
        "has": _has(tree, problems),
        "windows": _windows(tree, problems) if guest_agent and tree.live else None,
        "problems": problems,
    }


def _installed(tree: Tree, problems: list[Problem]) -> packages.Installed | None:
    """None where there is no dpkg, as on a host that is not Debian's, and where its list cannot be read."""
    raw = _read(tree, packages.STATUS, problems, _LARGEST_STATUS)
    return None if raw is None else packages.parse_status(raw)


def _kernel(tree: Tree) -> dict[str, str | None] | None:
    """The running kernel; None below another root."""
    release, build = (tree.kernel_text(f"/proc/sys/kernel/{name}") for name in ("osrelease", "version"))
    if release is None:
        return None
    release = release.strip()
    return {"release": release, "version": packages.kernel_version(release, build or "")}


def _has(tree: Tree, problems: list[Problem]) -> dict[str, bool | None]:
    """What a defect of the kernel needs; None where it is not known."""
    mounts = tree.kernel_text("/proc/mounts")
    raw = _read(tree, _STORAGES, problems)
    storages = None if raw is None else storage.parse(raw.decode("utf-8", "replace"))[0]
    return {
        "aacraid": tree.exists("/sys/module/aacraid") if tree.live else None,
        "striped_ext4": None if mounts is None else bool(_STRIPED.search(mounts)),
        "backup_server": None if storages is None else any(one["type"] == "pbs" for one in storages),
    }


def _windows(tree: Tree, problems: list[Problem]) -> list[dict[str, Any]]:
    """The Windows guests that run here with an agent: their disk drivers, or why those are not known."""
    sockets, found = {}, {}
    for name in tree.names(_SOCKETS):
        match = _SOCKET.fullmatch(name)
        text = _read(tree, f"{_CONFIGS}/{match[1]}.conf", problems) if match else None
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


def _read(tree: Tree, path: str, problems: list[Problem], limit: int | None = None) -> bytes | None:
    try:
        return tree.read(path) if limit is None else tree.read(path, limit)
    except OSError as error:
        problems.append(problem(path, error.strerror or str(error)))
        return None
