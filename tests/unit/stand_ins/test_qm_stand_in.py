# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors
"""The stand-in's own tests: what nobody recorded, and what must hold where the recordings are absent."""

from __future__ import annotations

import fcntl
import hashlib
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ansible_collections.hypervisor.io_hardening.tests.unit.stand_ins.qm_host import QM, QmHost

GUEST = """\
boot: order=scsi0
memory: 512
name: till07
scsi0: local:700/vm-700-disk-0.qcow2,discard=on,size=8G
scsihw: virtio-scsi-pci
"""
HARDENED = "local:700/vm-700-disk-0.qcow2,discard=on,size=8G,aio=threads,cache=none,iothread=1"
WRITTEN = "scsi0: local:700/vm-700-disk-0.qcow2,aio=threads,cache=none,discard=on,iothread=1,size=8G\n"


@pytest.fixture
def host(tmp_path):
    host = QmHost(tmp_path, second=0.02)
    host.config(700).write_text(GUEST)
    yield host
    host.close()


def main_and_pending(host):
    main, _sign, pending = host.config(700).read_text().partition("\n[PENDING]\n")
    return main, pending


def test_a_stopped_guest_is_written_at_once_sorted_and_in_canonical_form(host):
    host.config(700).write_text(GUEST + "agent: 1\n")
    result = host.run(
        "qm", "set", "700", "--scsi0", HARDENED.replace("=8G", "=8192M"), "--scsihw", "virtio-scsi-single"
    )
    assert (result.returncode, result.stderr) == (0, "")
    lines = host.config(700).read_text().splitlines(keepends=True)
    assert lines == sorted(lines)
    assert WRITTEN in lines
    assert "scsihw: virtio-scsi-single\n" in lines


def test_an_option_that_is_not_passed_is_gone_and_the_size_is_not(host):
    host.run("qm", "set", "700", "--scsi0", "local:700/vm-700-disk-0.qcow2,ssd=on")
    assert "scsi0: local:700/vm-700-disk-0.qcow2,size=8G,ssd=1\n" in host.config(700).read_text()


def test_a_write_drops_what_it_does_not_understand_and_says_so_with_status_0(host):
    host.config(700).write_text(GUEST + "colour: blue\nscsi1: local:700/vm-700-disk-1.raw,aio=threads,turbo=1\n")
    result = host.run("qm", "set", "700", "--cores", "2")
    assert result.returncode == 0
    assert result.stderr == (
        "vm 700 - unable to parse value of 'colour' - unknown setting 'colour'\n"
        "vm 700 - unable to parse value of 'scsi1' - format error\n"
        "turbo: property is not defined in schema and the schema does not allow additional properties\n"
    )
    assert host.config(700).read_text() == GUEST.replace("memory", "cores: 2\nmemory")


def test_comments_move_to_the_top_and_bytes_beyond_ascii_are_encoded(host):
    host.config(700).write_bytes(GUEST.encode() + "# Küche: {{ 7*7 }}\n".encode() + b'args: -name "{{ x }}"\n')
    host.run("qm", "set", "700", "--cores", "2")
    text = host.config(700).read_text()
    assert text.startswith("# K%C3%BCche%3A {{ 7*7 }}\n")
    assert 'args: -name "{{ x }}"\n' in text


def test_a_duplicate_option_is_refused(host):
    result = host.run("qm", "set", "700", "--scsi0", HARDENED + ",aio=native")
    assert result.returncode == 2
    assert "scsi0: invalid format - duplicate key in comma-separated list property: aio\n" in result.stderr
    assert host.config(700).read_text() == GUEST


def test_a_drive_with_options_of_old_releases_is_dropped(host):
    host.config(700).write_text(GUEST.replace("size=8G", "size=8G,secs=63"))
    assert "secs: property is not defined in schema" in host.run("qm", "config", "700").stderr
    result = host.run("qm", "set", "700", "--scsi0", HARDENED + ",secs=63")
    assert result.returncode == 2
    assert "scsi0.secs: property is not defined in schema" in result.stderr


def test_on_a_stopped_guest_a_set_applies_what_somebody_else_left_pending(host):
    host.config(700).write_text(GUEST + "cores: 4\n\n[pending]\nmemory: 1024\ndelete: cores\n")
    host.run("qm", "set", "700", "--scsihw", "virtio-scsi-single")
    text = host.config(700).read_text()
    assert "memory: 1024\n" in text
    assert "cores" not in text
    assert "PENDING" not in text


