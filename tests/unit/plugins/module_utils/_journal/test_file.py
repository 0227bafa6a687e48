# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The journal on a host: on disk before the write, private, whole, and never outside its root."""

from __future__ import annotations

import errno
import json
import os
import re
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from ansible_collections.hypervisor.io_hardening.tests.unit.plugins.module_utils._backends.doors import (
    journal_of,
    read_journal,
)

ENTRY = {
    "hypervisor": "pve",
    "guest": "100",
    "name": "web",
    "node": "pve1",
    "config": "/etc/pve/nodes/pve1/qemu-server/100.conf",
}
CONFIG = b"name: web\xff\n"
CHANGES = [{"key": "scsi0", "option": "aio", "before": None, "after": "threads"}]
RESULT = {"status": "changed", "digest": "d1"}


@pytest.fixture
def journal(tmp_path):
    return journal_of(str(tmp_path), "r1", "sha256:1")


def intent(journal, guest="100"):
    return journal.intent({**ENTRY, "guest": guest}, "d0", CHANGES, CONFIG)


def read(journal, tmp_path):
    problems = []
    return read_journal(str(tmp_path), problems).get("r1", []), problems


def test_nothing_is_there_until_a_guest_is_written(journal, tmp_path):
    journal.check()
    assert list(tmp_path.iterdir()) == [] and read(journal, tmp_path) == ([], [])


def test_lines_are_private_and_come_back(journal, tmp_path):
    journal.outcome(intent(journal), "100", True, RESULT)
    (entry,), problems = read(journal, tmp_path)
    assert problems == [] and (entry["written"], entry["changes"], entry["digest"], entry["policy"]) == (
        True,
        CHANGES,
        "d0",
        "sha256:1",
    )
    assert stat.S_IMODE(os.stat(journal.path).st_mode) == 0o600
    assert stat.S_IMODE(os.stat(os.path.dirname(journal.path)).st_mode) == 0o700


def test_every_line_is_on_disk_before_the_call_returns(journal, monkeypatch):
    synced = []
    real = os.fsync
    monkeypatch.setattr(
        os, "fsync", lambda handle: (synced.append(os.readlink(f"/proc/self/fd/{handle}")), real(handle))
    )
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
        with pytest.raises(OSError, match="is not a directory"):
            use()


@pytest.mark.parametrize(
    "directory",
    ["x" * 100_000, "x" * 256, "none/" + "x" * 256 + "/none", "/".join(["x" * 200] * 30), "a\0b", "var/a\0b/c"],
)
def test_a_directory_that_can_never_be_is_refused_before_a_write(tmp_path, directory):
    """In check mode as well, which asks ``check`` alone."""
    (tmp_path / "var").mkdir()
    journal = journal_of(str(tmp_path), "r1", directory=f"/{directory}")
    for use in (journal.check, lambda: intent(journal)):
        with pytest.raises(OSError, match="(is too long for|cannot be) the name of a file") as caught:
            use()
        assert len(str(caught.value)) < 200
    assert [path.name for path in tmp_path.iterdir()] == ["var"]
    problems = []
    assert read_journal(str(tmp_path), problems, f"/{directory}") == {} and len(str(problems)) < 500


def test_the_longest_name_of_a_directory_is_taken(tmp_path):
    journal_of(str(tmp_path), "r1", directory="/" + "x" * 255 + "/" + "x" * 255).check()


