# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Every write is in the journal before it happens, and can be put back from there as if it had not."""

from __future__ import annotations

import base64
import json

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.module_utils._backends import find
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._journal import file as _journal
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._journal.rollback import rollback
from ansible_collections.hypervisor.io_hardening.tests.unit.plugins.module_utils._backends.doors import (
    apply_below,
    journal_of,
    read_journal,
)
from ansible_collections.hypervisor.io_hardening.tests.unit.plugins.module_utils._backends.live_node import (
    GUEST,
    put,
    runner,
    runner_but,
)

HARDEN = (
    {"key": "controller", "option": "type", "before": "virtio-scsi-pci", "after": "virtio-scsi-single"},
    {"key": "scsi0", "option": "aio", "before": None, "after": "threads"},
    {"key": "scsi0", "option": "iothread", "before": None, "after": True},
)
UNSET = GUEST.replace("scsihw: virtio-scsi-pci\n", "")


def journal(host, run="r1"):
    return journal_of(str(host.root), run, "sha256:1")


def entries(host, run="r1"):
    problems = []
    found = read_journal(str(host.root), problems).get(run, [])
    assert problems == []
    return found


def read(host):
    return find.read(str(host.root))


def plan(host, changes=HARDEN):
    return [
        {
            "guest": guest["id"],
            **{key: guest[key] for key in ("name", "node", "config", "digest")},
            "changes": list(changes),
        }
        for guest in read(host).guests
    ]


def apply(host, plan, run="r1", command=None, **options):
    return [
        outcome.result
        for outcome in apply_below(
            str(host.root), plan, run=command or runner(host), journal=journal(host, run), **options
        )
    ]


def roll_back(host, run="r1", **options):
    reading = read(host)
    planned = rollback(entries(host, run), reading.guests, [node["name"] for node in reading.nodes])
    return planned, apply(host, planned["plan"], "back", **options)


def set_by_qm(host, words):
    done = host.run("qm", *words)
    return done.returncode, done.stdout, done.stderr


def sets(host):
    return [call["argv"] for call in host.calls() if call["argv"][0] == "set"]


def test_the_intent_is_in_the_journal_when_qm_is_called(host):
    put(host, 100)
    seen = []

    def write(words):
        seen.append(entries(host))
        return set_by_qm(host, words)

    (result,) = apply(host, plan(host), command=runner_but(host, "set", write))
    ((intent,),) = seen
    assert result["status"] == "changed" and intent["written"] is None
    assert intent["changes"] == list(HARDEN) and (intent["guest"], intent["run"], intent["policy"]) == (
        "100",
        "r1",
        "sha256:1",
    )
    (entry,) = entries(host)
    assert entry["written"] is True and entry["digest_after"] == result["digest"] == read(host).guests[0]["digest"]


@pytest.mark.parametrize("running", [False, True], ids=["stopped", "running"])
def test_the_whole_config_as_it_was_is_in_the_journal(host, running):
    put(host, 100, GUEST + "\n[snap]\nmemory: 64\n", running=running)
    with host.config(100).open("ab") as stream:
        stream.write(b"#caf\xe9\n")
    before = host.config(100).read_bytes()
    apply(host, plan(host))
    lines = [json.loads(line) for line in open(journal(host).path, "rb")]
    assert [base64.b64decode(line["config_before"]) for line in lines if line["entry"] == "intent"] == [before]
    assert host.config(100).read_bytes() != before


def test_before_is_what_stands_in_the_config_not_what_it_comes_to(host):
    put(host, 100, UNSET)
    apply(host, plan(host, [{**HARDEN[0], "before": "lsi"}, *HARDEN[1:]]))
    assert entries(host)[0]["changes"][0] == {**HARDEN[0], "before": None}


def test_what_the_config_has_already_is_not_journalled(host):
    put(host, 100, GUEST.replace("discard=on", "aio=threads,discard=on"))
    apply(host, plan(host))
    assert [change["option"] for change in entries(host)[0]["changes"]] == ["type", "iothread"]


def test_a_run_killed_in_the_write_leaves_its_intent(host):
    put(host, 100)
    put(host, 101)

    def killed(words):
        if words[1] == "101":
            set_by_qm(host, words)
            raise KeyboardInterrupt
        raise SystemExit

    for entry in plan(host):
        with pytest.raises((KeyboardInterrupt, SystemExit)):
            apply(host, [entry], command=runner_but(host, "set", killed))
    assert [(entry["guest"], entry["written"]) for entry in entries(host)] == [("100", None), ("101", None)]
    planned, results = roll_back(host)
    assert planned["unchanged"] == ["100"] and [result["guest"] for result in results] == ["101"]
    assert "aio" not in host.config(100).read_text() + host.config(101).read_text()


