# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""A plan reaches a live node through ``qm``: one call a guest, nothing lost, everything that speaks against it
respected.
"""

from __future__ import annotations

import datetime
import sys

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.module_utils._backends import filesystems, find
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._pve import drive as _drive
from ansible_collections.hypervisor.io_hardening.tests.unit.plugins.module_utils._backends.doors import apply_below
from ansible_collections.hypervisor.io_hardening.tests.unit.plugins.module_utils._backends.live_node import (
    DISK,
    GUEST,
    put,
    runner,
    runner_but,
)
from ansible_collections.hypervisor.io_hardening.tests.unit.plugins.plugin_utils._policy.fleet import assess
from ansible_collections.hypervisor.io_hardening.tests.unit.stand_ins.qm_host import QM

POLICY = {}
DAY = datetime.date(2026, 11, 23)


def plan_of(host, **options):
    reading = find.read(str(host.root))
    return assess(reading.guests, POLICY, DAY, reading.nodes, reading.problems, **options)["plan"]


def apply(host, plan=None, **options):
    plan = plan_of(host) if plan is None else plan
    outcomes = apply_below(str(host.root), plan, run=runner(host), **options)
    return [outcome.result for outcome in outcomes]


def sets(host):
    return [call["argv"] for call in host.calls() if "set" in call["argv"]]


def test_a_stopped_guest_is_written_in_one_call_with_every_option(host):
    put(host, 100)
    (result,) = apply(host)
    assert (result["status"], result["restart_pending"], result["detail"]) == ("changed", False, None)
    (call,) = sets(host)
    assert "--digest" in call and "--scsihw" in call and "--scsi0" in call
    text = host.config(100).read_text()
    assert (
        "scsi0: local:100/vm-100-disk-0.qcow2,aio=threads,backup=0,discard=on,iothread=1,serial=a%20b,size=32G,ssd=1\n"
        in text
    )
    assert "scsihw: virtio-scsi-single\n" in text and "cache" not in text and "# owner%3A ops\n" in text
    assert plan_of(host) == []


def test_an_edit_that_would_lose_an_option_is_refused(host, monkeypatch):
    put(host, 100)
    plan, edit = plan_of(host), _drive.edit
    monkeypatch.setattr(_drive, "edit", lambda text, changes: edit(text, changes).replace(",discard=on", ""))
    (result,) = apply(host, plan)
    assert (
        (result["status"], result["reason"]) == ("failed", "refused")
        and "scsi0 would lose an option" in result["detail"]
        and sets(host) == []
    )


def test_what_is_in_force_already_is_not_written_again(host):
    put(host, 100)
    plan = plan_of(host)
    apply(host, plan)
    host.log.unlink()
    plan[0]["digest"] = find.read(str(host.root)).guests[0]["digest"]
    (result,) = apply(host, plan)
    assert (result["status"], result["changes"]) == ("unchanged", []) and sets(host) == []


def test_a_running_guest_waits_for_a_cold_start_and_is_not_restarted(host):
    put(host, 100, running=True)
    before = host.config(100).read_text()
    (result,) = apply(host)
    assert result["status"] == "changed" and result["restart_pending"] is True
    text = host.config(100).read_text()
    assert text.startswith(before) and "[PENDING]" in text
    assert [call["argv"][1] if call["argv"][0].endswith("qm") else call["argv"][0] for call in host.calls()].count(
        "stop"
    ) == 0
    assert plan_of(host) == []


def test_check_mode_calls_no_qm_and_tells_the_same(host):
    put(host, 100)
    put(host, 101, running=True)
    before = {path: path.read_bytes() for path in host.configs.iterdir()}
    told = apply(host, check=True)
    assert sets(host) == [] and before == {path: path.read_bytes() for path in host.configs.iterdir()}
    keys = ("guest", "status", "changes", "restart_pending", "reason")
    done = apply(host)
    assert [[result[key] for key in keys] for result in told] == [[result[key] for key in keys] for result in done]


def test_check_mode_knows_that_nothing_waits_where_what_waited_is_put_back(host):
    put(host, 100, running=True)
    (planned,) = plan_of(host)
    apply(host)
    back = [
        {**change, "before": change["after"], "after": None if change["key"] == "scsi0" else "virtio-scsi-pci"}
        for change in planned["changes"]
    ]
    planned = {**planned, "digest": find.read(str(host.root)).guests[0]["digest"], "changes": back}
    (told,) = apply(host, [planned], check=True)
    (done,) = apply(host, [planned])
    assert (told["status"], told["restart_pending"]) == (done["status"], done["restart_pending"]) == ("changed", False)
    assert "[PENDING]" not in host.config(100).read_text()


def test_a_locked_guest_is_left_alone(host):
    put(host, 100)
    plan = plan_of(host)
    put(host, 100, GUEST + "lock: backup\n")
    plan[0]["digest"] = find.read(str(host.root)).guests[0]["digest"]
    (result,) = apply(host, plan)
    assert (result["status"], result["reason"]) == ("skipped", "locked") and sets(host) == []
    put(host, 100, GUEST + f"lock: {'x' * 100_000}\n")
    plan[0]["digest"] = find.read(str(host.root)).guests[0]["digest"]
    assert apply(host, plan)[0]["detail"] == f"locked ({'x' * 59}…); run again when that has ended"


def test_a_guest_whose_digest_moved_is_not_written(host):
    put(host, 100)
    plan = plan_of(host)
    put(host, 100, GUEST.replace("memory: 512", "memory: 1024"))
    (result,) = apply(host, plan)
    assert (result["status"], result["reason"]) == ("failed", "digest_moved") and sets(host) == []


def test_a_digest_that_moves_between_look_and_write_is_caught_by_qm(host):
    put(host, 100)
    script = host.root / "var/lib/qm-stand-in/before-set/100"
    script.parent.mkdir(parents=True)
    script.write_text(f"#!/bin/sh\nsed -i 's/memory: 512/memory: 640/' {host.config(100)}\n")
    script.chmod(0o755)
    (result,) = apply(host)
    assert (result["status"], result["reason"]) == ("failed", "digest_moved")
    assert "memory: 640" in host.config(100).read_text() and "iothread" not in host.config(100).read_text()


def test_a_guest_that_moved_to_another_node_is_named_with_it(host):
    put(host, 100)
    plan = plan_of(host)
    other = host.root / "etc/pve/nodes/pve2/qemu-server"
    other.mkdir(parents=True)
    host.config(100).rename(other / "100.conf")
    (result,) = apply(host, plan)
    assert (result["status"], result["reason"]) == ("failed", "moved") and "node pve2" in result["detail"]


def test_an_offline_storage_fails_that_guest_alone_and_leaves_nothing_waiting(host):
    put(host, 100, GUEST.replace("local:", "nfs1:"))
    put(host, 101)
    host.declare("storages-offline", "nfs1")
    before = host.config(100).read_text()
    first, second = apply(host)
    assert (first["status"], first["reason"]) == ("failed", "storage_offline") and "not online" in first["detail"]
    assert second["status"] == "changed"
    assert host.config(100).read_text() == before


def test_a_cached_disk_is_made_uncached_where_its_file_system_opens_it_directly(host, monkeypatch):
    cached = GUEST.replace("discard=on", "cache=writeback,discard=on")
    image = host.root / "var/lib/vz/images/100/vm-100-disk-0.qcow2"
    image.parent.mkdir(parents=True, exist_ok=True)
    image.write_bytes(b"")
    for direct, cache in ((False, "writeback"), (None, "writeback"), (True, "none")):
        monkeypatch.setattr(filesystems, "_opens_direct", lambda path, direct=direct: direct)
        put(host, 100, cached)
        (result,) = apply(host)
        text = host.config(100).read_text()
        assert result["status"] == "changed" and f"aio=threads,backup=0,cache={cache},discard=on,iothread=1" in text
        assert plan_of(host) == []


def test_somebody_elses_pending_is_not_applied_on_a_stopped_guest(host):
    put(host, 100, GUEST + "\n[PENDING]\ncores: 8\n")
    before = host.config(100).read_text()
    plan = plan_of(host, apply_foreign_pending=True)
    (result,) = apply(host, plan)
    assert (result["status"], result["reason"]) == ("skipped", "foreign_pending") and "cores" in result["detail"]
    assert host.config(100).read_text() == before and sets(host) == []
    reading = find.read(str(host.root))
    (entry,) = assess(reading.guests, POLICY, DAY, reading.nodes, reading.problems)["unresolved"]
    assert plan_of(host) == [] and (entry["reason"], entry["detail"]) == (
        result["reason"],
        result["detail"],
    ), "the audit says what the run does"
    (result,) = apply(host, plan, apply_foreign_pending=True)
    assert result["status"] == "changed" and "cores: 8" in host.config(100).read_text()


def test_somebody_elses_pending_on_a_running_guest_stays_where_it_is(host):
    put(host, 100, running=True)
    host.run("qm", "set", "100", "--scsi0", DISK.replace("{id}", "100").replace("ssd=1", "ssd=0"))
    assert [guest["foreign_pending"] for guest in find.read(str(host.root)).guests] == [["scsi0"]] and plan_of(host)


def test_what_waits_on_a_running_guests_drive_is_kept(host):
    put(host, 100, running=True)
    waiting = DISK.replace("{id}", "100").replace("ssd=1", "ssd=0")
    host.run("qm", "set", "100", "--scsi0", waiting)
    apply(host)
    assert "ssd=0" in host.config(100).read_text().split("[PENDING]")[1]


def test_lines_that_proxmox_would_drop_are_not_risked(host):
    put(host, 100, GUEST + "cores: two\n")
    plan = [{"guest": "100", "node": "pve1", "config": "/etc/pve/nodes/pve1/qemu-server/100.conf",
             "digest": find.read(str(host.root)).guests[0]["digest"],
             "changes": [{"key": "scsi0", "option": "aio", "before": None, "after": "threads"}]}]  # fmt: skip
    (result,) = apply(host, plan)
    assert (result["status"], result["reason"]) == ("skipped", "unsafe_lines") and sets(host) == []


def test_a_setting_newer_than_our_list_is_asked_of_qm(host):
    put(host, 100, GUEST + "holodeck: 1\n")
    (result,) = apply(host)
    assert (result["status"], result["reason"]) == ("skipped", "unsafe_lines") and "holodeck" in result["detail"]


def test_a_plan_that_would_keep_the_guest_from_starting_is_refused(host):
    put(host, 100, GUEST.replace("discard=on", "cache=writeback"))
    entry = plan_of(host)[0]
    entry["changes"] = [{"key": "scsi0", "option": "aio", "before": None, "after": "native"}]
    (result,) = apply(host, [entry])
    assert (result["status"], result["reason"]) == ("failed", "would_not_start") and sets(host) == []


def test_a_write_that_is_not_in_the_config_afterwards_is_a_failure(host):
    put(host, 100)
    plan = plan_of(host)
    (outcome,) = apply_below(str(host.root), plan, run=runner_but(host, "set", lambda words: (0, "", "")))
    assert (outcome.result["status"], outcome.result["reason"]) == ("failed", "not_proven")


def test_what_qm_stores_in_its_own_words_is_proven_all_the_same(host):
    """It writes the volume's own size, booleans as 1 and 0, and a description's line breaks as lines (recorded)."""
    text = GUEST.replace(",size=32G", "").replace("# owner%3A ops", "# owner: ops%0Asecond") + "onboot: yes\n"
    put(host, 100, text)
    plan, run = plan_of(host), runner(host)

    def as_stored(words):
        answer = run(["timeout", "-k", "1", "1", "qm", *words])
        path = host.config(100)
        path.write_text(
            path.read_text()
            .replace("onboot: yes", "onboot: 1")
            .replace("# owner: ops%0Asecond", "# owner%3A ops\n#second")
        )
        return answer

    (outcome,) = apply_below(str(host.root), plan, run=runner_but(host, "set", as_stored))
    assert outcome.result["status"] == "changed", outcome.result["detail"]
    assert "size=" in host.config(100).read_text() and "onboot: 1" in host.config(100).read_text()


def test_a_config_that_would_be_larger_than_proxmox_stores_is_not_written(host):
    """A running guest's new drive stands in [PENDING] beside the one in force; pmxcfs would leave the file cut off."""
    put(host, 100, "#" + "x" * (1024 * 1024 - len(GUEST) - 120) + "\n" + GUEST, running=True)
    for check in (True, False):
        (result,) = apply(host, check=check)
        assert (result["status"], result["reason"]) == ("failed", "refused") and "larger than 1 MiB" in result["detail"]
    assert sets(host) == []


