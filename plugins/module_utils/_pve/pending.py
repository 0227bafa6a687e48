# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The [PENDING] section of a Proxmox VE guest config for the next cold start. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from .._model.disk_io import VIRTIO_CONTROLLERS
from . import config as _config
from . import drive as _drive
from .effective import controller as _controller
from .same import without_ours


def pending_keys(config: _config.Config, keys: Iterable[str]) -> frozenset[str]:
    """Those of the keys that [PENDING] sets."""
    return frozenset(key for key in keys if config.pending and key in config.pending.entries)


def waits(config: _config.Config, keys: Iterable[str]) -> bool:
    """Whether [PENDING] sets or removes one of the keys."""
    keys = list(keys)
    return bool(pending_keys(config, keys)) or any(key in config.pending_deletes for key in keys)


def foreign_pending(config: _config.Config) -> list[str]:
    """What is in [PENDING] and not of this collection's making: everything but aio, cache and iothread of a drive, and
    a change of controller that keeps the guest's driver.
    """
    if config.pending is None:
        return []
    foreign = [f"delete {key}" for key in config.pending_deletes]
    for key, entry in config.pending.entries.items():
        if key == "delete":
            continue
        now = config.main.get(key)
        if key == "scsihw" and entry.value in VIRTIO_CONTROLLERS and _controller(now) in VIRTIO_CONTROLLERS:
            continue
        if now is None or not _drive.parse_key(key) or without_ours(key, now) != without_ours(key, entry.value):
            foreign.append(key)
    return sorted(foreign)
