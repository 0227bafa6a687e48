# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""What QEMU is really given for a drive of a Proxmox VE guest: driver, aio, cache, iothread.

The rules are qemu-server's: Drive.pm (``drive_uses_cache_direct``,
``aio_cmdline_option``, ``storage_allows_io_uring_default``), Blockdev.pm
(``generate_file_blockdev``), OVMF.pm and the command line of QemuServer.pm.
Held against what Proxmox VE hands to QEMU for its own test configs.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from .._model.disk_io import AIO_DRIVERS, CACHE_MODES, IOTHREAD_CONTROLLER, cache_mode
from . import storage as _storage
from .drive import Drive

_MACHINE = re.compile(r"^(?:pc(?:-i440fx|-q35)?|virt)-(\d{1,4})\.(\d{1,4})", re.ASCII)
_WINDOWS = re.compile(r"^(?:w2k|w2k3|w2k8|wxp|wvista|win\d+)$", re.ASCII)
_CREATION = re.compile(r"(?:^|,)creation-qemu=(\d{1,4})\.(\d{1,4})(?:\.(\d{1,4}))?(?!\d)", re.ASCII)

#: The controller of a guest whose config names none.
DEFAULT_CONTROLLER = "lsi"


def uses_blockdev(machine: str | None, ostype: str | None, meta: str | None) -> bool:
    """True where the guest's disks reach QEMU as ``-blockdev``: from machine version 10.0 on.

    A machine without a version is the installed QEMU's newest, taken to be 10
    or later; Windows without one is pinned to the QEMU it was created with,
    5.1 where that is unknown or before 9.1 (Machine.pm ``get_vm_machine``).
    """
    if match := _MACHINE.match(machine_type(machine)):
        return int(match[1]) >= 10
    if ostype and _WINDOWS.match(ostype):
        created = _CREATION.search(meta or "")
        return bool(created) and int(created[1]) >= 10
    return True


def machine_type(machine: str | None) -> str:
    """The type in a ``machine:`` line, a property string in any order whose default key it is; "" where it has none."""
    for part in (machine or "").split(","):
        name, equals, value = part.partition("=")
        if part and (not equals or name == "type"):
            return value if equals else part
    return ""


def proven_qemu(machine: str | None, meta: str | None) -> str | None:
    """The lowest version of the QEMU that starts the guest next, as its config proves it; None where it proves nothing.

    Two lines prove one: ``meta: creation-qemu=`` is the QEMU that the guest was created with, and QEMU is not
    downgraded; a machine type with a version exists from the QEMU of that version on (Machine.pm). The higher one
    holds.
    """
    lines = (_CREATION.search(meta or ""), _MACHINE.match(machine_type(machine)))
    found = [tuple(int(number) for number in match.groups(default="0")) for match in lines if match]
    return ".".join(str(number) for number in max(found)) if found else None


def controller(scsihw: str | None) -> str:
    """The SCSI controller a guest gets: ``lsi`` where the config names none."""
    return scsihw or DEFAULT_CONTROLLER


def effective(
    drive: Drive, storage: dict[str, Any] | None, scsihw: str | None, blockdev: bool
) -> dict[str, Any] | None:
    """What QEMU gets for a drive, as in docs/data.md; None where it gets no block device.

    ``storage`` is the volume's storage, None for a bare path. ``driver`` is
    None where the storage's type is not one of ours; qemu-server treats such
    a type, a plugin's, as one without special cases. Where the storage is not
    known at all (its type is None), so are the values that the drive leaves
    to it: ``aio``, ``cache`` and ``cache_direct`` are None. Elsewhere ``aio``
    is None where the driver has no such option, or is not given one.
    """
    options = drive.options
    return _effective(
        drive.bus,
        drive.media,
        drive.volume if storage is None else None,
        None if storage is None else (storage["type"], storage["krbd"], storage["nocow"]),
        options.get("cache"),
        options.get("aio"),
        bool(options.get("iothread")),
        scsihw == IOTHREAD_CONTROLLER,
        blockdev,
    )


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
    own_controllers: bool,
    blockdev: bool,
) -> dict[str, Any] | None:
    if media == "tpm" or (path == "none" and blockdev):
        return None
    store_type, krbd, nocow = kind or (None, False, False)
    unknown = kind is not None and store_type is None
    driver = _path_driver(path, media) if path is not None else _storage.driver({"type": store_type, "krbd": krbd})
    given_cache = cache
    if media == "efi":
        # OVMF.pm: writeback unless the drive says otherwise, and its schema has no cache option.
        given_cache = "writeback"
    if given_cache:
        direct, no_flush, write_cache = CACHE_MODES[given_cache]
    elif unknown and media != "cdrom":
        direct, no_flush, write_cache = None, False, True
    else:
        direct = media != "cdrom" and not (store_type == "btrfs" and not nocow)
        no_flush, write_cache = False, True
    return {
        "driver": driver,
        "aio": None
        if unknown and not aio
        else _aio(driver, aio, store_type, krbd, direct, given=blockdev or media != "efi"),
        "cache": None if direct is None else cache_mode(direct, no_flush, write_cache),
        "cache_direct": direct,
        "cache_no_flush": no_flush,
        "iothread": iothread and (bus == "virtio" or (bus == "scsi" and own_controllers)),
    }


def aio_default(drive: Drive, storage: dict[str, Any] | None) -> dict[str, str] | None:
    """The aio of a disk that names none, ``direct`` and ``cached``; None where its driver has no aio, or its storage is
    not known.
    """
    kind = (None, False) if storage is None else (storage["type"], storage["krbd"])
    if storage is not None and storage["type"] is None:
        return None
    driver = (
        _path_driver(drive.volume, drive.media)
        if storage is None
        else _storage.driver({"type": kind[0], "krbd": kind[1]})
    )
    return _aio_default(driver, *kind)


@lru_cache(maxsize=256)
def _aio_default(driver: str | None, store_type: str | None, krbd: bool) -> dict[str, str] | None:
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
