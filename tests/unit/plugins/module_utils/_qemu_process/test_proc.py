# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The reader of /proc: made-up trees, and one real QEMU."""

from __future__ import annotations

import os
import shutil
import subprocess
import time

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.module_utils._qemu_process import opened, proc
from ansible_collections.hypervisor.io_hardening.tests.unit.plugins.module_utils._qemu_process.fake_proc import (
    LIBVIRT,
    PVE,
    PVE_DRIVES,
    FakeProc,
)

IMAGE = "/images/8101/vm-8101-disk-0.qcow2"
OPEN = [(IMAGE, "02140002"), ("/dev/fast/vm-8101-disk-1", "02140002"), "anon_inode:[eventfd]", "socket:[77]"]


@pytest.fixture
def host(tmp_path):
    return FakeProc(tmp_path)


def read(host):
    guests, problems = proc.running_guests(str(host.root))
    return {guest["id"]: guest for guest in guests}, [problem["reason"] for problem in problems]


def test_all_kinds_of_guests_in_one_pass(host):
    host.process(1, ["/sbin/init"])
    host.process(2, [], exe="/nowhere/absent")
    host.process(700, PVE, files=OPEN, pid_file="8101")
    host.process(
        701,
        PVE_DRIVES,
        pid_file="8102",
        files=[("/images/8102/a,b.raw", "02140002"), ("/images/8102/c.qcow2", "02"), ("/images/8102/efi.raw", "02")],
    )
    host.process(
        702, LIBVIRT, files=[("/images/web07.qcow2", "02140002"), ("/images/data.raw", "02"), ("/images/old.raw", "02")]
    )
    guests, problems = read(host)
    assert {key: (guest["hypervisor"], guest["pid"], guest["name"]) for key, guest in guests.items()} == {
        "8101": ("pve", 700, "db01"),
        "8102": ("pve", 701, "old"),
        "web07": ("libvirt", 702, "web07"),
    }
    assert problems == []
    assert all(disk["runs"] is not None for guest in guests.values() for disk in guest["disks"])
    assert all(guest["disagreements"] == [] for guest in guests.values())
    assert set(proc.by_pve_id(guests.values())) == {"8101", "8102"}


def test_versions_running_and_installed(host):
    host.process(700, PVE, exe="/usr/bin/kvm (deleted)", files=OPEN)
    host.binary("/usr/bin/kvm (deleted)", b"8.1.5 (pve-qemu-kvm_8.1.5-2)")
    host.process(702, LIBVIRT)
    guests, _problems = read(host)
    assert guests["8101"]["qemu"] == {"running": "8.1.5-2", "installed": "10.1.2-1"}
    assert guests["web07"]["qemu"] == {"running": "7.2.22", "installed": "7.2.22"}
    assert proc.installed_version(str(host.root)) == "10.1.2-1"


def test_a_binary_without_a_version_is_unknown(host):
    (host.root / "usr/bin/kvm").write_bytes(b"QEMU emulator version %s")
    host.process(700, PVE, files=OPEN)
    assert read(host)[0]["8101"]["qemu"] == {"running": None, "installed": None}
    (host.root / "usr/bin/kvm").write_bytes(b"")
    assert read(host)[0]["8101"]["qemu"] == {"running": None, "installed": None}


def test_a_moved_image_makes_the_disk_unknown(host):
    host.process(700, PVE, files=[("/elsewhere/vm-8101-disk-0.qcow2", "02140002"), OPEN[1]])
    guest = read(host)[0]["8101"]
    assert [disk["runs"] is None for disk in guest["disks"]] == [True, False]
    assert [(one["key"], one["option"]) for one in guest["disagreements"]] == [("scsi0", "file"), (None, "file")]


def test_a_file_of_another_option_is_not_a_disk_that_was_plugged_in(host):
    argv = [
        *PVE,
        "-object",
        "memory-backend-file,id=m,mem-path=/srv/ram,size=1G",
        "-serial",
        "file:/srv/serial.txt",
        "-virtfs",
        "local,path=/srv/share",
    ]
    host.process(700, argv, files=[*OPEN, "/srv/ram/pc.ram", "/srv/serial.txt", "/srv/share/a.db", "/srv/new.raw"])
    assert [one["seen"] for one in read(host)[0]["8101"]["disagreements"]] == [["/srv/new.raw"]]


@pytest.mark.parametrize("name", ["/proc/self/fd/3", "/proc/700/fd/3", "/dev/fd/3"])
def test_a_descriptor_in_place_of_a_path_is_the_qemu_process_own(host, name):
    host.process(700, [part.replace(IMAGE, name) for part in PVE], files=OPEN)
    guest = read(host)[0]["8101"]
    assert all(disk["runs"] for disk in guest["disks"]) and guest["disagreements"] == []
    (host.root / "proc/700/fdinfo/3").write_text("flags:\t02100002\n")
    assert [(one["key"], one["seen"]) for one in read(host)[0]["8101"]["disagreements"]] == [("scsi0", False)]


