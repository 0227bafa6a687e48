# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The last guard before ``qm set``: a plan may come from anywhere, so the node itself is asked what a write would
lose.
"""

from __future__ import annotations

import os
import stat
import sys

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.module_utils._backends import find
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._host import run as _run
from ansible_collections.hypervisor.io_hardening.tests.unit.plugins.module_utils._backends.doors import (
    apply_below,
    journal_of,
)
from ansible_collections.hypervisor.io_hardening.tests.unit.plugins.module_utils._backends.live_node import (
    GUEST,
    put,
    runner,
    runner_but,
)
from ansible_collections.hypervisor.io_hardening.tests.unit.stand_ins.qm_host import QM

HARDEN = [
    {"key": "controller", "option": "type", "before": "virtio-scsi-pci", "after": "virtio-scsi-single"},
    {"key": "scsi0", "option": "aio", "before": None, "after": "threads"},
    {"key": "scsi0", "option": "iothread", "before": None, "after": True},
]
NET = "net0: virtio=BC:24:11:00:00:01,bridge=vmbr0,newopt=1\n"


def plan(host, changes=None):
    return [
        {
            "guest": guest["id"],
            **{key: guest[key] for key in ("name", "node", "config", "digest")},
            "changes": changes or HARDEN,
        }
        for guest in find.read(str(host.root)).guests
    ]


def apply(host, planned=None, run=None, **options):
    return [
        outcome.result
        for outcome in apply_below(str(host.root), planned or plan(host), run=run or runner(host), **options)
    ]


def sets(host):
    return [call["argv"] for call in host.calls() if call["argv"][0] == "set"]


def questions(host):
    return sorted([call["command"], *call["argv"]] for call in host.calls() if call["argv"][0] != "set")


@pytest.mark.parametrize("check", [True, False])
@pytest.mark.parametrize(
    "lines", [NET, "\n[PENDING]\n" + NET, "\n[before]\nscsihw: lsi\n" + NET], ids=["main", "pending", "snapshot"]
)
def test_a_guest_that_would_lose_a_line_is_left_alone(host, lines, check):
    put(host, 100, GUEST + lines)
    put(host, 101)
    before = host.config(100).read_bytes()
    first, second = apply(host, check=check, apply_foreign_pending=True)
    assert (first["status"], first["reason"]) == (
        "skipped",
        "unsafe_lines",
    ) and "net0: format error; newopt" in first["detail"]
    assert second["status"] == "changed" and len(sets(host)) == (0 if check else 1)
    assert host.config(100).read_bytes() == before


@pytest.mark.parametrize("check", [True, False])
def test_one_question_of_each_kind_for_the_whole_plan(host, check):
    for guest in range(100, 106):
        put(host, guest)
    assert {result["status"] for result in apply(host, check=check, max_parallel=4)} == {"changed"}
    assert questions(host) == [["pvesm", "status"], ["qm", "list"]]


def test_nothing_is_asked_where_nothing_is_to_be_written(host):
    put(host, 100, GUEST + "lock: backup\n")
    planned = plan(host)
    put(host, 101)
    apply(host)
    host.log.unlink()
    nothing = [entry for entry in plan(host) if entry["guest"] == "101"]
    assert [result["status"] for result in apply(host, planned + nothing)] == ["skipped", "unchanged"]
    assert host.calls() == []


@pytest.mark.parametrize("status", [124, 137, 127, 255])
def test_a_node_that_does_not_answer_is_not_written(host, status):
    put(host, 100)
    run = runner(host)
    for check in (True, False):
        (result,) = apply(
            host,
            run=lambda arguments: (status, "", "") if arguments[4:] == ["qm", "list"] else run(arguments),
            check=check,
        )
        assert (result["status"], result["reason"]) == (
            "failed",
            "not_asked",
        ) and "did not say which lines it would drop" in result["detail"]
    assert sets(host) == []


def test_where_the_storages_are_not_known_qm_finds_out(host):
    put(host, 100)
    run = runner(host)
    (result,) = apply(host, run=lambda arguments: (124, "", "") if arguments[4] == "pvesm" else run(arguments))
    assert result["status"] == "changed"


@pytest.mark.parametrize("check", [True, False])
@pytest.mark.parametrize("section", ["", "disable\n", "nodes pve2\n"], ids=["offline", "disabled", "not here"])
def test_a_guest_on_a_storage_that_is_not_there_is_not_touched_run_after_run(host, section, check):
    put(host, 100, GUEST.replace("local:", "gone:"))
    put(host, 101)
    with (host.root / "etc/pve/storage.cfg").open("a") as stream:
        stream.write(f"\nnfs: gone\n\tpath /mnt/pve/gone\n\tserver 192.0.2.77\n\texport /x\n\t{section}")
    host.declare("storages-offline", "gone")
    before = host.config(100).read_bytes()
    for _time in range(2):
        first, *_rest = apply(host, check=check)
        assert (first["status"], first["reason"]) == ("failed", "storage_offline") and "scsi0: storage 'gone'" in first[
            "detail"
        ]
    assert [argv for argv in sets(host) if argv[1] == "100"] == [] and host.config(100).read_bytes() == before


def test_a_disk_that_is_not_written_may_be_on_a_storage_that_is_not_there(host):
    put(host, 100, GUEST + "scsi1: nfs1:100/vm-100-disk-1.raw,size=1G\n")
    host.declare("storages-offline", "nfs1")
    (result,) = apply(host)
    assert result["status"] == "changed"


# --- a qm set that fails half way


def half_way(host, text, running=False):
    """qm set stores the controller and fails at the drive: the result, the config before and after it."""
    put(host, 100, text, running)
    host.declare("volumes-missing", "local:100/vm-100-disk-0.qcow2")
    before = host.config(100).read_text()
    (result,) = apply(host, apply_foreign_pending=True)
    assert (result["status"], result["reason"]) == ("failed", "refused") and "does not exist" in result["detail"]
    return result, before, host.config(100).read_text()


def reverts(host):
    return [argv[argv.index("--revert") + 1] for argv in sets(host) if "--revert" in argv]


@pytest.mark.parametrize("running", [True, False])
def test_only_what_was_stored_is_reverted(host, running):
    result, before, after = half_way(host, GUEST, running)
    assert (
        reverts(host) == ["scsihw"]
        and "scsihw had been stored by then and was taken back" in result["detail"]
        and after == before
    )
    assert all("--digest" in argv for argv in sets(host))


def test_nothing_is_reverted_where_nothing_was_stored(host):
    host.declare("order", "scsi0")
    result, before, after = half_way(host, GUEST)
    assert reverts(host) == [] and "stored" not in result["detail"] and after == before


def test_on_a_stopped_guest_a_revert_would_apply_what_somebody_else_left(host):
    result, before, after = half_way(host, GUEST + "\n[PENDING]\nmemory: 1024\n")
    assert reverts(host) == [] and "memory: 512\n" in after and "memory: 1024\n" in after.split("[PENDING]")[1]
    assert "scsihw had been stored by then and waits in [PENDING]; look at it with qm pending 100" in result["detail"]


def test_on_a_running_guest_what_somebody_else_left_stays_as_it_was(host):
    put(host, 100, running=True)
    host.run("qm", "set", "100", "--cores", "4")
    result, before, after = half_way(host, host.config(100).read_text().replace("100", "{id}"), running=False)
    assert reverts(host) == ["scsihw"] and "taken back" in result["detail"] and after == before and "cores: 4" in after


def test_what_waited_before_is_not_taken_for_ours(host):
    text = GUEST + "\n[PENDING]\nscsihw: virtio-scsi-single\n"
    put(host, 100, text)
    put(host, 100, text, running=False)
    _result, before, after = half_way(host, text)
    assert reverts(host) == [] and after == before


def test_a_drive_that_had_waited_before_is_not_reverted_with_what_waited(host):
    """A revert would take back somebody else's ssd=0 with our aio=threads."""
    put(host, 100, GUEST + "scsi1: local:100/vm-100-disk-1.qcow2,size=1G\n", running=True)
    host.run(
        "qm", "set", "100", "--scsi0", "local:100/vm-100-disk-0.qcow2,backup=0,discard=on,serial=a%20b,size=32G,ssd=0"
    )
    host.log.unlink()
    host.declare("volumes-missing", "local:100/vm-100-disk-1.qcow2")
    changes = [{"key": key, "option": "aio", "before": None, "after": "threads"} for key in ("scsi0", "scsi1")]
    (result,) = apply(host, plan(host, changes))
    assert result["status"] == "failed" and reverts(host) == []
    waiting = host.config(100).read_text().split("[PENDING]")[1]
    assert "ssd=0" in waiting and "scsi0 had been stored by then and waits in [PENDING]" in result["detail"]


