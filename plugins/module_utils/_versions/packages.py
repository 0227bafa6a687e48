# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Installed packages and the running kernel, from dpkg's and the kernel's own text. No I/O."""

from __future__ import annotations

import re
from typing import NamedTuple

STATUS = "/var/lib/dpkg/status"
#: The packages that have a version of their own to know.
NAMES = ("pve-manager", "pve-qemu-kvm", "qemu-server")

# dpkg writes Package first, and an empty line after each record.
_OURS = (b"Package: pve-", b"Package: proxmox-kernel-", b"Package: qemu-server\n")
_NAME = re.compile(
    rb"Package: (" + "|".join(NAMES).encode() + rb"|(?:proxmox|pve)-kernel-\d[\w.+~-]*-pve(?:-signed)?)\n", re.ASCII
)
_STATE = re.compile(rb"^Status: \S+ \S+ installed$", re.ASCII | re.MULTILINE)
_VERSION = re.compile(rb"^Version: (?:\d+:)?(\S+)$", re.ASCII | re.MULTILINE)
# "#1 SMP PREEMPT_DYNAMIC PMX 6.8.12-1 (2024-08-05T16:17Z)"; PVE until 6.2.16-6.
_BUILD = re.compile(r"\b(?:PMX|PVE) (\d[\w.+~-]*)", re.ASCII)
_SUFFIX = "-pve"


class Installed(NamedTuple):
    """Versions of packages: by name, None where it is not installed; and of Proxmox VE's kernels."""

    packages: dict[str, str | None]
    kernels: list[str]


def parse_status(raw: bytes) -> Installed:
    """What is installed, from the text of ``/var/lib/dpkg/status``."""
    packages: dict[str, str | None] = dict.fromkeys(NAMES)
    kernels = set()
    for record in raw.split(b"\n\n"):
        if not record.startswith(_OURS):
            continue
        found, version = _NAME.match(record), _VERSION.search(record)
        if found is None or version is None or not _STATE.search(record):
            continue
        name, text = found[1].decode("ascii"), version[1].decode("ascii", "replace")
        if name in packages:
            packages[name] = text
        else:
            kernels.add(text)
    return Installed(packages, sorted(kernels))


def kernel_version(release: str, build: str) -> str | None:
    """The version of the package that a running kernel is from; None where it is not Proxmox VE's.

    ``release`` and ``build`` are what ``uname -r`` and ``uname -v`` print. The release alone is not enough: the kernel
    5.15.108-1-pve is of the package 5.15.108-2.
    """
    if not release.endswith(_SUFFIX):
        return None
    match = _BUILD.search(build)
    return match[1] if match else release[: -len(_SUFFIX)]
