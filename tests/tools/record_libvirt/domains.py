# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The domains that are recorded: disks of every kind, written as people write them. Text in, text out."""

from __future__ import annotations

import uuid

IMAGES = "/var/lib/libvirt/images"
#: The device that the recorder makes for ``type='block'``; the group and volume of its logical pool.
BLOCK, GROUP, VOLUME = "/dev/loop", "recorded", "data"
LUKS_SECRET = "4b0a2d0c-6c1b-4d0f-8c39-0d6f4c1f1a01"
CEPH_SECRET = "4b0a2d0c-6c1b-4d0f-8c39-0d6f4c1f1a02"
NBD_PORT, HTTP_PORT = 10809, 10810

_IO = (None, "threads", "native", "io_uring")
_CACHE = (None, "default", "none", "writeback", "writethrough", "directsync", "unsafe")
_QEMU_NAMESPACE = " xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'"


def disk(
    target: str,
    bus: str | None = "virtio",
    driver: str | None = "name='qemu' type='raw'",
    source: str | None = "file='{images}/{target}.raw'",
    kind: str = "file",
    device: str | None = "disk",
    more: str = "",
    inside: str = "",
    attributes: str = "",
) -> str:
    """One disk. ``inside`` is what its driver element holds, ``more`` what follows its source."""
    lines = [f"    <disk type='{kind}'" + (f" device='{device}'" if device else "") + f"{attributes}>"]
    if driver is not None:
        lines.append(f"      <driver {driver}>{inside}</driver>" if inside else f"      <driver {driver}/>")
    if source is not None:
        text = source.format(images=IMAGES, target=target)
        lines.append(text if text.startswith(" ") else f"      <source {text}/>")
    lines.append(f"      <target dev='{target}'" + (f" bus='{bus}'" if bus else "") + "/>")
    return "\n".join([*lines, *([f"      {more}"] if more else []), "    </disk>"])


def domain(name: str, devices: list[str], machine: str = "pc", before: str = "", after: str = "", os: str = "") -> str:
    """One domain. ``before`` goes in front of its devices, ``after`` behind them; a command line gets its namespace."""
    namespace = _QEMU_NAMESPACE if "qemu:" in after else ""
    chipset = f" machine='{machine}'" if machine else ""
    return (
        f"<domain type='qemu'{namespace}>\n  <name>{name}</name>\n"
        f"  <uuid>{uuid.uuid5(uuid.NAMESPACE_URL, name)}</uuid>\n  <memory unit='MiB'>16</memory>\n{before}"
        f"  <os>\n    <type arch='x86_64'{chipset}>hvm</type>\n{os}  </os>\n  <features>\n    <acpi/>\n  </features>\n  <devices>\n"
        "    <emulator>/usr/bin/qemu-system-x86_64</emulator>\n    <controller type='usb' model='none'/>\n"
        + "".join(f"{one}\n" for one in devices)
        + f"    <memballoon model='none'/>\n  </devices>\n{after}</domain>\n"
    )


def _letters(prefix: str, count: int) -> list[str]:
    return [f"{prefix}{chr(97 + n)}" if n < 26 else f"{prefix}a{chr(97 + n - 26)}" for n in range(count)]


def _every_io_and_cache() -> list[str]:
    pairs = [(io, cache) for io in _IO for cache in _CACHE if io != "native" or cache in ("none", "directsync")]
    return [
        disk(target, driver=" ".join(["name='qemu' type='raw'", *_set(io, cache)]))
        for target, (io, cache) in zip(_letters("vd", len(pairs)), pairs)
    ]


def _set(io: str | None, cache: str | None) -> list[str]:
    return ([f"cache='{cache}'"] if cache else []) + ([f"io='{io}'"] if io else [])


def _scsi(index: int, model: str | None = "virtio-scsi", inside: str = "") -> str:
    words = f"    <controller type='scsi' index='{index}'" + (f" model='{model}'" if model else "")
    return f"{words}>\n      {inside}\n    </controller>" if inside else f"{words}/>"


