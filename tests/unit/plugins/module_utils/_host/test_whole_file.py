# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Whole files: old or new, with the mode of before, and nothing left beside them for good."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import time

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.module_utils._host import whole_file


def test_mode_stays_or_is_another_file_s_or_0644(tmp_path):
    old, other, new = tmp_path / "old", tmp_path / "other", tmp_path / "new"
    old.write_text("a")
    old.chmod(0o640)
    other.write_text("b")
    other.chmod(0o600)
    whole_file.replace(str(old), b"1")
    whole_file.replace(str(new), b"2")
    assert [(place.read_bytes(), place.stat().st_mode & 0o7777) for place in (old, new)] == [
        (b"1", 0o640),
        (b"2", 0o644),
    ]
    whole_file.replace(str(old), b"3", like=str(other))
    assert old.stat().st_mode & 0o7777 == 0o600
    assert sorted(os.listdir(tmp_path)) == ["new", "old", "other"]


def test_the_old_bytes_are_never_touched(tmp_path):
    old, second = tmp_path / "old", tmp_path / "second-name"
    old.write_text("a")
    os.link(old, second)
    whole_file.replace(str(old), b"b")
    assert (old.read_text(), second.read_text()) == ("b", "a")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_owner_stays(tmp_path):
    (tmp_path / "a").write_text("a")
    os.chown(tmp_path / "a", 65534, 65534)
    whole_file.replace(str(tmp_path / "a"), b"b")
    assert ((tmp_path / "a").stat().st_uid, (tmp_path / "a").stat().st_gid) == (65534, 65534)


@pytest.mark.parametrize("call", ["fsync", "fchmod", "replace"])
def test_a_failed_write_does_not_change_the_old_file(tmp_path, monkeypatch, call):
    (tmp_path / "a").write_text("old")

    def full(*_arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, call, full)
    with pytest.raises(OSError, match="No space left"):
        whole_file.replace(str(tmp_path / "a"), b"new")
    assert [(place.name, place.read_text()) for place in tmp_path.iterdir()] == [("a", "old")]


KILLED = """
import sys
sys.path[:0] = {path!r}
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._host import whole_file
print("ready", flush=True)
while True:
    whole_file.replace({file!r}, b"A" * 200000)
    whole_file.replace({file!r}, b"B" * 200000)
"""


def test_a_killed_run_leaves_the_old_or_the_new_file(tmp_path):
    path = tmp_path / "100.conf"
    path.write_bytes(b"A" * 200000)
    for pause in (0.001, 0.004, 0.009, 0.015):
        script = KILLED.format(path=[entry for entry in sys.path if entry], file=str(path))
        process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE)
        assert process.stdout.readline() == b"ready\n"
        # What a reader sees at any moment is what a kill at that moment leaves.
        seen = {path.read_bytes() for _look in range(300)}
        # another run that tidies up is in nobody's way
        whole_file.remove_leftovers(str(tmp_path))
        time.sleep(pause)
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
        assert seen | {path.read_bytes()} <= {b"A" * 200000, b"B" * 200000}


def test_a_killed_run_s_file_is_a_leftover(tmp_path):
    (tmp_path / "a").write_text("old")
    child = os.fork()
    if child == 0:
        os.replace = lambda *_arguments: os.kill(os.getpid(), signal.SIGKILL)
        whole_file.replace(str(tmp_path / "a"), b"new")
    assert os.WIFSIGNALED(os.waitpid(child, 0)[1])
    assert len(os.listdir(tmp_path)) == 2
    whole_file.remove_leftovers(str(tmp_path))
    assert [(place.name, place.read_text()) for place in tmp_path.iterdir()] == [("a", "old")]


def test_a_live_run_s_file_is_not_a_leftover_nor_is_anybody_else_s(tmp_path):
    for name in (".a.tmp", "a.abcd_123.io-hardening-new", ".a.io-hardening-new", ".a.ABCD1234.io-hardening-new"):
        (tmp_path / name).write_text("x")
    (tmp_path / ".b.abcd_123.io-hardening-new").symlink_to(tmp_path / ".a.tmp")
    others = set(os.listdir(tmp_path))

    def tidy():
        before = set(os.listdir(tmp_path))
        assert len(before - others) == 1
        whole_file.remove_leftovers(str(tmp_path))
        assert set(os.listdir(tmp_path)) == before

    whole_file.replace(str(tmp_path / "a"), b"new", unless=tidy)
    assert (tmp_path / "a").read_text() == "new"
    whole_file.remove_leftovers(str(tmp_path / "is not there"))


def test_a_file_removed_as_a_leftover_before_it_is_locked_is_created_anew(tmp_path, monkeypatch):
    flock, made = fcntl.flock, []

    def _removed_first(handle, operation):
        if not made:
            made.extend(os.listdir(tmp_path))
            os.unlink(tmp_path / made[0])
        flock(handle, operation)

    monkeypatch.setattr(fcntl, "flock", _removed_first)
    whole_file.replace(str(tmp_path / "a"), b"new")
    assert len(made) == 1
    assert os.listdir(tmp_path) == ["a"]
    assert (tmp_path / "a").read_text() == "new"