def test_on_a_running_guest_settings_of_qemu_wait_and_others_do_not(host):
    assert host.run("qm", "start", "700").returncode == 0
    result = host.run("qm", "set", "700", "--scsihw", "virtio-scsi-single", "--scsi0", HARDENED, "--onboot", "yes")
    assert (result.returncode, result.stderr) == (0, "")
    main, pending = main_and_pending(host)
    assert main == GUEST.replace("scsi0: ", "onboot: 1\nscsi0: ")
    assert pending == WRITTEN + "scsihw: virtio-scsi-single\n"
    host.run("qm", "reboot", "700")
    assert WRITTEN in main_and_pending(host)[0]
    assert main_and_pending(host)[1] == ""
    assert host.run("qm", "status", "700").stdout == "status: running\n"


COLD = ["aio=native", "cache=writeback", "iothread=1", "ssd=1", "queues=2", "ro=1", "product=p", "vendor=v"]


@pytest.mark.parametrize(
    ("option", "waits"), [*((option, True) for option in COLD), ("backup=0", False), ("iops=9", False)]
)
def test_which_options_of_a_drive_wait_for_a_cold_start(host, option, waits):
    host.run("qm", "start", "700")
    host.run("qm", "set", "700", "--scsi0", f"local:700/vm-700-disk-0.qcow2,discard=on,size=8G,{option}")
    main, pending = main_and_pending(host)
    assert (option in pending, option in main) == (waits, not waits)


def test_a_drive_that_fails_leaves_the_other_options_pending(host):
    host.declare("storages-offline", "nfs1")
    host.config(700).write_text(GUEST + "scsi1: nfs1:700/vm-700-disk-1.raw,size=8G\n")
    result = host.run(
        "qm", "set", "700", "--scsihw", "virtio-scsi-single", "--scsi1", "nfs1:700/vm-700-disk-1.raw,ssd=1"
    )
    assert (result.returncode, result.stderr) == (255, "storage 'nfs1' is not online\n")
    assert main_and_pending(host)[1] == "scsihw: virtio-scsi-single\n"


def test_a_lock_that_somebody_holds_is_waited_for_and_then_given_up(host):
    lock = host.root / "var/lock/qemu-server/lock-700.conf"
    lock.parent.mkdir(parents=True)
    with lock.open("a") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        result = host.run("qm", "set", "700", "--cores", "2")
    assert result.returncode != 0
    assert result.stderr.endswith("can't lock file '/var/lock/qemu-server/lock-700.conf' - got timeout\n")
    assert host.config(700).read_text() == GUEST
    call = host.calls()[-1]
    assert call["end"] - call["start"] >= 10 * 0.02


def test_what_happens_just_before_a_set(host):
    elsewhere = host.root / "etc/pve/nodes/pve2/qemu-server"
    elsewhere.mkdir(parents=True)
    hook = host.root / "var/lib/qm-stand-in/before-set/700"
    hook.parent.mkdir(parents=True)
    hook.write_text(f"#!/bin/sh\nmv '{host.config(700)}' '{elsewhere}'\n")
    hook.chmod(0o755)
    result = host.run("qm", "set", "700", "--cores", "2")
    assert result.stderr == "Configuration file 'nodes/pve1/qemu-server/700.conf' does not exist\n"
    assert result.returncode == 2
    (elsewhere / "700.conf").rename(host.config(700))
    assert host.run("qm", "set", "700", "--cores", "2").returncode == 0


def test_only_the_digest_of_the_file_as_it_is_lets_a_set_pass(host):
    digest = hashlib.sha1(GUEST.encode()).hexdigest()
    assert host.run("qm", "set", "700", "--cores", "2", "--digest", digest).returncode == 0
    again = host.run("qm", "set", "700", "--cores", "3", "--digest", digest)
    assert (again.returncode, again.stderr) == (255, "checksum mismatch (file change by other user?)\n")


def test_setting_a_cloud_init_drive_rebuilds_it_and_an_empty_cdrom_changes_the_boot_order(host):
    host.config(700).write_text(GUEST + "ide0: local:700/vm-700-cloudinit.qcow2,media=cdrom\nide2: none,media=cdrom\n")
    host.run("qm", "set", "700", "--ide0", "local:700/vm-700-cloudinit.qcow2,media=cdrom,cache=none")
    assert host.calls()[-1]["cloudinit_rebuilt"] == ["local:700/vm-700-cloudinit.qcow2"]
    host.run("qm", "set", "700", "--ide2", "none,media=cdrom")
    assert host.calls()[-1]["cloudinit_rebuilt"] == []
    assert "boot: order=scsi0;ide2\n" in host.config(700).read_text()


