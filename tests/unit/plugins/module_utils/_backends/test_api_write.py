# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Guests written through the API: whole, proven, once, and what a token cannot write left alone."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.module_utils._backends import api as _api
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._backends import find
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._backends.api_cluster import Cluster
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._backends.layout import LayoutError
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._backends.standing import standing
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._journal.file import Journal, read
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._journal.rollback import rollback
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._asked.rollback import plan_rollback
from ansible_collections.hypervisor.io_hardening.tests.stand_ins.pve_api import Fault
from ansible_collections.hypervisor.io_hardening.tests.unit.plugins.module_utils._backends.api_stand_in import (
    CHANGES,
    GUEST,
    READ,
    SECRET,
    WRITE,
    ClusterTree,
    apply_by,
    options_of,
    plan_of,
)

DONE = ("changed", None, None)
AFTER = (
    "# owner%3A ops\nboot: order=scsi0\nmemory: 512\nname: web100\n"
    "scsi0: local:100/vm-100-disk-0.qcow2,aio=threads,backup=0,discard=on,iothread=1,serial=a%20b,size=32G,ssd=1\n"
    "scsihw: virtio-scsi-single\n"
)


@pytest.fixture
def tree(tmp_path):
    return ClusterTree(tmp_path / "root")


@pytest.fixture
def api(tree, tmp_path):
    with tree.stand_in(tmp_path, WRITE) as api:
        yield api


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    """A write without an answer is looked for at once."""
    monkeypatch.setattr(_api, "_LOOKS", (0, 0.1, 0.2))


def guests_of(api, **options):
    return find.read(api=options_of(api, **options)).guests


def puts(api):
    return [call for call in api.calls if call.method != "GET"]


def test_one_request_writes_controller_and_drives_with_the_digest(tree, api):
    path = tree.put(100)
    (guest,) = guests_of(api)
    assert apply_by(options_of(api), plan_of([guest])) == [DONE]
    assert path.read_text() == AFTER
    (put,) = puts(api)
    assert (put.method, put.path) == ("PUT", "/nodes/pve1/qemu/100/config")
    assert sorted(put.params) == ["digest", "scsi0", "scsihw"] and put.params["digest"] == guest["digest"]
    api.calls.clear()
    assert apply_by(options_of(api), plan_of(guests_of(api))) == [("unchanged", None, None)] and puts(api) == []


def test_check_mode_writes_nothing_and_says_the_same(tree, api):
    path = tree.put(100)
    assert apply_by(options_of(api), plan_of(guests_of(api)), check=True) == [DONE]
    assert path.read_text() == GUEST.replace("{id}", "100") and puts(api) == []


def test_a_running_guest_waits_for_its_cold_start(tree, api):
    path = tree.put(100)
    api.cluster.node("pve1").start_now("100", {})
    assert apply_by(options_of(api), plan_of(guests_of(api))) == [DONE]
    (guest,) = guests_of(api)
    assert guest["pending"] == ["scsi0", "scsihw"] and "[PENDING]" in path.read_text()
    api.cluster.node("pve1").stop_now("100", {})


def test_snapshots_stay(tree, api):
    text = GUEST.replace("scsi0:", "parent: s1\nscsi0:")
    path = tree.put(
        100, text + "\n[s1]\n#before%3A it\nname: web\nscsi0: local:{id}/vm-{id}-disk-0.qcow2,size=32G\nsnaptime: 1\n"
    )
    before = path.read_text().partition("[s1]")[2]
    assert apply_by(options_of(api), plan_of(guests_of(api))) == [DONE]
    assert path.read_text().partition("[s1]")[2] == before


def test_a_rollback_removes_what_was_not_set(tree, api):
    path = tree.put(100)
    apply_by(options_of(api), plan_of(guests_of(api)))
    back = [{**change, "before": change["after"], "after": change["before"]} for change in CHANGES]
    assert apply_by(options_of(api), plan_of(guests_of(api), back)) == [DONE]
    assert path.read_text() == GUEST.replace("{id}", "100")
    text = GUEST.replace("scsihw: virtio-scsi-pci\n", "")
    tree.put(101, text)
    unset = [{"key": "controller", "option": "type", "before": None, "after": "virtio-scsi-single"}]
    assert apply_by(options_of(api), plan_of(guests_of(api)[1:], unset)) == [DONE]
    assert apply_by(options_of(api), plan_of(guests_of(api)[1:], [{**unset[0], "after": None}])) == [DONE]
    assert tree.config(101).read_text() == text.replace("{id}", "101") and puts(api)[-1].params["delete"] == "scsihw"


def refused(tree, api, text, then=None, **options):
    """The outcome for a guest with that config, in check mode and for real; its file stays as it is."""
    path = tree.put(100, text)
    plan = plan_of(guests_of(api))
    if then:
        then(path)
    before = path.read_text() if path.exists() else None
    outcomes = [apply_by(options_of(api), plan, check=check, **options)[0] for check in (True, False)]
    assert (path.read_text() if path.exists() else None) == before
    return outcomes


ROOTED = GUEST.replace("local:{id}/vm-{id}-disk-0.qcow2", "/dev/disk/by-id/ata-TEST")


