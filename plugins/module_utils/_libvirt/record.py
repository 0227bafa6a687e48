# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""From the domain XML of a libvirt guest to the guest record of docs/data.md."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Mapping

from .._model import records
from . import aliases as _aliases
from . import by_hand as _by_hand
from . import domain as _domain
from . import effective as _effective
from . import metadata as _metadata
from .disks import DiskElement
from .domain import Domain
from .xml import XmlError

# QEMU's own machine types name its version, those of a distribution its release.
_MACHINE = re.compile(r"(?:pc(?:-i440fx|-q35)?|virt|s390-ccw-virtio|pseries)-(\d{1,3}\.\d{1,3})\Z", re.ASCII)
_MEDIA = {"lun": "disk"}
_NO_CONTROLLER = "none"


def record(
    raw: bytes,
    *,
    id: str,
    node: str | None = None,
    path: str | None = None,
    live: bytes | None = None,
    saved: bytes | None = None,
    snapshots: Mapping[str, bytes] | None = None,
    pools: Mapping[str, str | None] | None = None,
    lines: bool = False,
    digest: str | None = None,
) -> records.Guest:
    """The guest record of a domain. ``raw`` is its persistent definition; for a transient guest, which has none, it is
    the XML of the running guest, and ``path`` is None.

    ``live`` is the XML of the running guest, ``saved`` that of the managed-save image that the next start resumes:
    what the guest started with. ``snapshots`` maps a snapshot's name to its XML, ``pools`` a storage pool's name to its
    type. With ``lines`` the record names lines of ``raw``. ``digest`` is that of the definition where it is not that of
    ``raw``. What XML cannot tell (``running``, ``qemu``, ``runs``) is None. Raises XmlError for each of the texts but
    those of snapshots.
    """
    return guest(
        _domain.read(raw),
        id=id,
        node=node,
        path=path,
        started=_started(live, saved),
        snapshots=snapshots or {},
        pools=pools or {},
        lines=lines,
        digest=digest or hashlib.sha256(raw).hexdigest(),
    )


def _started(live: bytes | None, saved: bytes | None) -> Domain | None:
    for name, raw in (("running", live), ("saved", saved)):
        if raw is not None:
            try:
                return _domain.read(raw)
            except XmlError as error:
                raise XmlError(f"the XML of the {name} guest: {error}", error.line) from None
    return None


def guest(
    definition: Domain,
    *,
    id: str,
    node: str | None,
    path: str | None,
    started: Domain | None,
    snapshots: Mapping[str, bytes],
    pools: Mapping[str, str | None],
    lines: bool,
    digest: str | None,
) -> records.Guest:
    """The same for texts that are read already; ``started`` is what the guest started with, None where that is its
    definition.
    """
    sides = _Sides(definition, started, pools, lines)
    now = started or definition
    disks = sides.disks()
    ostype, args_disks = _metadata.ostype(definition.root), _by_hand.args_disks(definition, lines)
    return records.guest(
        id=id,
        name=definition.name,
        hypervisor="libvirt",
        node=node,
        config=path,
        digest=digest,
        ostype=ostype,
        machine=now.machine,
        next_start={"machine": definition.machine, "ostype": ostype},
        qemu={"running": None, "installed": None, "proven": _proven(definition.machine)},
        controller=sides.controller(),
        iothreads=definition.iothreads,
        disks=disks,
        pending=sorted(disk["key"] for disk in disks if _waits(disk)),
        snapshots=sorted(snapshots),
        snapshots_differ=sorted(name for name, raw in snapshots.items() if _differs(definition, raw)),
        held=_by_hand.held(args_disks),
        args_disks=args_disks,
        made_by=_metadata.made_by(definition.root),
    )


def with_targets(running: records.RunningGuest, *texts: bytes) -> records.RunningGuest:
    """A running guest with its disks under their targets in place of QEMU's ids, so that they are found in its record.

    ``texts`` are its XML, what it started with first: a disk that the first does not name is looked for in the next.
    Raises XmlError.
    """
    targets: dict[str, str] = {}
    for raw in texts:
        for name, target in _aliases.targets(_domain.read(raw)).items():
            targets.setdefault(name, target)
    return renamed(running, targets)


def renamed(running: records.RunningGuest, targets: Mapping[str, str]) -> records.RunningGuest:
    """The same with the target of each id; a disk that is not among them keeps its id."""
    return {
        **running,
        "disks": [{**disk, "key": targets.get(disk["key"], disk["key"])} for disk in running["disks"]],
        "disagreements": [
            {**said, "key": None if said["key"] is None else targets.get(said["key"], said["key"])}
            for said in running["disagreements"]
        ],
    }


