# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.module_utils._calibrate import kept
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._prove.errors import ProveError
from ansible_collections.hypervisor.io_hardening.tests.unit.plugins.module_utils._calibrate import host as hosts

VALUES = {"sda": {"nr_requests": 16, "max_sectors_kb": 128}, "dm-1": {"max_bytes": 8388608, "strict_limit": 1}}
NOW = {
    ("sda", "queue/nr_requests"): "128",
    ("sda", "queue/max_sectors_kb"): "1280",
    ("dm-1", "bdi/max_ratio_fine"): "1000000",
    ("dm-1", "bdi/strict_limit"): "0",
}


@pytest.fixture(name="host")
def fixture_host(tmp_path):
    return hosts.lvm(tmp_path)[0]


def now(host):
    return {key: host.read(*key) for key in NOW}


def test_values_hold_as_long_as_they_are_needed(host):
    with kept.Kept(host.tree, host.record) as record:
        with record.changed(VALUES):
            assert host.read("sda", "queue/nr_requests") == "16" and host.read("dm-1", "bdi/max_bytes") == "8388608"
            assert len(kept.left_behind(host.tree, host.record)) == 4
        assert now(host) == NOW
    assert os.listdir(host.root / "run") == []


def test_values_are_put_back_after_an_error(host):
    with (
        pytest.raises(RuntimeError),
        kept.Kept(host.tree, host.record) as record,
        record.changed(VALUES),
    ):
        raise RuntimeError
    assert now(host) == NOW


KILLED = """
import sys, time
sys.path.insert(0, {top!r})
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._calibrate import kept
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._host.tree import Tree
kept.stop_on_signals()
with kept.Kept(Tree({root!r}), {record!r}) as record, record.changed({values!r}):
    print("set", flush=True)
    time.sleep(60)
"""


def killed_by(host, number):
    """A run that is killed while its values are set."""
    top = kept.__file__.partition("/ansible_collections/")[0]
    script = KILLED.format(top=top, root=str(host.root), record=host.record, values=VALUES)
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as run:
        assert run.stdout.readline() == "set\n"
        assert host.read("sda", "queue/nr_requests") == "16"
        run.send_signal(number)
        return run.wait()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_values_are_put_back_when_the_run_is_ended_by_a_signal(host, number):
    assert killed_by(host, number) == 128 + number
    assert now(host) == NOW
    assert os.listdir(host.root / "run") == []


def test_a_signal_while_values_are_put_back_waits(host, monkeypatch):
    """Else those that are not put back yet would stay."""
    kept_handler = signal.getsignal(signal.SIGTERM)

    def write(path, value, real=kept._write):
        if value == 1280:
            os.kill(os.getpid(), signal.SIGTERM)
        real(path, value)

    try:
        kept.stop_on_signals()
        with pytest.raises(SystemExit), kept.Kept(host.tree, host.record) as record, record.changed(VALUES):
            monkeypatch.setattr(kept, "_write", write)
    finally:
        for number in kept._ENDING:
            signal.signal(number, kept_handler if number != signal.SIGINT else signal.default_int_handler)
    assert now(host) == NOW
    assert os.listdir(host.root / "run") == []


def test_what_a_killed_run_left_is_put_back_by_the_next(host):
    assert killed_by(host, signal.SIGKILL) == -signal.SIGKILL
    assert host.read("sda", "queue/nr_requests") == "16"
    left = kept.left_behind(host.tree, host.record)
    assert "/sys/class/block/dm-1/bdi/max_ratio_fine" in left and len(left) == 4
    with kept.Kept(host.tree, host.record) as record:
        assert record.put_back_left() == left
        assert now(host) == NOW
        assert record.put_back_left() == []
    assert kept.left_behind(host.tree, host.record) == []


def test_a_second_run_waits_for_nothing(host):
    with kept.Kept(host.tree, host.record), pytest.raises(ProveError, match="another calibration runs on this host"):
        kept.Kept(host.tree, host.record)


def test_without_root_there_is_a_sentence(host):
    with pytest.raises(ProveError, match=r"nowhere/record cannot be written: .*; run again with --become"):
        kept.Kept(host.tree, "/nowhere/record")


def test_a_value_that_this_kernel_does_not_have_changes_nothing(host):
    (host.root / "sys/devices/dm-1/bdi/max_bytes").unlink()
    with kept.Kept(host.tree, host.record) as record:
        with pytest.raises(kept.CannotSet, match="this kernel has no max_bytes for dm-1"), record.changed(VALUES):
            raise AssertionError
        assert now(host) == NOW


def test_a_value_that_is_not_taken_is_put_back_with_those_before_it(host, monkeypatch):
    def write(path, value, real=kept._write):
        # The kernel rounds, as it does with requests that are larger than the hardware's.
        real(path, 64 if path.endswith("max_sectors_kb") and value == 128 else value)

    monkeypatch.setattr(kept, "_write", write)
    with kept.Kept(host.tree, host.record) as record:
        with (
            pytest.raises(kept.CannotSet, match="sda has max_sectors_kb 64 after 128 was written"),
            record.changed(VALUES),
        ):
            raise AssertionError
        assert now(host) == NOW


def test_a_sysfs_that_is_read_only_is_said(host, monkeypatch):
    def write(path, value, real=kept._write):
        if value == 16:
            raise OSError(30, "Read-only file system")
        real(path, value)

    monkeypatch.setattr(kept, "_write", write)
    with (
        kept.Kept(host.tree, host.record) as record,
        pytest.raises(kept.CannotSet, match="sda does not take nr_requests 16: Read-only file system"),
        record.changed(VALUES),
    ):
        raise AssertionError


def test_a_value_that_cannot_be_put_back_is_named_and_stays_on_record(host, monkeypatch):
    def write(path, value, real=kept._write):
        if value != 1280:
            real(path, value)

    with (
        pytest.raises(ProveError, match="write 1280 to /sys/class/block/sda/queue/max_sectors_kb"),
        kept.Kept(host.tree, host.record) as record,
        record.changed(VALUES),
    ):
        monkeypatch.setattr(kept, "_write", write)
    assert host.read("sda", "queue/nr_requests") == "128"
    assert kept.left_behind(host.tree, host.record)


def test_a_disk_that_is_gone_needs_nothing_back(host):
    with kept.Kept(host.tree, host.record) as record:
        with record.changed({"sda": {"nr_requests": 16}}):
            (host.root / "sys/class/block/sda").unlink()
        assert record.put_back_left() == []


@pytest.mark.parametrize("text", ["", "[[", "7", '[["/etc/passwd", 1]]', '[["/sys/class/block/x", "y"]]'])
def test_a_record_that_is_none_is_nothing_to_put_back(host, text):
    (host.root / "run/record.json").write_text(text)
    assert kept.left_behind(host.tree, host.record) == []
    with kept.Kept(host.tree, host.record) as record:
        assert record.put_back_left() == []