def test_a_descriptor_that_leads_nowhere_any_more_is_not_a_moved_image(host):
    host.process(700, [part.replace(IMAGE, "/proc/99/fd/3") for part in PVE], files=OPEN)
    guest = read(host)[0]["8101"]
    assert all(disk["runs"] for disk in guest["disks"]) and guest["disagreements"] == []


@pytest.mark.parametrize(
    ("maps", "expected"),
    [
        ("7f00-7f01 rw-s 00000000 00:10 9 /[aio] (deleted)\n", True),
        ("7f00-7f01 r-xp 00000000 fe:00 9 /usr/lib/libaio.so.1t64.0.2\n", False),
        ("x" * 65533 + "/[aio] (deleted)\n", True),
    ],
)
def test_a_native_context_in_maps(host, maps, expected):
    path = host.process(700, PVE, maps=maps, files=OPEN)
    assert opened.has_native_context(str(path)) is expected


def test_a_process_that_ends_while_it_is_read(host):
    path = host.process(700, PVE, files=OPEN)
    (path / "cmdline").write_bytes(b"")
    (host.process(702, LIBVIRT) / "cmdline").unlink()
    host.process(703, PVE_DRIVES, pid_file="8102")
    guests, problems = read(host)
    assert set(guests) == {"8102"}
    assert sum("ended" in problem for problem in problems) == 2


def test_open_files_that_may_not_be_read_leave_the_command_line_standing(host):
    path = host.process(700, PVE)
    shutil.rmtree(path / "fd")
    guests, problems = read(host)
    assert guests["8101"]["disks"][0]["runs"]["aio"] == "threads"
    assert ["not cross-checked" in problem for problem in problems] == [True]


@pytest.mark.parametrize(("uptime", "known"), [(1001, True), (1010, False)])
def test_a_guest_that_just_starts_has_not_opened_its_images_yet(host, uptime, known):
    path = host.process(700, PVE)
    ticks = os.sysconf("SC_CLK_TCK") * 1000
    (path / "stat").write_text(f"700 (a ) name) S {' '.join(['0'] * 18)} {ticks} 0 0\n")
    (host.root / "proc/uptime").write_text(f"{uptime}.00 1.00\n")
    guest = read(host)[0]["8101"]
    assert [disk["runs"] is not None for disk in guest["disks"]] == [known, known]


@pytest.mark.parametrize(
    ("boot", "ticks", "started"),
    [
        ("btime 1790000000", 5_000, "2026-09-21T14:14:10Z"),
        ("btime 1790000000", 5_099, "2026-09-21T14:14:10Z"),
        ("btime x", 5_000, None),
        ("", 5_000, None),
        ("btime 1790000000", "x", None),
        ("btime 99999999999999999999", 5_000, None),
    ],
)
def test_when_a_guest_was_started_is_read_from_the_kernel(host, boot, ticks, started):
    path = host.process(700, PVE)
    ticks = ticks * os.sysconf("SC_CLK_TCK") // 100 if isinstance(ticks, int) else ticks
    (path / "stat").write_text(f"700 (a ) name) S {' '.join(['0'] * 18)} {ticks} 0 0\n")
    (host.root / "proc/stat").write_text(f"cpu  1 2 3\nintr 1\nctxt 1\n{boot}\nprocesses 9\n")
    assert read(host)[0]["8101"]["started"] == started


def test_a_descriptor_that_is_closed_meanwhile_is_passed_over(host):
    path = host.process(700, PVE, files=OPEN)
    (path / "fdinfo/3").unlink()
    guest = read(host)[0]["8101"]
    assert [disk["runs"] is not None for disk in guest["disks"]] == [False, True]


def test_hidden_processes_are_counted_not_listed(host, monkeypatch):
    for pid in range(10, 20):
        host.process(pid, ["/usr/bin/other"])
    host.process(700, PVE, files=OPEN)
    real = os.readlink

    def readlink(path, **options):
        if path.endswith("/exe") and "/700/" not in path:
            raise PermissionError(13, "Permission denied")
        return real(path, **options)

    monkeypatch.setattr(os, "readlink", readlink)
    real_read = proc.read_start

    def no_read(path, limit):
        if path.endswith("/cmdline") and "/700/" not in path:
            raise PermissionError(13, "Permission denied")
        return real_read(path, limit)

    monkeypatch.setattr(proc, "read_start", no_read)
    guests, problems = read(host)
    assert set(guests) == {"8101"}
    assert [problem.split()[0] for problem in problems] == ["10"]


