# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""``args:`` split as Proxmox VE splits it, and what in it touches disks."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.hypervisor.io_hardening.plugins.module_utils._pve import args
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._pve.record import record


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("-a b", ["-a", "b"]),
        ("  -a\t b  ", ["-a", "b"]),
        ("-a 'b c'", ["-a", "b c"]),
        ('-a "b c"d', ["-a", "b cd"]),
        (r'-a "b\"c" d\ e', ["-a", 'b"c', "d e"]),
        (r"'b\c'", [r"b\c"]),
        ("'' x", ["", "x"]),
        ("-dr'iv'\"e\" x", ["-drive", "x"]),
        ("-a 'b", []),
    ],
)
def test_words(line, words):
    assert args.split(line) == words


@pytest.mark.parametrize(
    "line",
    [
        "-drive file=/dev/sdb,if=virtio",
        "--drive file=/x",
        "'-drive' 'file=/x y.raw'",
        '"-drive" file=/x',
        "-dr'ive' file=/x",
        r"-dri\ve file=/x",
        "-cpu host '-blockdev' '{\"driver\":\"file\"}'",
        "-blockdev driver=file,filename=/x,node-name=x",
        *(
            f"-{name} /x.raw"
            for name in ("hda", "hdb", "hdc", "hdd", "cdrom", "fda", "fdb", "sd", "mtdblock", "pflash")
        ),
        "-device scsi-hd,drive=x",
        "-device driver=virtio-blk-pci,drive=x",
        "-device id=x,driver=nvme,drive=x",
        '-device \'{"driver":"virtio-blk-pci","drive":"x"}\'',
        *(
            f"-device {name},drive=x"
            for name in (
                "virtio-blk",
                "virtio-blk-pci-non-transitional",
                "ide-hd",
                "ide-cd",
                "scsi-block",
                "scsi-generic",
            )
        ),
        *(
            f"-device {name},drive=x"
            for name in ("usb-storage", "usb-uas", "nvme-ns", "floppy", "sd-card", "vhost-scsi-pci", "nvdimm")
        ),
        *(f"-device {name},chardev=x" for name in ("vhost-user-blk-pci", "vhost-user-scsi-pci")),
        "-device sd-card-spi,drive=x",
        "-usbdevice disk:/x.raw",
        "-usb /x.raw",
        "-s /x.raw",
        "-snapshot",
        "-cpu host -snapshot",
        "-readconfig /etc/qemu.cfg",
        "-set drive.drive-scsi0.cache=unsafe",
        "-set device.scsi0.logical_block_size=4096",
        "-set device.virtioscsi0.iothread=x",
        "-set drive.other.aio=native",
        "-global scsi-hd.physical_block_size=4096",
        "-global virtio-blk-pci.scsi=off",
        "-global driver=virtio-scsi-pci,property=num_queues,value=2",
        "-nodefaults /x.raw",
        "-cpu host /x.raw",
        "/x.raw",
        "-drive 'file=/x",
        "-drive=file=/x",
    ],
)
def test_what_touches_disks_is_said(line):
    (said,) = args.touching_disks(line)
    assert said.words and said.does


@pytest.mark.parametrize(
    "line",
    [
        "-cpu 'host,+kvm_pv_unhalt,hv_vendor_id=NV43FIX,kvm=off'",
        "-usbdevice tablet -usb -s -S",
        (
            '-device isa-applesmc,osk="KEY" -smbios type=2 -device qemu-xhci -device usb-kbd -global'
            " nec-usb-xhci.msi=off -cpu Haswell,+invtsc"
        ),
        "-set device.hostpci0.addr=02.0 -set device.hostpci0.x-igd-opregion=on",
        "-serial unix:/var/run/qemu-server/130.serial,server,nowait -balloon virtio",
        "-audiodev id=alsa,driver=alsa,out.dev=default:CARD=PCH",
        "-device vfio-pci,host=01:00.0,id=drive",
        "-device virtio-rng-pci -name '-drive'x",
        "-fw_cfg name=opt/x,string='-blockdev'",
        "-global ICH9-LPC.acpi-pci-hotplug-with-bridge-support=off",
        "-object iothread,id=x",
        "",
    ],
)
def test_what_does_not_touch_disks_is_not(line):
    assert args.touching_disks(line) == []


def test_each_thing_is_said_once_and_with_the_drive_it_changes():
    said = args.touching_disks(
        "-snapshot -set drive.drive-scsi0.cache=unsafe -cpu host -set device.virtio3.serial=x -hda /x"
    )
    assert [(one.words.split()[0], one.disk) for one in said] == [
        ("-snapshot", None),
        ("-set", "scsi0"),
        ("-set", "virtio3"),
        ("-hda", None),
    ]


def test_the_record_has_what_is_in_force_and_what_waits_once():
    text = "args: -snapshot\nmemory: 512\n\n[PENDING]\nargs: -snapshot -hda /x\n"
    assert [(said["line"], said["args"]) for said in record("100", text.encode(), {})["args_disks"]] == [
        (1, "-snapshot"),
        (5, "-hda /x"),
    ]


@given(st.text(st.sampled_from("-drive 'x\"\\=,.{}\u00e9\udcff"), max_size=60))
def test_anything_is_split(line):
    args.split(line)
    args.touching_disks(line)


@pytest.mark.parametrize(
    "line",
    [
        "'" * 200001,
        "\\" * 200001,
        "x" * 200000,
        "'x" * 100001,
        "-set device." + "1" * 200000,
        "a'b'" * 50000,
        "a " * 300000,
    ],
)
def test_a_long_line_takes_no_longer_than_its_length(line):
    args.touching_disks(line)


def test_of_very_many_things_the_first_are_said():
    said = args.touching_disks("-hda /x " * 100)
    assert len(said) == 21 and said[-1].does == "does 80 more such things"
