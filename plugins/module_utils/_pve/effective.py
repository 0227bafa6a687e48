# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""What QEMU is really given for a drive of a Proxmox VE guest: driver, aio, cache, iothread.

The rules are qemu-server's: Drive.pm (``drive_uses_cache_direct``,
``aio_cmdline_option``, ``storage_allows_io_uring_default``), Blockdev.pm
(``generate_file_blockdev``), OVMF.pm and the command line of QemuServer.pm.
Tests compare them with what Proxmox VE gives QEMU for its own test configs.
"""

from __future__ import annotations

import re
from functools import lru_cache

from .._model.disk_io import (
    AIO_DRIVERS,
    CACHE_MODES,
    IOTHREAD_CONTROLLER,
    VIRTIO_CONTROLLERS,
    VIRTIO_SCSI,
    cache_mode,
)
from .._model.records import AioDefault, DiskController, Storage, Values, values
from . import storage_types as _storage_types
from .drive import Drive

_MACHINE = re.compile(r"^(?:pc(?:-i440fx|-q35)?|virt)-(\d{1,4})\.(\d{1,4})", re.ASCII)
_WINDOWS = re.compile(r"^(?:w2k|w2k3|w2k8|wxp|wvista|win\d+)$", re.ASCII)
_CREATION = re.compile(r"(?:^|,)creation-qemu=(\d{1,4})\.(\d{1,4})(?:\.(\d{1,4}))?(?!\d)", re.ASCII)

#: The controller of a guest without a scsihw line.
DEFAULT_CONTROLLER = "lsi"


def uses_blockdev(machine: str | None, ostype: str | None, meta: str | None) -> bool:
    """True where the guest's disks reach QEMU as ``-blockdev``: from machine version 10.0 on.

    A machine without a version is the installed QEMU's newest, assumed to be 10 or later. A Windows guest without one
    is pinned to the QEMU that it was created with, or to 5.1 where that is unknown or before 9.1 (Machine.pm
    ``get_vm_machine``).
    """
    if match := _MACHINE.match(machine_type(machine)):
        return int(match[1]) >= 10
    if ostype and _WINDOWS.match(ostype):
        created = _CREATION.search(meta or "")
        return created is not None and int(created[1]) >= 10
    return True


def machine_type(machine: str | None) -> str:
    """The type in a ``machine:`` line, "" where it has none: the default key of a property string in any order."""
    for part in (machine or "").split(","):
        name, equals, value = part.partition("=")
        if part and (not equals or name == "type"):
            return value if equals else part
    return ""


def proven_qemu(machine: str | None, meta: str | None) -> str | None:
    """The lowest version that the QEMU of the next start can have, by the config; None where it proves nothing.

    ``meta: creation-qemu=`` is the QEMU that the guest was created with, and QEMU is not downgraded. A machine type
    with a version exists from the QEMU of that version on (Machine.pm). The higher one counts.
    """
    lines = (_CREATION.search(meta or ""), _MACHINE.match(machine_type(machine)))
    found = [tuple(int(number) for number in match.groups(default="0")) for match in lines if match]
    return ".".join(str(number) for number in max(found)) if found else None


def controller(scsihw: str | None) -> str:
    """The SCSI controller a guest gets: ``lsi`` where the config names none."""
    return scsihw or DEFAULT_CONTROLLER


@lru_cache(maxsize=64)
def disk_controller(scsihw: str | None) -> DiskController:
    """The controller of a disk on the SCSI bus: QEMU's model, and whether each disk gets one to itself."""
    name = controller(scsihw)
    return {
        "model": VIRTIO_SCSI if name in VIRTIO_CONTROLLERS else name,
        "dedicated": name == IOTHREAD_CONTROLLER,
        "gives_iothread": name == IOTHREAD_CONTROLLER,
    }


