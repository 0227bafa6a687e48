# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The domains whose edit is recorded, as people write them."""

from __future__ import annotations

import uuid

#: What is asked of a domain; of the others all that their disks can have.
ASKED: dict[str, dict[str, dict[str, object]]] = {
    "shared": {"guest": {"iothreads": 2}, **{f"vd{letter}": {"iothread": True} for letter in "abcde"}},
    "some": {"vdb": {"cache": "none"}, "vdc": {"aio": "io_uring"}, "sdb": {"iothread": True}},
    "mapping": {"vda": {"aio": "threads"}, "vdb": {"iothread": True}},
}
_MAPPING = "".join(f"<iothread id='{id}'><queue id='{queue}'/></iothread>" for id, queue in (("1", "0"), ("2", "1")))
_MAPPING = f"<iothreads>{_MAPPING}</iothreads>"
_RBD = (
    "<source protocol='rbd' name='pool/image'><host name='mon'/></source>"
    "<auth username='u'><secret type='ceph' usage='x'/></auth>"
)
_RAW = "name='qemu' type='raw'"
_ALL = (
    f"{_RAW} %serror_policy='stop' rerror_policy='report' %sioeventfd='on' event_idx='off' copy_on_read='on' discard='unmap'"
    " detect_zeroes='unmap' queues='4' queue_size='256' iommu='on' ats='on' packed='on' page_per_vq='on'"
)


def disk(target: str, bus: str, driver: str | None = _RAW, inside: str = "", more: str = "", **attributes: str) -> str:
    """One disk; ``inside`` is what its driver holds."""
    said = {"type": "file", "device": "disk", **attributes}
    source = {"block": f"dev='/dev/{target}'", "volume": f"pool='images' volume='{target}'"}.get(
        said["type"], f"file='/images/{target}.raw'"
    )
    lines = [f"<driver {driver}>{inside}</driver>"] if driver else []
    lines += [f"<source {source}/>"] if "<source" not in more else []
    lines += [f"<target dev='{target}' bus='{bus}'/>", more]
    words = " ".join(f"{name}='{value}'" for name, value in said.items())
    return f"<disk {words}>{''.join(lines)}</disk>"


def domain(name: str, devices: list[str], machine: str = "pc-q35-7.2", before: str = "", after: str = "") -> str:
    """One domain; ``before`` goes in front of its devices, ``after`` behind them."""
    namespace = " xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'" if "qemu:" in after else ""
    return (
        f"<domain type='qemu'{namespace}><name>{name}</name><uuid>{uuid.uuid5(uuid.NAMESPACE_URL, name)}</uuid>"
        f"<memory unit='MiB'>16</memory><vcpu>2</vcpu>{before}<os><type arch='x86_64' machine='{machine}'>hvm</type></os>"
        f"<devices><emulator>/usr/bin/qemu-system-x86_64</emulator>{''.join(devices)}</devices>{after}</domain>"
    )


def scsi(index: int, driver: str | None = None, model: str = "virtio-scsi") -> str:
    """One SCSI controller."""
    inside = f"<driver {driver}/>" if driver else ""
    return f"<controller type='scsi' index='{index}' model='{model}'>{inside}</controller>"


def at(controller: int, unit: int) -> str:
    """The place of a disk on a SCSI controller."""
    return f"<address type='drive' controller='{controller}' bus='0' target='0' unit='{unit}'/>"