def test_a_link_out_of_the_root_is_not_followed(tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    root = tmp_path / "root"
    (root / "var").mkdir(parents=True)
    (root / "var/lib").symlink_to(outside)
    journal = journal_of(str(root), "r1")
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
    journals = [journal_of(str(tmp_path), "r1") for _number in range(4)]

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
        journal_of(str(tmp_path), "../../etc/passwd")
    with pytest.raises(ValueError, match=f"run is '{'x' * 58}…; it takes"):
        journal_of(str(tmp_path), "x" * 100_000)


def test_without_a_name_the_run_is_named_by_its_time(tmp_path):
    assert len(journal_of(str(tmp_path), None).run) == len("20261123T223005Z")


@pytest.mark.parametrize("mode", [0o720, 0o702, 0o777, 0o1777])
def test_a_directory_that_others_can_write_is_refused_and_not_read(journal, tmp_path, mode):
    intent(journal)
    directory = os.path.dirname(journal.path)
    os.chmod(directory, mode)
    before = open(journal.path, "rb").read()
    for use in (journal.check, lambda: intent(journal)):
        with pytest.raises(OSError, match=rf"can be written by others, with mode {mode:04o}; .*chmod go-w {directory}"):
            use()
    assert open(journal.path, "rb").read() == before
    entries, problems = read(journal, tmp_path)
    assert (
        entries == []
        and [problem["file"] for problem in problems] == [directory]
        and "by others" in problems[0]["reason"]
    )
    os.chmod(directory, 0o755)
    intent(journal)
    assert len(read(journal, tmp_path)[0]) == 2


@pytest.mark.parametrize("mode", [0o620, 0o602, 0o666])
def test_a_file_that_others_can_write_is_refused_and_hides_no_other(journal, tmp_path, mode):
    intent(journal)
    other = journal_of(str(tmp_path), "r2")
    intent(other)
    os.chmod(journal.path, mode)
    for use in (journal.check, lambda: intent(journal)):
        with pytest.raises(OSError, match="can be written by others"):
            use()
    problems = []
    assert list(read_journal(str(tmp_path), problems)) == ["r2"] and [problem["file"] for problem in problems] == [
        journal.path
    ]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to somebody else")
@pytest.mark.parametrize("of", ["file", "directory"])
def test_what_is_somebody_elses_is_refused(journal, tmp_path, of):
    intent(journal)
    place = journal.path if of == "file" else os.path.dirname(journal.path)
    os.chown(place, 12345, 0)
    for use in (journal.check, lambda: intent(journal)):
        with pytest.raises(OSError, match="belongs to user 12345"):
            use()
    assert read(journal, tmp_path)[0] == []


def test_an_ordinary_user_has_a_journal_of_its_own_or_one_of_roots(journal, tmp_path, monkeypatch):
    intent(journal)
    mine = os.stat(journal.path).st_uid
    monkeypatch.setattr(os, "geteuid", lambda: mine)
    journal.check()
    monkeypatch.setattr(os, "geteuid", lambda: mine + 1)
    if mine == 0:
        journal.check()
    else:
        with pytest.raises(OSError, match="belongs to user"):
            journal.check()


def test_a_fifo_in_place_of_the_file_waits_for_nobody(journal, tmp_path):
    os.makedirs(os.path.dirname(journal.path), mode=0o700)
    os.mkfifo(journal.path, 0o600)
    for use in (journal.check, lambda: intent(journal)):
        with pytest.raises(OSError, match="is not a regular file"):
            use()
    assert read(journal, tmp_path)[0] == [] and len(read(journal, tmp_path)[1]) == 1


def test_a_line_that_could_not_be_read_back_is_not_written(journal):
    intent(journal)
    before = open(journal.path, "rb").read()
    with pytest.raises(OSError, match="could not be read back: its changes is"):
        journal.intent(ENTRY, "d0", [{**CHANGES[0], "before": "natife"}], CONFIG)
    assert open(journal.path, "rb").read() == before


def test_two_runs_of_one_name_add_up(tmp_path):
    """Two playbooks in one second, or one name given twice: each call's lines stand for themselves."""
    first, second = (journal_of(str(tmp_path), "r1") for _run in range(2))
    one, other = intent(first), intent(second)
    second.outcome(other, "100", False, {"status": "failed", "digest": None})
    first.outcome(one, "100", True, RESULT)
    entries, problems = read(first, tmp_path)
    assert problems == [] and [entry["written"] for entry in entries] == [True, False]


ENDLESS = """
import json, sys
from ansible_collections.hypervisor.io_hardening.tests.unit.plugins.module_utils._backends.doors import journal_of, read_journal
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._journal.file import Journal, in_tree
root, entry, changes, result = map(json.loads, sys.argv[1:])
journal = Journal(in_tree(root), "r1", top=root)
while True:
    journal.outcome(journal.intent(entry, "d0", changes, b"x" * 5000), "100", True, result)
    print("a pair", flush=True)
"""


def test_a_run_that_is_killed_at_any_moment_leaves_what_can_be_read(journal, tmp_path):
    """Of several runs of one name, each killed: pairs, and at most one intent each without its outcome."""
    given = [json.dumps(value) for value in (str(tmp_path), ENTRY, CHANGES, RESULT)]
    path = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    for _run in range(3):
        pair = [
            subprocess.Popen([sys.executable, "-c", ENDLESS, *given], stdout=subprocess.PIPE, env=path)
            for _writer in range(2)
        ]
        for writer in pair:
            writer.stdout.readline()
        for writer in pair:
            writer.kill()
            writer.communicate()
    entries, problems = read(journal, tmp_path)
    assert (
        len([entry for entry in entries if entry["written"]]) >= 6
        and len([entry for entry in entries if entry["written"] is None]) <= 6
    )
    assert all("cut off" in problem["reason"] for problem in problems)
    journal.outcome(intent(journal), "100", True, RESULT)
    assert read(journal, tmp_path)[0][-1]["written"] is True


def test_the_command_of_the_documentation_gives_the_config_to_the_byte(journal, tmp_path):
    raw = bytes(range(256)) + b"\nname: web\n"
    journal.outcome(intent(journal, "102"), "102", True, RESULT)
    journal.intent({**ENTRY, "guest": "102"}, "d1", CHANGES, b"as the run itself left it")
    journal.intent({**ENTRY, "guest": "1021"}, "d0", CHANGES, b"another")
    journal.intent({**ENTRY, "guest": "103"}, "d0", CHANGES, raw)
    text = (Path(__file__).absolute().parents[5] / "docs/operations.md").read_text()
    (command,) = re.findall(r"^(grep .*base64 -d.*)$", text, re.MULTILINE)
    for guest, config in (("102", CONFIG), ("103", raw)):
        asked = command.replace(
            "/var/lib/hypervisor-io-hardening/journal/20261123T223005Z.jsonl", journal.path
        ).replace("102", guest)
        assert subprocess.run(["sh", "-c", asked.split(" > ")[0]], stdout=subprocess.PIPE, check=True).stdout == config