def test_a_write_that_loses_a_setting_is_a_failure(host):
    put(host, 100)
    plan = plan_of(host)
    run = runner(host)

    def lossy(words):
        answer = run(["timeout", "-k", "1", "1", "qm", *words])
        path = host.config(100)
        path.write_text(path.read_text().replace("memory: 512\n", ""))
        return answer

    (outcome,) = apply_below(str(host.root), plan, run=runner_but(host, "set", lossy))
    assert outcome.result["reason"] == "not_proven" and "memory is gone" in outcome.result["detail"]


SNAPSHOT = (
    "\n[before-upgrade]\n#good\nmemory: 256\nscsi0: local:{id}/vm-{id}-disk-0.qcow2,size=32G\nscsihw: lsi\nsnaptime:"
    " 1737548747\n"
)


@pytest.mark.parametrize("running", [False, True], ids=["stopped", "running"])
def test_snapshots_are_as_they_were(host, running):
    put(host, 100, GUEST + SNAPSHOT, running=running)
    (result,) = apply(host)
    assert result["status"] == "changed" and SNAPSHOT.replace("{id}", "100") in host.config(100).read_text()


@pytest.mark.parametrize(
    "old, new, said",
    [
        ("memory: 256\n", "", "memory of snapshot [before-upgrade] is gone"),
        ("disk-0.qcow2,size=32G", "disk-0.qcow2,ro=1,size=32G", "scsi0 of snapshot [before-upgrade] was"),
        ("[before-upgrade]\n", "[after-upgrade]\n", "snapshot section [before-upgrade] is gone"),
        ("#good\n", "", "the description of snapshot [before-upgrade] is not what it was"),
        ("# owner%3A ops\n", "", "the description is not what it was"),
        (
            ",serial=a%20b,size=32G,ssd=1\nscsihw: virtio-scsi-pci",
            ",size=32G\nscsihw: virtio-scsi-pci",
            "scsi0 of the main section was",
        ),
        ("scsihw: virtio-scsi-pci\n", "", "scsihw of the main section was"),
    ],
)
def test_a_write_that_loses_what_a_running_guest_has_or_a_snapshot_is_a_failure(host, old, new, said):
    put(host, 100, GUEST + SNAPSHOT, running=True)
    plan, run = plan_of(host), runner(host)

    def lossy(words):
        answer, text = run(["timeout", "-k", "1", "1", "qm", *words]), host.config(100).read_text()
        assert old in text
        host.config(100).write_text(text.replace(old, new, 1))
        return answer

    (outcome,) = apply_below(str(host.root), plan, run=runner_but(host, "set", lossy))
    assert outcome.result["reason"] == "not_proven" and said in outcome.result["detail"]


