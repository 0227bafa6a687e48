# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""From a QEMU command line to what its disks run with."""

from __future__ import annotations

import json

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.module_utils._qemu_process.cmdline import parse
from ansible_collections.hypervisor.io_hardening.tests.unit.plugins.module_utils._qemu_process.fake_proc import (
    LIBVIRT,
    PVE,
    PVE_DRIVES,
)


def runs(argv):
    """{key: "aio cache iothread"} of a command line."""
    return {disk["key"]: brief(disk) for disk in parse(argv)["disks"]}


def brief(disk):
    if disk["runs"] is None:
        return None
    return f"{disk['runs']['aio']} {disk['runs']['cache']} {disk['runs']['iothread']}"


def one(*arguments):
    """What the only disk of a hand-written command line runs with."""
    disks = parse(["qemu-system-x86_64", *arguments])["disks"]
    assert len(disks) == 1
    return disks[0]


def test_proxmox_nested_block_nodes():
    parsed = parse(PVE)
    assert {disk["key"]: brief(disk) for disk in parsed["disks"]} == {
        "scsi0": "threads none True",
        "scsi1": "native directsync False",
    }
    assert parsed["disks"][0]["runs"] == {
        "driver": "file",
        "aio": "threads",
        "cache": "none",
        "cache_direct": True,
        "cache_no_flush": False,
        "iothread": True,
        "controller": {"model": "virtio-scsi", "dedicated": True, "gives_iothread": True},
    }
    assert parsed["disks"][0]["file"] == "/images/8101/vm-8101-disk-0.qcow2"
    assert [disk["format"] for disk in parsed["disks"]] == ["qcow2", "raw"]
    assert parsed["disks"][1]["runs"]["driver"] == "host_device"
    assert {key: parsed[key] for key in ("hypervisor", "vmid", "name", "machine", "iothreads", "qmp")} == {
        "hypervisor": "pve",
        "vmid": "8101",
        "name": "db01",
        "machine": "pc-q35-10.0+pve1",
        "iothreads": ["iothread-virtioscsi0"],
        "qmp": ["/var/run/qemu-server/8101.qmp"],
    }
    assert parsed["problems"] == []


def test_proxmox_drives_of_older_machines():
    parsed = parse(PVE_DRIVES)
    assert {disk["key"]: brief(disk) for disk in parsed["disks"]} == {
        "scsi0": "native none False",
        "virtio1": "threads writethrough True",
        "efidisk0": "threads writeback False",
    }
    assert parsed["disks"][0]["file"] == "/images/8102/a,b.raw"
    assert parsed["problems"] == []


def test_libvirt_nodes_that_refer_to_each_other():
    parsed = parse(LIBVIRT)
    assert {disk["key"]: brief(disk) for disk in parsed["disks"]} == {
        "virtio-disk0": "native none True",
        "scsi0-0-0-0": "threads writethrough True",
        "sata0-0-1": "threads writeback False",
    }
    assert (parsed["hypervisor"], parsed["name"]) == ("libvirt", "web07")
    assert parsed["qmp"] == []


@pytest.mark.parametrize(
    ("drive", "expected"),
    [
        ("file=a.raw,if=none,id=d", "threads writeback False"),
        ("file=a.raw,if=none,id=d,cache=none", "threads none False"),
        ("file=a.raw,if=none,id=d,cache=off", "threads none False"),
        ("file=a.raw,if=none,id=d,cache=directsync,aio=native", "native directsync False"),
        ("file=a.raw,if=none,id=d,cache=writethrough,aio=io_uring", "io_uring writethrough False"),
        ("file=a.raw,if=none,id=d,cache=unsafe", "threads unsafe False"),
        ("file=a.raw,if=none,id=d,cache=none,aio=native,aio=threads", "threads none False"),
        ("file=a.raw,if=none,id=d,cache=none,cache=writeback", "threads writeback False"),
        ("file=a.raw,if=none,id=d,cache=none,cache.no-flush=on", "threads unsafe False"),
        ("file=a.raw,if=none,id=d,cache.direct=on,cache=writeback", "threads none False"),
        (
            "driver=qcow2,file.driver=file,file.filename=a,file.aio=native,cache.direct=on,if=none,id=d",
            "native none False",
        ),
        (
            "driver=qcow2,file.driver=qcow2,file.file.driver=file,file.file.filename=a,file.file.aio=io_uring,if=none,id=d",
            "io_uring writeback False",
        ),
        (
            'file=json:{"driver":"qcow2",,"file":{"driver":"file",,"filename":"a",,"aio":"native"}},if=none,id=d,cache=none',
            "native none False",
        ),
        ("file=rbd:pool/image:id=x,format=raw,if=none,id=d,cache=none,aio=threads", "None none False"),
        ("file=nbd+unix:///export?socket=/run/s,if=none,id=d,aio=native", "None writeback False"),
        ("file=/dev/vg/disk,if=none,id=d,aio=native,cache=none", "native none False"),
        ("file=a.raw,if=none,id=d,cache=none,aio=native,snapshot=on", "threads unsafe False"),
        ("file=rbd:pool/image,format=raw,if=none,id=d,cache=none,aio=io_uring,snapshot=on", "io_uring unsafe False"),
    ],
)
def test_every_way_to_write_a_drive(drive, expected):
    assert brief(one("-drive", drive, "-device", "virtio-blk-pci,drive=d,id=disk")) == expected


