# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Disk I/O: aio and cache modes, what QEMU refuses, and which values differ. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from .records import Values

#: The three options this collection sets on a disk.
OPTIONS = ("iothread", "aio", "cache")

#: QEMU's ways to submit I/O (``qemu(1)``, ``-blockdev``, ``aio=``).
AIO_MODES = ("threads", "io_uring", "native")

#: Cache modes by name: (O_DIRECT, flushes ignored, write cache shown to the guest).
#: Source: ``qemu(1)``, ``-drive``, table of ``cache=``.
CACHE_MODES = {
    "none": (True, False, True),
    "writeback": (False, False, True),
    "writethrough": (False, False, False),
    "directsync": (True, False, False),
    "unsafe": (False, True, True),
}

#: Modes that acknowledge a write only when it is on disk: another mode protects the data less.
DURABLE_CACHE_MODES = ("writethrough", "directsync")

#: SCSI controllers Proxmox VE knows; an unset one is ``lsi`` (qemu-server, scsihw).
CONTROLLERS = ("lsi", "lsi53c810", "virtio-scsi-pci", "virtio-scsi-single", "megasas", "pvscsi")

#: QEMU's model of the controllers that the guest drives with its virtio_scsi driver.
VIRTIO_SCSI = "virtio-scsi"

#: What Proxmox VE calls that model: one controller for all disks, and one for each.
VIRTIO_CONTROLLERS = ("virtio-scsi-pci", "virtio-scsi-single")

#: More iothreads than this in one guest are a mistake.
MOST_IOTHREADS = 512

#: The one controller that gives each disk an iothread of its own.
IOTHREAD_CONTROLLER = "virtio-scsi-single"

#: QEMU block drivers that have an ``aio`` option at all (qemu-server, Blockdev.pm).
AIO_DRIVERS = ("file", "host_device", "host_cdrom")


def cache_mode(direct: bool, no_flush: bool, write_cache: bool = True) -> str:
    """The name of the cache mode that QEMU's three switches add up to.

    Direct with flushes ignored has no name in QEMU's table; it is called ``unsafe``, because it is.
    """
    if no_flush:
        return "unsafe"
    if direct:
        return "none" if write_cache else "directsync"
    return "writeback" if write_cache else "writethrough"


def native_needs_direct(aio: str | None, cache_direct: bool) -> bool:
    """True for values that QEMU refuses to start with.

    It refuses one combination: ``aio=native was specified, but it requires cache.direct=on``.
    """
    return aio == "native" and not cache_direct


def refused_at_start(key: str, settings: Values | None) -> str | None:
    """Why QEMU would not start with a disk's values (``effective`` or ``next``); None where it would, or where they are
    not known.
    """
    if settings and settings["cache"] and native_needs_direct(settings["aio"], CACHE_MODES[settings["cache"]][0]):
        return f"{key} would have aio native with cache {settings['cache']}, which QEMU refuses"
    return None


def differing(
    old: Mapping[str, Any] | None, new: Mapping[str, Any] | None, options: Iterable[str] = OPTIONS
) -> dict[str, tuple[Any, Any]]:
    """Option → (old, new) where a disk's values differ; a value that is not known on one side does not differ."""
    if old is None or new is None:
        return {}
    return {
        option: (old[option], new[option])
        for option in options
        if old[option] != new[option] and None not in (old[option], new[option])
    }


def running(runs: Values | None, effective: Values | None) -> Mapping[str, Any] | None:
    """What a disk runs with; what its process does not tell is as configured. None where neither is known."""
    if runs is None or effective is None:
        return runs or effective
    return {**runs, **{option: effective[option] for option in OPTIONS if runs[option] is None}}  # type: ignore[literal-required]
