# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The drives of a Proxmox VE guest config as the disks of docs/data.md."""

from __future__ import annotations

import re
from collections.abc import Mapping

from .._model import records
from .._text import natural_key
from . import config as _config
from . import drive as _drive
from . import effective as _effective
from . import volume as _volume

_FORMAT = re.compile(r"\.(raw|qcow2|vmdk|qed|subvol)$", re.ASCII)
_BLOCK_TYPES = ("lvm", "lvmthin", "zfspool", "rbd", "iscsi", "iscsidirect", "zfs")
_IMPLIED_EFI = _drive.Drive("efidisk", {"file": "/"})


class DiskReader:
    """Makes disks of the drives of one config: as a start from the main section gives them, and as the next cold start
    does.
    """

    def __init__(
        self, parsed: _config.Config, storages: Mapping[str, records.Storage], node: str | None = None
    ) -> None:
        main = parsed.main
        self._main = main
        self._pending = parsed.pending
        self._deletes = parsed.pending_deletes
        self._storages = storages
        self._node = node
        #: The drive lines that Proxmox VE drops, once ``disks`` has run.
        self.rejected: list[_config.Unsafe] = []
        self._scsihw = _text(main.get("scsihw"))
        self._next_scsihw = _text(parsed.next("scsihw"))
        self._blockdev = _effective.uses_blockdev(main.get("machine"), main.get("ostype"), main.get("meta"))
        self._next_blockdev = _effective.uses_blockdev(parsed.next("machine"), parsed.next("ostype"), main.get("meta"))
        self._start_changes = (self._scsihw, self._blockdev) != (self._next_scsihw, self._next_blockdev)

    def disks(self) -> list[records.Disk]:
        """Every drive, in the order of their keys, including those that Proxmox VE rejects."""
        entries = {**(self._pending.entries if self._pending else {}), **self._main.entries}
        keys = sorted((key for key in entries if _drive.parse_key(key)), key=natural_key)
        disks = [self._disk(key, entries[key].line) for key in keys]
        if self._main.get("bios") == "ovmf" and "efidisk0" not in keys:
            disks.append(self._implied_efi())
        return disks

    def _read(self, section: _config.Section | None, key: str) -> tuple[_drive.Drive | None, str | None]:
        entry = section.entries.get(key) if section else None
        if entry is None:
            return None, None
        try:
            drive = _drive.parse(key, entry.value)
            unusable = _drive.unusable(drive)
            return (None, unusable) if unusable else (drive, None)
        except _drive.DriveError as exc:
            self.rejected.append(_config.Unsafe(entry.line, f"{key}: {entry.value}", str(exc)))
            return None, str(exc)

    def _disk(self, key: str, line: int) -> records.Disk:
        now, error = self._read(self._main, key)
        waiting, waiting_error = self._read(self._pending, key)
        # A plan is made for the drive that the next cold start gives.
        shown = waiting or now
        store = self._storage(shown)
        changes = shown is not now or self._start_changes
        effective = self._effective(now, store if shown is now else self._storage(now), self._scsihw, self._blockdev)
        fault = _volume.fault(shown, store, self._node, self._next_blockdev) if shown else None
        deleted = key in self._deletes and waiting is None
        after = self._effective(shown, store, self._next_scsihw, self._next_blockdev) if changes else effective
        after = None if deleted else after
        # A pending line without a medium leaves no disk.
        deleted = deleted or (waiting is not None and after is None and effective is not None and fault is None)
        return records.disk(
            key=key,
            bus=key.rstrip("0123456789"),
            media=shown.media if shown else "disk",
            volume=_text(shown.volume) if shown else None,
            storage=store,
            format=_format(shown, store),
            line=line,
            error=_text(error or waiting_error),
            start_fault=_text(fault),
            overlay=bool(shown and shown.options.get("snapshot")),
            read_only=bool(shown and shown.options.get("ro")),
            configured=configured(now) if now else None,
            aio_default=_effective.aio_default(shown, store) if shown else None,
            pending=configured(waiting) if waiting else None,
            pending_delete=deleted,
            effective=effective,
            next=None if deleted or after == effective else after,
        )

    @staticmethod
    def _effective(
        drive: _drive.Drive | None, storage: records.Storage | None, scsihw: str | None, blockdev: bool
    ) -> records.Values | None:
        return _effective.effective(drive, storage, scsihw, blockdev) if drive else None

    def _storage(self, drive: _drive.Drive | None) -> records.Storage | None:
        if drive is None or drive.volume in ("none", "cdrom") or drive.volume.startswith(("/", "nbd:")):
            return None
        name = drive.volume.split(":", 1)[0]
        return self._storages.get(name) or records.storage(id=name)

    def _implied_efi(self) -> records.Disk:
        """The temporary EFI disk of a guest with OVMF and no efidisk0 (OVMF.pm)."""
        effective = _effective.effective(_IMPLIED_EFI, None, None, self._blockdev)
        return records.disk(key="efidisk0", bus="efidisk", media="efi", format="raw", effective=effective)


def configured(drive: _drive.Drive) -> records.Configured:
    """What a drive's line sets of the options that a plan may set."""
    aio, cache, iothread = (drive.options.get(option) for option in ("aio", "cache", "iothread"))
    return {
        "aio": aio if isinstance(aio, str) else None,
        "cache": cache if isinstance(cache, str) else None,
        "iothread": iothread if isinstance(iothread, bool) else None,
    }


def _text(value: str | None) -> str | None:
    return None if value is None else _config.printable(value)


def _format(drive: _drive.Drive | None, storage: records.Storage | None) -> str | None:
    if drive is None or drive.volume == "none":
        return None
    if drive.options.get("format"):
        return str(drive.options["format"])
    if match := _FORMAT.search(drive.volume):
        return match[1]
    return "raw" if storage is None or storage["type"] in _BLOCK_TYPES else None
