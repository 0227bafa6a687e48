# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""A plan reaches a tree: atomically, byte for byte, and never out of it."""

from __future__ import annotations

import concurrent.futures
import datetime
import fcntl
import os
import time
from pathlib import Path

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.module_utils._backends import find
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._host import whole_file as _whole_file
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._host.lock import alone
from ansible_collections.hypervisor.io_hardening.tests.unit.plugins.module_utils._backends.doors import apply_below
from ansible_collections.hypervisor.io_hardening.tests.unit.plugins.plugin_utils._policy.fleet import assess

GUEST = (
    b"# w\xc3\xb6rds\xff\ncores:2\nscsihw: virtio-scsi-pci\nname: a\r\nscsi0:"
    b" discard=on,file=local:1/d.qcow2,size=1G\n\n[snap1]\nscsi0: x\n"
)


def never(arguments):
    raise AssertionError(f"a tree is written without any command: {arguments}")


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "etc/pve/nodes/pve1/qemu-server"
    folder.mkdir(parents=True)
    (tmp_path / "etc/pve/storage.cfg").write_text("dir: local\n\tpath /var/lib/vz\n")
    return folder


def plan_of(root):
    reading = find.read(str(root))
    return assess(reading.guests, {}, datetime.date(2026, 11, 23), reading.nodes)["plan"]


def apply(root, plan=None, **options):
    plan = plan_of(root) if plan is None else plan
    return [outcome.result for outcome in apply_below(str(root), plan, run=never, **options)]


def test_only_the_named_options_change(tmp_path, folder):
    # The snapshot's drive is none that Proxmox VE knows, so the guest is made whole first.
    raw = GUEST.replace(b"scsi0: x", b"scsi0: local:1/d.qcow2")
    (folder / "100.conf").write_bytes(raw)
    (result,) = apply(tmp_path)
    assert result["status"] == "changed" and result["restart_pending"] is False
    assert (folder / "100.conf").read_bytes() == raw.replace(b"virtio-scsi-pci", b"virtio-scsi-single").replace(
        b"size=1G", b"size=1G,iothread=1,aio=threads", 1
    )
    assert plan_of(tmp_path) == [] and apply(tmp_path) == []


def test_a_config_never_grows_past_what_proxmox_stores(tmp_path, folder):
    tail = b"\nscsihw: virtio-scsi-pci\nscsi0: local:1/d.qcow2\n"
    raw = b"#" + b"x" * (1024 * 1024 - len(tail) - 10) + tail
    (folder / "100.conf").write_bytes(raw)
    for check in (True, False):
        (result,) = apply(tmp_path, check=check)
        assert (result["status"], result["reason"]) == ("failed", "refused") and "larger than 1 MiB" in result["detail"]
    assert (folder / "100.conf").read_bytes() == raw


@pytest.mark.parametrize(
    ("delete", "left"),
    [("scsihw", ""), ("!scsihw,cores", "\ndelete: cores\n"), ("memory, scsihw", "\ndelete: memory\n")],
)
def test_what_is_set_is_no_longer_to_be_removed(tmp_path, folder, delete, left):
    """As qm does; else the next cold start would take the controller away again."""
    (folder / "100.conf").write_text(
        f"cores: 2\nmemory: 512\nscsihw: virtio-scsi-pci\nscsi0: local:1/d.qcow2\n\n[PENDING]\ndelete: {delete}\n"
    )
    reading = find.read(str(tmp_path))
    plan = assess(
        reading.guests, {}, datetime.date(2026, 11, 23), reading.nodes, migrate_controllers="guest.id == '100'"
    )["plan"]
    (result,) = apply(tmp_path, plan)
    assert result["status"] == "changed", result["detail"]
    text = (folder / "100.conf").read_text()
    assert "scsihw: virtio-scsi-single\n" in text and text.endswith("[PENDING]\n" + left.lstrip("\n"))
    assert plan_of(tmp_path) == []


def test_mode_stays_and_nothing_is_left_behind(tmp_path, folder):
    (folder / "100.conf").write_text("name: a\nvirtio0: local:1/d.raw\n")
    (folder / "100.conf").chmod(0o640)
    apply(tmp_path)
    assert (folder / "100.conf").stat().st_mode & 0o777 == 0o640
    assert os.listdir(folder) == ["100.conf"]


def test_check_mode_writes_nothing(tmp_path, folder):
    (folder / "100.conf").write_text("name: a\nvirtio0: local:1/d.raw\n")
    (result,) = apply(tmp_path, check=True)
    assert result["status"] == "changed" and (folder / "100.conf").read_text() == "name: a\nvirtio0: local:1/d.raw\n"


@pytest.mark.parametrize("waits", [False, True])
def test_check_mode_knows_what_will_wait(tmp_path, folder, waits):
    waiting = "\n[PENDING]\nvirtio0: local:1/d.raw,discard=on\n" if waits else ""
    (folder / "100.conf").write_text(f"name: a\nvirtio0: local:1/d.raw\n{waiting}")
    told, done = apply(tmp_path, check=True), apply(tmp_path)
    assert told[0]["restart_pending"] is done[0]["restart_pending"] is waits