def effective(drive: Drive, storage: Storage | None, scsihw: str | None, blockdev: bool) -> Values | None:
    """What QEMU gets for a drive, as in docs/data.md; None where it gets no block device.

    ``storage`` is the volume's storage, None for a bare path. ``driver`` is None for a storage type that is not known
    here, such as a plugin's, which qemu-server handles without special cases. Where the storage itself is not known
    (its type is None), neither are the values that depend on it: an unset ``aio`` or ``cache``, and ``cache_direct``,
    are None. Elsewhere ``aio`` is None where the driver has no such option, or is not given one.
    """
    options = drive.options
    return _effective(
        drive.bus,
        drive.media,
        drive.volume if storage is None else None,
        None if storage is None else (storage["type"], storage["krbd"], storage["nocow"]),
        _word(options.get("cache")),
        _word(options.get("aio")),
        bool(options.get("iothread")),
        scsihw if drive.bus == "scsi" else None,
        blockdev,
    )


def _word(value: str | bool | None) -> str | None:
    return value if isinstance(value, str) else None


# A fleet has thousands of disks and a few dozen combinations; equal ones share one dict.
@lru_cache(maxsize=4096)
def _effective(
    bus: str,
    media: str,
    path: str | None,
    kind: tuple[str | None, bool, bool] | None,
    cache: str | None,
    aio: str | None,
    iothread: bool,
    scsihw: str | None,
    blockdev: bool,
) -> Values | None:
    if media == "tpm" or (path == "none" and blockdev):
        return None
    store_type, krbd, nocow = kind or (None, False, False)
    unknown = kind is not None and store_type is None
    driver = _path_driver(path, media) if path is not None else _storage_types.driver(store_type, krbd)
    if media == "efi":
        # OVMF.pm; its schema has no cache option.
        cache = "writeback"
    direct: bool | None
    if cache:
        direct, no_flush, write_cache = CACHE_MODES[cache]
    elif unknown and media != "cdrom":
        direct, no_flush, write_cache = None, False, True
    else:
        direct = media != "cdrom" and not (store_type == "btrfs" and not nocow)
        no_flush, write_cache = False, True
    own = disk_controller(scsihw) if bus == "scsi" else None
    # The default of an unset aio depends on the storage.
    known = aio or not unknown
    return values(
        driver=driver,
        aio=_aio(driver, aio, store_type, krbd, bool(direct), given=blockdev or media != "efi") if known else None,
        cache=None if direct is None else cache_mode(direct, no_flush, write_cache),
        cache_direct=direct,
        cache_no_flush=no_flush,
        iothread=iothread and (bus == "virtio" or (own is not None and own["gives_iothread"])),
        controller=own,
    )


def aio_default(drive: Drive, storage: Storage | None) -> AioDefault | None:
    """The aio of a disk that names none; None where its driver has no aio, or its storage is not known."""
    if storage is None:
        return _aio_default(_path_driver(drive.volume, drive.media), None, False)
    if storage["type"] is None:
        return None
    return _aio_default(_storage_types.driver(storage["type"], storage["krbd"]), storage["type"], storage["krbd"])


@lru_cache(maxsize=256)
def _aio_default(driver: str | None, store_type: str | None, krbd: bool) -> AioDefault | None:
    direct = _aio(driver, None, store_type, krbd, direct=True, given=True)
    cached = _aio(driver, None, store_type, krbd, direct=False, given=True)
    return None if direct is None or cached is None else {"direct": direct, "cached": cached}


def _aio(
    driver: str | None, aio: str | None, store_type: str | None, krbd: bool, direct: bool, given: bool
) -> str | None:
    if not given or (driver is not None and driver not in AIO_DRIVERS):
        return None
    if aio:
        return aio
    if store_type in ("lvm", "cifs") or (store_type == "rbd" and krbd and not direct):
        return "native" if direct else "threads"
    return "io_uring"


def _path_driver(path: str, media: str) -> str | None:
    if path == "none":
        return None
    if path == "cdrom":
        return "host_cdrom"
    if path.startswith("nbd:"):
        return "nbd"
    if path.startswith("/dev/"):
        return "host_cdrom" if media == "cdrom" else "host_device"
    return "file"