def test_native_through_the_page_cache_does_not_start(host):
    host.config(700).write_text(GUEST + "scsi1: btr1:700/vm-700-disk-1.raw,aio=native,size=1G\n")
    result = host.run("qm", "start", "700")
    assert (result.returncode, result.stderr) == (255, "start failed: QEMU exited with code 1\n")
    assert "it requires cache.direct=on" in result.stdout
    assert host.run("qm", "status", "700").stdout == "status: stopped\n"


def alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def test_the_process_of_a_guest_ends_with_its_pid_file(host):
    host.run("qm", "start", "700")
    path = host.root / "var/run/qemu-server/700.pid"
    pid = int(path.read_text())
    assert alive(pid)
    path.unlink()
    end = time.monotonic() + 10
    while alive(pid) and time.monotonic() < end:
        time.sleep(0.05)
    assert not alive(pid)


def test_the_log_has_every_call_with_its_time(host):
    with ThreadPoolExecutor(3) as pool:
        for vmid in (701, 702, 703):
            host.config(vmid).write_text(GUEST)
        list(pool.map(lambda vmid: host.run("qm", "config", str(vmid), QM_DELAY="0.5"), (701, 702, 703)))
    calls = host.calls()
    assert sorted(call["argv"] for call in calls) == [["config", "701"], ["config", "702"], ["config", "703"]]
    assert all(call["end"] - call["start"] >= 0.5 for call in calls)
    assert max(call["start"] for call in calls) < min(call["end"] for call in calls)


def test_it_is_a_program_of_its_own(host):
    result = subprocess.run(
        [str(QM), "config", "700"], env={**host.environment, "PATH": "/usr/bin:/bin"}, capture_output=True, check=True
    )
    assert result.stdout.decode() == GUEST


@pytest.mark.parametrize("arguments", [["set", "700", "--scsi1", "local:32"]])
def test_what_it_cannot_do_it_refuses(host, arguments):
    result = host.run("qm", *arguments)
    assert result.returncode == 1
    assert "the stand-in" in result.stderr


def test_qm_list_has_every_guest_and_what_a_write_would_drop(host):
    host.config(701).write_text("agent: enabled=1,newflag=1\nname: db\n")
    host.run("qm", "start", "700")
    pid = (host.root / "var/run/qemu-server/700.pid").read_text().strip()
    result = host.run("qm", "list")
    assert result.stdout == (
        "      VMID NAME                 STATUS     MEM(MB)    BOOTDISK(GB) PID       \n"
        f"       700 till07               running    512                8.00 {pid:<10}\n"
        "       701 db                   stopped    512                0.00 0         \n"
    )
    assert result.stderr == (
        "vm 701 - unable to parse value of 'agent' - format error\n"
        "newflag: property is not defined in schema and the schema does not allow additional properties\n"
    )


def test_showcmd_fails_where_a_start_would(host):
    assert host.run("qm", "showcmd", "700").stdout.startswith("/usr/bin/kvm -id 700 ")
    host.config(700).write_text(GUEST + "net0: virtio=BC:24:11:00:00:01,bridge=vmbr7\n")
    host.declare("bridges-missing", "vmbr7")
    result = host.run("qm", "showcmd", "700")
    assert (result.returncode, result.stdout, result.stderr) == (2, "", "bridge 'vmbr7' does not exist\n")


def test_pvesm_status_tells_what_is_not_there(host):
    host.declare("storages-offline", "nfs1")
    with (host.root / "etc/pve/storage.cfg").open("a") as stream:
        stream.write("\ndir: far\n\tpath /far\n\tnodes pve2\n")
    result = host.run("pvesm", "status")
    assert {line.split()[0]: line.split()[2] for line in result.stdout.splitlines()[1:]} == {
        # fmt: skip
        "btr1": "active",
        "ceph1": "active",
        "far": "disabled",
        "local": "active",
        "lvm1": "active",
        "nfs1": "inactive",
    }
    assert (result.returncode, result.stderr) == (0, "storage 'nfs1' is not online\n")
    assert host.run("pvesm", "list", "local").returncode == 1


def test_a_guest_that_powers_off_while_its_qemu_stays(host):
    host.run("qm", "start", "700")
    host.declare("qemu-stays", "700")
    assert "got timeout" in host.run("qm", "reboot", "700", "--timeout", "1").stderr
    assert host.run("qm", "status", "700").stdout == "status: shutdown\n"
    host.run("qm", "stop", "700")
    assert host.run("qm", "status", "700").stdout == "status: stopped\n"
