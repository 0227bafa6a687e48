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
from .._text import natural_key, plural
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
    running: bool | None = None,
    held: records.Held | None = None,
) -> records.Guest:
    """The guest record of a domain. ``raw`` is its persistent definition; for a transient guest, which has none, it is
    the XML of the running guest, and ``path`` is None.

    ``live`` is the XML of the running guest, ``saved`` that of the managed-save image that the next start resumes:
    what the guest started with. ``snapshots`` maps a snapshot's name to its XML, ``pools`` a storage pool's name to its
    type. With ``lines`` the record names lines of ``raw``. ``digest`` is the definition's where it is not that of
    ``raw``. ``running`` is what the caller knows, and ``held`` what keeps it from writing. ``qemu`` and ``runs`` are
    None. Raises XmlError for each of the texts but those of snapshots.
    """
    definition = _domain.read(raw)
    started = _started(live, saved)
    disks, controller = _sides(definition, started or definition, pools or {}, lines)
    ostype, args_disks = _metadata.ostype(definition.root), _by_hand.args_disks(definition, lines)
    return records.guest(
        id=id,
        name=definition.name,
        hypervisor="libvirt",
        node=node,
        config=path,
        digest=digest or hashlib.sha256(raw).hexdigest(),
        ostype=ostype,
        machine=(started or definition).machine,
        next_start={"machine": definition.machine, "ostype": ostype},
        running=running,
        qemu={"running": None, "installed": None, "proven": _proven(definition.machine)},
        controller=controller,
        iothreads=definition.iothreads,
        disks=disks,
        pending=sorted((disk["key"] for disk in disks if _waits(disk)), key=natural_key),
        snapshots=sorted(snapshots or ()),
        snapshots_differ=sorted(name for name, text in (snapshots or {}).items() if _differs(definition, text)),
        held=held or _by_hand.held(args_disks),
        args_disks=args_disks,
        made_by=_metadata.made_by(definition.root),
        unknown=_unknown(definition),
    )


def _started(live: bytes | None, saved: bytes | None) -> Domain | None:
    """What a guest that runs or is saved started with; None for another."""
    for name, raw in (("running", live), ("saved", saved)):
        if raw is not None:
            try:
                return _domain.read(raw)
            except XmlError as error:
                raise XmlError(f"the XML of the {name} guest: {error}", error.line) from None
    return None


def configured(domain: Domain, disk: DiskElement) -> records.Configured:
    """What a definition sets of the options that a plan may set."""
    return {"aio": disk.io, "cache": disk.cache, "iothread": True if _effective.has_iothread(domain, disk) else None}


def _sides(
    definition: Domain, started: Domain, pools: Mapping[str, str | None], lines: bool
) -> tuple[list[records.Disk], records.Controller]:
    """The disks and the controllers of a guest as it started and as its definition has it."""
    now, after = _Side(started, pools), _Side(definition, pools)
    left = {disk.target: disk for disk in started.disks}
    disks = [_disk(disk, now, left.pop(disk.target, None), after, disk, lines) for disk in definition.disks]
    disks += [_disk(disk, now, disk, after, None, lines) for disk in left.values()]
    return disks, after.controller(now, lines)


class _Side:
    """One side of a guest: how it started, or its definition."""

    def __init__(self, domain: Domain, pools: Mapping[str, str | None]) -> None:
        self.domain = domain
        self.pools = pools
        self._crowds = _crowds(domain)

    def values(self, disk: DiskElement | None) -> records.Values | None:
        """What the disk gets on this side, None where it is not on it."""
        if disk is None:
            return None
        at = _aliases.address(disk) if disk.bus == "scsi" else None
        return _effective.effective(self.domain, disk, self.pools, self._crowds[at.controller] if at else 0)

    def controller(self, before: _Side, lines: bool) -> records.Controller:
        """The guest's SCSI controllers as libvirt spells them, with those of its start as ``effective``."""
        written = [one for one in self.domain.scsi.values() if one.model]
        models = _models(self.domain)
        return records.controller(
            configured=models if written and models != _NO_CONTROLLER else None,
            effective=_models(before.domain),
            line=written[0].element.line if written and lines else None,
        )


def _disk(
    shown: DiskElement, now: _Side, old: DiskElement | None, after: _Side, new: DiskElement | None, lines: bool
) -> records.Disk:
    """A disk that is ``old`` as the guest started and ``new`` in its definition, None where that side lacks it."""
    effective, following = now.values(old), after.values(new)
    sets = configured(now.domain, old) if old else None
    waiting = configured(after.domain, new) if new else None
    return records.disk(
        key=shown.target,
        bus=shown.bus,
        media=_media(shown),
        volume=shown.volume,
        storage=records.storage(id=shown.pool, type=after.pools.get(shown.pool)) if shown.pool else None,
        format=shown.format,
        line=new.element.line if lines and new else None,
        overlay=shown.transient,
        read_only=shown.read_only,
        configured=sets,
        aio_default=_effective.aio_default(shown, after.pools),
        pending=None if sets == waiting and effective == following else waiting,
        pending_delete=new is None,
        effective=effective,
        next=None if following == effective else following,
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


def _unknown(definition: Domain) -> list[records.Unknown]:
    """What does I/O and is no disk of the definition: SCSI devices of the host."""
    passed = [one for one in definition.root.at("devices/hostdev") if one.attributes.get("type", "").startswith("scsi")]
    if not passed:
        return []
    message = f"{plural(len(passed), 'SCSI device')} of the host passed through (hostdev): that I/O is not judged"
    return [records.unknown(message, "Check it by hand, and waive this.", "warning")]


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
        before.get(disk.target, sets) != sets for disk in definition.disks for sets in (configured(definition, disk),)
    )
