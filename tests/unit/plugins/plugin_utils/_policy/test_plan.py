# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The plan is the cures of the findings, collected once; a guest that is held back keeps its cures and gets no plan."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from .fleet import DAY, assess, changes, guest, judge, rules
from .test_convergence import configs, policies

PCI, SINGLE = "scsihw: virtio-scsi-pci\n", "scsihw: virtio-scsi-single\n"
DISK = "scsi0: local:1/d.raw\n"
CONTROLLER = {"key": "controller", "option": "type", "before": "virtio-scsi-pci", "after": "virtio-scsi-single"}


def waiver(*rules):
    return {"id": "W-1", "match": "guest.id == '100'", "rules": list(rules), "until": "2027-01-01", "reason": "vendor"}


def finding(document, rule):
    (found,) = [one for one in document["findings"] if one["rule"] == rule]
    return found


def test_each_finding_carries_the_changes_that_cure_it():
    found = judge(PCI + DISK)
    iothread = {"key": "scsi0", "option": "iothread", "before": None, "after": True}
    aio = {"key": "scsi0", "option": "aio", "before": None, "after": "threads"}
    assert [(one["rule"], one["cure"]) for one in found["findings"]] == [
        ("IO101", [CONTROLLER]),
        ("IO102", [iothread]),
        ("IO103", [aio]),
    ]
    (entry,) = found["plan"]
    assert entry["changes"] == [CONTROLLER, iothread, aio] and entry["hypervisor"] == "pve"


def test_findings_with_the_same_cure_make_one_change():
    found = judge(PCI + "scsi0: local:1/d.raw,iothread=1,aio=threads\n")
    assert [(one["rule"], one["cure"], one["fixable"]) for one in found["findings"]] == [
        ("IO101", [CONTROLLER], True),
        ("IO102", [CONTROLLER], True),
    ]
    assert found["plan"][0]["changes"] == [CONTROLLER]


@pytest.mark.parametrize(
    ("text", "facts", "reason"),
    [
        ("lock: backup\n", {}, "locked"),
        ("nonsense\n", {}, "unsafe_lines"),
        ("", {"held": {"reason": "not_asked", "detail": "qm did not say"}}, "not_asked"),
        ("", {"held": {"reason": "by_hand", "detail": "its command line is set by hand"}}, "by_hand"),
        ("", {"held": {"reason": "read_only", "detail": "a connection that only reads"}}, "read_only"),
        ("", {"config": None, "running": True}, "no_config"),
        ("\n[PENDING]\ncores: 8\n", {"running": False}, "foreign_pending"),
    ],
)
def test_a_guest_that_is_held_back_keeps_its_cures_and_gets_no_plan(text, facts, reason):
    qemu = {"running": None, "installed": "10.1.2"}
    free, held = judge(PCI + DISK, qemu=qemu), judge(PCI + DISK + text, qemu=qemu, **facts)
    assert held["plan"] == [] and [entry["reason"] for entry in held["unresolved"]] == [reason]
    cures = [one["cure"] for one in free["findings"]]
    assert [one["cure"] for one in held["findings"] if one["cure"]] == cures
    assert not any(one["fixable"] for one in held["findings"])


@pytest.mark.parametrize("facts", [{"running": True}, {"running": False}])
def test_what_a_disk_on_an_undefined_storage_needs_is_not_called_fixable(facts):
    """Its aio would cure IO105, and a live node does not write the disk."""
    qemu = {"running": None, "installed": "10.1.2"}
    found = judge(SINGLE + "scsi0: gone:d,aio=native,cache=writeback,iothread=1\n", qemu=qemu, **facts)
    assert finding(found, "IO105")["cure"] == [] and not finding(found, "IO105")["fixable"] and found["plan"] == []


def test_a_waived_cache_stays_and_the_aio_that_cannot_go_with_it_is_changed():
    text = SINGLE + "scsi0: far:1/d.raw,iothread=1,aio=native,cache=writeback\n"
    policy = {"disk": {"aio": ["native", "threads"]}}
    assert changes(judge(text, policy)) == {"scsi0": {"cache": "none"}}
    assert finding(judge(text, policy), "IO105")["cure"] == finding(judge(text, policy), "IO104")["cure"]
    waived = judge(text, {**policy, "waivers": [waiver("IO104")]})
    assert finding(waived, "IO104")["cure"] and not finding(waived, "IO105")["fixable"] and waived["plan"] == []
    threads = judge(text, {"waivers": [waiver("IO104")]})
    assert changes(threads) == {"scsi0": {"aio": "threads"}} and finding(threads, "IO105")["fixable"]


def test_a_driver_that_may_not_change_is_the_reason_although_a_defect_is_known():
    """No disk wants an iothread, so the defect holds nothing back."""
    found = judge("scsi0: local:1/d.raw,aio=threads\nmachine: pc-q35-7.1\n", {"disk": {"iothread": "keep"}})
    assert rules(found) == [("IO101", "warning")] and found["unresolved"][0]["reason"] == "driver_change"


def test_a_pending_controller_is_not_wanted_again_for_a_drive_without_a_block_device():
    found = judge("scsi0: local:1/d.raw\n\n[PENDING]\nscsi0: none\nscsihw: virtio-scsi-single\n", running=True)
    assert "IO101" not in [rule for rule, _severity in rules(found)]


waivers = st.lists(st.sampled_from(["IO101", "IO102", "IO103", "IO104", "IO105"]), max_size=2, unique=True)


@settings(max_examples=300)
@given(configs, policies, waivers, st.sampled_from(["", "lock: backup\n"]), st.sampled_from([None, True, False]))
def test_the_plan_is_the_cures_of_the_findings_that_are_called_fixable(text, policy, waived, lock, running):
    if waived:
        policy = {**policy, "waivers": [waiver(*waived)]}
    document = judge(lock + text, policy, running=running)
    planned = [change for entry in document["plan"] for change in entry["changes"]]
    cures = [change for one in document["findings"] if one["fixable"] for change in one["cure"]]
    assert all(change in cures for change in planned) and all(change in planned for change in cures)
    assert len({(change["key"], change["option"]) for change in planned}) == len(planned)
    assert not any(one["fixable"] and (one["waived"] or not one["cure"]) for one in document["findings"])
    assert not (lock and planned)


def test_a_guest_with_a_disk_that_this_way_cannot_write_is_left_whole():
    """Its controller alone would be half a cure."""
    text = "scsi0: thick:d\nscsi1: /dev/disk/by-id/ata-X\nscsihw: virtio-scsi-pci\nmeta: creation-qemu=10.1.2\n"
    rooted = guest(text)
    next(disk for disk in rooted["disks"] if disk["key"] == "scsi1")["needs_root"] = "a path"
    document = assess([rooted], {}, DAY)
    assert document["plan"] == []
    assert [(left["reason"], left["detail"]) for left in document["unresolved"]] == [("needs_root", "scsi1: a path")]
    compliant = guest(text.replace("scsi1: /dev/disk/by-id/ata-X", "ide0: /dev/disk/by-id/ata-X,aio=threads"))
    next(disk for disk in compliant["disks"] if disk["key"] == "ide0")["needs_root"] = "a path"
    (planned,) = assess([compliant], {}, DAY)["plan"]
    assert {change["key"] for change in planned["changes"]} >= {"controller"}