@pytest.mark.parametrize(
    "target", ["../../../../../../{name}-outside.conf", "101.conf", "../../pve2/qemu-server/100.conf"]
)
def test_a_config_that_is_a_link_is_neither_read_nor_written(tmp_path, folder, target):
    (folder / "100.conf").write_text("name: a\nvirtio0: local:1/d.raw\n")
    plan = plan_of(tmp_path)
    (folder / "100.conf").unlink()
    (folder / "100.conf").symlink_to(target.format(name=tmp_path.name))
    place = Path(os.path.normpath(folder / os.readlink(folder / "100.conf")))
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text("name: a\nvirtio0: local:1/d.raw\n")
    reading = find.read(str(tmp_path), only=["100"], node="pve1")
    assert [problem["reason"] for problem in reading.problems] == [
        "cannot be read: is a link; a guest's config is a file of its own"
    ]
    assert reading.guests == []
    (result,) = apply(tmp_path, plan)
    assert result["status"] == "failed" and "is a link" in result["detail"]
    assert place.read_text() == "name: a\nvirtio0: local:1/d.raw\n"


@pytest.mark.parametrize("nodes", ["nodes", "elsewhere"])
def test_a_directory_that_is_a_link_leads_to_its_guests(tmp_path, nodes):
    """Proxmox VE's /etc/pve/qemu-server leads to nodes/NODE/qemu-server; a copy may lack the nodes."""
    real = tmp_path / "etc/pve" / nodes / "pve1/qemu-server"
    real.mkdir(parents=True)
    (tmp_path / "etc/pve/qemu-server").symlink_to(f"{nodes}/pve1/qemu-server")
    (real / "100.conf").write_text("name: a\nvirtio0: local:1/d.raw\n")
    assert [result["status"] for result in apply(tmp_path)] == ["changed"]
    assert (real / "100.conf").read_text() == "name: a\nvirtio0: local:1/d.raw,iothread=1,aio=threads\n"
    assert os.listdir(real) == ["100.conf"]