def test_what_another_run_stored_is_not_taken_back(host):
    """Its set comes between our look and ours: qm refuses ours by the digest."""
    put(host, 100, running=True)
    run = runner(host)

    def other_run(words):
        done = host.run("qm", *(word for word in words if word not in ("--digest", words[-1])))
        assert done.returncode == 0, done.stderr
        return run(["timeout", "-k", "1", "1", "qm", *words])

    (result,) = apply(host, run=runner_but(host, "set", other_run))
    assert result["reason"] == "digest_moved" and reverts(host) == []
    assert "virtio-scsi-single" in host.config(100).read_text().split("[PENDING]")[1]


def test_after_a_qm_that_gave_no_answer_nothing_is_reverted(host):
    """Its worker may store still, and a second call would hang as the first."""
    put(host, 100, running=True)
    run = runner(host)

    def hangs(words):
        run(["timeout", "-k", "1", "1", "qm", *words])
        return 137, "", ""

    (result,) = apply(host, run=runner_but(host, "set", hangs))
    assert (result["status"], result["reason"]) == ("failed", "busy") and reverts(host) == []
    assert "gave no answer within 300 s" in result["detail"] and "waits in [PENDING]" in result["detail"]


def test_a_revert_that_did_not_help_is_not_called_one(host):
    put(host, 100)
    host.declare("volumes-missing", "local:100/vm-100-disk-0.qcow2")
    run = runner(host)
    (result,) = apply(host, run=lambda arguments: (0, "", "") if "--revert" in arguments else run(arguments))
    assert "waits in [PENDING]: qm set 100 --revert scsihw" in result["detail"]