def configured(domain: Domain, disk: DiskElement) -> records.Configured:
    """What a definition sets of the options that a plan may set."""
    return {"aio": disk.io, "cache": disk.cache, "iothread": True if _effective.has_iothread(domain, disk) else None}


class _Sides:
    """A guest as it started and as its definition has it, which are the same where it does not run."""

    def __init__(
        self, definition: Domain, started: Domain | None, pools: Mapping[str, str | None], lines: bool
    ) -> None:
        self._after = definition
        self._now = started or definition
        self._pools = pools
        self._lines = lines
        self._crowds = {id(one): _crowds(one) for one in {id(self._now): self._now, id(definition): definition}.values()}

    def disks(self) -> list[records.Disk]:
        """The disks in the order of the definition, then those that only the running guest has."""
        if self._now is self._after:
            return [self._disk(one, one) for one in self._after.disks]
        now = {one.target: one for one in self._now.disks}
        disks = [self._disk(now.pop(one.target, None), one) for one in self._after.disks]
        return disks + [self._disk(one, None) for one in now.values()]

    def _disk(self, now: DiskElement | None, after: DiskElement | None) -> records.Disk:
        shown = after or now
        assert shown is not None
        effective = self._values(self._now, now)
        following = effective if now is after else self._values(self._after, after)
        sets = configured(self._now, now) if now else None
        waiting = configured(self._after, after) if after else None
        changes = now is not after and after is not None and (sets != waiting or following != effective)
        return records.disk(
            key=shown.target,
            bus=shown.bus,
            media=_media(shown),
            volume=shown.volume,
            storage=self._storage(shown),
            format=shown.format,
            line=after.element.line if self._lines and after else None,
            overlay=shown.transient,
            read_only=shown.read_only,
            configured=sets,
            aio_default=_effective.aio_default(shown, self._pools),
            pending=waiting if changes else None,
            pending_delete=after is None,
            effective=effective,
            next=None if after is None or following == effective else following,
        )

    def _values(self, domain: Domain, disk: DiskElement | None) -> records.Values | None:
        if disk is None:
            return None
        at = _aliases.address(disk) if disk.bus == "scsi" else None
        crowd = self._crowds[id(domain)][at.controller] if at else 0
        return _effective.effective(domain, disk, self._pools, crowd)

    def _storage(self, disk: DiskElement) -> records.Storage | None:
        return records.storage(id=disk.pool, type=self._pools.get(disk.pool)) if disk.pool else None

    def controller(self) -> records.Controller:
        """The guest's SCSI controllers, as libvirt spells them."""
        now, after = _models(self._now), _models(self._after)
        written = [one for one in self._after.scsi.values() if one.model]
        return records.controller(
            configured=after if written and after != _NO_CONTROLLER else None,
            effective=now,
            line=written[0].element.line if written and self._lines else None,
        )


def _crowds(domain: Domain) -> Counter[int]:
    """How many disks are on each SCSI controller."""
    on = (_aliases.address(disk) for disk in domain.disks if disk.bus == "scsi" and disk.volume is not None)
    return Counter(at.controller for at in on if at)


def _models(domain: Domain) -> str:
    """The models of the SCSI controllers that have disks: ``virtio-scsi``, ``lsilogic, virtio-scsi``."""
    on = (_aliases.address(disk) for disk in domain.disks if disk.bus == "scsi")
    return ", ".join(sorted({_aliases.model(domain, at.controller) for at in on if at})) or _NO_CONTROLLER


def _media(disk: DiskElement) -> str:
    # Another process does the I/O of a vhost-user disk: nothing of it is QEMU's, and nothing is judged.
    return disk.type if disk.type == "vhostuser" else _MEDIA.get(disk.device, disk.device)


def _waits(disk: records.Disk) -> bool:
    """Whether the next cold start changes a disk."""
    return disk["pending_delete"] or disk["next"] is not None


def _proven(machine: str | None) -> str | None:
    found = _MACHINE.match(machine or "")
    return found[1] if found else None


def _differs(definition: Domain, raw: bytes) -> bool:
    """True where going back to a snapshot would change an option that a plan may set, or its XML cannot be read."""
    try:
        then = _domain.read(raw)
    except XmlError:
        return True
    before = {disk.target: configured(then, disk) for disk in then.disks}
    return then.iothreads != definition.iothreads or any(
        before.get(disk.target, sets) != sets
        for disk in definition.disks
        for sets in (configured(definition, disk),)
    )