def domains() -> dict[str, str]:
    """Name → XML."""
    vde = ("a", "b", "c", "d", "e")
    ids = "<iothreadids><iothread id='4'/><iothread id='1' thread_pool_min='2' thread_pool_max='8'/><iothread id='7'/></iothreadids>"
    found = [
        domain("plain", [disk("vda", "virtio")]),
        domain("bare", [disk("vda", "virtio", None), disk("sda", "scsi", None), scsi(0)]),
        domain("five", [disk(f"vd{letter}", "virtio") for letter in vde]),
        domain("shared", [disk(f"vd{letter}", "virtio") for letter in vde]),
        domain(
            "attributes",
            [
                disk("vda", "virtio", _ALL % ("cache='none' ", "io='native' "), "<metadata_cache><max_size unit='bytes'>65536</max_size></metadata_cache>")
                .replace("type='raw'", "type='qcow2'"),
                disk("vdb", "virtio", _ALL % ("", "")),
                disk("vdc", "virtio", _ALL % ("cache='default' ", "")),
                disk("vdd", "virtio", _ALL % ("", "io='threads' ")),
            ],
        ),
        domain("some", [*(disk(f"vd{letter}", "virtio") for letter in vde), disk("sda", "scsi"), disk("sdb", "scsi"), scsi(0)]),
        domain(
            "scsi",
            [
                scsi(0, "queues='2' cmd_per_lun='8' max_sectors='512' ioeventfd='on' iommu='on' ats='on'"),
                scsi(1),
                scsi(2, None, "virtio-transitional"),
                disk("sda", "scsi", more=at(0, 0)),
                disk("sdb", "scsi", more=at(0, 1)),
                disk("sdc", "scsi", more=at(1, 0)),
                disk("sdd", "scsi", more=at(2, 0), device="lun", type="block"),
                disk("sde", "scsi", more="<readonly/>" + at(1, 3), device="cdrom"),
            ],
        ),
        domain(
            "others",
            [
                disk("sda", "sata"),
                disk("sdb", "sata", None, device="cdrom"),
                disk("sdc", "usb"),
                disk("fda", "fdc", device="floppy"),
            ],
        ),
        domain("ide", [disk("hda", "ide"), disk("hdb", "ide", device="cdrom")], machine="pc-i440fx-7.2"),
        domain(
            "sources",
            [
                disk("vda", "virtio", type="block"),
                disk("vdb", "virtio", type="volume"),
                disk("vdc", "virtio", more=_RBD, type="network"),
                disk("vdd", "virtio", more="<shareable/>"),
                disk("vde", "virtio", more="<transient/>"),
                disk("vdf", "virtio", more="<source file='/images/é &amp; &lt;x&gt; &apos;y&apos;.raw'/>"),
            ],
        ),
        domain(
            "count",
            [disk("vda", "virtio", f"{_RAW} iothread='2'"), *(disk(f"vd{letter}", "virtio") for letter in "bcd")],
            before="<iothreads>3</iothreads>",
        ),
        domain("ids", [disk(f"vd{letter}", "virtio") for letter in vde], before=f"<iothreads>3</iothreads>{ids}"),
        domain("filled", [disk(f"vd{letter}", "virtio") for letter in vde], before="<iothreads>4</iothreads><iothreadids><iothread id='2'/></iothreadids>"),
        domain(
            "pinned",
            [disk("vda", "virtio"), disk("vdb", "virtio")],
            before="<iothreads>1</iothreads><cputune><iothreadpin iothread='1' cpuset='0'/></cputune>",
        ),
        domain(
            "around",
            [disk("vda", "virtio"), "<graphics type='vnc' port='-1' passwd='secret'/>"],
            before="<title>é 𝄞</title><description>a &lt;driver io='native'/&gt; &amp; {{ b }}</description>"
            "<metadata><x:m xmlns:x='http://x/'><!-- kept --><x:driver io='native' cache='none'/></x:m></metadata>"
            "<memoryBacking><locked/></memoryBacking>",
            after="<qemu:commandline><qemu:arg value='-global'/><qemu:arg value='isa-debugcon.iobase=0x402'/></qemu:commandline>",
        ),
        domain(
            "mapping",
            [
                disk("vda", "virtio", f"{_RAW} queues='2'", _MAPPING),
                disk("vdb", "virtio"),
            ],
            before="<iothreads>2</iothreads>",
        ),
    ]  # fmt: skip
    return {text.partition("<name>")[2].partition("</name>")[0]: text for text in found}
