# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Texts that are not the config of a guest: those of containers, and those that are not a config."""

from __future__ import annotations

from . import config as _config
from . import drive as _drive

# A container's config has a root file system, and its ostype is a distribution (pve-container).
_CONTAINER_OSTYPES = frozenset(
    "alpine archlinux centos debian devuan fedora gentoo nixos opensuse ubuntu unmanaged".split()
)


def is_container(parsed: _config.Config) -> bool:
    """True for the config of a container, which QEMU does not run."""
    if parsed.main.get("rootfs"):
        return True
    return parsed.main.get("ostype") in _CONTAINER_OSTYPES and not any(
        _drive.parse_key(key) for key in parsed.main.entries
    )


def no_config(raw: bytes, parsed: _config.Config) -> tuple[str, int | None] | None:
    """Why ``raw`` is not a guest config, and the line that shows it; None where it is one."""
    if not raw.strip():
        return "is empty: not a guest config", None
    if b"\0" in raw:
        return "is binary: not a guest config", raw.count(b"\n", 0, raw.index(b"\0")) + 1
    if not parsed.main.entries:
        return "has no line 'key: value' before its first section: not a guest config", 1
    return None
