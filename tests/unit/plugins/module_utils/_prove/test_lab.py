# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

from __future__ import annotations

import os
import time

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.module_utils._prove import kernel, lab, setting, storage
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._prove.errors import ProveError
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._prove.load import Load
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._prove.pressure import Probe


def options(directory, **over):
    return dict(
        {
            "path": str(directory),
            "settings": [setting.TODAY, setting.HARDENED],
            "runs": 1,
            "seconds": 3,
            "warm_up": 1,
            "image_mb": 16,
            "image_format": "raw",
            "load_writers": 1,
            "load_mb": 16,
            "load_total_mb": 16,
            "accelerator": "tcg",
            "qemu": "/bin/sh",
            "kernel": None,
            "kernel_modules": None,
        },
        **over,
    )


@pytest.fixture(name="ready", autouse=True)
def fixture_ready(monkeypatch):
    """A host with a kernel, whatever this one has."""
    monkeypatch.setattr(kernel, "find", lambda *_arguments: ("/boot/vmlinuz-1", "/lib/modules/1"))
    monkeypatch.setattr(kernel, "load_order", lambda *_arguments: [])
    monkeypatch.setattr(lab.platform, "machine", lambda: "x86_64")
    monkeypatch.setattr(storage, "check_direct", lambda path: None)


def test_a_host_that_has_everything(tmp_path):
    found = lab.check(options(tmp_path))
    assert [one["name"] for one in found["settings"]] == ["today", "hardened"]
    assert found["needed_bytes"] == 32 * storage.MIB
    assert lab.plan(options(tmp_path))["runs"] == []


@pytest.mark.parametrize(
    ("over", "says"),
    [
        ({"runs": 0}, "runs is 0; allowed: 1 to 100"),
        ({"seconds": 601}, "seconds is 601"),
        ({"path": "/nowhere"}, "/nowhere is not a directory"),
        ({"qemu": "/nowhere/kvm"}, "QEMU is not on this host .looked for /nowhere/kvm"),
        ({"image_mb": 1048576}, "Nothing was started"),
        ({"load_mb": 1048576}, "Nothing was started"),
        ({"settings": [{"name": "x", "bus": "ide", "iothread": True}]}, "not possible with ide"),
    ],
)
def test_what_is_missing_is_found_before_anything_starts(tmp_path, monkeypatch, over, says):
    room = os.statvfs(tmp_path)
    monkeypatch.setattr(
        storage.os, "statvfs", lambda _path: type(room)([1, 1024 * 1024, 2000, 2000, 2000, 1, 1, 1, 0, 255])
    )
    with pytest.raises(ProveError, match=says):
        lab.check(options(tmp_path, **over))
    assert os.listdir(tmp_path) == []


def test_another_processor_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(lab.platform, "machine", lambda: "aarch64")
    with pytest.raises(ProveError, match="this host is aarch64"):
        lab.check(options(tmp_path))


def test_files_have_no_name(tmp_path):
    file = storage.image(str(tmp_path), "raw", 3 * storage.MIB)
    try:
        assert os.fstat(file).st_size == 3 * storage.MIB
        assert os.fstat(file).st_blocks * 512 >= 3 * storage.MIB
        assert os.listdir(tmp_path) == []
    finally:
        os.close(file)


def test_files_have_no_name_even_on_file_systems_without_o_tmpfile(tmp_path, monkeypatch):
    monkeypatch.setattr(storage.os, "O_TMPFILE", 0)
    file = storage.image(str(tmp_path), "raw-sparse", storage.MIB)
    try:
        assert os.fstat(file).st_nlink == 0
        assert os.listdir(tmp_path) == []
    finally:
        os.close(file)


def test_the_load_keeps_to_its_bounds(tmp_path):
    load = Load(str(tmp_path), 2, 2 * storage.MIB, 6 * storage.MIB)
    load.start()
    for thread in load._threads:
        thread.join(60)
    assert load.ended_early
    assert load.written == [3 * storage.MIB, 3 * storage.MIB]
    load.stop()
    assert load.problem is None
    assert os.listdir(tmp_path) == []


def test_a_load_is_held_to_a_rate(tmp_path):
    load = Load(str(tmp_path), 1, 2 * storage.MIB, 1 << 40, 4 * storage.MIB)
    begun = time.monotonic()
    load.start()
    while load.written[0] < 3 * storage.MIB:
        time.sleep(0.01)
    took = time.monotonic() - begun
    load.stop()
    assert 0.4 < took < 3


def test_the_load_ends_when_told(tmp_path):
    load = Load(str(tmp_path), 1, storage.MIB, 1 << 40)
    load.start()
    load.stop()
    assert not load.ended_early
    assert all(not thread.is_alive() for thread in load._threads)


@pytest.mark.parametrize(("answers", "longest", "left"), [([3.0, 70.0, 9.0], 70.0, [9.0]), ([80.0, 2.0], 80.0, [2.0])])
def test_the_measurement_waits_until_the_load_is_felt(tmp_path, monkeypatch, answers, longest, left):
    with Probe(str(tmp_path)) as probe:
        monkeypatch.setattr(probe, "read_ms", lambda: answers.pop(0))
        assert probe.wait(60) == longest
        assert answers == left


def test_a_load_that_is_not_felt_is_not_waited_for_forever(tmp_path):
    with Probe(str(tmp_path)) as probe:
        assert 0 < probe.wait(0)
        assert os.listdir(tmp_path) == []


SAVED = {"name": "saved", "during": "backup"}


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"target": "/nowhere"}, "/nowhere is not a directory"),
        ({"fleecing": "/tmp"}, "setting saved: fleecing needs QEMU 8.1 or later"),
    ],
)
def test_what_a_backup_lacks_is_found_before_anything_starts(tmp_path, given, says):
    with pytest.raises(ProveError, match=says):
        lab.check(options(tmp_path, qemu="/bin/true", settings=[dict(SAVED, backup=given)]))


def test_a_backup_needs_its_own_space_beside_the_image_s_where_both_are_on_one_storage(tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(storage, "check_room", lambda path, needed: asked.append(needed // storage.MIB))
    lab.check(options(tmp_path, settings=[dict(SAVED, backup={"target": str(tmp_path)})]))
    assert asked == [32, 48]