@pytest.mark.parametrize(
    ("text", "status", "reason", "says"),
    [
        ("lock: backup\n" + GUEST, "skipped", "locked", "locked (backup); run again when that has ended"),
        (
            ROOTED,
            "skipped",
            "needs_root",
            "scsi0: its volume is the path of a device, which Proxmox VE takes from root@pam",
        ),
        (
            GUEST + "\n[PENDING]\ncores: 2\n",
            "skipped",
            "foreign_pending",
            "stopped, with somebody else's pending changes",
        ),
        (GUEST + "zeta: 1\n", "failed", "not_asked", "does not show all of its config"),
    ],
)
def test_what_must_not_be_written_is_left_in_check_mode_too(tree, api, text, status, reason, says):
    lines = sorted(text.partition("\n[")[0].splitlines(), key=lambda line: line.lstrip("#"))
    text = "".join(f"{line}\n" for line in sorted(lines)) + "".join(text.partition("\n[")[1:])
    for outcome in refused(tree, api, text):
        assert outcome[:2] == (status, reason) and says in outcome[2]
    assert puts(api) == []


def test_a_drive_on_a_path_that_is_not_changed_keeps_nothing_from_being_written(tree, api):
    """Its controller alone would be half a cure only where the drive itself is to change."""
    path = tree.put(100, GUEST.replace("scsihw", "scsi1: /dev/disk/by-id/ata-TEST,size=1G\nscsihw"))
    assert (
        apply_by(options_of(api), plan_of(guests_of(api))) == [DONE]
        and "scsihw: virtio-scsi-single" in path.read_text()
    )


def test_foreign_changes_are_applied_where_that_is_allowed(tree, api):
    path = tree.put(100, GUEST + "\n[PENDING]\ncores: 2\n")
    assert apply_by(options_of(api), plan_of(guests_of(api)), apply_foreign_pending=True) == [DONE]
    assert path.read_text().startswith(AFTER.replace("memory", "cores: 2\nmemory"))


def test_unseen_lines_are_written_over_where_that_is_allowed(tree, api):
    tree.put(100, GUEST + "zeta: 1\n")
    plan = plan_of(guests_of(api))
    assert apply_by(options_of(api, write_unseen=True), plan) == [DONE]
    assert tree.config(100).read_text() == AFTER


def test_a_config_that_changed_since_is_not_written(tree, api):
    for outcome in refused(tree, api, GUEST, lambda path: path.write_text(GUEST.replace("{id}", "100") + "tags: x\n")):
        assert outcome == ("failed", "digest_moved", "its config changed after it was read; read it again")


def test_a_guest_that_moved_is_found_once_more(tree, api):
    path = tree.put(100)
    plan = plan_of(guests_of(api))
    there = tree.config(100, "pve2")
    path.rename(there)
    assert apply_by(options_of(api), plan) == [DONE] and there.read_text() == AFTER
    assert [call.path for call in puts(api)] == ["/nodes/pve2/qemu/100/config"]


def test_a_guest_that_was_removed_has_moved(tree, api):
    for outcome in refused(tree, api, GUEST, Path.unlink):
        assert outcome[:2] == ("failed", "moved") and "the guest was removed" in outcome[2]


def test_a_storage_that_is_offline_is_known_before(tree, api):
    tree.declare("storages-offline", "nfs1")
    for outcome in refused(tree, api, GUEST.replace("local:", "nfs1:")):
        assert outcome == (
            "failed",
            "storage_offline",
            "not written, because of scsi0: storage 'nfs1' is not online; run again when it is there",
        )


@pytest.mark.parametrize("running", [True, False])
def test_what_was_stored_before_an_option_failed_is_taken_back(tree, api, running, monkeypatch):
    """The controller is stored before the drive, whose storage went offline after it was looked at."""
    path = tree.put(100, GUEST.replace("local:", "nfs1:"))
    before = path.read_text()
    if running:
        api.cluster.node("pve1").start_now("100", {})
    plan = plan_of(guests_of(api))
    monkeypatch.setattr(Cluster, "unusable", lambda *_asked: {"nfs1": None})
    tree.declare("storages-offline", "nfs1")
    ((status, reason, detail),) = apply_by(options_of(api), plan)
    if running:
        api.cluster.node("pve1").stop_now("100", {})
    assert (status, reason) == ("failed", "storage_offline") and path.read_text() == before
    assert detail.endswith("storage 'nfs1' is not online; scsihw had been stored by then and was taken back")


@pytest.mark.parametrize("kind", ["close", "status", "hang"])
def test_a_write_without_an_answer_is_looked_for_and_not_repeated(tree, api, kind):
    path = tree.put(100)
    plan = plan_of(guests_of(api))
    api.faults.append(Fault(kind, "PUT ", status=596, reason="Broken pipe", done=True, seconds=5))
    assert apply_by(options_of(api, timeout=1), plan) == [DONE]
    assert path.read_text() == AFTER and len(puts(api)) == 1


