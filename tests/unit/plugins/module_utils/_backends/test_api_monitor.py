# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Running guests whose QEMU is asked through the API what their disks run with."""

from __future__ import annotations

import contextlib
import datetime

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.module_utils import _restart
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._backends import api_cluster, find
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._backends.layout import LayoutError
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._policy.assess import assess
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._policy.policy import parse
from ansible_collections.hypervisor.io_hardening.tests.stand_ins.pve_api import Fault
from ansible_collections.hypervisor.io_hardening.tests.unit.facts import facts
from ansible_collections.hypervisor.io_hardening.tests.unit.plugins.module_utils._backends.api_stand_in import (
    GUEST,
    READ,
    ClusterTree,
    options_of,
)

ANSWERS = {one["name"]: one["answers"] for one in facts("qemu_monitor")}
HARDENED = (
    GUEST.replace("backup=0,", "aio=threads,backup=0,")
    .replace("size=32G", "iothread=1,size=32G")
    .replace("virtio-scsi-pci", "virtio-scsi-single")
)
ASKS = {**READ, "/vms": ["VM.Audit", "Sys.Audit"]}


@pytest.fixture
def tree(tmp_path):
    return ClusterTree(tmp_path / "root")


def answers(tree, guest, name, **changed):
    for command, text in {**ANSWERS[name], **changed}.items():
        path = tree.root / f"var/lib/qm-stand-in/hmp/{guest}/{command}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


@contextlib.contextmanager
def running(tree, folder, *guests, acl=None, faults=()):
    with tree.stand_in(folder, ASKS if acl is None else acl) as api:
        for guest in guests:
            api.cluster.node("pve1").start_now(guest, {})
        api.faults += faults
        try:
            yield api
        finally:
            for guest in guests:
                api.cluster.node("pve1").stop_now(guest, {})


def read(api, only=None, **options):
    return find.read(only=only, api=options_of(api, monitor=True, **options))


def asked(api):
    return [call for call in api.calls if call.path.endswith("/monitor")]


def findings(reading):
    document = {"guests": reading.guests, "nodes": reading.nodes, "problems": reading.problems}
    return [
        (one["rule"], one["severity"], one["disk"], one["message"])
        for one in assess(document, parse({}), datetime.date(2026, 11, 28))["findings"]
        if one["rule"] in ("IO100", "IO108", "IO109")
    ]


@pytest.mark.parametrize("name", ["blockdev-pci", "drive-lsi"])
def test_drift_that_is_not_pending_is_seen(tree, tmp_path, name):
    tree.put(100, HARDENED)
    answers(tree, 100, name)
    with running(tree, tmp_path, "100") as api:
        found = read(api)
        assert len(asked(api)) == (4 if name == "drive-lsi" else 3)
    (guest,) = found.guests
    (disk,) = guest["disks"]
    assert (disk["runs"]["iothread"], disk["runs"]["aio"], disk["runs"]["cache"]) == (False, None, "none")
    assert _restart.waiting(guest) == ["scsi0 iothread off → on"]
    assert findings(found) == [("IO109", "warning", "scsi0", "runs with iothread off, configured is on")]


def test_a_guest_that_runs_as_configured_has_no_finding(tree, tmp_path):
    tree.put(100, HARDENED)
    answers(tree, 100, "blockdev-single")
    with running(tree, tmp_path, "100") as api:
        found = read(api)
    assert (_restart.waiting(found.guests[0]), findings(found)) == ([], [])


def test_what_it_does_not_tell_still_waits_where_it_is_pending(tree, tmp_path):
    """aio is never told, and a change of it must not be lost for that."""
    now = HARDENED.replace("aio=threads,", "")
    tree.put(100, now)
    answers(tree, 100, "blockdev-single")
    with running(tree, tmp_path, "100") as api:
        tree.put(100, f"{now}\n[PENDING]\nscsi0: local:100/vm-100-disk-0.qcow2,aio=threads,iothread=1\n")
        found = read(api)
    assert _restart.waiting(found.guests[0]) == ["scsi0 aio io_uring → threads"]
    assert findings(found) == [("IO108", "warning", "scsi0", "waits for a cold start: aio io_uring → threads")]