@pytest.mark.parametrize(
    ("drive", "driver"),
    [
        ("file=rbd:pool/image:id=x", "rbd"),
        ("file=nbd+unix:///export?socket=/run/s", "nbd"),
        ("file=iscsi://host/target/1", "iscsi"),
        ("file=host_device:/dev/sdb", "host_device"),
        ("file=/dev/vg/disk", "host_device"),
        ("file=/images/a:b.raw", "file"),
    ],
)
def test_the_driver_of_a_drive_comes_from_its_file_name(drive, driver):
    assert one("-drive", f"{drive},if=none,id=d", "-device", "ide-hd,drive=d")["runs"]["driver"] == driver


def test_block_nodes_with_dots_and_by_name():
    disk = one(
        "-device",
        "virtio-blk-pci,drive=top,write-cache=off",
        "-blockdev",
        "driver=qcow2,node-name=top,file=bottom",
        "-blockdev",
        "driver=file,node-name=bottom,filename=/a,,b,cache.direct=on,aio=native",
    )
    assert (brief(disk), disk["file"], disk["key"]) == ("native directsync False", "/a,b", "top")


def test_a_node_inside_its_parent_inherits_the_cache_a_node_referred_to_does_not():
    inside = {
        "driver": "qcow2",
        "node-name": "n",
        "cache": {"direct": True},
        "file": {"driver": "file", "filename": "/a"},
    }
    assert brief(one("-blockdev", json.dumps(inside), "-device", "virtio-blk-pci,drive=n")) == "threads none False"
    apart = dict(inside, file="m")
    assert (
        brief(
            one(
                "-blockdev",
                '{"driver":"file","filename":"/a","node-name":"m"}',
                "-blockdev",
                json.dumps(apart),
                "-device",
                "virtio-blk-pci,drive=n",
            )
        )
        == "threads writeback False"
    )


@pytest.mark.parametrize(
    ("device", "expected"),
    [
        ("virtio-blk-pci,drive=d,iothread=io1", True),
        ("virtio-blk-pci,drive=d", False),
        ("virtio-blk-ccw,drive=d,iothread=io1", True),
        ('{"driver":"virtio-blk-pci","drive":"d","iothread":"io1"}', True),
        ('{"driver":"virtio-blk-pci","drive":"d","iothread-vq-mapping":[{"iothread":"io1"}]}', True),
        ('{"driver":"virtio-blk-pci","drive":"d","iothread-vq-mapping":[]}', False),
        ("ide-hd,drive=d", False),
        ("nvme,drive=d,serial=1", False),
    ],
)
def test_iothread_of_a_device_of_its_own(device, expected):
    assert (
        one("-object", "iothread,id=io1", "-drive", "file=a,if=none,id=d", "-device", device)["runs"]["iothread"]
        is expected
    )


@pytest.mark.parametrize(
    ("devices", "expected"),
    [
        (["virtio-scsi-pci,id=s,iothread=io1", "scsi-hd,bus=s.0,drive=d"], True),
        (["scsi-hd,bus=s.0,drive=d", "virtio-scsi-pci,id=s,iothread=io1"], True),
        (["virtio-scsi-pci,id=s", "scsi-hd,bus=s.0,drive=d"], False),
        (["virtio-scsi-pci,id=t,iothread=io1", "virtio-scsi-pci,id=s", "scsi-hd,bus=s.0,drive=d"], False),
        (["virtio-scsi-pci,iothread=io1", "scsi-hd,drive=d"], True),
        (["lsi,id=s", "scsi-hd,bus=s.0,drive=d"], False),
        (["megasas,id=s", "scsi-hd,bus=s.0,drive=d"], False),
        (
            [
                '{"driver":"virtio-scsi-pci","id":"s","iothread-vq-mapping":[{"iothread":"io1"}]}',
                "scsi-hd,bus=s.0,drive=d",
            ],
            True,
        ),
        (["virtio-scsi-pci,id=a,iothread=io1", "lsi,id=b", "scsi-hd,drive=d"], None),
        (["virtio-scsi-pci,iothread=io1", "scsi-hd,drive=d,bus=scsi.0"], None),
    ],
)
def test_iothread_of_a_scsi_disk_is_its_controllers(devices, expected):
    arguments = [word for device in devices for word in ("-device", device)]
    parsed = parse(["qemu", "-drive", "file=a,if=none,id=d", *arguments])
    assert [disk["runs"]["iothread"] for disk in parsed["disks"]] == [expected]
    assert bool(parsed["problems"]) == (expected is None)