@pytest.mark.parametrize("kind", ["close", "status"])
def test_a_write_that_did_not_arrive_is_not_taken_for_done(tree, api, kind):
    path = tree.put(100)
    plan = plan_of(guests_of(api))
    api.faults.append(Fault(kind, "PUT ", status=596, reason="Broken pipe"))
    ((status, reason, detail),) = apply_by(options_of(api), plan)
    assert (status, reason) == ("failed", "busy") and path.read_text() == GUEST.replace("{id}", "100")
    assert "the write was not repeated, and nothing of it is stored by now" in detail and len(puts(api)) == 1


@pytest.mark.parametrize(
    ("acl", "lacks"),
    [
        (READ, "VM.Config.Disk on /vms/100, VM.Config.HWType on /vms/100"),
        ({**READ, "/vms": ["VM.Audit", "VM.Config.HWType"]}, "VM.Config.Disk on /vms/100"),
    ],
)
@pytest.mark.parametrize("check", [True, False])
def test_a_token_that_may_not_write_ends_the_run_before_the_first_guest(tree, tmp_path, acl, lacks, check):
    tree.put(100)
    with tree.stand_in(tmp_path, acl) as api:
        plan = plan_of(guests_of(api))
        with pytest.raises(LayoutError) as ended:
            apply_by(options_of(api), plan, check=check)
    assert str(ended.value) == (
        f"the token ops@pve!harden may not write guest 100: it lacks {lacks}. As root on a node: pveum role add"
        " GuestIOWrite --privs VM.Config.Disk,VM.Config.HWType; pveum acl modify /vms --roles GuestIOWrite --users"
        " ops@pve --tokens 'ops@pve!harden'"
    )


def test_several_guests_are_written_at_the_same_time(tree, tmp_path):
    for guest in range(100, 112):
        tree.put(guest)
    with tree.stand_in(tmp_path, WRITE, delay=0.02) as api:
        outcomes = apply_by(options_of(api), plan_of(guests_of(api)), max_parallel=4)
        assert outcomes == [DONE] * 12 and api.connections <= (1 + 8) + (1 + 4)


def test_the_journal_takes_back_what_was_written(tree, api, tmp_path):
    path = tree.put(100)
    kept = Journal(str(tmp_path / "journal"), "r1")
    assert apply_by(options_of(api), plan_of(guests_of(api)), journal=kept) == [DONE]
    intent = json.loads(Path(kept.path).read_text().splitlines()[0])
    assert SECRET not in Path(kept.path).read_text()
    problems = []
    runs = read(str(tmp_path / "journal"), problems)
    assert problems == [] and standing(find.backends(api=options_of(api)), runs) == {"r1": ["100"]}
    plan = rollback(runs["r1"], guests_of(api), ["pve1"])["plan"]
    assert apply_by(options_of(api), plan) == [DONE] and path.read_text() == GUEST.replace("{id}", "100")
    assert intent["config"] == "/etc/pve/nodes/pve1/qemu-server/100.conf"
    assert standing(find.backends(api=options_of(api)), runs) == {"r1": []}


def test_a_guest_that_moved_since_is_rolled_back_on_its_new_node(tree, api, tmp_path):
    path = tree.put(100)
    kept = Journal(str(tmp_path / "journal"), "r1")
    apply_by(options_of(api), plan_of(guests_of(api)), journal=kept)
    there = tree.config(100, "pve2")
    path.rename(there)
    runs = read(str(tmp_path / "journal"), [])
    assert standing(find.backends(api=options_of(api)), runs) == {"r1": ["100"]}
    (planned,) = rollback(runs["r1"], guests_of(api), ["pve1", "pve2"])["plan"]
    assert planned["node"] == "pve2" and apply_by(options_of(api), [planned]) == [DONE]
    assert there.read_text() == GUEST.replace("{id}", "100")


def test_a_rollback_does_not_pass_over_a_node_that_does_not_answer(tree, tmp_path):
    tree.put(100)
    tree.put(200, node="pve2")
    with tree.stand_in(tmp_path, WRITE) as api:
        kept = Journal(str(tmp_path / "journal"), "r1")
        apply_by(options_of(api), plan_of(guests_of(api)), journal=kept)
        api.cluster.offline = {"pve2"}
        found = find.read(api=options_of(api))
    entries = read(str(tmp_path / "journal"), [])["r1"]
    journal = {"entries": entries, "runs": [], "problems": []}
    answer = {"guests": found.guests, "nodes": found.nodes, "problems": found.problems}
    plan = plan_rollback(journal, answer, "r1", None)
    assert [entry["guest"] for entry in plan["plan"]] == ["100"]
    assert plan["not_whole"] == "not put back, because node pve2 does not answer: 200"
    assert plan_rollback(journal, answer, "r1", ["100"])["not_whole"] is None


def test_two_runs_that_write_one_guest_change_it_once(tree, api):
    tree.put(100)
    plan, outcomes = plan_of(guests_of(api)), []
    runs = [threading.Thread(target=lambda: outcomes.extend(apply_by(options_of(api), plan))) for _run in range(2)]
    for run in runs:
        run.start()
    for run in runs:
        run.join()
    assert sorted(str(outcome[1]) for outcome in outcomes) == ["None", "digest_moved"]
    assert tree.config(100).read_text() == AFTER
