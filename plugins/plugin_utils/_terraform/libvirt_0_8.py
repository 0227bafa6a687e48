# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""``libvirt_domain`` of dmacvicar/libvirt up to 0.8, which has no attribute for aio, cache or an iothread.

libvirt/domain.go (setDisks, setCloudinit), disk_def.go and resource_libvirt_domain.go at v0.8.3. A disk is virtio,
named by its place in the list, and has a driver without options; ``scsi`` makes it one of a virtio-scsi controller
without an iothread, and an image named *.iso a cdrom. ``xml.xslt`` may change all of it, on the machine that applies.
The provider never changes a disk of a guest that exists, nor looks at its driver: another list of disks or another xslt
makes the guest anew. Up to 0.6 a scsi disk is named by its place too, such as vda; a plan does not tell the version.
"""

from __future__ import annotations

from typing import NamedTuple
from xml.etree.ElementTree import Element

from . import domain_xml
from .attributes import Block, Deciding, Unknown, plain
from .defined import Defined, Drive, Template, not_known
from .domain_xml import element
from .words import Words

_NO_ATTRIBUTE = (
    "Version 0.8 of the provider has no attribute for it: take 0.9, or run harden_io on the host after the apply, which"
    " this provider does not undo."
)

WORDS = {
    "dmacvicar_0_8": Words(
        dict.fromkeys(("controller", "iothread", "aio", "cache"), _NO_ATTRIBUTE),
        None,
        {},
        "",
        paste=lambda guest, changes: "",
    )
}

_DECIDE = ("scsi", "volume_id", "url", "file", "block_device")


def domain(block: Block) -> Defined:
    """A ``libvirt_domain`` with blocks ``disk``. Raises ShapeError."""
    name = block.label("name")
    disks = block.blocks("disk")
    made = _Disks()
    for number, disk in enumerate([] if isinstance(disks, Unknown) else disks):
        made.add(number, disk)
    devices = [xml for xml in made.devices if xml is not None]
    if made.has_scsi:
        devices.append(element("controller", type="scsi", model="virtio-scsi"))
    if block.has("cloudinit") and block.text("cloudinit") is not None:
        devices.append(_cdrom("hdd"))
    changed = _has_xslt(block)
    return Defined(
        words="dmacvicar_0_8",
        hypervisor="libvirt",
        name=name or "",
        id=name,
        xml=domain_xml.domain(
            devices,
            type=block.label("type"),
            arch=block.label("arch"),
            machine=block.label("machine"),
        ),
        drives=tuple(made.drives),
        # What the guest's own XML says counts where it is there: no plan shows what an xslt or somebody else set.
        cloned=Template(id=name, itself=True) if changed or block.exists else None,
        rest=changed,
        unknown=("disk",) if isinstance(disks, Unknown) else (),
    )


def _has_xslt(block: Block) -> bool:
    xml = block.block("xml") if block.has("xml") else None
    return isinstance(xml, Unknown) or (xml is not None and xml.text("xslt") is not None)


class _Place(NamedTuple):
    """Where a disk goes, and what it is."""

    key: str
    bus: str
    is_cdrom: bool = False


class _Disks:
    """Names disks as the provider does: each kind has letters of its own."""

    def __init__(self) -> None:
        self.drives: list[Drive] = []
        self.devices: list[Element | None] = []
        self.has_scsi = False
        self._scsi = 0
        self._cdroms = 0

    def add(self, number: int, disk: Block | Unknown) -> None:
        path = f"disk[{number}]"
        if isinstance(disk, Unknown):
            self.drives.append(not_known(path, path))
            return
        seen = Deciding()
        type, source, image = _source(disk, seen)
        on_scsi = seen.flag(disk.flag("scsi"), "scsi") is True
        place = self._place(number, on_scsi, image is not None and image.endswith(".iso"))
        self.drives.append(
            Drive(path if seen.names else place.key, path, unknown=seen.names, sensitive=disk.is_sensitive(*_DECIDE))
        )
        if seen.names:
            return
        # The driver of a volume has the format of the volume.
        format = "raw" if disk.text("volume_id") is None else None
        driver = element("driver", name="qemu", type=format)
        target = element("target", dev=place.key, bus=place.bus)
        device = "cdrom" if place.is_cdrom else "disk"
        self.devices.append(element("disk", driver, source, target, type=type, device=device))

    def _place(self, number: int, on_scsi: bool, is_cdrom: bool) -> _Place:
        place = _Place(f"vd{_letters(number)}", "virtio")
        if on_scsi:
            place = _Place(f"sd{_letters(self._scsi)}", "scsi")
            self.has_scsi = True
            self._scsi += 1
        if is_cdrom:
            place = _Place(f"hd{_letters(self._cdroms)}", "ide", True)
            self._cdroms += 1
        return place


def _source(disk: Block, seen: Deciding) -> tuple[str, Element | None, str | None]:
    """The type of a disk, its source, and the name of an image, by whose ending the provider tells a cdrom.

    The provider takes the first that is set.
    """
    volume = disk.text("volume_id")
    if volume is not None:
        return (*_volume(plain(volume) or domain_xml.NEW), None)
    url = seen.text(disk.text("url"), "url")
    if url is not None:
        protocol, _colon, rest = url.partition("://")
        return "network", element("source", protocol=protocol, name=rest.partition("/")[2]), url.partition("?")[0]
    file = seen.text(disk.text("file"), "file")
    if file is not None:
        return "file", element("source", file=file), file
    device = disk.text("block_device")
    return (
        ("file", None, None)
        if device is None
        else ("block", element("source", dev=plain(device) or domain_xml.NEW), None)
    )


def _volume(key: str) -> tuple[str, Element | None]:
    """The same of a volume. Its key is its path on most pools; of a new volume it is known after apply, and does not
    decide.
    """
    if key.startswith("/dev/"):
        return "block", element("source", dev=key)
    return "file", element("source", file=key)


def _cdrom(key: str) -> Element:
    return element(
        "disk",
        element("driver", name="qemu", type="raw"),
        element("target", dev=key, bus="ide"),
        type="file",
        device="cdrom",
    )


def _letters(number: int) -> str:
    """a to z, then aa, as libvirt names disks."""
    more, last = divmod(number, 26)
    return (_letters(more - 1) if more else "") + chr(ord("a") + last)