def _at(controller: int, target: int = 0, unit: int = 0, bus: int = 0) -> str:
    return f"<address type='drive' controller='{controller}' bus='{bus}' target='{target}' unit='{unit}'/>"


def _network(target: str, protocol: str, name: str | None, inside: str, more: str = "", **options: str) -> str:
    named = f" name='{name}'" if name else ""
    source = f"      <source protocol='{protocol}'{named}{options.pop('query', '')}>\n{inside}      </source>"
    return disk(target, kind="network", source=source, more=more, **options)  # type: ignore[arg-type]


def _host(name: str, port: int | None = None) -> str:
    return f"        <host name='{name}'" + (f" port='{port}'" if port else "") + "/>\n"


_RAW = "name='qemu' type='raw'"
_MAPPED_QUEUES = (
    "<iothreads><iothread id='1'><queue id='0'/></iothread><iothread id='2'><queue id='1'/></iothread></iothreads>"
)
_LUKS = f"<encryption format='luks'><secret type='passphrase' uuid='{LUKS_SECRET}'/></encryption>"


def _kinds() -> list[str]:
    qcow2 = "name='qemu' type='qcow2'"
    return [
        disk("vda", driver=None),
        disk("vdb", driver=qcow2, source="file='{images}/top.qcow2'"),
        disk("vdc", driver=f"{qcow2} cache='none' io='native'", source="file='{images}/alone.qcow2'"),
        disk("vdd", more="<shareable/>"),
        disk("vde", driver=f"{_RAW} cache='writeback'", more="<shareable/>"),
        disk("vdf", more="<readonly/>"),
        disk("vdg", more="<readonly/><shareable/>"),
        disk("vdh", driver=f"{_RAW} io='io_uring' detect_zeroes='unmap' discard='unmap'"),
        disk("vdi", driver=f"{qcow2} copy_on_read='on' cache='none'", source="file='{images}/second.qcow2'"),
        disk("vdj", source="file='{images}/luks.raw'", more=_LUKS),
        disk("vdk", driver=f"{qcow2} cache='none'", source="file='{images}/luks.qcow2'", more=_LUKS),
        disk("vdl", driver=f"{_RAW} cache='directsync'", more="<iotune><total_iops_sec>500</total_iops_sec></iotune>"),
        disk("vdm", driver=f"{_RAW} queues='4' event_idx='on'", more="<serial>A-1</serial><boot order='1'/>"),
        disk("vdn", more="<alias name='ua-data'/>"),
        disk("vdo", device=None),
        disk("vdz"),
        disk("vdaa"),
    ]


def _models() -> list[str]:
    models = (
        "virtio-scsi virtio-transitional virtio-non-transitional lsilogic lsisas1068 lsisas1078 vmpvscsi am53c974"
    ).split()
    controllers = [_scsi(number, model) for number, model in enumerate(models)]
    return [
        *controllers,
        *(disk(target, "scsi", more=_at(number, 0, 0)) for number, target in enumerate(_letters("sd", len(models)))),
    ]


