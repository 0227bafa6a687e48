# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""From the text of a Proxmox VE guest config to the guest record of docs/data.md."""

from __future__ import annotations

import re
from typing import Any

from .._text import natural_key
from . import args as _args
from . import changes as _changes
from . import config as _config
from . import drive as _drive
from . import effective as _effective
from . import volume as _volume

_FORMAT = re.compile(r"\.(raw|qcow2|vmdk|qed|subvol)$", re.ASCII)
_BLOCK_TYPES = ("lvm", "lvmthin", "zfspool", "rbd", "iscsi", "iscsidirect", "zfs")
_TAGS = re.compile(r"[,;\s]+", re.ASCII)
_IMPLIED_EFI = _drive.Drive("efidisk", 0, {"file": "/"})


def record(
    guest: str,
    raw: bytes,
    storages: dict[str, dict[str, Any]],
    node: str | None = None,
    path: str | None = None,
    parsed: _config.Config | None = None,
) -> dict[str, Any]:
    """The guest record of a config; ``parsed`` is what the config's text parses to, where that is known already.

    ``parsed`` is the config where the caller has read it already. ``storages`` maps storage id to storage; one that it
    does not have gets the type None in the record. What cannot be known from a file
    (``running``, ``qemu``, ``runs``) is None.
    """
    parsed = parsed or _config.parse(_config.decode(raw))
    main, pending = parsed.main, parsed.pending
    deletes = parsed.pending_deletes
    reader = _DiskReader(parsed, storages, deletes, node)
    scsihw = main.entries.get("scsihw")
    return {
        "id": str(guest),
        "name": _text(main.get("name")) or "",
        "hypervisor": "pve",
        "node": node,
        "config": path,
        "digest": _config.digest(raw),
        "ostype": _text(main.get("ostype")),
        "machine": _text(main.get("machine")),
        "next_start": reader.next_start,
        "tags": [tag for tag in _TAGS.split(_text(main.get("tags")) or "") if tag],
        "template": bool(_drive.boolean(main.get("template") or "0")),
        "lock": _text(main.get("lock")),
        "running": None,
        "qemu": {"running": None, "installed": None, "proven": reader.proven_qemu},
        "controller": {
            "configured": _text(main.get("scsihw")),
            "pending": _text(reader.pending_controller),
            "effective": _effective.controller(_text(main.get("scsihw"))),
            "line": scsihw.line if scsihw else None,
        },
        "disks": reader.disks(),
        "pending": sorted([key for key in (pending.entries if pending else ()) if key != "delete"])
        + [f"delete:{key}" for key in sorted(deletes)],
        "foreign_pending": [_config.printable(key) for key in _changes.foreign_pending(parsed)],
        "snapshots": sorted(parsed.snapshots),
        "snapshots_differ": sorted(name for name in parsed.snapshots if _differs(parsed, parsed.snapshots[name])),
        "unsafe_lines": _unsafe_lines(parsed, reader.rejected),
        "unknown_keys": sorted({entry.key for entry in parsed.unknown_keys}),
        "not_asked": None,
        "args_disks": _args_disks(parsed),
        "disagreements": [],
    }


def _text(value: str | None) -> str | None:
    return None if value is None else _config.printable(value)


def _args_disks(parsed: _config.Config) -> list[dict[str, Any]]:
    found: dict[_args.Said, int] = {}
    for section in (parsed.main, parsed.pending):
        entry = section.entries.get("args") if section else None
        for said in _args.touching_disks(entry.value) if entry else ():
            found.setdefault(said, entry.line)
    return [
        {"line": line, "args": _text(said.words), "does": said.does, "disk": said.disk} for said, line in found.items()
    ]


def _unsafe_lines(parsed: _config.Config, rejected: list[_config.Unsafe]) -> list[dict[str, Any]]:
    in_snapshots = _rejected_in_snapshots(parsed)
    lines = sorted({*parsed.unsafe, *rejected, *in_snapshots})
    return [
        {
            "line": line.line,
            "text": _config.printable(line.text)[:200],
            "reason": _config.printable(line.reason),
            "drive": line not in in_snapshots and _drive.meant_for_a_drive(line.text),
        }
        for line in lines
    ]


def _rejected_in_snapshots(parsed: _config.Config) -> list[_config.Unsafe]:
    found = []
    for section in parsed.snapshots.values():
        for key, entry in section.entries.items():
            if _drive.parse_key(key):
                try:
                    _drive.parse(key, entry.value)
                except _drive.DriveError as exc:
                    found.append(_config.Unsafe(entry.line, f"{key}: {entry.value}", str(exc)))
    return found


def _differs(parsed: _config.Config, snapshot: _config.Section) -> bool:
    """True where a rollback would set a controller or one of our three options to something else."""
    if snapshot.get("scsihw") != parsed.main.get("scsihw"):
        return True
    for key, entry in snapshot.entries.items():
        now = parsed.main.get(key) if _drive.parse_key(key) else None
        if now is not None and now != entry.value:
            try:
                if _configured(_drive.parse(key, now)) != _configured(_drive.parse(key, entry.value)):
                    return True
            except _drive.DriveError:
                return True
    return False


