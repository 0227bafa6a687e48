# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The resources of bpg/proxmox: ``proxmox_virtual_environment_vm`` and ``…_cloned_vm``, and what the provider sends.

proxmoxtf/resource/vm/vm.go and disk/disk.go, fwprovider/nodes/clonedvm at d6bd1ff. Of a virtual machine every drive is
sent in full: an unset ``aio`` is io_uring and an unset ``cache`` none, also where Proxmox VE's own default is another.
After a clone, the controller is sent only if it is not virtio-scsi-pci, which then stands for what the template has, or
if it changes later. What it stands for is never read back (vm.go:5558), nor are a clone's drives that are not listed. A
slot of a ``…_cloned_vm`` keeps its volume alone: what it does not set is not sent, so Proxmox VE's defaults hold
(clonedvm/resource.go applyDisks).
"""

from __future__ import annotations

from .attributes import Block, Deciding, Unknown, plain
from .defined import Defined, Drive, Template, not_known
from .words import Words

_HINTS = {
    "controller": 'Write scsi_hardware = "{wanted}".',
    "iothread": "Write iothread = true in the disk block of {key}.",
    "aio": 'Write aio = "{value}" in the disk block of {key}.',
    "cache": 'Write cache = "{value}" in the disk block of {key}.',
}
_OPTIONS = {"iothread": "iothread", "aio": "aio", "cache": "cache"}

#: The words of a virtual machine, and of a clone, whose disks are a map.
WORDS = {
    "bpg": Words(_HINTS, "scsi_hardware", _OPTIONS, 'disk {{\n  interface = "{key}"\n  {lines}\n}}'),
    "bpg_cloned": Words(
        {
            **_HINTS,
            "controller": "Change the controller of the template to {wanted}: this resource has no attribute for it.",
        },
        None,
        _OPTIONS,
        "disk = {{\n  {key} = {{\n    {lines}\n  }}\n}}",
    ),
}

_DEFAULT_CONTROLLER = "virtio-scsi-pci"
_DECIDE = ("interface", "aio", "cache", "iothread", "datastore_id", "path_in_datastore", "file")


def virtual_machine(block: Block) -> Defined:
    """A ``proxmox_virtual_environment_vm``. Raises ShapeError."""
    block.require("disk")
    seen = Deciding()
    cloned = _template(block, "vm_id", "datastore_id")
    controller = seen.text(block.text("scsi_hardware"), "scsi_hardware") or (
        None if seen.names else _DEFAULT_CONTROLLER
    )
    disks = block.blocks("disk")
    listed = () if isinstance(disks, Unknown) else tuple(_drive(*numbered) for numbered in enumerate(disks))
    system = block.block("operating_system")
    inherited = cloned and controller == _DEFAULT_CONTROLLER and not block.changes("scsi_hardware")
    args = seen.text(block.text("kvm_arguments"), "kvm_arguments")
    return Defined(
        words="bpg",
        name=block.label("name") or "",
        id=plain(block.number("vm_id")),
        node=block.label("node_name"),
        tags=tuple(block.texts("tags")),
        template=block.flag("template") is True,
        machine=block.label("machine"),
        ostype=system.label("type") if isinstance(system, Block) else None,
        args=args,
        controller=None if inherited else controller,
        drives=listed,
        cloned=cloned,
        rest=cloned is not None,
        unknown=(*seen.names, *(("disk",) if isinstance(disks, Unknown) else ())),
        sensitive=block.is_sensitive("scsi_hardware", "kvm_arguments"),
        restarts=""
        if block.flag("reboot_after_update") is False
        else "The apply reboots the guest, unless reboot_after_update is false.",
    )


def cloned_virtual_machine(block: Block) -> Defined:
    """A ``proxmox_virtual_environment_cloned_vm``: it changes the drives that it lists, and has no controller of its
    own. Raises ShapeError.
    """
    block.require("disk")
    disks = block.named_blocks("disk")
    listed = () if isinstance(disks, Unknown) else tuple(_of_slot(*named) for named in disks.items())
    return Defined(
        words="bpg_cloned",
        name=block.label("name") or "",
        id=plain(block.number("id")),
        node=block.label("node_name"),
        tags=tuple(block.texts("tags")),
        drives=listed,
        cloned=_template(block, "source_vm_id", "target_datastore") or Template(),
        rest=True,
        unknown=("disk",) if isinstance(disks, Unknown) else (),
    )


#: Type of a resource to what reads it; the short prefix is that of later versions.
TYPES = {
    "proxmox_virtual_environment_vm": virtual_machine,
    "proxmox_virtual_environment_cloned_vm": cloned_virtual_machine,
    "proxmox_cloned_vm": cloned_virtual_machine,
}


def _template(block: Block, key: str, storage: str) -> Template | None:
    clone = block.block("clone")
    if isinstance(clone, Unknown):
        return Template()
    if clone is None:
        return None
    return Template(id=None if clone.is_sensitive(key) else plain(clone.number(key)), storage=clone.label(storage))


def _drive(number: int, disk: Block | Unknown) -> Drive:
    place = f"disk[{number}]"
    if isinstance(disk, Unknown):
        return not_known(place, place)
    seen = Deciding()
    key = seen.text(disk.text("interface"), "interface") or place
    storage, path = plain(disk.text("datastore_id")), plain(disk.text("path_in_datastore"))
    return Drive(
        key,
        place,
        aio=seen.text(disk.text("aio"), "aio") or "io_uring",
        cache=seen.text(disk.text("cache"), "cache") or "none",
        iothread=bool(seen.flag(disk.flag("iothread"), "iothread")),
        storage=storage,
        volume=f"{storage}:{path}" if storage and path else path,
        format=plain(disk.text("file_format")),
        unknown=seen.names,
        sensitive=disk.is_sensitive(*_DECIDE),
    )


def _of_slot(key: str, disk: Block | Unknown) -> Drive:
    place = f'disk["{key}"]'
    if isinstance(disk, Unknown):
        return not_known(key, place)
    seen = Deciding()
    volume = disk.text("file")
    return Drive(
        key,
        place,
        aio=seen.text(disk.text("aio"), "aio"),
        cache=seen.text(disk.text("cache"), "cache"),
        iothread=bool(seen.flag(disk.flag("iothread"), "iothread")),
        storage=plain(disk.text("datastore_id")) if volume is None else None,
        volume=plain(volume),
        format=plain(disk.text("format")),
        media=seen.text(disk.text("media"), "media") or "disk",
        unknown=seen.names,
        sensitive=disk.is_sensitive(*_DECIDE),
        inherits=volume is None,
    )