def test_what_qm_refused_is_not_taken_for_written(host):
    put(host, 100)
    host.declare("volumes-missing", "local:100/vm-100-disk-0.qcow2")
    (result,) = apply(host, plan(host))
    assert result["status"] == "failed" and [entry["written"] for entry in entries(host)] == [False]
    put(host, 100, host.config(100).read_text().replace("discard=on", "aio=threads,discard=on"))
    planned, _results = roll_back(host)
    assert planned["plan"] == [], "somebody else's aio=threads would be undone"


@pytest.mark.parametrize(
    "words, reason",
    [("VM is locked (backup)", "locked"), ("checksum mismatch (file change by other user?)", "digest_moved"),
     ("Configuration file 'nodes/pve1/qemu-server/100.conf' does not exist", "moved")],
)  # fmt: skip
def test_what_qm_refused_for_somebody_elses_change_was_not_written(host, words, reason):
    """The config is another one by then, and not by this run."""
    put(host, 100)

    def refused(_words):
        host.config(100).write_text(host.config(100).read_text() + "lock: backup\n")
        return 255, "", words + "\n"

    (result,) = apply(host, plan(host), command=runner_but(host, "set", refused))
    assert result["reason"] == reason and [entry["written"] for entry in entries(host)] == [False]


def test_a_qm_that_gave_no_answer_may_have_written(host):
    put(host, 100)
    (result,) = apply(host, plan(host), command=runner_but(host, "set", lambda words: (124, "", "")))
    assert result["reason"] == "busy" and entries(host)[0]["written"] is None


def test_a_write_that_is_not_proven_was_written(host):
    put(host, 100)

    def lossy(words):
        answer = set_by_qm(host, words)
        host.config(100).write_text(host.config(100).read_text().replace("memory: 512\n", ""))
        return answer

    (result,) = apply(host, plan(host), command=runner_but(host, "set", lossy))
    assert result["reason"] == "not_proven" and entries(host)[0]["written"] is True


def test_a_guest_is_not_written_where_the_journal_cannot_be(host):
    put(host, 100)
    before = host.config(100).read_bytes()
    (host.root / "var").mkdir()
    (host.root / "var/lib").write_text("in the way")
    for check in (True, False):
        (result,) = apply(host, plan(host), check=check)
        assert (result["status"], result["reason"]) == ("failed", "journal") and "journal" in result["detail"]
    assert sets(host) == [] and host.config(100).read_bytes() == before


def test_a_disk_that_fills_up_between_is_said_and_the_next_guest_is_not_written(host, monkeypatch):
    put(host, 100)
    put(host, 101)
    real = _journal._write_whole
    written = []

    def full(handle, raw):
        if written:
            raise OSError(28, "No space left on device")
        written.append(raw)
        real(handle, raw)

    monkeypatch.setattr(_journal, "_write_whole", full)
    first, second = apply(host, plan(host), max_parallel=1)
    assert first["status"] == "changed" and "No space left" in first["detail"]
    assert (second["status"], second["reason"]) == ("failed", "journal") and len(sets(host)) == 1


def test_neither_check_mode_nor_a_run_without_changes_leaves_a_journal(host):
    put(host, 100)
    apply(host, plan(host), check=True)
    assert not (host.root / "var/lib/hypervisor-io-hardening").exists()
    apply(host, plan(host))
    (result,) = apply(host, plan(host), run="r2")
    assert result["status"] == "unchanged" and entries(host, "r2") == []


def test_a_guest_that_is_left_alone_is_not_in_the_journal(host):
    put(host, 100, GUEST + "lock: backup\n")
    (result,) = apply(host, plan(host))
    assert result["reason"] == "locked" and entries(host) == []


@pytest.mark.parametrize("text", [GUEST, UNSET], ids=["scsihw set", "scsihw unset"])
def test_a_stopped_guest_is_as_before(host, text):
    # What Proxmox VE writes itself: sorted keys, sorted options.
    put(host, 100, text)
    host.run("qm", "set", "100", "--memory", "512")
    before = host.config(100).read_bytes()
    apply(host, plan(host))
    assert host.config(100).read_bytes() != before
    _planned, (result,) = roll_back(host)
    assert (result["status"], result["restart_pending"]) == ("changed", False)
    assert host.config(100).read_bytes() == before


@pytest.mark.parametrize("text", [GUEST, UNSET], ids=["scsihw set", "scsihw unset"])
def test_a_running_guest_whose_changes_still_wait_is_as_before_and_waits_for_nothing(host, text):
    put(host, 100, text)
    host.run("qm", "set", "100", "--memory", "512")
    put(host, 100, host.config(100).read_text(), running=True)
    before = host.config(100).read_bytes()
    apply(host, plan(host))
    assert b"[PENDING]" in host.config(100).read_bytes()
    _planned, (result,) = roll_back(host)
    assert (result["status"], result["restart_pending"]) == ("changed", False)
    assert host.config(100).read_bytes() == before