def test_a_directory_that_leads_out_is_neither_read_nor_written(tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    root = tmp_path / "root"
    (root / "etc/pve").mkdir(parents=True)
    (root / "etc/pve/qemu-server").symlink_to(outside)
    (outside / "100.conf").write_text("name: a\nvirtio0: local:1/d.raw\n")
    (outside / ".100.conf.abcd_123.io-hardening-new").write_text("x")
    reading = find.read(str(root))
    assert reading.guests == [] and "link that leads out" in reading.problems[-1]["reason"]
    entry = {"guest": "100", "config": "/etc/pve/qemu-server/100.conf", "digest": "0", "changes": [], "node": None}
    assert apply(root, [entry])[0]["status"] == "failed"
    assert len(os.listdir(outside)) == 2


def test_two_runs_at_once_write_a_guest_once(tmp_path, folder):
    (folder / "100.conf").write_text("name: a\nvirtio0: local:1/d.raw\n")
    plan = plan_of(tmp_path)
    other = os.open(folder, os.O_RDONLY)
    fcntl.flock(other, fcntl.LOCK_EX)
    with concurrent.futures.ThreadPoolExecutor() as pool:
        runs = [pool.submit(apply, tmp_path, plan) for _run in range(4)]
        time.sleep(0.2)
        assert (folder / "100.conf").read_text() == "name: a\nvirtio0: local:1/d.raw\n", "did not wait"
        os.close(other)
        results = sorted((run.result()[0]["status"], run.result()[0]["reason"] or "") for run in runs)
    assert results == [("changed", "")] + 3 * [("failed", "digest_moved")]


def test_a_run_that_does_not_end_is_not_waited_for_for_ever(tmp_path, folder):
    (folder / "100.conf").write_text("name: a\nvirtio0: local:1/d.raw\n")
    other = os.open(folder, os.O_RDONLY)
    fcntl.flock(other, fcntl.LOCK_EX)
    (result,) = apply(tmp_path, timeout=0)
    assert (result["status"], result["reason"]) == ("failed", "busy")
    assert f"another run still holds {folder} after 0 s of waiting" in result["detail"]
    assert [one["status"] for one in apply(tmp_path, check=True)] == ["changed"], "check mode waits for nobody"
    os.close(other)
    assert [one["status"] for one in apply(tmp_path)] == ["changed"]


def test_a_directory_of_two_names_is_held_once(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").symlink_to("a")
    with alone([str(tmp_path / "a"), str(tmp_path / "b"), str(tmp_path / "missing")], 0) as held_by_another:
        assert held_by_another is None
        with alone([str(tmp_path / "b")], 0) as held_by_another:
            assert held_by_another == str(tmp_path / "b")


DISK = "name: a\nvirtio0: local:1/d.raw\n"


def meanwhile(monkeypatch, do):
    """Have a colleague do something while the new content is being written, after every earlier look at the config."""
    real = _whole_file._temporary

    def slow(path):
        made = real(path)
        do()
        return made

    monkeypatch.setattr(_whole_file, "_temporary", slow)


def test_an_edit_between_the_look_and_the_rename_is_not_overwritten(tmp_path, folder, monkeypatch):
    (folder / "100.conf").write_text(DISK)
    (folder / "101.conf").write_text(DISK)
    plan = plan_of(tmp_path)
    meanwhile(monkeypatch, lambda: (folder / "100.conf").write_text(DISK + "memory: 4096\n"))
    first, second = apply(tmp_path, plan, max_parallel=1)
    assert (first["status"], first["reason"], second["status"]) == ("failed", "digest_moved", "changed")
    assert (folder / "100.conf").read_text() == DISK + "memory: 4096\n" and sorted(os.listdir(folder)) == [
        "100.conf",
        "101.conf",
    ]


def test_a_config_that_is_removed_between_is_not_made_again(tmp_path, folder, monkeypatch):
    (folder / "100.conf").write_text(DISK)
    plan = plan_of(tmp_path)
    meanwhile(monkeypatch, (folder / "100.conf").unlink)
    (result,) = apply(tmp_path, plan)
    assert (result["status"], result["reason"]) == ("failed", "moved") and os.listdir(folder) == []


def test_a_link_that_is_put_in_its_place_between_is_not_replaced(tmp_path, folder, monkeypatch):
    (folder / "100.conf").write_text(DISK)
    (tmp_path / "elsewhere.conf").write_text(DISK)
    plan = plan_of(tmp_path)

    def link():
        (folder / "100.conf").unlink()
        (folder / "100.conf").symlink_to(tmp_path / "elsewhere.conf")

    meanwhile(monkeypatch, link)
    (result,) = apply(tmp_path, plan)
    assert result["status"] == "failed" and "is a link" in result["detail"] and (folder / "100.conf").is_symlink()


@pytest.mark.parametrize("check", [True, False])
@pytest.mark.parametrize(
    "config",
    [
        "/outside/100.conf",
        "/../{name}-outside/100.conf",
        "/etc/pve/nodes/pve1/qemu-server/../../../../../outside/100.conf",
    ],
)
def test_a_plan_that_names_another_file_is_refused(tmp_path, folder, config, check):
    for place in (tmp_path / "outside", tmp_path.parent / f"{tmp_path.name}-outside"):
        place.mkdir(exist_ok=True)
        (place / "100.conf").write_text(DISK)
        (place / ".100.conf.abcd_123.io-hardening-new").write_text("x")
    (folder / "100.conf").write_text(DISK)
    (planned,) = plan_of(tmp_path)
    (result,) = apply(tmp_path, [{**planned, "config": config.format(name=tmp_path.name)}], check=check)
    assert (result["status"], result["reason"]) == (
        "failed",
        "refused",
    ) and "that of guest 100 on node pve1 is" in result["detail"]
    for place in (tmp_path / "outside", tmp_path.parent / f"{tmp_path.name}-outside"):
        assert (place / "100.conf").read_text() == DISK and len(os.listdir(place)) == 2


@pytest.mark.parametrize("check", [True, False])
def test_a_value_with_a_newline_injects_no_line(tmp_path, folder, check):
    (folder / "100.conf").write_text(DISK)
    (folder / "101.conf").write_text(DISK)
    first, second = plan_of(tmp_path)
    first["changes"] = [
        {
            "key": "controller",
            "option": "type",
            "before": None,
            "after": "virtio-scsi-pci\nhookscript: local:snippets/x.pl",
        }
    ]
    results = apply(tmp_path, [first, second], check=check)
    assert [result["status"] for result in results] == ["failed", "changed"] and "\n" not in results[0]["detail"]
    assert (folder / "100.conf").read_text() == DISK


def test_a_full_disk_leaves_the_old_file(tmp_path, folder, monkeypatch):
    (folder / "100.conf").write_text("name: a\nvirtio0: local:1/d.raw\n")

    def full(handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    (result,) = apply(tmp_path)
    assert (result["status"], result["detail"]) == ("failed", "No space left on device")
    assert (folder / "100.conf").read_text() == "name: a\nvirtio0: local:1/d.raw\n" and os.listdir(folder) == [
        "100.conf"
    ]


def test_what_a_killed_run_left_beside_a_config_is_removed_by_the_next_one(tmp_path, folder):
    (folder / "100.conf").write_text("name: a\nvirtio0: local:1/d.raw\n")
    left = folder / ".101.conf.abcd_123.io-hardening-new"
    left.write_text("name: b\n")
    apply(tmp_path, check=True)
    assert left.exists()
    apply(tmp_path)
    assert os.listdir(folder) == ["100.conf"]


def test_json_can_be_judged_and_not_written(tmp_path):
    (tmp_path / "100.json").write_text('{"name": "a", "virtio0": "local:1/d.raw", "digest": "0"}')
    (result,) = apply(tmp_path)
    assert result["status"] == "failed" and "JSON" in result["detail"]


def test_live_is_the_root_alone(tmp_path):
    assert find.is_this_host("/") and find.is_this_host("//") and not find.is_this_host(str(tmp_path))