class _DiskReader:
    """Turns the drives of one config into disks, as they are and as the next cold start makes them."""

    def __init__(
        self, parsed: _config.Config, storages: dict[str, dict[str, Any]], deletes: list[str], node: str | None
    ) -> None:
        self._main = parsed.main
        self._pending = parsed.pending
        self._storages = storages
        self._deletes = deletes
        self._node = node
        self.rejected: list[_config.Unsafe] = []
        self._blockdev = _effective.uses_blockdev(
            parsed.main.get("machine"), parsed.main.get("ostype"), parsed.main.get("meta")
        )
        self._next_blockdev = _effective.uses_blockdev(
            self._next("machine"), self._next("ostype"), parsed.main.get("meta")
        )
        self._next_scsihw = self._next("scsihw")

    def _next(self, key: str) -> str | None:
        waiting = self._pending.get(key) if self._pending else None
        if waiting is not None:
            return waiting
        return None if key in self._deletes else self._main.get(key)

    @property
    def proven_qemu(self) -> str | None:
        """The version that the QEMU of the next cold start has at least, None where the config proves none."""
        return _effective.proven_qemu(self._next("machine"), self._main.get("meta"))

    @property
    def next_start(self) -> dict[str, Any]:
        """Machine type and ostype of the next cold start."""
        return {
            "machine": _text(_effective.machine_type(self._next("machine"))) or None,
            "ostype": _text(self._next("ostype")),
        }

    @property
    def pending_controller(self) -> str | None:
        """What the next cold start makes of the controller, None where nothing waits."""
        if self._next_scsihw == self._main.get("scsihw"):
            return None
        return _effective.controller(self._next_scsihw)

    def disks(self) -> list[dict[str, Any]]:
        """Every drive, in the order of their keys; those that are rejected too."""
        keys = [key for key in self._main.entries if _drive.parse_key(key)]
        if self._pending:
            keys += [key for key in self._pending.entries if _drive.parse_key(key) and key not in self._main.entries]
        disks = [self._disk(key) for key in sorted(keys, key=natural_key)]
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

    def _disk(self, key: str) -> dict[str, Any]:
        bus, _index = _drive.parse_key(key)  # type: ignore[misc]
        now, error = self._read(self._main, key)
        waiting, waiting_error = self._read(self._pending, key)
        # What is planned is planned for the drive that the next cold start brings.
        shown = waiting or now
        entry = self._main.entries.get(key) or self._pending.entries[key]  # type: ignore[union-attr]
        store = self._storage(shown)
        effective = self._effective(now, self._main.get("scsihw"), self._blockdev)
        fault = _volume.fault(shown, store, self._node, self._next_blockdev) if shown else None
        deleted = key in self._deletes and waiting is None
        after = None if deleted else self._effective(waiting or now, self._next_scsihw, self._next_blockdev)
        # Its medium is taken out: there is no disk any more.
        deleted = deleted or (waiting is not None and after is None and effective is not None and fault is None)
        return {
            "key": key,
            "bus": bus,
            "media": shown.media if shown else "disk",
            "volume": _text(shown.volume) if shown else None,
            "storage": store,
            "format": _format(shown, store),
            "line": entry.line,
            "error": _text(error or waiting_error),
            "start_fault": _text(fault),
            "overlay": bool(shown and shown.options.get("snapshot")),
            "read_only": bool(shown and shown.options.get("ro")),
            "configured": _configured(now),
            "aio_default": _effective.aio_default(shown, store) if shown else None,
            "pending": _configured(waiting) if waiting else None,
            "pending_delete": deleted,
            "effective": effective,
            "next": None if deleted or after == effective else after,
            "runs": None,
            "filesystem": None,
        }

    def _effective(self, drive: _drive.Drive | None, scsihw: str | None, blockdev: bool) -> dict[str, Any] | None:
        if drive is None:
            return None
        return _effective.effective(drive, self._storage(drive), scsihw, blockdev)

    def _storage(self, drive: _drive.Drive | None) -> dict[str, Any] | None:
        if drive is None or drive.volume in ("none", "cdrom") or drive.volume.startswith(("/", "nbd:")):
            return None
        name = drive.volume.split(":", 1)[0]
        return self._storages.get(name) or unknown_storage(name)

    def _implied_efi(self) -> dict[str, Any]:
        """A guest with OVMF and no efidisk0 gets a temporary one (OVMF.pm)."""
        return {
            "key": "efidisk0",
            "bus": "efidisk",
            "media": "efi",
            "volume": None,
            "storage": None,
            "format": "raw",
            "line": None,
            "error": None,
            "start_fault": None,
            "overlay": False,
            "read_only": False,
            "configured": _configured(None),
            "aio_default": None,
            "pending": None,
            "pending_delete": False,
            "effective": _effective.effective(_IMPLIED_EFI, None, None, self._blockdev),
            "next": None,
            "runs": None,
            "filesystem": None,
        }


def unknown_storage(name: str) -> dict[str, Any]:
    """A storage that storage.cfg does not have."""
    return {
        "id": name,
        "type": None,
        "krbd": False,
        "nocow": False,
        "shared": False,
        "servers": [],
        "disabled": False,
        "nodes": None,
        "content": None,
        "images": None,
        "active": None,
    }


def _configured(drive: _drive.Drive | None) -> dict[str, Any]:
    options = drive.options if drive else {}
    return {"aio": options.get("aio"), "cache": options.get("cache"), "iothread": options.get("iothread")}


def _format(drive: _drive.Drive | None, storage: dict[str, Any] | None) -> str | None:
    if drive is None or drive.volume == "none":
        return None
    if drive.options.get("format"):
        return str(drive.options["format"])
    if match := _FORMAT.search(drive.volume):
        return match[1]
    if storage is None or storage["type"] in _BLOCK_TYPES:
        return "raw"
    return None