def test_only_running_guests_are_asked_and_only_where_it_is_wanted(tree, tmp_path):
    tree.put(100, HARDENED)
    tree.put(101, HARDENED)
    answers(tree, 101, "blockdev-single")
    with running(tree, tmp_path, "101") as api:
        assert find.read(api=options_of(api)).guests[1]["disks"][0]["runs"] is None and asked(api) == []
        assert read(api).guests[0]["disks"][0]["runs"] is None
        assert {call.path for call in asked(api)} == {"/nodes/pve1/qemu/101/monitor"}


def test_a_token_that_may_not_ask_ends_the_run(tree, tmp_path):
    tree.put(100, HARDENED)
    with running(tree, tmp_path, acl=READ) as api, pytest.raises(LayoutError) as refused:
        read(api)
    assert str(refused.value) == (
        "the token ops@pve!harden may not ask the QEMU of all guests: it lacks Sys.Audit on /vms. As root on a node:"
        " pveum acl modify /vms --roles PVEAuditor --users ops@pve --tokens 'ops@pve!harden'"
    )


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        (
            Fault("status", "100/monitor", status=403, reason="Permission check failed (/vms/100, VM.Monitor)"),
            "the monitor of its QEMU gives no answer: 403 Permission check failed (/vms/100, VM.Monitor)",
        ),
        (
            Fault("status", "100/monitor", status=595, reason="Connection refused"),
            "the monitor of its QEMU gives no answer: 595 Connection refused",
        ),
    ],
    ids=["Proxmox VE 8", "node"],
)
def test_one_guest_that_cannot_be_asked_is_its_own_problem(tree, tmp_path, fault, says):
    for guest in (100, 101):
        tree.put(guest, HARDENED)
        answers(tree, guest, "blockdev-pci")
    with running(tree, tmp_path, "100", "101", faults=[fault]) as api:
        found = read(api)
    assert ("IO100", "warning", None, f"what it runs with is not known: {says}") in findings(found)
    assert found.guests[0]["disks"][0]["runs"] is None and len(found.guests) == 2


def test_what_is_no_answer_of_a_monitor_is_not_known(tree, tmp_path):
    tree.put(100, HARDENED)
    with running(tree, tmp_path, "100") as api:
        assert findings(read(api)) == [
            ("IO100", "warning", None, "what it runs with is not known: info qtree gave no tree of devices")
        ]


def test_a_qemu_that_hangs_holds_up_no_other_node(tree, tmp_path):
    """Proxmox VE answers 200 when its own 25 s are over, here at once; its node is left alone then."""
    many = [str(guest) for guest in range(100, 112)]
    for guest in many:
        tree.put(guest, HARDENED)
        said = f"ERROR: VM {guest} qmp command 'human-monitor-command' failed - got timeout\n"
        answers(tree, guest, "blockdev-single", **{"info qtree": said})
    tree.put(112, HARDENED, "pve2")
    answers(tree, 112, "blockdev-single")
    with running(tree, tmp_path, *many) as api:
        api.cluster.node("pve2").start_now("112", {})
        found = read(api)
        api.cluster.node("pve2").stop_now("112", {})
        assert len([call for call in asked(api) if "/pve1/" in call.path]) <= api_cluster.AT_ONCE
    unknown = [one[3] for one in findings(found)]
    assert len(unknown) == len(many) and found.guests[-1]["disks"][0]["runs"]["iothread"] is True
    assert unknown[0] == (
        "what it runs with is not known: the monitor of its QEMU gives no answer: VM 100 qmp command"
        " 'human-monitor-command' failed - got timeout"
    )
    assert "its node is not asked again, because the QEMU of guest 10" in unknown[-1]


def test_an_api_that_hangs_is_waited_for_once(tree, tmp_path):
    for guest in ("100", "101"):
        tree.put(guest, HARDENED)
        answers(tree, guest, "blockdev-single")
    with running(tree, tmp_path, "100", "101", faults=[Fault("hang", "100/monitor", times=9, seconds=5)]) as api:
        found = read(api, timeout=1)
        assert len([call for call in asked(api) if "/100/" in call.path]) == 1
    assert found.guests[0]["unknown"] and found.guests[0]["disks"][0]["runs"] is None
