# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""From a guest as a resource defines it to the guest record of docs/data.md."""

from __future__ import annotations

from collections.abc import Mapping

from ...module_utils._model import records
from ...module_utils._model.disk_io import AIO_MODES, CACHE_MODES, IOTHREAD_CONTROLLER
from ...module_utils._model.records import Disk, Guest, Storage
from ...module_utils._pve import args as _args
from ...module_utils._pve import drive as _drive
from ...module_utils._pve import effective as _effective
from ...module_utils._shown import shown
from ...module_utils._text import natural_key
from . import libvirt_record, unsaid
from .defined import Defined, Drive, Place

Storages = Mapping[str, Storage]

_MEDIA = ("disk", "cdrom", "cloudinit")
_BESIDE = (
    "Put the template's config (qm config ID > ID.conf) or a plan that has it beside this plan, or check it by hand and"
    " waive this."
)
_ITS_OWN = (
    "It was cloned, and a plan does not have that part of it. Put the guest's own config (qm config ID > ID.conf)"
    " beside this plan, or check it by hand and waive this."
)
_ARGS_HINT = "Check it by hand and waive this, or write the disk as one of the resource."


def record(made: Defined, place: Place, storages: Storages, template: Guest | None) -> Guest:
    """The record of a guest. ``template`` is the record of what ``made.cloned`` names, None where that is not known."""
    if made.hypervisor == "libvirt":
        return libvirt_record.record(made, place, template)
    said = _said_by_args(made.args, template)
    unknown = unsaid.of_guest(made.fault, made.unknown)
    unknown += _from_template(made, template)
    unknown += [records.unknown(f"an argument for QEMU {does}: {words}", _ARGS_HINT) for words, does in said]
    scsihw = made.controller or (template and template["controller"]["effective"])
    # What depends on a controller that is not known is not judged: that it is not known is said once.
    controller = scsihw or IOTHREAD_CONTROLLER
    reader = _Disks(made, place.line, storages, controller)
    return records.guest(
        id=place.resource["address"],
        name=made.name,
        hypervisor="pve",
        node=made.node,
        config=place.file,
        ostype=made.ostype,
        machine=made.machine,
        next_start={"machine": _effective.machine_type(made.machine) or None, "ostype": made.ostype},
        tags=list(made.tags),
        template=made.template,
        qemu={"running": None, "installed": None, "proven": _effective.proven_qemu(made.machine, None)},
        controller=records.controller(effective=controller, configured=made.controller, line=place.line),
        disks=reader.disks(template),
        resource=place.resource,
        unknown=unknown,
    )


def _from_template(made: Defined, template: Guest | None) -> list[records.Unknown]:
    """What is the template's and not known."""
    if made.cloned is None:
        return []
    if template is not None:
        named = f"of {made.cloned.label}: "
        return [records.unknown(named + one["message"], one["hint"]) for one in template["unknown"]]
    what = [
        *(["its SCSI controller"] if made.controller is None else []),
        *(["every disk that this resource does not list"] if made.rest else []),
    ]
    if not what:
        return []
    verb = "is what" if len(what) == 1 else "are what"
    return [
        records.unknown(
            f"{' and '.join(what)} {verb} {made.cloned.label} has, which is not among what is gated",
            _ITS_OWN if made.cloned.itself else _BESIDE,
        )
    ]


def _said_by_args(args: str | None, template: Guest | None) -> dict[tuple[str, str], None]:
    """The arguments for QEMU that touch disks, each with what it does: those of the template where none are set."""
    if args is None and template is not None:
        return dict.fromkeys((one["args"], one["does"]) for one in template["args_disks"])
    return dict.fromkeys((one.words, one.does) for one in _args.touching_disks(args or ""))


