# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors
"""One way to attach a guest's disk: what is compared with what.

A setting, plain JSON::

    name: today            # unique in a measurement
    bus: scsi              # scsi, virtio, ide, sata
    controller: virtio-scsi-single   # bus scsi only, else null
    iothread: false
    aio: io_uring          # native, io_uring, threads
    cache: none            # none, writeback, writethrough, directsync, unsafe
    during: null           # what happens to the guest while it is measured: null, block_resize, block_job,
                           # query_blockstats, backup, or disk_reset, which the guest itself does
    backup: null           # with during backup: its options (backup.py)
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .._model.disk_io import AIO_MODES, CACHE_MODES
from . import backup
from .errors import ProveError

Setting = dict[str, Any]

CONTROLLERS = {
    "virtio-scsi-single": ("virtio-scsi-pci", ("virtio_pci", "virtio_scsi", "sd_mod")),
    "virtio-scsi-pci": ("virtio-scsi-pci", ("virtio_pci", "virtio_scsi", "sd_mod")),
    "virtio-scsi": ("virtio-scsi-pci", ("virtio_pci", "virtio_scsi", "sd_mod")),
    "lsi": ("lsi", ("sym53c8xx", "sd_mod")),
    "lsi53c810": ("lsi53c810", ("sym53c8xx", "sd_mod")),
    "megasas": ("megasas", ("megaraid_sas", "sd_mod")),
    "pvscsi": ("pvscsi", ("vmw_pvscsi", "sd_mod")),
}
"""Proxmox VE's scsihw, and libvirt's virtio-scsi, which has an iothread where one is asked for: QEMU's device, and the
drivers that a Linux guest needs for it."""

_LIBVIRT = {"lsilogic": "lsi", "lsisas1078": "megasas", "vmpvscsi": "pvscsi"}
"""libvirt's model of a controller: the scsihw that is the same device of QEMU (libvirt's qemu_command.c)."""

_WITH_IOTHREAD = ("virtio-scsi-single", "virtio-scsi")

_BUS_MODULES = {
    "virtio": ("virtio_pci", "virtio_blk"),
    "ide": ("ata_piix", "sd_mod"),
    "sata": ("ahci", "sd_mod"),
}
BUSES = ("scsi", *_BUS_MODULES)
DURING = ("block_resize", "block_job", "query_blockstats", "disk_reset", backup.BACKUP)

RESET = "disk_reset"
"""The guest resets its SCSI disk, as its kernel does with a disk that does not respond."""

TODAY = {
    "name": "today",
    "bus": "scsi",
    "controller": "virtio-scsi-pci",
    "iothread": False,
    "aio": "io_uring",
    "cache": "none",
    "during": None,
    "backup": None,
}
"""A guest with only the controller set: Proxmox VE's own defaults."""

HARDENED = {**TODAY, "name": "hardened", "controller": "virtio-scsi-single", "iothread": True, "aio": "threads"}
"""What the collection's default policy asks for."""

DIRECT = tuple(mode for mode, (direct, _no_flush, _write_cache) in CACHE_MODES.items() if direct)
"""Cache modes with direct I/O."""


def _one_of(setting: Setting, key: str, allowed: Iterable[Any], where: str) -> None:
    if setting[key] not in allowed:
        raise ProveError(f"{where}: {key} is {setting[key]!r}; allowed: {', '.join(map(str, allowed))}")


def check(setting: Setting) -> Setting:
    """A complete setting from one that may lack keys; the missing ones are those of TODAY.

    Raises ProveError for one that is impossible, or that Proxmox VE would not run as written.
    """
    given = {key: value for key, value in setting.items() if value is not None}
    where = f"setting {given.get('name') or 'without a name'}"
    unknown = sorted(set(given) - set(TODAY))
    if unknown:
        raise ProveError(f"{where}: unknown {', '.join(unknown)}; allowed: {', '.join(TODAY)}")
    if not given.get("name"):
        raise ProveError(f"{where}: give it a name")
    full = {**TODAY, **given}
    _one_of(full, "bus", BUSES, where)
    _one_of(full, "aio", AIO_MODES, where)
    _one_of(full, "cache", CACHE_MODES, where)
    _one_of(full, "during", (None, *DURING), where)
    if not isinstance(full["iothread"], bool):
        raise ProveError(f"{where}: iothread is {full['iothread']!r}; allowed: true, false")
    if full["bus"] == "scsi":
        _one_of(full, "controller", CONTROLLERS, where)
    else:
        full["controller"] = None
    if full["iothread"] and full["bus"] != "virtio" and full["controller"] not in _WITH_IOTHREAD:
        ignored = "; Proxmox VE ignores it" if full["controller"] == "virtio-scsi-pci" else ""
        raise ProveError(
            f"{where}: iothread is not possible with {full['controller'] or full['bus']}{ignored}. Use"
            f" {' or '.join(_WITH_IOTHREAD)} or bus virtio"
        )
    if full["aio"] == "native" and full["cache"] not in DIRECT:
        raise ProveError(
            f"{where}: aio native needs cache {' or '.join(DIRECT)}; QEMU does not start with {full['cache']}"
        )
    if full["during"] == backup.BACKUP:
        full["backup"] = backup.check(full["backup"] or {}, where)
    elif full["backup"] is not None:
        raise ProveError(f"{where}: backup says how a backup is made; it needs during: backup")
    if full["during"] == RESET and full["bus"] != "scsi":
        raise ProveError(f"{where}: during disk_reset needs bus scsi; a disk on {full['bus']} has no such reset")
    return full


