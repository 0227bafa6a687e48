# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

from __future__ import annotations

import json

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.module_utils._prove import backup
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._prove.errors import ProveError


def made(**given):
    return backup.check(given, "setting x")


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"max_workers": 0}, "setting x: max_workers of the backup is 0; allowed: 1 to 256"),
        ({"max_workers": "4"}, "max_workers of the backup is '4'"),
        ({"max_workers": True}, "max_workers of the backup is True"),
        ({"workers": 4}, "unknown workers in backup; allowed: max_workers, "),
        ({"cluster_kb": 32}, "allowed: 64 to 65536"),
        ({"cluster_kb": 96}, "allowed: powers of two"),
        ({"target": "mnt"}, "target of the backup is 'mnt'; name a directory"),
        ({"target_mb_per_s": 5}, "a target that is slow on purpose needs a directory"),
    ],
)
def test_backups_that_cannot_be_meant_are_refused(given, says):
    with pytest.raises(ProveError, match=says):
        made(**given)


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("QEMU emulator version 7.2.22 (Debian 1:7.2+dfsg-7+deb12u18)", (7, 2)),
        ("QEMU emulator version 10.0.2 (pve-qemu-kvm_10.0.2-4)", (10, 0)),
        ("", None),
    ],
)
def test_the_version_that_qemu_writes(text, version):
    assert backup.version_in(text) == version


@pytest.mark.parametrize(
    ("given", "version", "says"),
    [
        ({}, (5, 2), None),
        ({"fleecing": "/x"}, (8, 1), None),
        ({"fleecing": "/x"}, (10, 0), None),
        (
            {"fleecing": "/x"},
            (7, 2),
            "setting x: fleecing needs QEMU 8.1 or later, as in Proxmox VE 8.2; this host's is 7.2.",
        ),
        ({"fleecing": "/x"}, None, "this host's is not known"),
        ({"cluster_kb": 4096}, (9, 1), "a backup with cluster_kb needs QEMU 9.2 or later; this host's is 9.1"),
        ({"cluster_kb": 4096}, (9, 2), None),
    ],
)
def test_a_qemu_that_cannot_do_it_is_refused(given, version, says):
    if says is None:
        assert backup.check_version(made(**given), version, "setting x") is None
        return
    with pytest.raises(ProveError, match=says):
        backup.check_version(made(**given), version, "setting x")


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({}, "16 workers to nowhere"),
        ({"max_workers": 1, "target": "/b", "rate_mb_per_s": 20}, "1 worker with 20 MB/s to /b"),
        (
            {"target": "/b", "target_mb_per_s": 5, "target_requests_per_s": 50, "fleecing": "/f", "cluster_kb": 4096},
            "16 workers and clusters of 4096 KiB to /b at 5 MB/s and 50 requests/s, fleecing on /f",
        ),
    ],
)
def test_a_description(given, text):
    assert backup.describe(made(**given)) == text


def test_without_fleecing_the_backup_is_one_command():
    given = made(max_workers=1, rate_mb_per_s=20, cluster_kb=4096)
    assert backup.commands(given, "disk", "scsi") == [
        (
            "blockdev-backup",
            {
                "job-id": "backup",
                "device": "disk",
                "target": "backup-target",
                "sync": "full",
                "x-perf": {"max-workers": 1, "min-cluster-size": 4194304},
                "speed": 20000000,
            },
        )
    ]


@pytest.mark.parametrize(("bus", "path"), [("scsi", "disk0"), ("sata", "disk0"), ("virtio", "disk0/virtio-backend")])
def test_with_fleecing_the_guest_is_put_above_a_filter_and_the_backup_reads_beside_it(bus, path):
    filtered, put, access, job = backup.commands(made(fleecing="/f"), "disk", bus)
    assert filtered[1]["file"] == "disk" and filtered[1]["target"] == "fleecing-image"
    assert (filtered[1]["on-cbw-error"], filtered[1]["cbw-timeout"]) == ("break-snapshot", 45)
    assert put == ("qom-set", {"path": f"/machine/peripheral/{path}", "property": "drive", "value": "fleecing"})
    assert access[1] == {"driver": "snapshot-access", "node-name": "fleecing-access", "file": "fleecing"}
    assert job[1]["device"] == "fleecing-access" and "speed" not in job[1]
    assert job[1]["x-perf"] == {"max-workers": 16}


def nodes(command):
    return [json.loads(value) for name, value in zip(command, command[1:]) if name == "-blockdev"]


def test_the_target_is_a_file_as_slow_as_asked_for_or_nowhere():
    command = backup.argv(made(target="/b", target_mb_per_s=5, target_requests_per_s=50), {"target": 7}, 100)
    assert command[:2] == ["-object", "throttle-group,id=backup-limit,x-bps-total=5000000,x-iops-total=50"]
    (target,) = nodes(command)
    assert target["file"]["file"]["filename"] == "/proc/self/fd/7" and target["file"]["file"]["cache"]["direct"]
    assert backup.argv(made(target="/b"), {"target": 7}, 100)[1] == "throttle-group,id=backup-limit"
    assert nodes(backup.argv(made(), {}, 100)) == [{"driver": "null-co", "node-name": "backup-target", "size": 100}]


def test_a_fleecing_image_is_a_file_of_its_own():
    _target, image = nodes(backup.argv(made(target="/b", fleecing="/f"), {"target": 7, "fleecing": 8}, 100))
    assert (image["node-name"], image["file"]["filename"]) == ("fleecing-image", "/proc/self/fd/8")
    assert backup.directories(made(target="/b", fleecing="/f")) == ["/b", "/f"]
    assert backup.directories(made()) == []


COMPLETED = {"event": "BLOCK_JOB_COMPLETED", "data": {"device": "backup", "offset": 30000000}}


@pytest.mark.parametrize(
    ("messages", "begun", "found"),
    [
        ([], None, {"mb_per_s": None, "ended": False}),
        (
            [(20.0, {"return": [{"device": "backup", "offset": 50000000}], "id": "backup"})],
            10.0,
            {"mb_per_s": 5.0, "ended": False},
        ),
        ([(20.0, {"return": [], "id": "backup"})], 10.0, {"mb_per_s": None, "ended": False}),
        ([(12.0, COMPLETED), (20.0, {"return": [], "id": "backup"})], 10.0, {"mb_per_s": 15.0, "ended": True}),
        ([(12.0, {"event": "STOP"}), (13.0, {"return": {}})], 10.0, {"mb_per_s": None, "ended": False}),
        ([(12.0, COMPLETED)], None, {"mb_per_s": None, "ended": True}),
    ],
)
def test_how_far_a_backup_came(messages, begun, found):
    assert backup.progress(messages, begun) == found


def test_a_backup_that_failed_is_an_error():
    failed = {
        "event": "BLOCK_JOB_COMPLETED",
        "data": {"device": "backup", "offset": 1, "error": "No space left on device"},
    }
    with pytest.raises(ProveError, match="the backup failed: No space left"):
        backup.progress([(12.0, failed)], 10.0)