def domains(block: str) -> dict[str, str]:
    """Name → XML of every recorded domain; ``block`` is a block device of the host."""
    threads = "  <iothreads>4</iothreads>\n"
    found = {
        "io-and-cache": domain("io-and-cache", _every_io_and_cache()),
        "kinds": domain("kinds", _kinds(), machine="q35"),
        "transient": domain("transient", [disk("vda", driver=f"{_RAW} cache='none'", more="<transient/>")]),
        "iothreads": domain(
            "iothreads",
            [
                disk("vda", driver=f"{_RAW} iothread='1'"),
                disk("vdb", driver=f"{_RAW} cache='none' io='threads' iothread='3'"),
                disk("vdc", driver=f"{_RAW} iothread='3'"),
                disk("vdd"),
                disk("vde", driver="name='qemu' type='qcow2' iothread='4'", source="file='{images}/alone.qcow2'"),
            ],
            before=threads,
        ),
        "iothreadids": domain(
            "iothreadids",
            [disk("vda", driver=f"{_RAW} iothread='2'"), disk("vdb", driver=f"{_RAW} iothread='7'")],
            before="  <iothreads>2</iothreads>\n  <iothreadids>\n    <iothread id='7'/>\n    <iothread id='2'/>\n"
            "  </iothreadids>\n",
        ),
        "mapping": domain(
            "mapping",
            [
                disk("vda", driver=f"{_RAW} queues='2'", inside=_MAPPED_QUEUES),
                disk("vdb", inside="<iothreads><iothread id='1'/><iothread id='3'/></iothreads>"),
                disk("vdc"),
            ],
            before=threads,
        ),
        "scsi-mapping": domain(
            "scsi-mapping",
            [
                _scsi(
                    0, inside="<driver queues='2'><iothreads><iothread id='1'/><iothread id='2'/></iothreads></driver>"
                ),
                disk("sda", "scsi"),
            ],
            before=threads,
        ),
        "scsi-one-iothread": domain(
            "scsi-one-iothread",
            [
                _scsi(0, inside="<driver iothread='2' queues='4'/>"),
                disk("sda", "scsi", driver=f"{_RAW} cache='none' io='threads'"),
                disk("sdb", "scsi", driver="name='qemu' type='qcow2'", source="file='{images}/alone.qcow2'"),
                disk("sdc", "scsi", device="cdrom", source="file='{images}/cd.iso'", more="<readonly/>"),
                disk("sdd", "scsi", driver=f"{_RAW} cache='unsafe'", more="<alias name='ua-four'/>"),
                disk("sdh", "scsi"),
            ],
            machine="q35",
            before=threads,
        ),
        "scsi-no-iothread": domain("scsi-no-iothread", [_scsi(0), *(disk(one, "scsi") for one in ("sda", "sdb"))]),
        "scsi-empty-cdrom": domain(
            "scsi-empty-cdrom",
            [_scsi(0), disk("sda", "scsi"), disk("sdb", "scsi", device="cdrom", source=None, more="<readonly/>")],
        ),
        "scsi-controllers": domain(
            "scsi-controllers",
            [
                _scsi(0),
                _scsi(1, inside="<driver iothread='1'/>"),
                _scsi(2, inside="<driver iothread='1'/><alias name='ua-third'/>"),
                _scsi(3, model="lsilogic"),
                disk("sda", "scsi", more=_at(0, 0, 0)),
                disk("sdb", "scsi", more=_at(0, 3, 5)),
                disk("sdc", "scsi", driver=f"{_RAW} cache='none'", more=_at(1, 0, 1)),
                disk("sdd", "scsi", more=_at(2, 1, 0)),
                disk("sde", "scsi", more=_at(2, 2, 0)),
                disk("sdf", "scsi", more=_at(3, 0, 4)),
            ],
            machine="pc-i440fx-7.2",
            before=threads,
        ),
        "scsi-models": domain("scsi-models", _models()),
        "scsi-unset": domain("scsi-unset", [disk(one, "scsi") for one in _letters("sd", 9)]),
        "scsi-unset-q35": domain("scsi-unset-q35", [disk("sda", "scsi"), _scsi(0, model=None)], machine="q35"),
        "scsi-many": domain("scsi-many", [_scsi(0), *(disk(one, "scsi") for one in _letters("sd", 18))]),
        "sata": domain(
            "sata",
            [
                disk("sda", "sata"),
                disk("sdb", "sata", driver=f"{_RAW} cache='none' io='native'"),
                disk("sdc", "sata", driver=f"{_RAW} cache='directsync'", more="<alias name='ua-third'/>"),
                disk("sdd", "sata", device="cdrom", source="file='{images}/cd.iso'", more="<readonly/>"),
                disk("sde", "sata", device="cdrom", source=None, more="<readonly/>"),
                disk("sdg", "sata"),
            ],
            machine="pc-q35-7.2",
        ),
        "ide": domain(
            "ide",
            [
                disk("hda", "ide"),
                disk("hdb", None, driver=f"{_RAW} cache='unsafe' io='threads'"),
                disk("hdc", "ide", device="cdrom", source="file='{images}/cd.iso'", more="<readonly/>"),
                disk("hdd", "ide", driver=None, device="cdrom", source=None),
            ],
        ),
        "usb-and-floppy": domain(
            "usb-and-floppy",
            [
                disk("sda", "usb"),
                disk("sdb", "usb", driver=f"{_RAW} cache='none' io='io_uring'"),
                disk("fda", "fdc", device="floppy"),
                disk("fdb", None, device="floppy", source=None),
            ],
        ).replace("model='none'/>\n    <disk", "model='qemu-xhci'/>\n    <disk", 1),
        "block": domain(
            "block",
            [
                _scsi(0, inside="<driver iothread='1'/>"),
                disk("vda", kind="block", source=f"dev='{block}'", more="<shareable/>"),
                disk("sda", "scsi", f"{_RAW} cache='none' io='native'", f"dev='{block}'", "block", more="<shareable/>"),
                disk("sdb", "scsi", f"{_RAW}", f"dev='{block}'", "block", more="<readonly/><shareable/>"),
                disk("sdc", "scsi", _RAW, f"dev='{block}'", "block", "cdrom", more="<readonly/><shareable/>"),
            ],
            before=threads,
        ),
        "lun": domain(
            "lun",
            [
                _scsi(0, inside="<driver iothread='1'/>"),
                disk("sda", "scsi", f"{_RAW} cache='none'", f"dev='{block}'", "block", "lun"),
            ],
            before=threads,
        ),
        "lun-iscsi": domain(
            "lun-iscsi",
            [
                _scsi(0),
                _network(
                    "sdb",
                    "iscsi",
                    "iqn.2026-01.org.example:disks/1",
                    _host("192.0.2.7", 3260),
                    bus="scsi",
                    device="lun",
                ),
            ],
        ),
        "file-on-a-device": domain("file-on-a-device", [disk("vda", source=f"file='{block}'", more="<readonly/>")]),
        "network": domain(
            "network",
            [
                _network(
                    "vda",
                    "rbd",
                    "pool/image",
                    _host("192.0.2.1", 6789) + _host("192.0.2.2"),
                    driver=f"{_RAW} cache='none'",
                ),
                _network(
                    "vdb",
                    "rbd",
                    "pool/other",
                    _host("192.0.2.1"),
                    f"<auth username='admin'><secret type='ceph' uuid='{CEPH_SECRET}'/></auth>",
                    driver=f"{_RAW} iothread='1' io='threads'",
                ),
                _network("vdc", "nbd", "export", _host("192.0.2.3", 10809)),
                _network("vdd", "iscsi", "iqn.2026-01.org.example:disks/2", _host("192.0.2.7", 3260)),
                _network("vde", "http", "disk.raw", _host("192.0.2.4", 80), more="<readonly/>"),
                _network("vdf", "https", "disk.raw", _host("192.0.2.4", 443), more="<readonly/>", query=" query='a=b'"),
                _network("vdg", "ftp", "disk.raw", _host("192.0.2.4", 21), more="<readonly/>"),
                _network(
                    "vdh", "gluster", "volume/disk.raw", _host("192.0.2.5", 24007), driver=f"{_RAW} cache='unsafe'"
                ),
                _network("vdi", "gluster", "volume/disk.qcow2", _host("192.0.2.5"), driver="name='qemu' type='qcow2'"),
                _network("vdj", "rbd", "pool/shared", _host("192.0.2.1"), "<shareable/>"),
            ],
            before=threads,
        ),
        "network-local": domain(
            "network-local",
            [
                _network(
                    "vda", "nbd", "export", _host("127.0.0.1", NBD_PORT), driver=f"{_RAW} cache='none' iothread='2'"
                ),
                _network(
                    "vdb", "http", "disk.raw", _host("127.0.0.1", HTTP_PORT), more="<readonly/>", driver=f"{_RAW}"
                ),
            ],
            before=threads,
        ),
        "network-nfs-and-ssh": domain(
            "network-nfs-and-ssh",
            [
                _network("vda", "nfs", "/export/disk.raw", _host("192.0.2.5")),
                _network("vdb", "ssh", "/images/disk.raw", _host("192.0.2.5", 22)),
            ],
        ),
        "volumes": domain(
            "volumes",
            [
                disk("vda", kind="volume", source="pool='images' volume='volume.raw'"),
                disk(
                    "vdb",
                    driver="name='qemu' type='qcow2' cache='none'",
                    kind="volume",
                    source="pool='images' volume='volume.qcow2'",
                ),
                disk(
                    "vdc",
                    driver=f"{_RAW} cache='none' io='native'",
                    kind="volume",
                    source=f"pool='{GROUP}' volume='{VOLUME}'",
                    more="<shareable/>",
                ),
                disk("sda", "scsi", kind="volume", source=f"pool='{GROUP}' volume='{VOLUME}'", more="<shareable/>"),
            ],
        ),
        "other-types": domain(
            "other-types",
            [
                disk(
                    "vda",
                    kind="nvme",
                    source="      <source type='pci' managed='yes' namespace='1'>\n"
                    "        <address domain='0x0000' bus='0x01' slot='0x00' function='0x0'/>\n      </source>",
                ),
                disk("vdb", kind="dir", driver="name='qemu' type='fat'", source="dir='/srv/share'", more="<readonly/>"),
            ],
        ),
        "vhost-user": domain(
            "vhost-user",
            [
                disk("vda", kind="vhostuser", driver=_RAW, source="type='unix' path='/run/blk.sock'"),
                disk("vdb"),
            ],
            before="  <memoryBacking>\n    <source type='memfd'/>\n    <access mode='shared'/>\n  </memoryBacking>\n",
        ),
        "command-line": domain(
            "command-line",
            [disk("vda"), disk("vdb", driver=f"{_RAW} cache='none'")],
            after="  <qemu:commandline>\n"
            + "".join(
                f"    <qemu:arg value='{one}'/>\n"
                for one in ("-object", "iothread,id=mine", "-set", "device.virtio-disk0.iothread=mine")
            )
            + "  </qemu:commandline>\n",
        ),
        "override": domain(
            "override",
            [disk("vda"), disk("vdb", more="<alias name='ua-b'/>")],
            after="  <qemu:override>\n    <qemu:device alias='ua-b'>\n      <qemu:frontend>\n"
            "        <qemu:property name='write-cache' type='string' value='off'/>\n      </qemu:frontend>\n"
            "    </qemu:device>\n  </qemu:override>\n",
        ),
        "pflash": domain(
            "pflash",
            [disk("vda")],
            machine="q35",
            os=f"    <loader readonly='yes' type='pflash'>{IMAGES}/code.fd</loader>\n"
            f"    <nvram>{IMAGES}/vars.fd</nvram>\n",
        ),
        "virtio-models": domain(
            "virtio-models",
            [
                disk("vda", attributes=" model='virtio-transitional'", driver=f"{_RAW} iothread='1'"),
                disk("vdb", attributes=" model='virtio-non-transitional'"),
            ],
            machine="q35",
            before=threads,
        ),
        "past": domain("past", [disk("vda", driver="name='qemu' type='qcow2'", source="file='{images}/past.qcow2'")]),
        "no-machine": domain("no-machine", [disk("vda"), disk("hda", "ide")], machine=""),
        "no-disks": domain("no-disks", []),
        "odd-name": domain("{{ 7*7 }} &quot;it&apos;s&quot; &lt;b&gt; $(id)", [disk("vda")]),
        "refused-native-cached": domain("refused-native-cached", [disk("vda", driver=f"{_RAW} io='native'")]),
        "refused-iothread-sata": domain(
            "refused-iothread-sata", [disk("sda", "sata", driver=f"{_RAW} iothread='1'")], before=threads
        ),
        "refused-iothread-lsilogic": domain(
            "refused-iothread-lsilogic",
            [_scsi(0, model="lsilogic", inside="<driver iothread='1'/>"), disk("sda", "scsi")],
            before=threads,
        ),
        "refused-no-such-iothread": domain(
            "refused-no-such-iothread", [disk("vda", driver=f"{_RAW} iothread='9'")], before=threads
        ),
    }
    return found