class _Disks:
    """Makes disks of the drives of one guest."""

    def __init__(self, made: Defined, line: int | None, storages: Storages, controller: str) -> None:
        self._made = made
        self._line = line
        self._storages = storages
        self._controller = controller
        self._blockdev = _effective.uses_blockdev(made.machine, made.ostype, None)

    def disks(self, template: Guest | None) -> list[Disk]:
        """The drives that the resource lists, and those of its template that it does not."""
        inherited = {disk["key"]: disk for disk in template["disks"]} if template else {}
        listed = [self._listed(drive, inherited.get(drive.key)) for drive in self._made.drives]
        keys = {disk["key"] for disk in listed}
        rest = (
            [self._inherited(disk) for disk in inherited.values() if disk["key"] not in keys] if self._made.rest else []
        )
        return sorted([*listed, *rest], key=lambda disk: natural_key(disk["key"]))

    def _listed(self, drive: Drive, template: Disk | None) -> Disk:
        place = _drive.parse_key(drive.key)
        bus = place[0] if place else drive.key
        fault = _fault(drive, place is not None)
        if drive.unknown or fault:
            return self._not_judged(drive, bus, fault)
        if drive.media != "disk":
            return records.disk(key=drive.key, bus=bus, media=drive.media, line=self._line)
        if drive.inherits and template is not None:
            drive = self._on_volume_of(template, drive)
        return self._disk(drive, bus)

    def _on_volume_of(self, disk: Disk, drive: Drive) -> Drive:
        """The drive on the volume of a template's, which may be cloned to another storage."""
        moved = self._made.cloned and self._made.cloned.storage
        return drive._replace(
            storage=moved or (disk["storage"] and disk["storage"]["id"]),
            volume=None if moved else disk["volume"],
        )

    def _inherited(self, disk: Disk) -> Disk:
        """A drive of the template, with the clone's controller and storage."""
        if disk["unknown"] or disk["error"] or disk["media"] != "disk":
            return {**disk, "line": self._line}
        drive = Drive(
            disk["key"],
            disk["key"],
            aio=disk["configured"]["aio"],
            cache=disk["configured"]["cache"],
            iothread=disk["configured"]["iothread"],
            format=disk["format"],
            read_only=disk["read_only"],
        )
        return self._disk(self._on_volume_of(disk, drive), disk["bus"])

    def _not_judged(self, drive: Drive, bus: str, fault: str | None) -> Disk:
        unknown = unsaid.of_disk(drive.unknown) if fault is None else None
        return records.disk(key=drive.key, bus=bus, media=drive.media, line=self._line, error=fault, unknown=unknown)

    def _disk(self, drive: Drive, bus: str) -> Disk:
        storage, volume = self._storage(drive)
        options: dict[str, str | bool] = {"file": volume}
        options.update({name: value for name, value in (("aio", drive.aio), ("cache", drive.cache)) if value})
        options.update({"iothread": drive.iothread} if drive.iothread is not None else {})
        options.update({"media": "cdrom"} if drive.media == "cdrom" else {})
        read = _drive.Drive(bus, options)
        return records.disk(
            key=drive.key,
            bus=bus,
            media=drive.media,
            volume=volume,
            storage=storage,
            format=drive.format,
            line=self._line,
            read_only=drive.read_only,
            configured={"aio": drive.aio, "cache": drive.cache, "iothread": drive.iothread},
            aio_default=_effective.aio_default(read, storage),
            effective=_effective.effective(read, storage, self._controller, self._blockdev),
        )

    def _storage(self, drive: Drive) -> tuple[Storage | None, str]:
        """The drive's storage, and its volume: a new one has no name yet."""
        if drive.volume and drive.volume.startswith("/"):
            return None, drive.volume
        name = drive.storage or (drive.volume or "").partition(":")[0] or unsaid.APPLY
        return self._storages.get(name) or records.storage(id=name), drive.volume or f"{name}:new"


def _fault(drive: Drive, is_place: bool) -> str | None:
    """Why a drive cannot be judged, other than that something is not known."""
    if drive.unknown:
        return None
    if not is_place:
        return f"{shown(drive.key)} is not a place for a disk on Proxmox VE"
    for name, value, allowed in (
        ("media", drive.media, _MEDIA),
        ("aio", drive.aio, AIO_MODES),
        ("cache", drive.cache, tuple(CACHE_MODES)),
    ):
        if value is not None and value not in allowed:
            return f"{name} is {'a value' if drive.sensitive else shown(value)} that Proxmox VE does not have"
    return None
