# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Names of disks that stay: sda is another disk after a boot, and a journal outlives it."""

from __future__ import annotations

import os
from collections.abc import Mapping

from .._host.tree import Tree

_DIRECTORY = "/dev/disk/by-id"
# The best first. What is made of disks has names of other kinds.
_KINDS = ("wwn-", "nvme-eui.", "nvme-", "scsi-", "ata-", "virtio-", "usb-")


def links(tree: Tree) -> dict[str, str]:
    """The names in /dev/disk/by-id, each with the kernel's name of its disk; none where they cannot be read."""
    found = {}
    try:
        for name in tree.names(_DIRECTORY):
            if name.startswith(_KINDS):
                found[name] = os.path.basename(tree.resolve(f"{_DIRECTORY}/{name}"))
    except OSError:
        pass
    return found


def stable_id(disk: str, known: Mapping[str, str]) -> str:
    """The name that stays of a disk, ``known`` are its links; the kernel's name where it has no other."""
    names = sorted(name for name, target in known.items() if target == disk)
    return next((name for kind in _KINDS for name in names if name.startswith(kind)), disk)


def kernel_name(name: str, known: Mapping[str, str]) -> str:
    """The kernel's name of the disk with a stable id, or with the kernel's name."""
    return known.get(name, name)