@pytest.mark.parametrize("running", [False, True], ids=["stopped", "running"])
def test_an_unused_volume_that_a_disk_uses_is_dropped_by_design_and_fails_nobody(host, running):
    put(
        host,
        100,
        GUEST + "unused0: local:{id}/vm-{id}-disk-0.qcow2\nunused1: local:{id}/vm-{id}-disk-1.qcow2\n",
        running=running,
    )
    (result,) = apply(host)
    text = host.config(100).read_text()
    assert (
        (result["status"], result["detail"]) == ("changed", None)
        and "unused0" not in text
        and "unused1: local:100/vm-100-disk-1.qcow2\n" in text
    )


def test_a_guest_of_another_node_is_left_to_that_node(host):
    """Its config is in this node's /etc/pve too, and qm set would fail or, with a guest of the same id here, be
    somebody else's.
    """
    other = host.root / "etc/pve/nodes/pve2/qemu-server"
    other.mkdir(parents=True)
    (other / "100.conf").write_text(GUEST.replace("{id}", "100"))
    reading = find.read(str(host.root), node="pve2")
    plan = assess(reading.guests, POLICY, DAY, reading.nodes)["plan"]
    for check in (True, False):
        (result,) = apply(host, plan, check=check)
        assert (result["status"], result["reason"]) == ("failed", "moved") and "it is on node pve2" in result["detail"]
    assert host.calls() == []


