# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Reads which versions a host runs and has installed. Decides nothing, changes nothing, starts no process."""

from __future__ import annotations

import re
from typing import Any

from .._host.tree import LARGEST, Tree
from .._model.records import Problem, problem
from .._pve import storage
from . import packages

#: Larger than dpkg's list of a node with thousands of packages.
_LARGEST_STATUS = 64 * 1024 * 1024
# proxmox-boot-tool kernel pin
_PIN = "/etc/kernel/proxmox-boot-pin"
_STORAGES = "/etc/pve/storage.cfg"
_STRIPED = re.compile(r"^\S+ \S+ ext4 (?:\S*,)?stripe=\d", re.ASCII | re.MULTILINE)


def read_facts(tree: Tree) -> dict[str, Any]:
    """The facts about versions (docs/data.md, "Host versions")."""
    problems: list[Problem] = []
    installed = _installed(tree, problems)
    pin = (read_file(tree, _PIN, problems) or b"").decode("utf-8", "replace").split()
    return {
        "root": tree.root or "/",
        "packages": installed and installed.packages,
        "kernels": installed.kernels if installed else [],
        "kernel": _kernel(tree),
        "pinned": pin[0] if pin else None,
        "has": _has(tree, problems),
        "problems": problems,
    }


def _installed(tree: Tree, problems: list[Problem]) -> packages.Installed | None:
    """None where there is no dpkg, as on a host that is not Debian's, and where its list cannot be read."""
    raw = read_file(tree, packages.STATUS, problems, _LARGEST_STATUS)
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
    raw = read_file(tree, _STORAGES, problems)
    storages = None if raw is None else storage.parse(raw.decode("utf-8", "replace"))[0]
    return {
        "aacraid": tree.exists("/sys/module/aacraid") if tree.live else None,
        "striped_ext4": None if mounts is None else bool(_STRIPED.search(mounts)),
        "backup_server": None if storages is None else any(one["type"] == "pbs" for one in storages),
    }


def read_file(tree: Tree, path: str, problems: list[Problem], limit: int = LARGEST) -> bytes | None:
    """A file's bytes; None where there is none, and with a problem where it cannot be read."""
    try:
        return tree.read(path, limit)
    except OSError as error:
        problems.append(problem(path, error.strerror or str(error)))
        return None