def check_all(settings: Iterable[Setting]) -> list[Setting]:
    """check() for each; names must be unique and there must be at least one."""
    full = [check(setting) for setting in settings]
    names = [setting["name"] for setting in full]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ProveError(f"two settings have the same name: {', '.join(twice)}")
    if not full:
        raise ProveError("there is no setting to measure; name at least one (settings)")
    return full


def modules(setting: Setting) -> tuple[str, ...]:
    """The kernel modules that a Linux guest needs to see its disk."""
    return _BUS_MODULES.get(setting["bus"]) or CONTROLLERS[setting["controller"]][1]


def describe(setting: Setting) -> str:
    """A short text for a table: ``virtio-scsi-single, iothread, threads, none``."""
    parts = [
        setting["controller"] or setting["bus"],
        "iothread" if setting["iothread"] else "no iothread",
        setting["aio"],
        setting["cache"],
    ]
    text = ", ".join(parts) + (f" + {setting['during']}" if setting["during"] else "")
    return text + (f": {backup.describe(setting['backup'])}" if setting["backup"] else "")


def first_disk(record: dict[str, Any]) -> str:
    """The key of the guest's first disk that can be measured. Raises ProveError where it has none."""
    for disk in record.get("disks", []):
        if disk["media"] == "disk" and disk["bus"] in BUSES and (disk.get("runs") or disk.get("effective")):
            return str(disk["key"])
    raise ProveError(f"guest {record.get('id')} has no disk to measure")


def from_record(record: dict[str, Any], key: str, name: str = "today") -> Setting:
    """The setting of one disk of a guest record (docs/data.md), with the values in effect today.

    The values of the running process take precedence over those of the config. Raises ProveError where there is no such
    disk, or it is not served by QEMU's file driver: librbd and the like have no aio, so a measurement with a file would
    say nothing about them.
    """
    where = f"guest {record.get('id')}"
    disks = {disk["key"]: disk for disk in record.get("disks", [])}
    if key not in disks:
        raise ProveError(f"{where} has no {key}; it has: {', '.join(sorted(disks)) or 'no disk'}")
    disk = disks[key]
    values = disk.get("runs") or disk.get("effective")
    if disk["media"] != "disk" or disk["bus"] not in BUSES or not values:
        raise ProveError(f"{where}: {key} is not a disk that can be measured")
    if values.get("driver") not in (None, "file", "host_device"):
        raise ProveError(
            f"{where}: {key} is served by {values['driver']}, not from a file or device of this host; a measurement"
            " here would say nothing about it"
        )
    return check(
        {
            "name": name,
            "bus": disk["bus"],
            "iothread": bool(values["iothread"]),
            "controller": _controller(record, values) if disk["bus"] == "scsi" else None,
            "aio": values["aio"] or TODAY["aio"],
            "cache": values["cache"] or TODAY["cache"],
        }
    )


def _controller(record: dict[str, Any], values: dict[str, Any]) -> str:
    """The controller of a disk: the guest's one, or, where it has several models or libvirt's, the disk's own."""
    model: str = record["controller"]["effective"]
    if model not in CONTROLLERS and values["controller"]:
        model = values["controller"]["model"]
    return _LIBVIRT.get(model, model)


def with_changes(setting: Setting, changes: Iterable[dict[str, Any]], key: str, name: str = "hardened") -> Setting:
    """The setting after a plan's changes (docs/data.md) to the controller and to the disk ``key``."""
    after = {**setting, "name": name}
    for change in changes:
        if change["key"] == "controller" and setting["bus"] == "scsi":
            after["controller"] = change["after"]
        elif change["key"] == key and change["option"] in ("aio", "cache", "iothread"):
            after[change["option"]] = change["after"]
    return check(after)
