# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

from __future__ import annotations

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.module_utils._calibrate import disk, kept, step
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._prove import lab, setting, storage
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._prove.errors import ProveError
from ansible_collections.hypervisor.io_hardening.tests.unit.plugins.module_utils._calibrate import host as hosts

RUN = {"longest_gap_ms": 9.0, "load": {"mb": 100, "mb_per_s": 38.5, "ended_early": False, "felt_ms": 800.0}}


@pytest.fixture(name="host")
def fixture_host(tmp_path, monkeypatch):
    """A host whose lab says what it was asked for, and what the disk's queue was then."""
    host, path = hosts.lvm(tmp_path)
    host.path = path
    host.asked, host.seen = [], []

    class Lab:
        accelerator, accelerator_reason = "tcg", "asked for"

        def __init__(self, options, _found):
            host.asked.append(options)

        def __enter__(self):
            return self

        def __exit__(self, *_exception):
            pass

        def run(self, setting, number, moved):
            host.seen.append((host.read("sda", "queue/nr_requests"), moved and moved()))
            return {**RUN, "load": dict(RUN["load"]), "setting": setting["name"], "round": number}

    monkeypatch.setattr(lab, "Lab", Lab)
    monkeypatch.setattr(lab, "check", lambda options: {"settings": setting.check_all(options["settings"])})
    monkeypatch.setattr(storage, "check_room", lambda *_arguments: None)
    monkeypatch.setattr(storage, "check_direct", lambda *_arguments: None)
    return host


def options(host, **over):
    return {
        "path": host.path,
        "measure": "writer",
        "hardened": True,
        "queue": None,
        "dirty": None,
        "backup": None,
        "load_mb_per_s": 0,
        "image_mb": 128,
        "sure": False,
        **over,
    }


def take(host, **over):
    return step.take(options(host, **over), host.tree)


def test_a_run_is_made_with_the_values_and_they_are_put_back(host):
    done = take(host, queue={"nr_requests": 16, "max_sectors_kb": None}, dirty={"max_bytes": 8 << 20})
    assert host.seen == [("16", 30 * 512)]
    assert host.read("sda", "queue/nr_requests") == "128"
    assert (done["run"]["disk_mb_per_s"], done["run"]["written_mb"]) == (38.5, 228)
    assert done["accelerator"] == {"name": "tcg", "reason": "asked for"} and done["rate"] is None
    assert done["put_back"] == [] and done["disk"]["around"] == ["dm-1", "sda"]


BACKUP = {"max_workers": 1, "target": "/b", "target_mb_per_s": 5, "fleecing": "/f"}


@pytest.mark.parametrize(
    ("measure", "writers", "during", "target"),
    [("writer", 1, "backup", None), ("backup", 0, "backup", "/b"), ("restore", 1, None, None)],
)
def test_each_load_has_its_writer_and_its_backup(host, measure, writers, during, target):
    take(host, measure=measure, backup=BACKUP)
    (asked,) = host.asked
    (one,) = asked["settings"]
    assert (asked["load_writers"], one["during"]) == (writers, during)
    assert (one.get("backup") or {}).get("target") == target
    if during:
        assert one["backup"]["max_workers"] == 1


def test_a_backup_s_own_files_are_counted(host):
    assert take(host, measure="backup", backup=BACKUP)["run"]["written_mb"] == 100 + 3 * 128


@pytest.mark.parametrize(("hardened", "iothread"), [(True, True), (False, False)])
def test_the_guest_is_hardened_or_as_by_default(host, hardened, iothread):
    take(host, hardened=hardened)
    assert host.asked[0]["settings"][0]["iothread"] is iothread


def test_the_rate_is_that_of_the_storage_and_of_the_target(host, monkeypatch):
    rates = {host.path: 40.0, "/b": 100.0}
    monkeypatch.setattr(
        step.rate, "measure", lambda path, *_bounds: {"write_mb_per_s": rates[path], "read_mb_per_s": 1.0}
    )
    done = take(host, measure="rate", backup={"target": "/b"})
    assert done["rate"] == {"write_mb_per_s": 40.0, "read_mb_per_s": 1.0, "target_mb_per_s": 100.0}
    assert done["run"] is None and host.asked == []
    assert take(host, measure="rate", backup=BACKUP)["rate"]["target_mb_per_s"] == 5
    assert take(host, measure="rate")["rate"]["target_mb_per_s"] is None


def test_a_storage_in_production_is_not_measured_unless_one_is_sure(host, monkeypatch):
    monkeypatch.setattr(disk, "production", lambda *_arguments: [f"guest {number} runs on it" for number in range(5)])
    with pytest.raises(ProveError, match="in production: .*guest 2 runs on it and 2 more.*Nothing was started"):
        take(host)
    assert host.asked == []
    assert len(take(host, sure=True)["production"]) == 5


def test_a_check_changes_nothing_and_says_what_a_killed_run_left(host):
    (host.root / kept.RECORD.lstrip("/")).write_text('[["/sys/class/block/sda/queue/nr_requests", 64]]')
    found = step.check(options(host), host.tree)
    assert found["left_behind"] == ["/sys/class/block/sda/queue/nr_requests"]
    assert host.read("sda", "queue/nr_requests") == "128"
    assert take(host)["put_back"] == found["left_behind"]
    assert host.read("sda", "queue/nr_requests") == "64"


def test_without_a_device_there_is_nothing_to_set(host):
    (host.root / "plain").mkdir()
    for entry in (host.root / "sys/dev/block").iterdir():
        entry.unlink()
    with pytest.raises(kept.CannotSet, match="on no block device of its own"):
        take(host, queue={"nr_requests": 16})
    assert take(host)["disk"]["device"] is None and host.seen == [("128", None)]
