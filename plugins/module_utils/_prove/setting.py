# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors
"""One way to attach a guest's disk: what is compared with what.

A setting, plain JSON::

    name: today            # unique within a measurement
    bus: scsi              # scsi, virtio, ide, sata
    controller: virtio-scsi-single   # bus scsi only, else null
    iothread: false
    aio: io_uring          # native, io_uring, threads
    cache: none            # none, writeback, writethrough, directsync, unsafe
    during: null           # what is done to the guest while it is measured:
                           # null, block_resize, block_job, query_blockstats, or, by the guest itself, disk_reset
"""

from __future__ import annotations

from .errors import ProveError

CONTROLLERS = {
    "virtio-scsi-single": ("virtio-scsi-pci", ("virtio_pci", "virtio_scsi", "sd_mod")),
    "virtio-scsi-pci": ("virtio-scsi-pci", ("virtio_pci", "virtio_scsi", "sd_mod")),
    "lsi": ("lsi", ("sym53c8xx", "sd_mod")),
    "lsi53c810": ("lsi53c810", ("sym53c8xx", "sd_mod")),
    "megasas": ("megasas", ("megaraid_sas", "sd_mod")),
    "pvscsi": ("pvscsi", ("vmw_pvscsi", "sd_mod")),
}
"""Proxmox VE's scsihw: QEMU's device, and the drivers a Linux guest needs for it."""

_BUS_MODULES = {
    "virtio": ("virtio_pci", "virtio_blk"),
    "ide": ("ata_piix", "sd_mod"),
    "sata": ("ahci", "sd_mod"),
}
BUSES = ("scsi",) + tuple(_BUS_MODULES)
AIO = ("native", "io_uring", "threads")
CACHE = ("none", "writeback", "writethrough", "directsync", "unsafe")
DURING = ("block_resize", "block_job", "query_blockstats", "disk_reset")

RESET = "disk_reset"
"""The guest resets its SCSI disk, as its kernel does with one that does not answer."""

TODAY = {
    "name": "today",
    "bus": "scsi",
    "controller": "virtio-scsi-pci",
    "iothread": False,
    "aio": "io_uring",
    "cache": "none",
    "during": None,
}
"""A guest with nothing set but its controller's driver: Proxmox VE's own defaults."""

HARDENED = dict(TODAY, name="hardened", controller="virtio-scsi-single", iothread=True, aio="threads")
"""What the collection's default policy asks for."""

DIRECT = ("none", "directsync")
"""Cache modes with direct I/O."""


def _one_of(value, allowed, key, where):
    if value not in allowed:
        raise ProveError("%s: %s is %r; allowed: %s" % (where, key, value, ", ".join(map(str, allowed))))


def check(setting):
    """A complete setting from one in which keys may be missing (those of TODAY are taken).

    Raises ProveError for one that cannot be, or that Proxmox VE would not run as written.
    """
    given = {key: value for key, value in setting.items() if value is not None}
    where = "setting %s" % (given.get("name") or "without a name")
    unknown = sorted(set(given) - set(TODAY))
    if unknown:
        raise ProveError("%s: unknown %s; allowed: %s" % (where, ", ".join(unknown), ", ".join(TODAY)))
    if not given.get("name"):
        raise ProveError("%s: give it a name" % where)
    full = dict(TODAY, **given)
    _one_of(full["bus"], BUSES, "bus", where)
    _one_of(full["aio"], AIO, "aio", where)
    _one_of(full["cache"], CACHE, "cache", where)
    _one_of(full["during"], (None,) + DURING, "during", where)
    if not isinstance(full["iothread"], bool):
        raise ProveError("%s: iothread is %r; allowed: true, false" % (where, full["iothread"]))
    if full["bus"] == "scsi":
        _one_of(full["controller"], tuple(CONTROLLERS), "controller", where)
    else:
        full["controller"] = None
    if full["iothread"] and full["bus"] != "virtio" and full["controller"] != "virtio-scsi-single":
        raise ProveError(
            "%s: iothread is not possible with %s; Proxmox VE leaves it out. Use "
            "virtio-scsi-single or bus virtio" % (where, full["controller"] or full["bus"])
        )
    if full["aio"] == "native" and full["cache"] not in DIRECT:
        raise ProveError(
            "%s: aio native needs cache none or directsync; QEMU does not start with %s" % (where, full["cache"])
        )
    if full["during"] == RESET and full["bus"] != "scsi":
        raise ProveError("%s: during disk_reset needs bus scsi; a disk on %s has no such reset" % (where, full["bus"]))
    return full


def check_all(settings):
    """check() of each; names must be unique and there must be at least one."""
    full = [check(setting) for setting in settings]
    names = [setting["name"] for setting in full]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ProveError("two settings have the same name: %s" % ", ".join(twice))
    if not full:
        raise ProveError("there is no setting to measure; name at least one (settings)")
    return full


def modules(setting):
    """The kernel modules a Linux guest needs to see its disk."""
    return _BUS_MODULES.get(setting["bus"]) or CONTROLLERS[setting["controller"]][1]


def describe(setting):
    """A short text for a table: ``virtio-scsi-single, iothread, threads, none``."""
    parts = [
        setting["controller"] or setting["bus"],
        "iothread" if setting["iothread"] else "no iothread",
        setting["aio"],
        setting["cache"],
    ]
    return ", ".join(parts) + (" + " + setting["during"] if setting["during"] else "")


def first_disk(record):
    """The key of the record's first disk that QEMU serves; raises ProveError where it has none."""
    for disk in record.get("disks", []):
        if disk["media"] == "disk" and disk["bus"] in BUSES and (disk.get("runs") or disk.get("effective")):
            return disk["key"]
    raise ProveError("guest %s has no disk to measure" % record.get("id"))


def from_record(record, key, name="today"):
    """The setting of one disk of a guest record (docs/data.md), as it is in effect today.

    What the live process runs goes before what the config says. Raises ProveError for a disk
    that is not there, is no disk, or is not served by QEMU's file driver (librbd and the like
    know no aio: a measurement with a file would say nothing about them).
    """
    where = "guest %s" % record.get("id")
    disks = {disk["key"]: disk for disk in record.get("disks", [])}
    if key not in disks:
        raise ProveError("%s has no %s; it has: %s" % (where, key, ", ".join(sorted(disks)) or "no disk"))
    disk = disks[key]
    values = disk.get("runs") or disk.get("effective")
    if disk["media"] != "disk" or disk["bus"] not in BUSES or not values:
        raise ProveError("%s: %s is not a disk that can be measured" % (where, key))
    if values.get("driver") not in (None, "file", "host_device"):
        raise ProveError(
            "%s: %s is served by %s, not from a file or device of this host; a measurement "
            "here would say nothing about it" % (where, key, values["driver"])
        )
    return check(
        {
            "name": name,
            "bus": disk["bus"],
            "iothread": bool(values["iothread"]),
            "controller": record["controller"]["effective"] if disk["bus"] == "scsi" else None,
            "aio": values["aio"] or TODAY["aio"],
            "cache": values["cache"] or TODAY["cache"],
        }
    )


def with_changes(setting, changes, key, name="hardened"):
    """The setting after a plan's changes (docs/data.md) to the controller and to the disk key."""
    after = dict(setting, name=name)
    for change in changes:
        if change["key"] == "controller" and setting["bus"] == "scsi":
            after["controller"] = change["after"]
        elif change["key"] == key and change["option"] in ("aio", "cache", "iothread"):
            after[change["option"]] = change["after"]
    return check(after)