@pytest.mark.parametrize("text", [GUEST, UNSET], ids=["scsihw set", "scsihw unset"])
def test_a_guest_that_was_restarted_since_waits_for_a_cold_start_again(host, text):
    put(host, 100, text, running=True)
    before = read(host).guests[0]
    apply(host, plan(host))
    assert host.run("qm", "reboot", "100").returncode == 0
    assert read(host).guests[0]["disks"][0]["effective"]["iothread"] is True
    _planned, (result,) = roll_back(host)
    assert (result["status"], result["restart_pending"]) == ("changed", True)
    assert read(host).guests[0]["disks"][0]["effective"]["iothread"] is True
    assert host.run("qm", "reboot", "100").returncode == 0
    after = read(host).guests[0]
    assert after["controller"]["configured"] == before["controller"]["configured"]
    assert after["disks"][0]["configured"] == before["disks"][0]["configured"]


def test_somebody_elses_change_since_is_kept(host):
    put(host, 100)
    apply(host, plan(host))
    changed = host.config(100).read_text().replace("aio=threads", "aio=io_uring").replace("memory: 512", "memory: 4096")
    put(host, 100, changed)
    planned, (result,) = roll_back(host)
    text = host.config(100).read_text()
    assert result["status"] == "changed" and "aio=io_uring" in text and "memory: 4096" in text
    assert "iothread" not in text and "scsihw: virtio-scsi-pci" in text
    assert planned["skipped"][0]["reason"] == "changed_since"


def test_what_somebody_has_waiting_on_the_drive_is_kept(host):
    put(host, 100, running=True)
    waiting = GUEST.split("scsi0: ")[1].split("\n")[0].replace("{id}", "100").replace("ssd=1", "ssd=0")
    host.run("qm", "set", "100", "--scsi0", waiting)
    before = host.config(100).read_bytes()
    apply(host, plan(host))
    roll_back(host)
    assert host.config(100).read_bytes() == before


def test_a_locked_guest_and_a_moved_digest_are_left_as_they_are(host):
    put(host, 100)
    put(host, 101)
    apply(host, plan(host))
    put(host, 100, host.config(100).read_text() + "lock: backup\n")
    before = host.config(100).read_bytes()
    reading = read(host)
    planned = rollback(entries(host), reading.guests, ["pve1"])["plan"]
    put(host, 101, host.config(101).read_text().replace("memory: 512", "memory: 640"))
    first, second = apply(host, planned, "back")
    assert (first["reason"], second["reason"]) == ("locked", "digest_moved")
    assert (
        host.config(100).read_bytes() == before and "aio=threads" in host.config(101).read_text() and sets(host) == []
    )


def test_what_would_not_start_is_not_put_back(host):
    put(host, 100, GUEST.replace("discard=on", "aio=native,cache=none,discard=on"))
    apply(host, plan(host))
    put(host, 100, host.config(100).read_text().replace("cache=none", "cache=writeback"))
    _planned, (result,) = roll_back(host)
    assert (result["status"], result["reason"]) == ("failed", "would_not_start") and "aio=threads" in host.config(
        100
    ).read_text()


def test_a_roll_back_is_in_the_journal_and_can_be_rolled_back(host):
    put(host, 100)
    apply(host, plan(host))
    hardened = host.config(100).read_bytes()
    roll_back(host)
    assert [change["after"] for change in entries(host, "back")[0]["changes"]] == ["virtio-scsi-pci", None, None]
    reading = read(host)
    planned = rollback(entries(host, "back"), reading.guests, ["pve1"])["plan"]
    apply(host, planned, "forth")
    assert host.config(100).read_bytes() == hardened


def test_a_second_roll_back_finds_nothing(host):
    put(host, 100)
    apply(host, plan(host))
    roll_back(host)
    planned, results = roll_back(host)
    assert planned["plan"] == [] == results and planned["unchanged"] == ["100"]


def test_a_roll_back_that_qm_refuses_half_way_leaves_nothing_waiting(host):
    put(host, 100, UNSET.replace("local:", "nfs1:"))
    apply(host, plan(host))
    before = host.config(100).read_bytes()
    host.declare("volumes-missing", "nfs1:100/vm-100-disk-0.qcow2")
    _planned, (result,) = roll_back(host)
    assert result["reason"] == "refused" and "scsihw had been stored by then and was taken back" in result["detail"]
    assert host.config(100).read_bytes() == before