# --- what commands print


def fake_commands(host, tmp_path, monkeypatch, script):
    """qm and pvesm in the PATH: the stand-in, and after it a script."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("qm", "pvesm"):
        path = folder / name
        path.write_text(
            f'#!/bin/bash\n(exec -a {name} {sys.executable} -I -S {folder}/stand-in-{name}/{name} "$@");'
            f" rc=$?\n{script}\nexit $rc\n"
        )
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        (folder / f"stand-in-{name}").mkdir()
        (folder / f"stand-in-{name}" / name).symlink_to(QM)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    for key in ("QM_ROOT", "QM_NODE", "QM_LOG", "QM_SECOND"):
        monkeypatch.setenv(key, host.environment[key])


def test_bytes_that_are_not_utf_8_fail_nothing(host, tmp_path, monkeypatch):
    put(host, 100)
    put(host, 101, GUEST + "args: -name M\N{LATIN SMALL LETTER U WITH DIAERESIS}ller\n")
    fake_commands(host, tmp_path, monkeypatch, "printf 'Warnung f\\374r K\\374che\\n' >&2")
    assert [result["status"] for result in apply(host, run=_run.command)] == ["changed", "changed"]


def test_ten_megabytes_of_words_make_no_journal_of_them(host, tmp_path, monkeypatch):
    put(host, 100)
    host.declare("volumes-missing", "local:100/vm-100-disk-0.qcow2")
    fake_commands(
        host, tmp_path, monkeypatch, 'if [ "$1" = set ]; then head -c 10000000 /dev/zero | tr "\\0" z >&2; fi'
    )
    kept = journal_of(str(host.root), "r1")
    (result,) = apply(host, run=_run.command, journal=kept)
    assert result["status"] == "failed" and "does not exist" in result["detail"] and len(result["detail"]) < 5000
    assert os.path.getsize(kept.path) < 20_000


@pytest.mark.parametrize("check", [False, True])
def test_a_storage_that_the_node_does_not_list_is_not_there(host, check):
    """One of a plugin that is not installed here: storage.cfg has it, and qm set would fail."""
    put(host, 100)
    planned, run = plan(host), runner(host)

    def without_local(arguments):
        status, out, words = run(arguments)
        return (
            status,
            "".join(line for line in out.splitlines(True) if arguments[4] != "pvesm" or not line.startswith("local ")),
            words,
        )

    (outcome,) = apply_below(str(host.root), planned, run=without_local, check=check)
    assert (outcome.result["status"], outcome.result["reason"]) == ("failed", "storage_offline")
    assert "this node has no storage 'local'" in outcome.result["detail"] and sets(host) == []
