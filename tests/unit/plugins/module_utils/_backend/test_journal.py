# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The journal on a host: on disk before the write, private, whole, and never outside its root."""

from __future__ import annotations

import errno
import os
import stat
import threading

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.module_utils._backend import journal as _journal
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._backend.journal import DIRECTORY, Journal

ENTRY = {"guest": "100", "name": "web", "node": "pve1", "config": "/etc/pve/nodes/pve1/qemu-server/100.conf"}
CONFIG = b"name: web\xff\n"
CHANGES = [{"key": "scsi0", "option": "aio", "before": None, "after": "threads"}]
RESULT = {"status": "changed", "digest": "d1"}


@pytest.fixture
def journal(tmp_path):
    return Journal(str(tmp_path), DIRECTORY, "r1", "sha256:1")


def intent(journal, guest="100"):
    return journal.intent({**ENTRY, "guest": guest}, "d0", CHANGES, CONFIG)


def read(journal, tmp_path):
    problems = []
    return _journal.read(str(tmp_path), DIRECTORY, problems).get("r1", []), problems


def test_nothing_is_there_until_a_guest_is_written(journal, tmp_path):
    journal.check()
    assert list(tmp_path.iterdir()) == [] and read(journal, tmp_path) == ([], [])


def test_lines_are_private_and_come_back(journal, tmp_path):
    journal.outcome(intent(journal), "100", True, RESULT)
    (entry,), problems = read(journal, tmp_path)
    assert problems == [] and (entry["written"], entry["changes"], entry["digest"], entry["policy"]) == (True, CHANGES, "d0", "sha256:1")
    assert stat.S_IMODE(os.stat(journal.path).st_mode) == 0o600
    assert stat.S_IMODE(os.stat(os.path.dirname(journal.path)).st_mode) == 0o700


def test_every_line_is_on_disk_before_the_call_returns(journal, monkeypatch):
    synced = []
    real = os.fsync
    monkeypatch.setattr(os, "fsync", lambda handle: (synced.append(os.readlink(f"/proc/self/fd/{handle}")), real(handle)))
    line_id = intent(journal)
    assert journal.path in synced and os.path.dirname(journal.path) in synced
    synced.clear()
    journal.outcome(line_id, "100", True, RESULT)
    assert synced == [journal.path]


def test_a_tree_keeps_its_journal_out_of_git(journal):
    intent(journal)
    assert open(os.path.join(os.path.dirname(journal.path), ".gitignore")).read() == "*\n"


def test_half_a_line_of_a_killed_run_does_not_spoil_the_next(journal, tmp_path):
    line_id = intent(journal)
    with open(journal.path, "ab") as stream:
        stream.write(b'{"schema":1,"ent')
    journal.outcome(line_id, "100", True, RESULT)
    (entry,), problems = read(journal, tmp_path)
    assert entry["written"] is True and len(problems) == 1 and problems[0]["line"] == 2


@pytest.mark.parametrize("fails", ["write", "short", "fsync"])
def test_a_full_disk_leaves_no_half_line(journal, monkeypatch, fails):
    line_id = intent(journal)
    before = open(journal.path, "rb").read()
    real = os.write

    def full(*_arguments):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    if fails == "short":
        monkeypatch.setattr(os, "write", lambda handle, raw: real(handle, raw[:10]))
    else:
        monkeypatch.setattr(os, fails, full)
    with pytest.raises(OSError, match="No space left"):
        journal.outcome(line_id, "100", True, RESULT)
    assert open(journal.path, "rb").read() == before


def test_a_directory_that_cannot_be_is_said(journal, tmp_path):
    (tmp_path / "var").write_text("a file")
    for use in (journal.check, lambda: intent(journal)):
        with pytest.raises(OSError, match="is no directory"):
            use()


def test_a_link_out_of_the_root_is_not_followed(tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    root = tmp_path / "root"
    (root / "var").mkdir(parents=True)
    (root / "var/lib").symlink_to(outside)
    journal = Journal(str(root), DIRECTORY, "r1")
    for use in (journal.check, lambda: intent(journal)):
        with pytest.raises(OSError, match="leads out of"):
            use()
    assert list(outside.iterdir()) == []


def test_a_link_in_place_of_the_file_is_not_followed(journal, tmp_path):
    target = tmp_path / "target"
    target.write_text("")
    os.makedirs(os.path.dirname(journal.path))
    os.symlink(target, journal.path)
    with pytest.raises(OSError):
        intent(journal)
    assert target.read_text() == ""
    assert len(read(journal, tmp_path)[1]) == 1


def test_many_at_once_keep_their_lines_whole(tmp_path):
    journals = [Journal(str(tmp_path), DIRECTORY, "r1") for _number in range(4)]

    def write(journal, start):
        for guest in range(start, start + 25):
            journal.outcome(intent(journal, str(guest)), str(guest), True, RESULT)

    threads = [threading.Thread(target=write, args=(journal, 100 * number)) for number, journal in enumerate(journals)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    entries, problems = read(journals[0], tmp_path)
    assert problems == [] and len(entries) == 100 and all(entry["written"] for entry in entries)


def test_a_run_that_could_be_no_file_is_refused(tmp_path):
    with pytest.raises(ValueError, match="takes up to 64"):
        Journal(str(tmp_path), DIRECTORY, "../../etc/passwd")


def test_without_a_name_the_run_is_named_by_its_time(tmp_path):
    assert len(Journal(str(tmp_path), DIRECTORY, None).run) == len("20261123T223005Z")
