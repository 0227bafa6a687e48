# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The resource of Telmate/proxmox: ``proxmox_vm_qemu`` of 2.9 and 3.x, with nested ``disks`` or flat ``disk`` blocks.

proxmox/resource_vm_qemu.go and Internal/resource/guest/qemu/disk at 225e289; 2.9 at 02d4f64. ``scsihw`` is always sent,
after a clone too: unset it is lsi. ``asyncio`` and ``cache`` are sent only where they are set, so Proxmox VE's defaults
hold. 3.x removes every drive that is not listed, also a template's, unless its slot has ``ignore``.
"""

from __future__ import annotations

from collections.abc import Iterator

from .attributes import Block, Deciding, Unknown, plain
from .defined import Defined, Drive, Template, not_known
from .words import Words

_HINTS = {
    "controller": 'Write scsihw = "{wanted}".',
    "iothread": "Write iothread = true in the disk block of {key}.",
    "aio": 'Write asyncio = "{value}" in the disk block of {key}.',
    "cache": 'Write cache = "{value}" in the disk block of {key}.',
    "storage_unknown": (
        "Name a storage.cfg that has the storage: gate_storage_cfg. Or write asyncio in the disk block, where it"
        " applies on every storage."
    ),
}
_OLD_HINTS = {
    **_HINTS,
    "iothread": "Write iothread = 1 in the disk block of {key}.",
    "aio": 'Write aio = "{value}" in the disk block of {key}.',
    "storage_unknown": _HINTS["storage_unknown"].replace("asyncio", "aio"),
}
_OPTIONS = {"iothread": "iothread", "aio": "asyncio", "cache": "cache"}
_NESTED = "disks {{\n  {bus} {{\n    {key} {{\n      disk {{\n        {lines}\n      }}\n    }}\n  }}\n}}"

#: The words of 3.x with disk blocks, of 3.x with disks in slots, and of 2.9.
WORDS = {
    "telmate": Words(_HINTS, "scsihw", _OPTIONS, 'disk {{\n  slot = "{key}"\n  {lines}\n}}'),
    "telmate_nested": Words(_HINTS, "scsihw", _OPTIONS, _NESTED),
    "telmate_2": Words(
        _OLD_HINTS,
        "scsihw",
        {**_OPTIONS, "aio": "aio"},
        'disk {{\n  type = "{bus}"\n  slot = {index}\n  {lines}\n}}',
        "1",
    ),
}

_BUSES = ("ide", "sata", "scsi", "virtio")
_DECIDE = ("slot", "type", "aio", "asyncio", "cache", "iothread", "storage", "file", "disk_file", "volume")
_RESTARTS = "The apply reboots the guest, unless automatic_reboot is false."


def virtual_machine(block: Block) -> Defined:
    """A ``proxmox_vm_qemu``. Raises ShapeError."""
    block.require("disk", "disks")
    # 2.9 has no attribute disks.
    old = not block.has("disks")
    seen = Deciding()
    controller = seen.text(block.text("scsihw"), "scsihw") or (None if seen.names else "lsi")
    disks, flat = block.block("disks"), block.blocks("disk")
    unknown = [name for name, found in (("disks", disks), ("disk", flat)) if isinstance(found, Unknown)]
    drives: list[Drive] = []
    if not isinstance(flat, Unknown):
        drives += _of_2_9(flat) if old else (_flat(*numbered) for numbered in enumerate(flat))
    if isinstance(disks, Block):
        drives += _nested(disks)
    cloned = _template(block)
    return Defined(
        words="telmate_2" if old else "telmate_nested" if isinstance(disks, Block) else "telmate",
        name=block.label("name") or "",
        id=plain(block.number("vmid")),
        node=block.label("target_node"),
        tags=tuple(block.texts("tags")),
        template=block.flag("template") is True if block.has("template") else False,
        machine=block.label("machine"),
        ostype=block.label("qemu_os"),
        args=seen.text(block.text("args"), "args"),
        controller=controller,
        drives=tuple(drives),
        cloned=cloned,
        rest=old and cloned is not None,
        unknown=(*seen.names, *unknown),
        sensitive=block.is_sensitive("scsihw", "args"),
        restarts="" if old or block.flag("automatic_reboot") is False else _RESTARTS,
    )


#: Type of a resource to what reads it.
TYPES = {"proxmox_vm_qemu": virtual_machine}


def _template(block: Block) -> Template | None:
    name, number = block.text("clone"), block.number("clone_id") if block.has("clone_id") else None
    if isinstance(name, Unknown) or isinstance(number, Unknown) or block.is_sensitive("clone", "clone_id"):
        return Template()
    # An id of 0 is none.
    number = None if number == "0" else number
    return Template(id=number, name=name) if name or number else None


def _of_2_9(disks: list[Block | Unknown]) -> Iterator[Drive]:
    count = dict.fromkeys(_BUSES, 0)
    for number, disk in enumerate(disks):
        place = f"disk[{number}]"
        if isinstance(disk, Unknown):
            yield not_known(place, place)
            continue
        seen = Deciding()
        bus = seen.text(disk.text("type"), "type") or ""
        # A new disk's slot is known after apply: disks of a bus are numbered as they are listed.
        slot = plain(disk.number("slot")) if disk.has("slot") else None
        key = f"{bus}{slot or count.get(bus, 0)}" if bus else place
        count[bus] = count.get(bus, 0) + 1
        yield _drive(disk, key, place, seen, aio="aio", file="volume")


def _flat(number: int, disk: Block | Unknown) -> Drive:
    place = f"disk[{number}]"
    if isinstance(disk, Unknown):
        return not_known(place, place)
    seen = Deciding()
    key = seen.text(disk.text("slot"), "slot") or place
    kind = seen.text(disk.text("type"), "type") or "disk"
    if kind == "ignore":
        return _ignored(key, place)
    # Each is ignored where the other counts.
    whole = seen.flag(disk.flag("passthrough"), "passthrough")
    drive = _drive(disk, key, place, seen, media=kind, file="disk_file")
    return drive._replace(storage=None) if whole else drive._replace(volume=None)


def _nested(disks: Block) -> Iterator[Drive]:
    for bus in _BUSES:
        of_bus = disks.block(bus)
        if isinstance(of_bus, Unknown):
            yield not_known(f"disks.{bus}", f"disks.{bus}")
        elif of_bus is not None:
            for key in of_bus.names():
                yield from _slot(key, of_bus.block(key))


def _slot(key: str, slot: Block | Unknown | None) -> Iterator[Drive]:
    if isinstance(slot, Unknown):
        yield not_known(key, key)
    elif slot is not None:
        if slot.has("ignore") and slot.flag("ignore") is not None and slot.flag("ignore") is not False:
            yield _ignored(key, slot.path)
        for kind in ("disk", "passthrough", "cdrom", "cloudinit"):
            found = slot.block(kind) if slot.has(kind) else None
            if isinstance(found, Unknown):
                yield not_known(key, f"{slot.path}.{kind}")
            elif found is not None:
                media = "disk" if kind == "passthrough" else kind
                yield _drive(found, key, found.path, Deciding(), media=media, file="file")


def _ignored(key: str, place: str) -> Drive:
    """A slot that the provider leaves as it is."""
    return Drive(key, place, unknown=("what is there now, because of ignore,",))


def _drive(
    disk: Block, key: str, place: str, seen: Deciding, media: str = "disk", aio: str = "asyncio", file: str = "file"
) -> Drive:
    return Drive(
        key,
        place,
        aio=seen.text(disk.text(aio), aio),
        cache=seen.text(disk.text("cache"), "cache"),
        iothread=seen.flag(disk.flag("iothread"), "iothread"),
        storage=plain(disk.text("storage")),
        volume=plain(disk.text(file)),
        format=plain(disk.text("format")),
        media=media,
        read_only=disk.flag("readonly") is True,
        unknown=seen.names,
        sensitive=disk.is_sensitive(*_DECIDE),
    )