@pytest.mark.parametrize("check", [True, False])
@pytest.mark.parametrize(
    "change",
    [
        {"key": "controller", "option": "type", "after": "virtig-scsi-pci"},
        {"key": "scsi0", "option": "aio", "after": "threads,ro=1"},
        {"key": "scsi0", "option": "cache", "after": "none\nargs: -S"},
        {"key": "scsi0", "option": "iothread", "after": "perhaps"},
        {"key": "efidisk0", "option": "aio", "after": "threads"},
    ],
)
def test_a_plan_with_a_value_that_nobody_has_is_refused_before_anything_is_asked_of_qm(host, change, check):
    put(host, 100)
    before = host.config(100).read_bytes()
    planned = {**plan_of(host)[0], "changes": [change]}
    (result,) = apply(host, [planned], check=check)
    assert (result["status"], result["reason"], result["changes"]) == (
        "failed",
        "refused",
        [],
    ) and "because of its plan" in result["detail"]
    assert host.config(100).read_bytes() == before and host.calls() == []


def test_a_plan_with_an_iothread_in_words_writes_it_as_proxmox_does(host):
    put(host, 100)
    planned = {**plan_of(host)[0], "changes": [{"key": "scsi0", "option": "iothread", "before": None, "after": "True"}]}
    (result,) = apply(host, [planned])
    assert result["status"] == "changed" and ",iothread=1," in host.config(100).read_text()


def test_no_more_qm_at_once_than_allowed(host, monkeypatch):
    for guest in range(100, 106):
        put(host, guest)
    monkeypatch.setitem(host.environment, "QM_DELAY", "0.3")
    apply(host, max_parallel=2)
    spans = sorted((call["start"], call["end"]) for call in host.calls())
    at_once = [sum(start <= moment < end for start, end in spans) for moment, _end in spans]
    assert max(at_once) == 2 and len(sets(host)) == 6


def test_no_qm_is_said_in_words(host):
    put(host, 100)
    (outcome,) = apply_below(str(host.root), plan_of(host), run=lambda arguments: (127, "", "timeout: failed"))
    assert "is this a Proxmox VE node" in outcome.result["detail"]


def test_the_stand_in_is_a_real_command():
    assert QM.exists() and sys.executable
