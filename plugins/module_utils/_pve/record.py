# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""From the text of a Proxmox VE guest config to the guest record of docs/data.md."""

from __future__ import annotations

import re
from collections.abc import Mapping

from .._model import records
from .._qemu_args import Said
from .._truth import boolean
from . import args as _args
from . import config as _config
from . import drive as _drive
from . import effective as _effective
from .disks import DiskReader, configured
from .made_by import made_by
from .pending import foreign_pending

_TAGS = re.compile(r"[,;\s]+", re.ASCII)
_MOST_SHOWN = 200


def record(
    guest: str,
    raw: bytes,
    storages: Mapping[str, records.Storage],
    node: str | None = None,
    path: str | None = None,
    parsed: _config.Config | None = None,
) -> records.Guest:
    """The guest record of a config.

    ``parsed`` is the config where the caller has parsed ``raw`` already. ``storages`` maps id to storage; one that it
    lacks gets the type None in the record. What a file cannot tell (``running``, ``qemu``, ``runs``) is None.
    """
    parsed = parsed or _config.parse(_config.decode(raw))
    main = parsed.main
    reader = DiskReader(parsed, storages, node)
    disks = reader.disks()
    machine, ostype = parsed.next("machine"), parsed.next("ostype")
    tags = [tag for tag in _TAGS.split(_text(main.get("tags")) or "") if tag]
    return records.guest(
        id=str(guest),
        name=_text(main.get("name")) or "",
        hypervisor="pve",
        node=node,
        config=path,
        digest=_config.digest(raw),
        ostype=_text(main.get("ostype")),
        machine=_text(main.get("machine")),
        next_start={"machine": _text(_effective.machine_type(machine)) or None, "ostype": _text(ostype)},
        tags=tags,
        template=bool(boolean(main.get("template") or "0")),
        lock=_text(main.get("lock")),
        qemu={"running": None, "installed": None, "proven": _effective.proven_qemu(machine, main.get("meta"))},
        controller=_controller(parsed),
        disks=disks,
        pending=_pending(parsed),
        foreign_pending=[_config.printable(key) for key in foreign_pending(parsed)],
        snapshots=sorted(parsed.snapshots),
        snapshots_differ=sorted(name for name, section in parsed.snapshots.items() if _differs(parsed.main, section)),
        unsafe_lines=_unsafe_lines(parsed, reader.rejected),
        unknown_keys=sorted({entry.key for entry in parsed.unknown_keys}),
        args_disks=_args_disks(parsed),
        made_by=made_by(parsed.text, tags),
    )


def _text(value: str | None) -> str | None:
    return None if value is None else _config.printable(value)


def _controller(parsed: _config.Config) -> records.Controller:
    entry, pending = parsed.main.entries.get("scsihw"), parsed.next("scsihw")
    now = entry.value if entry else None
    return records.controller(
        configured=_text(now),
        pending=None if pending == now else _effective.controller(_text(pending)),
        effective=_effective.controller(_text(now)),
        line=entry.line if entry else None,
    )


def _pending(parsed: _config.Config) -> list[str]:
    """The keys in [PENDING], and those that it removes."""
    keys = sorted(key for key in (parsed.pending.entries if parsed.pending else ()) if key != "delete")
    return keys + [f"delete:{key}" for key in sorted(parsed.pending_deletes)]


def _args_disks(parsed: _config.Config) -> list[records.ArgsDisk]:
    found: dict[Said, int] = {}
    for section in (parsed.main, parsed.pending):
        entry = section.entries.get("args") if section else None
        if entry:
            for said in _args.touching_disks(entry.value):
                found.setdefault(said, entry.line)
    return [
        {"line": line, "args": _config.printable(said.words), "does": said.does, "disk": said.disk}
        for said, line in found.items()
    ]


def _unsafe_lines(parsed: _config.Config, rejected: list[_config.Unsafe]) -> list[records.UnsafeLine]:
    in_snapshots = _rejected_in_snapshots(parsed)
    return [
        {
            "line": line.line,
            "text": _config.printable(line.text)[:_MOST_SHOWN],
            "reason": _config.printable(line.reason),
            "drive": line not in in_snapshots and _drive.meant_for_a_drive(line.text),
        }
        for line in sorted({*parsed.unsafe, *rejected, *in_snapshots})
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


def _differs(main: _config.Section, snapshot: _config.Section) -> bool:
    """True where a rollback to the snapshot would change the controller, or an option that a plan may set."""
    if snapshot.get("scsihw") != main.get("scsihw"):
        return True
    for key, entry in snapshot.entries.items():
        now = main.get(key) if _drive.parse_key(key) else None
        if now is not None and now != entry.value:
            try:
                if configured(_drive.parse(key, now)) != configured(_drive.parse(key, entry.value)):
                    return True
            except _drive.DriveError:
                return True
    return False
