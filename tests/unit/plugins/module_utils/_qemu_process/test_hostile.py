# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Processes that anybody can start: named kvm, with whatever command line, beside a guest that must be read all the
same.
"""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import tempfile
import time

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.module_utils._qemu_process import (
    binary,
    cmdline,
    evidence,
    opened,
    proc,
)
from ansible_collections.hypervisor.io_hardening.tests.unit.plugins.module_utils._qemu_process.fake_proc import (
    BINARY,
    PVE,
    PVE_VERSION,
    FakeProc,
)

NOBODY = 65534
OPEN = [("/images/8101/vm-8101-disk-0.qcow2", "02140002"), ("/dev/fast/vm-8101-disk-1", "02140002")]
DIGITS = "1" * 5000
DEEP = "[" * 100_000 + "]" * 100_000
SURROGATE = '{"driver":"file","filename":"/images/\\ud800.raw","node-name":"n"}'

ODD = {
    "a QMP socket without a path": ["-qmp", "unix:server=on"],
    "a QMP socket with an empty path": ["-qmp", "unix:"],
    "an index that is a digit to Python only": ["-drive", "index=²,file=/a"],
    "an index of 5,000 digits": ["-drive", f"index={DIGITS},file=/a"],
    "an id of 5,000 digits": ["-id", DIGITS],
    "an id of another script's digits": ["-id", "١٠٢"],
    "a number of 5,000 digits in JSON": ["-device", f'{{"driver":"scsi-hd","drive":"x","lun":{DIGITS}}}'],
    "a lone surrogate": ["-blockdev", SURROGATE, "-device", '{"driver":"virtio-blk-pci","drive":"n","id":"\\udfff"}'],
    "a lone surrogate in a name": ["-object", '{"qom-type":"iothread","id":"\\ud800"}'],
    "JSON too deep": ["-blockdev", f'{{"driver":{DEEP}}}'],
    "an id too deep": ["-object", f'{{"qom-type":"iothread","id":{"[" * 900}{"]" * 900}}}'],
    "a file name too deep": ["-drive", f'file=json:{{"a":{DEEP}}}'],
    "a file name of file names": ["-drive", f"file.{'filename.' * 20_000}x=1"],
    "a file name that is a number": ["-drive", 'file=json:{"filename":1}'],
    "a file name with NUL": ["-drive", 'file=json:{"driver":"file"%s"filename":"/a\\u0000b"},id=x' % ",,"],
    "monitors of nobody": [
        "-mon",
        "mode=control",
        "-mon",
        "chardev=x,mode=control",
        "-chardev",
        "socket,path=/s,server=on",
    ],
    "settings of nothing": ["-set", "", "-set", "device", "-set", "device.=.x", "-global", "", "-global", "a.b="],
    "no arguments": [],
    "an option without its value": ["-drive"],
    "empty words": ["", "", "-", "--"],
    "bytes that are no text": [b"-name", b"\xff\xfe", b"-drive", b"file=/\xff"],
}


@pytest.fixture
def host(tmp_path):
    return FakeProc(tmp_path)


def read(host):
    guests, problems = proc.running_guests(str(host.root))
    # As a module puts it out, and strictly.
    json.dumps([guests, problems], ensure_ascii=False).encode("utf-8")
    return {guest["pid"]: guest for guest in guests}, problems


@pytest.mark.parametrize("words", ODD.values(), ids=ODD)
@pytest.mark.parametrize("uid", [NOBODY, 0])
def test_an_odd_command_line_is_at_most_one_problem_and_hides_no_guest(host, words, uid):
    host.process(700, PVE, files=OPEN)
    alone = read(host)
    host.process(699, ["/usr/bin/kvm", *words], uid=uid)
    guests, problems = read(host)
    assert guests[700] == alone[0][700] and alone[1] == []
    assert [problem["file"] for problem in problems] in ([], [f"{host.root}/proc/699"])
    assert all(len(problem["reason"]) < 1000 and problem["reason"].isprintable() for problem in problems)


@pytest.mark.parametrize("raw", [b"", b"\0", b"\0\0\0", b"\0-id\x00102\0", b"kvm", b"\xff"])
def test_an_odd_argument_vector(host, raw):
    host.process(700, PVE, files=OPEN)
    (host.process(699, ["/usr/bin/kvm"], uid=NOBODY) / "cmdline").write_bytes(raw)
    guests, problems = read(host)
    assert guests[700]["disks"][0]["runs"] and len(problems) <= 1


def test_what_is_not_expected_is_that_processes_own(host, monkeypatch):
    real = cmdline.parse

    def parse(argv):
        if "-odd" in argv:
            raise KeyError("path")
        return real(argv)

    monkeypatch.setattr(cmdline, "parse", parse)
    host.process(699, ["/usr/bin/kvm", "-odd"], uid=NOBODY)
    host.process(700, PVE, files=OPEN)
    guests, problems = read(host)
    assert list(guests) == [700]
    assert [problem["reason"] for problem in problems] == [
        "process 699 of user id 65534 has QEMU's name and cannot be read: KeyError: 'path'; it is left out"
    ]


def test_many_problems_of_one_process_are_one_entry(host):
    host.process(699, ["/usr/bin/kvm", *["-blockdev", "{"] * 500], uid=NOBODY)
    (problem,) = read(host)[1]
    assert problem["reason"].count("-blockdev cannot be read") == 3 and problem["reason"].endswith(
        "; and 497 more of the kind"
    )


@pytest.mark.parametrize(("uid", "pid_file"), [(NOBODY, False), (NOBODY, "8101"), (0, False)])
def test_a_process_that_only_says_it_is_a_guest_is_not_that_guest(host, uid, pid_file):
    forged = [part.replace("8101.qcow2", "other") for part in PVE]
    host.process(699, forged, uid=uid, pid_file=pid_file)
    guests, problems = read(host)
    assert guests == {}
    assert [
        (one["guest"], f"process 699 of user id {uid} says it is guest 8101" in one["reason"]) for one in problems
    ] == [(None, True)]


def test_a_forged_guest_does_not_change_the_real_one(host):
    host.process(700, PVE, files=OPEN)
    alone, _problems = read(host)
    host.process(699, [*PVE, "-drive", "file=/forged,id=scsi9"], uid=NOBODY)
    host.process(701, PVE, uid=100000)
    guests, problems = read(host)
    assert guests == alone
    assert [(one["guest"], one["file"]) for one in problems] == [
        (None, f"{host.root}/proc/{pid}") for pid in (699, 701)
    ]


def test_a_name_is_free_to_choose_but_a_guests_id_on_a_node_is_not(host):
    host.process(699, ["/usr/bin/kvm", "-name", "8101", "-qmp", "unix:", "-blockdev", "{"], uid=NOBODY)
    assert read(host)[0][699]["id"] == "8101"
    (host.root / "etc/pve").mkdir(parents=True)
    guests, (problem,) = read(host)
    assert (guests[699]["id"], guests[699]["name"], problem["guest"]) == ("pid-699", "8101", "pid-699")


def test_a_guest_of_libvirts_user_is_read_as_before(host):
    (host.root / "etc/pve").mkdir(parents=True)
    host.process(702, ["/usr/bin/qemu-system-x86_64", "-name", "guest=web07"], uid=64055)
    assert read(host)[0][702]["id"] == "web07"


# Bounds


def test_a_command_line_without_end_is_not_read(host):
    host.process(699, ["/usr/bin/kvm", *["-append", "x" * 100_000] * 11], uid=NOBODY)
    guests, (problem,) = read(host)
    assert guests == {} and "command line of over 1048576 bytes" in problem["reason"]


def test_descriptors_without_end_are_not_read(host, monkeypatch):
    monkeypatch.setattr(opened, "_MOST_DESCRIPTORS", 3)
    host.process(700, PVE, files=[*OPEN, "/a", "/b"])
    guests, (problem,) = read(host)
    assert guests[700]["disks"][0]["runs"] and guests[700]["disagreements"] == []
    assert problem["reason"] == "has more than 3 files open: its command line is not cross-checked"


def test_maps_without_end_are_not_read(host, monkeypatch):
    monkeypatch.setattr(opened, "_MOST_MAPS", 1 << 17)
    host.process(700, PVE, files=OPEN, maps="x" * (1 << 17) + "/[aio] (deleted)\n")
    guests, (problem,) = read(host)
    assert guests[700]["disagreements"] == [] and "too many" in problem["reason"]


def test_of_a_thousand_files_that_no_disk_names_few_are_listed(host):
    host.process(700, PVE, files=[*OPEN, *(f"/srv/{number}" for number in range(1000))])
    guest = read(host)[0][700]
    (one,) = guest["disagreements"]
    assert len(one["seen"]) == 100 and one["detail"].startswith("/srv/0, ") and len(one["detail"]) < 500


def test_words_of_a_megabyte_are_cut(host):
    host.process(
        699,
        [
            "/usr/bin/kvm",
            "-name",
            "n" * 100_000,
            "-drive",
            f"file={'f' * 100_000},aio={'a' * 100_000},id={'i' * 100_000}",
        ],
        uid=NOBODY,
    )
    guests, problems = read(host)
    assert len(json.dumps([guests, problems])) < 40_000


LONG = {
    "commas": ["-drive", "," * 1_000_000],
    "dots": ["-drive", "file." * 200_000 + "x=1"],
    "drives": ["-drive", "file=/a,if=none"] * 40_000,
    "one id": [*["-device", "virtio-scsi,id=s"] * 20_000, *["-device", "scsi-hd,bus=s.0,drive=d"] * 15_000],
    "controllers": [
        word
        for number in range(10_000)
        for word in ("-device", f"lsi,id={number}", "-device", f"scsi-hd,bus={number}.0,drive=d")
    ],
    "settings": [
        word for number in range(15_000) for word in ("-set", f"device.{number}.a=b", "-device", f"x,id={number}")
    ],
    "globals": [*["-global", "a.b=c"] * 30_000, *["-device", "virtio-blk,drive=d"] * 15_000],
    "nodes": ["-blockdev", '{"driver":"raw","node-name":"a","file":"a"}', *["-device", "scsi-hd,drive=a"] * 30_000],
    "slashes": ["-serial", "/" * 1_000_000],
    "JSON": ["-blockdev", '{"a":[' + "1," * 300_000 + "1]}"],
}


@pytest.mark.parametrize("words", LONG.values(), ids=LONG)
def test_a_megabyte_of_one_thing_is_read_quickly(words):
    argv = ["kvm", *words]
    assert sum(len(word) + 1 for word in argv) < 1 << 20
    began = time.process_time()
    cmdline.parse(argv)
    # What is quadratic takes minutes. Measuring coverage multiplies the seconds by four.
    assert time.process_time() - began < 30


def test_many_disks_and_many_files_are_compared_quickly():
    words = [word for number in range(20_000) for word in ("-drive", f"file=/images/{number}/disk,if=virtio")]
    disks = cmdline.parse(["kvm", *words])["disks"]
    files = [evidence.open_file(f"/images/{number}/disk", 2, "x86_64") for number in range(8192)]
    others = {f"/srv/{number}" for number in range(20_000)}
    began = time.process_time()
    found, moved = evidence.cross_check(disks, {"native": False, "rings": 0, "files": files}, "10.1.2-1", {})
    assert (len(found), len(moved)) == (20_000 - 8192, 20_000 - 8192)
    assert sum(evidence.may_be_image(f"/srv/{number}/a/b", others) for number in range(8192, 28_192)) == 8192
    assert time.process_time() - began < 30


# The binary


def text_at(position, version=b"9.9.9"):
    return b"x" * position + BINARY % version


@pytest.mark.parametrize("position", [0, 100, (1 << 20) - 210, (1 << 20) - 30, (1 << 20) - 10, 1 << 20, (3 << 20) - 7])
def test_the_version_is_found_at_any_position(position):
    decoy = b"QEMU emulator version %s\0" * 3
    assert binary.find_version(io.BytesIO(decoy + text_at(position))) == "9.9.9"


def test_a_binary_without_end_is_read_in_part():
    class Endless(io.RawIOBase):
        given = 0

        def read(self, size):
            self.given += size
            return b"x" * size

    endless = Endless()
    assert binary.find_version(endless) is None
    assert endless.given == 256 << 20


@pytest.mark.parametrize("mode", [0o777, 0o775, 0o757])
def test_a_binary_that_others_can_write_is_not_looked_into(tmp_path, mode):
    program = tmp_path / "kvm"
    program.write_bytes(BINARY % PVE_VERSION)
    program.chmod(0o755)
    assert binary.Binaries().version_of(str(program)) == "10.1.2-1"
    program.chmod(mode)
    assert binary.Binaries().version_of(str(program)) is None


@pytest.mark.parametrize("place", ["fifo", "folder", "loop", "absent", "device"])
def test_what_is_not_a_regular_file_is_not_opened(tmp_path, place, monkeypatch):
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "folder").mkdir()
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "device").symlink_to("/dev/zero")
    real = os.open

    def only_looked_at(path, flags, *more, **others):
        assert flags & os.O_PATH
        return real(path, flags, *more, **others)

    monkeypatch.setattr(os, "open", only_looked_at)
    assert binary.Binaries().version_of(str(tmp_path / place)) is None


@pytest.mark.skipif(os.geteuid() != 0, reason="not root: no file can be given away")
def test_a_binary_of_another_user_is_not_looked_into(host):
    host.process(700, PVE, files=OPEN)
    os.chown(host.root / "usr/bin/kvm", NOBODY, NOBODY)
    assert read(host)[0][700]["qemu"] == {"running": None, "installed": None}


def test_a_binary_on_network_storage_is_not_looked_into(host):
    (host.root / "proc/self").mkdir()
    (host.root / "proc/self/mountinfo").write_text("29 1 0:50 / /home/eve/m rw - fuse.sshfs x rw\n")
    (host.root / "home/eve/m").mkdir(parents=True)
    host.binary("/home/eve/m/kvm", PVE_VERSION)
    host.process(699, ["kvm"], exe="/home/eve/m/kvm", uid=NOBODY)
    assert read(host)[0][699]["qemu"] == {"running": None, "installed": None}


# Real processes


@pytest.fixture
def forge():
    """Start real processes of another user from a program of his own that is named kvm."""
    if os.geteuid() != 0:
        pytest.skip("not root: no process of another user can be started")
    folder = tempfile.mkdtemp()
    os.chmod(folder, 0o755)
    program = os.path.join(folder, "kvm")
    shutil.copy(os.path.realpath("/bin/sh"), program)
    os.chown(program, NOBODY, NOBODY)
    started = []

    def start(*words, user=NOBODY):
        argv = [program, "-c", "echo ready; read x", *words]
        process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, user=user, group=user)
        started.append(process)
        assert process.stdout.readline() == b"ready\n"
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()
        process.stdin.close()
        process.stdout.close()
    shutil.rmtree(folder)


def of(pid):
    guests, problems = proc.running_guests()
    return [guest for guest in guests if guest["pid"] == pid], [
        one["reason"] for one in problems if one["file"] == f"/proc/{pid}"
    ]


def test_a_user_other_than_root_is_not_told_that_they_cannot_look_into_it(forge, monkeypatch):
    pid = forge().pid
    # As for a process that is not one's own.
    monkeypatch.setattr(opened, "has_native_context", lambda path: None)
    assert ["not cross-checked" in reason for reason in of(pid)[1]] == [True]
    monkeypatch.setattr(os, "geteuid", lambda: NOBODY - 1)
    guests, problems = of(pid)
    assert (len(guests), problems) == (1, [])


def test_a_real_process_of_another_user_that_says_it_is_a_guest(forge):
    process = forge(
        "-id", "102", "-pidfile", "/var/run/qemu-server/102.pid", "-drive", f"index={DIGITS}", "-qmp", "unix:server=on"
    )
    assert of(process.pid) == (
        [],
        [
            f"process {process.pid} of user id 65534 says it is guest 102, and Proxmox VE runs guests as root; it is"
            " left out"
        ],
    )
    assert not proc.is_process_of(process.pid, "102")
    process = forge("-id", "102", "-pidfile", "/var/run/qemu-server/102.pid", user=0)
    assert proc.is_process_of(process.pid, "102") and not proc.is_process_of(process.pid, "103")


def test_the_program_of_a_real_process_of_another_user_is_not_looked_into(forge):
    process = forge("-name", "shrinking")
    guests, problems = of(process.pid)
    assert (guests[0]["id"], guests[0]["qemu"], problems) == ("shrinking", {"running": None, "installed": None}, [])
