# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""What QEMU is really given for a disk of domain XML: driver, aio, cache, iothread.

Each rule names where libvirt or QEMU has it. Tests hold it against the command lines that libvirt 9.0 and 11.3 made of
the same XML, and against those of the guests that ran with them.
"""

from __future__ import annotations

from collections.abc import Mapping

from .._model.disk_io import AIO_DRIVERS, CACHE_MODES, VIRTIO_SCSI, cache_mode
from .._model.records import AioDefault, DiskController, Values, values
from . import aliases as _aliases
from .devices import VIRTIO_SCSI_MODELS
from .disks import DiskElement
from .domain import Domain

#: QEMU's aio where a disk names none: libvirt passes none then (qemu_block.c), and QEMU's is threads (file-posix.c).
DEFAULT_AIO = "threads"

# What opens a source (qemu_block.c, qemuBlockStorageSourceGetBackendProps).
_DRIVERS = {"file": "file", "block": "host_device", "dir": "vvfat", "nvme": "nvme"}
_DRIVERS["vhostvdpa"] = "virtio-blk-vhost-vdpa"
# What a volume is, by the type of its pool (storage_conf.c, virStoragePoolTypeInfo; domain_conf.c,
# virStorageTranslateDiskSourcePool).
_POOLS = {"dir": "file", "fs": "file", "netfs": "file", "vstorage": "file"}
_POOLS.update(dict.fromkeys(("logical", "disk", "iscsi", "scsi", "mpath", "zfs"), "host_device"))
_POOLS["iscsi-direct"] = "iscsi"

# QEMU's words for libvirt's controller models (qemu_command.c, qemuBuildSCSIControllerDevProps).
_MODELS = {"lsilogic": "lsi", "lsisas1068": "mptsas1068", "lsisas1078": "megasas", "vmpvscsi": "pvscsi"}
_MODELS.update({"ibmvscsi": "spapr-vscsi", "ncr53c90": "esp", "dc390": "dc390"})
_MODELS.update(dict.fromkeys(VIRTIO_SCSI_MODELS, VIRTIO_SCSI))


def effective(domain: Domain, disk: DiskElement, pools: Mapping[str, str | None], crowd: int = 1) -> Values | None:
    """What QEMU is given for a disk; None where it has no medium, and where no block device of QEMU's is behind it.

    ``pools`` maps the name of a storage pool to its type, ``crowd`` is how many disks are on its controller.
    """
    if disk.volume is None or disk.type == "vhostuser":
        return None
    opens = driver(disk, pools)
    direct, no_flush, write_cache = CACHE_MODES[cache(disk)]
    return values(
        driver=opens,
        aio=(disk.io or DEFAULT_AIO) if opens is None or opens in AIO_DRIVERS else None,
        cache=cache_mode(direct, no_flush, write_cache),
        cache_direct=direct,
        cache_no_flush=no_flush,
        iothread=has_iothread(domain, disk),
        controller=scsi_controller(domain, disk, crowd),
    )


def driver(disk: DiskElement, pools: Mapping[str, str | None]) -> str | None:
    """The block driver that opens a disk's source; None for a volume of a pool whose type is not known."""
    if disk.transient:
        return "file"  # What the guest writes goes to a file of its own (qemu_snapshot.c).
    if disk.type == "network":
        return disk.protocol  # QEMU's drivers have the names of libvirt's protocols.
    if disk.type == "volume":
        if disk.mode == "direct":
            return "iscsi"
        return _POOLS.get(pools.get(disk.pool or "") or "")
    if disk.type == "block" and disk.device == "cdrom" and (disk.volume or "").startswith(("/dev/sr", "/dev/cdrom")):
        # A drive of the host's, which libvirt asks the device itself (qemu_domain.c, hostcdrom).
        return "host_cdrom"
    return _DRIVERS.get(disk.type)


def cache(disk: DiskElement) -> str:
    """The cache mode that a disk comes to: writeback where none is set, but none for one that guests share
    (qemu_domain.c, qemuDomainPrepareDiskCachemode).
    """
    if disk.cache:
        return disk.cache
    return "none" if disk.shareable and not disk.read_only else "writeback"


def has_iothread(domain: Domain, disk: DiskElement) -> bool:
    """Whether an iothread does a disk's I/O: its own on virtio, that of its controller on virtio-scsi."""
    if disk.bus == "virtio":
        return bool(disk.iothreads)
    controller = _aliases.controller(domain, disk)
    return controller is not None and controller.iothread and (controller.model or "") in VIRTIO_SCSI_MODELS


def scsi_controller(domain: Domain, disk: DiskElement, crowd: int = 1) -> DiskController | None:
    """The disk's SCSI controller in QEMU's words; None off the SCSI bus."""
    at = _aliases.address(disk) if disk.bus == "scsi" else None
    if at is None:
        return None
    model = _aliases.model(domain, at.controller)
    name = _MODELS.get(model, model)
    return {"model": name, "dedicated": crowd == 1, "gives_iothread": name == VIRTIO_SCSI}


def aio_default(disk: DiskElement, pools: Mapping[str, str | None]) -> AioDefault | None:
    """What an unset aio means, with O_DIRECT and without; None where the driver has no aio, or is not known."""
    if driver(disk, pools) not in AIO_DRIVERS:
        return None
    return {"direct": DEFAULT_AIO, "cached": DEFAULT_AIO}