def test_the_command_line_names_qemu_where_the_link_is_hidden(host, monkeypatch):
    host.process(700, PVE, files=OPEN)
    host.process(701, ["/usr/bin/other"])
    real = os.readlink

    def readlink(path, **options):
        if path.endswith("/exe"):
            raise PermissionError(13, "Permission denied")
        return real(path, **options)

    monkeypatch.setattr(os, "readlink", readlink)
    guests, _problems = read(host)
    assert set(guests) == {"8101"}
    assert guests["8101"]["qemu"] == {"running": None, "installed": None}


def test_a_host_without_proc(tmp_path):
    guests, problems = proc.running_guests(str(tmp_path))
    assert guests == []
    assert [problem["file"] for problem in problems] == [f"{tmp_path}/proc"]


def test_two_processes_of_one_guest_the_pid_file_decides(host):
    host.process(700, PVE, files=OPEN)
    host.process(701, PVE, files=OPEN, pid_file="8101")
    host.process(702, PVE, files=OPEN)
    guests, problems = read(host)
    assert guests["8101"]["pid"] == 701
    assert problems == [
        f"process {pid} of user id 0 says it is guest 8101, and the guest's pid file names process 701; it is left out"
        for pid in (700, 702)
    ]


def test_the_launcher_that_waits_for_a_guest_to_start_is_nothing_to_tell(host):
    host.process(700, PVE)
    host.process(701, PVE, files=OPEN, pid_file="8101", parent=700)
    guests, problems = read(host)
    assert (guests["8101"]["pid"], problems) == (701, [])


def test_a_command_line_of_100_kb_and_bytes_that_are_not_text(host):
    argv = [*PVE, "-append", "x" * 100_000]
    path = host.process(700, argv, files=OPEN)
    raw = (path / "cmdline").read_bytes()
    (path / "cmdline").write_bytes(raw.replace(b"db01", b"d\xff01"))
    guests, problems = read(host)
    assert (guests["8101"]["name"], problems) == ("d\\xff01", [])


qemu = shutil.which("qemu-system-x86_64")


@pytest.mark.skipif(qemu is None, reason="QEMU is absent: no qemu-system-x86_64 (Debian package qemu-system-x86)")
def test_a_real_qemu(tmp_path):
    for name in ("direct.raw", "cached.raw"):
        with open(tmp_path / name, "wb") as image:
            image.truncate(1 << 20)
    (tmp_path / "link").symlink_to(tmp_path)
    # Another ansible-core's tests may run beside these.
    name = f"probe-{os.getpid()}"
    command = [
        qemu,
        "-S",
        "-display",
        "none",
        "-nodefaults",
        "-accel",
        "tcg",
        "-m",
        "16",
        "-name",
        f"guest={name},debug-threads=on",
        "-object",
        "iothread,id=io1",
        "-drive",
        f"file={tmp_path}/link/direct.raw,if=none,id=a,format=raw,cache=none,aio=native",
        "-device",
        "virtio-blk-pci,drive=a,id=vda,iothread=io1",
        "-blockdev",
        f"driver=file,node-name=b,filename={tmp_path}/cached.raw",
        "-device",
        "virtio-scsi-pci,id=s",
        "-device",
        "scsi-hd,drive=b,id=sda,bus=s.0",
    ]
    process = subprocess.Popen(command)
    try:
        guest = wait_for(name, files=2)
        assert guest["pid"] == process.pid
        assert {disk["key"]: disk["runs"] for disk in guest["disks"]} == {
            "vda": {
                "driver": "file",
                "aio": "native",
                "cache": "none",
                "cache_direct": True,
                "cache_no_flush": False,
                "iothread": True,
                "controller": None,
            },
            "sda": {
                "driver": "file",
                "aio": "threads",
                "cache": "writeback",
                "cache_direct": False,
                "cache_no_flush": False,
                "iothread": False,
                "controller": {"model": "virtio-scsi", "dedicated": True, "gives_iothread": True},
            },
        }
        assert sorted(one["direct"] for one in images_of(guest)) == [False, True]
        assert guest["disagreements"] == []
        version = subprocess.run([qemu, "--version"], capture_output=True, text=True, check=True).stdout.split()[3]
        assert guest["qemu"]["running"].split("-")[0] == version
        assert guest["qemu"]["running"] == guest["qemu"]["installed"] == proc.installed_version()
    finally:
        process.terminate()
        process.wait(10)


def images_of(guest):
    """What a process of this machine has open, by descriptor."""
    names = {disk["file"] for disk in guest["disks"]}
    return opened.open_files(f"/proc/{guest['pid']}", names, (), os.uname().machine)[1]


def wait_for(name, files):
    """The running guest of that name once it has its images open."""
    for _attempt in range(100):
        for guest in proc.running_guests()[0]:
            if guest["name"] == name and len(images_of(guest)) >= files:
                return guest
        time.sleep(0.1)
    raise AssertionError(f"no running guest {name} with {files} open images within 10 s")