@pytest.mark.parametrize(
    ("devices", "expected"),
    [
        (["virtio-scsi-pci,id=s", "scsi-hd,bus=s.0,drive=a"], [("virtio-scsi", True)]),
        (["virtio-scsi-ccw,id=s", "scsi-hd,bus=s.0,drive=a"], [("virtio-scsi", True)]),
        (["virtio-scsi-pci-non-transitional,id=s", "scsi-hd,bus=s.0,drive=a"], [("virtio-scsi", True)]),
        (["lsi,id=s", "scsi-hd,bus=s.0,drive=a"], [("lsi", True)]),
        (
            ["virtio-scsi-pci,id=s", "scsi-hd,bus=s.0,drive=a", "scsi-hd,bus=s.0,drive=b"],
            [("virtio-scsi", False), ("virtio-scsi", False)],
        ),
        (
            ["virtio-scsi-pci,id=s", "megasas,id=t", "scsi-hd,bus=s.0,drive=a", "scsi-cd,bus=t.0,drive=b"],
            [("virtio-scsi", True), ("megasas", True)],
        ),
        (["virtio-scsi-pci,id=s", "scsi-hd,bus=other.0,drive=a"], [None]),
        (["virtio-blk-pci,drive=a"], [None]),
    ],
)
def test_the_controller_of_a_disk_and_whether_it_has_it_to_itself(devices, expected):
    drives = [word for name in "ab" for word in ("-drive", f"file={name},if=none,id={name}")]
    found = parse(["qemu", *drives, *(word for device in devices for word in ("-device", device))])["disks"]
    controllers = [disk["runs"]["controller"] for disk in found]
    assert [one and (one["model"], one["dedicated"]) for one in controllers] == expected


def test_set_counts():
    base = ["-drive", "file=a,if=none,id=d,cache=none", "-device", "virtio-blk-pci,drive=d,id=v"]
    assert brief(one(*base, "-set", "device.v.iothread=io1", "-set", "drive.d.aio=native")) == "native none True"


@pytest.mark.parametrize(
    "setting",
    [
        "virtio-blk-pci.iothread=io1",
        "virtio-blk-device.write-cache=off",
        "driver=virtio-blk-pci,property=write-cache,value=off",
    ],
)
def test_a_global_that_changes_disks_is_said_and_leaves_them_not_known(setting):
    disk = ["-drive", "file=a,if=none,id=d", "-device", "virtio-blk-pci,drive=d,id=v"]
    parsed = parse(["qemu", *disk, "-global", setting])
    assert [(found["key"], found["runs"]) for found in parsed["disks"]] == [("v", None)]
    (problem,) = parsed["problems"]
    assert problem.startswith(f"-global {setting} is not understood")


@pytest.mark.parametrize("setting", ["ICH9-LPC.noreboot=off", "driver=cfi.pflash01,property=secure,value=on", "=", ""])
def test_a_global_that_does_not_concern_disks_is_ignored(setting):
    disk = ["-drive", "file=a,if=none,id=d", "-device", "virtio-blk-pci,drive=d,id=v"]
    parsed = parse(["qemu", *disk, "-global", setting])
    assert parsed["problems"] == [] and parsed["disks"][0]["runs"] is not None


@pytest.mark.parametrize("option", ["-hda", "-hdd", "-sd", "-mtdblock", "-pflash", None])
def test_a_disk_that_is_given_in_a_way_that_is_not_read_is_said(option):
    parsed = parse(["qemu", *([option] if option else []), "disk.img"])
    shown = f"{option} disk.img" if option else "disk.img"
    assert parsed["problems"] == [f"{shown} gives the guest a disk in a way that is not understood here"]


