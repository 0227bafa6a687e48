# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""A roll back puts back what its run wrote and nobody changed since, and nothing else."""

from __future__ import annotations

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.module_utils._journal.rollback import rollback
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._pve.record import record

BEFORE = "memory: 512\nname: web\nscsi0: local:100/a.qcow2,size=1G\nscsihw: virtio-scsi-pci\n"
AFTER = "memory: 512\nname: web\nscsi0: local:100/a.qcow2,size=1G,aio=threads,iothread=1\nscsihw: virtio-scsi-single\n"
CHANGES = (
    {"key": "controller", "option": "type", "before": "virtio-scsi-pci", "after": "virtio-scsi-single"},
    {"key": "scsi0", "option": "aio", "before": None, "after": "threads"},
    {"key": "scsi0", "option": "iothread", "before": None, "after": True},
)


def entry(guest="100", node="pve1", written=True, changes=CHANGES):
    return {
        "hypervisor": "pve",
        "guest": guest,
        "name": "old-name",
        "node": node,
        "written": written,
        "changes": list(changes),
    }


def guest(text=AFTER, number="100", node="pve1"):
    return record(number, text.encode(), {}, node, f"/etc/pve/nodes/{node}/qemu-server/{number}.conf")


def plan(text=AFTER, entries=None, **options):
    return rollback(entries or [entry()], [guest(text)], ["pve1"], **options)


def puts_back(found):
    return [
        (change["key"], change["option"], change["before"], change["after"])
        for entry in found["plan"]
        for change in entry["changes"]
    ]


ALL = [
    ("controller", "type", "virtio-scsi-single", "virtio-scsi-pci"),
    ("scsi0", "aio", "threads", None),
    ("scsi0", "iothread", True, None),
]


def test_what_the_run_wrote_is_put_back_from_the_config_as_it_is_now():
    found = plan()
    assert puts_back(found) == ALL and found["skipped"] == found["unchanged"] == []
    (planned,) = found["plan"]
    assert (
        planned["digest"] == guest()["digest"] and planned["name"] == "web" and planned["config"] == guest()["config"]
    )


def test_an_option_that_somebody_changed_since_is_left_alone_and_the_others_are_put_back():
    found = plan(AFTER.replace("aio=threads", "aio=io_uring"))
    assert puts_back(found) == [ALL[0], ALL[2]]
    assert [(left["guest"], left["reason"]) for left in found["skipped"]] == [("100", "changed_since")]
    assert found["skipped"][0]["detail"] == "scsi0 aio is io_uring, the run wrote threads"


def test_an_option_that_somebody_removed_since_is_left_alone():
    found = plan(
        AFTER.replace("aio=threads,", ""),
        [entry(changes=[{"key": "scsi0", "option": "aio", "before": "native", "after": "threads"}])],
    )
    assert found["plan"] == [] and found["skipped"][0]["detail"] == "scsi0 aio is unset, the run wrote threads"


def test_what_is_as_before_the_run_already_needs_nothing():
    found = plan(BEFORE)
    assert found["plan"] == found["skipped"] == [] and found["unchanged"] == ["100"]


def test_another_change_of_the_guest_does_not_matter():
    assert puts_back(plan(AFTER.replace("memory: 512", "memory: 4096").replace("size=1G", "size=9G,discard=on"))) == ALL


def test_a_drive_that_is_gone_or_going_is_left_alone():
    for text in (AFTER.replace("scsi0:", "scsi1:"), AFTER + "\n[PENDING]\ndelete: scsi0\n"):
        found = plan(text)
        assert puts_back(found) == [ALL[0]] and found["skipped"][0]["detail"] == "scsi0 is gone"


def test_a_guest_that_is_known_from_its_process_alone_is_gone():
    found = rollback([entry()], [{**guest(), "config": None}], ["pve1"])
    assert found["plan"] == [] and [left["reason"] for left in found["skipped"]] == ["gone"]


def test_a_guest_that_is_gone_is_left_alone():
    found = rollback([entry()], [], ["pve1"])
    assert (
        found["plan"] == []
        and [left["reason"] for left in found["skipped"]] == ["gone"]
        and "pve1" in found["skipped"][0]["detail"]
    )


def test_guests_of_nodes_that_were_not_read_are_none_of_this_reading():
    found = rollback([entry(node="pve2"), entry()], [guest()], ["pve1"])
    assert [planned["node"] for planned in found["plan"]] == ["pve1"] and found["skipped"] == []


def test_a_flat_directory_has_no_nodes():
    flat = {**guest(), "node": None}
    assert puts_back(rollback([entry(node=None)], [flat], [])) == ALL


def test_what_waits_in_pending_counts_as_what_is_configured():
    waiting = (
        BEFORE + "\n[PENDING]\nscsi0: local:100/a.qcow2,size=1G,aio=threads,iothread=1\nscsihw: virtio-scsi-single\n"
    )
    assert puts_back(plan(waiting)) == ALL
    assert plan(AFTER + "\n[PENDING]\nscsi0: local:100/a.qcow2,size=1G\nscsihw: virtio-scsi-pci\n")["unchanged"] == [
        "100"
    ]


def test_a_controller_that_was_unset_is_removed_and_one_that_is_going_is_as_before():
    changes = [{"key": "controller", "option": "type", "before": None, "after": "virtio-scsi-single"}]
    assert puts_back(plan(entries=[entry(changes=changes)])) == [("controller", "type", "virtio-scsi-single", None)]
    assert plan(AFTER + "\n[PENDING]\ndelete: scsihw\n", [entry(changes=changes)])["unchanged"] == ["100"]


def test_what_the_run_did_not_write_is_not_put_back():
    assert plan(entries=[entry(written=False)]) == {"plan": [], "skipped": [], "unchanged": [], "not_in_run": []}


def test_what_the_run_may_have_written_is_told_by_the_config():
    assert puts_back(plan(entries=[entry(written=None)])) == ALL
    assert plan(BEFORE, [entry(written=None)])["unchanged"] == ["100"]


def test_two_writes_of_one_run_are_put_back_to_before_the_first():
    first = entry(changes=[{"key": "scsi0", "option": "aio", "before": "native", "after": "io_uring"}])
    second = entry(changes=[{"key": "scsi0", "option": "aio", "before": "io_uring", "after": "threads"}])
    assert puts_back(plan(entries=[first, second])) == [("scsi0", "aio", "threads", "native")]
    there_and_back = entry(changes=[{"key": "scsi0", "option": "aio", "before": "threads", "after": "native"}])
    assert puts_back(plan(entries=[entry(changes=[{**CHANGES[1], "before": "native"}]), there_and_back])) == []


@pytest.mark.parametrize("only, planned, missing", [(["100"], ["100"], []), (["101", "7"], [], ["7", "101"])])
def test_only_the_guests_that_were_named(only, planned, missing):
    found = plan(only=only)
    assert [entry["guest"] for entry in found["plan"]] == planned and found["not_in_run"] == missing