def test_drives_that_make_their_own_device_are_named_as_qemu_names_them():
    argv = ["qemu"]
    for drive in ("file=a", "file=b.iso,media=cdrom,index=2", "file=c,if=virtio,cache=none", "file=d,if=virtio"):
        argv += ["-drive", drive]
    assert runs([*argv, "-drive", "file=e,if=none"]) == {
        "ide0-hd0": "threads writeback False",
        "ide1-cd0": "threads writeback False",
        "virtio0": "threads none False",
        "virtio1": "threads writeback False",
    }


@pytest.mark.parametrize(("more", "overlay"), [("", False), (",snapshot=on", True), (",snapshot=off", False)])
def test_an_overlay_is_distinguished_from_the_image_below_it(more, overlay):
    disk = one("-drive", f"file=/a.raw,if=none,id=d{more}", "-device", "virtio-blk-pci,drive=d,id=disk")
    assert (disk["overlay"], disk["file"]) == (overlay, "/a.raw")


def test_snapshot_makes_every_drive_unsafe():
    argv = ["qemu", "-snapshot", "-drive", "file=disk.img"]
    assert runs(argv) == {"ide0-hd0": "threads unsafe False"}


@pytest.mark.parametrize(
    "arguments",
    [
        ("-blockdev", "{not json", "-device", "virtio-blk-pci,drive=n,id=v"),
        ("-blockdev", '{"driver":"qcow2","node-name":"n","file":"absent"}', "-device", "virtio-blk-pci,drive=n,id=v"),
        ("-blockdev", '{"driver":"qcow2","node-name":"n","file":"n"}', "-device", "virtio-blk-pci,drive=n,id=v"),
        ("-blockdev", '{"driver":"qcow2","node-name":"n","file":7}', "-device", "virtio-blk-pci,drive=n,id=v"),
        ("-device", "virtio-blk-pci,drive=n,id=v"),
        ("-drive", "file=json:{no,if=none,id=n", "-device", "virtio-blk-pci,drive=n,id=v"),
        ("-drive", "file.driver=qcow2,file.file=absent,if=none,id=n", "-device", "virtio-blk-pci,drive=n,id=v"),
    ],
)
def test_what_leads_nowhere_is_not_known_and_said(arguments):
    parsed = parse(["qemu", *arguments])
    assert [(disk["key"], disk["runs"]) for disk in parsed["disks"]] == [("v", None)]
    assert any("disk v" in problem for problem in parsed["problems"])


@pytest.mark.parametrize(
    "argv",
    [
        [],
        [""],
        ["qemu"],
        ["qemu", "-drive"],
        ["qemu", "-device", ""],
        ["qemu", "-device", '{"drive":{}}'],
        ["qemu", "-device", "x,drive=", "-drive", ",,,"],
        ["qemu", "-name", "", "-machine", "", "-global", "=", "-set", "="],
        ["qemu", "-drive", "file.x=1,if=none,id=d,cache=unheard-of", "-device", "virtio-blk-pci,drive=d"],
        ["qemu", "-chardev", "socket,path=a", "-mon", "mode=control", "-qmp", "unix:"],
        ["qemu", "-object", '{"qom-type":"iothread"}', "-object", "7", "-object", '"x"', "-blockdev", "[]"],
        ["qemu", "-device", "[]", "-device", '{"driver":["a"],"drive":"d","id":["b"]}', "-drive", "file=a,id=d"],
        ["qemu", "-drive", "file.filename.x=a,id=d"],
        ["qemu", "-drive", "file=a,file.driver.x=1,id=d"],
    ],
)
def test_odd_command_lines_never_raise(argv):
    parse(argv)


def test_a_command_line_of_100_kb_is_read():
    argv = list(PVE)
    for number in range(1000):
        node = {"driver": "file", "filename": f"/images/{number}", "node-name": f"n{number}", "aio": "native"}
        argv += ["-blockdev", json.dumps(node), "-device", f"virtio-blk-pci,drive=n{number},id=disk{number}"]
    assert sum(map(len, argv)) > 100_000
    assert len(parse(argv)["disks"]) == 1002


def test_of_two_controllers_of_one_id_the_last_holds():
    argv = ["kvm", "-object", "iothread,id=io", "-device", "virtio-scsi-pci,id=s", "-device", "virtio-scsi-pci,id=s,iothread=io",
            "-drive", "file=/a,if=none,id=d", "-device", "scsi-hd,bus=s.0,drive=d,id=sda"]  # fmt: skip
    assert parse(argv)["disks"][0]["runs"]["iothread"] is True
    argv[4], argv[6] = argv[6], argv[4]
    assert parse(argv)["disks"][0]["runs"]["iothread"] is False
