# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The proof after a write: what the real qm makes of a config is no loss, and everything else is."""

from __future__ import annotations

import re

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.module_utils._pve import config
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._pve.lost import lost as lost_in
from ansible_collections.hypervisor.io_hardening.tests.unit.facts import qm_answers

NEW = "local:206/vm-206-disk-0.qcow2,aio=threads,iothread=1,size=1G"
WRITTEN = {"scsi0": NEW, "scsihw": "virtio-scsi-single"}
# As qm left it (recorded: stopped-with-snapshot), with a second drive and an unused volume.
BEFORE = """\
# owner%3A ops
boot: order=scsi0
cores: 1
name: web01
scsi0: local:206/vm-206-disk-0.qcow2,size=1G
scsi1: local:206/vm-206-disk-1.qcow2,discard=on,size=1536M
scsihw: virtio-scsi-pci
unused0: local:206/vm-206-disk-2.qcow2

[before-upgrade]
#the last good one
boot: order=scsi0
memory: 128
scsi0: local:206/vm-206-disk-0.qcow2,cyls=4,discard=on,size=1G
scsihw: virtio-scsi-pci
snaptime: 1737548747
"""
STOPPED = BEFORE.replace("scsi0: local:206/vm-206-disk-0.qcow2,size=1G", f"scsi0: {NEW}").replace(
    "virtio-scsi-pci\nunused", "virtio-scsi-single\nunused"
)
WAITS = f"[PENDING]\nscsi0: {NEW}\nscsihw: virtio-scsi-single\n\n"
RUNNING = BEFORE.replace("[before", WAITS + "[before")


def lost(after, running, before=BEFORE, written=None):
    return lost_in(config.parse(before), config.parse(after), WRITTEN if written is None else written, running)


@pytest.mark.parametrize(
    "after, running", [(STOPPED, False), (RUNNING, True), (STOPPED, None)], ids=["stopped", "running", "tree"]
)
def test_a_write_that_did_what_it_should_is_proven(after, running):
    assert lost(after, running) == []


LOSSES = {
    "a setting": ("cores: 1\n", "", "cores is gone"),
    "another setting's value": ("cores: 1", "cores: 2", "cores was '1' and is '2'"),
    "another drive": ("scsi1: local:206/vm-206-disk-1.qcow2,discard=on,size=1536M\n", "", "scsi1 is gone"),
    "an option of another drive": (",discard=on,size=1536M", ",size=1536M", "scsi1 was"),
    "the size of another drive": ("size=1536M", "size=1G", "scsi1 was"),
    "an unused volume": ("unused0: local:206/vm-206-disk-2.qcow2\n", "", "unused0 is gone"),
    "the description": ("# owner%3A ops\n", "", "the description is not what it was"),
    "a word of the description": ("owner%3A ops", "owner%3A", "the description is not what it was"),
    "a snapshot": (BEFORE[BEFORE.index("\n[before"):], "", "snapshot section [before-upgrade] is gone"),
    "a snapshot's setting": ("memory: 128\n", "", "memory of snapshot [before-upgrade] is gone"),
    "a snapshot's value": ("memory: 128", "memory: 64", "memory of snapshot [before-upgrade] was '128' and is '64'"),
    "a snapshot's drive option": ("cyls=4,discard=on,", "", "scsi0 of snapshot [before-upgrade] was"),
    "a snapshot's controller": ("scsihw: virtio-scsi-pci\nsnaptime", "scsihw: virtio-scsi-single\nsnaptime", "scsihw of snapshot [before-upgrade] was"),
    "more in a snapshot": ("snaptime:", "onboot: 1\nsnaptime:", "onboot of snapshot [before-upgrade] was unset and is '1'"),
    "a snapshot's description": ("#the last good one\n", "", "the description of snapshot [before-upgrade] is not what it was"),
}  # fmt: skip


@pytest.mark.parametrize("running", [False, True, None], ids=["stopped", "running", "tree"])
@pytest.mark.parametrize("old, new, said", LOSSES.values(), ids=LOSSES)
def test_everything_that_is_lost_is_said(old, new, said, running):
    good = RUNNING if running else STOPPED
    assert old in good
    (fault,) = lost(good.replace(old, new, 1), running)
    assert fault.startswith(said)


@pytest.mark.parametrize("old, new, said", [
    ("scsi0: local:206/vm-206-disk-0.qcow2,size=1G\n", "", "scsi0 of the main section was"),
    ("scsi0: local:206/vm-206-disk-0.qcow2,size=1G\n", "scsi0: local:206/vm-206-disk-0.qcow2,ro=1,size=1G\n", "scsi0 of the main section was"),
    ("scsi0: local:206/vm-206-disk-0.qcow2,size=1G\n", f"scsi0: {NEW}\n", "scsi0 of the main section was"),
    ("scsihw: virtio-scsi-pci\nunused", "scsihw: virtio-scsi-single\nunused", "scsihw of the main section was"),
    (f"scsi0: {NEW}\n", "", "scsi0 reads back as"),
    (f"scsi0: {NEW}\n", f"scsi0: {NEW},ro=1\n", "scsi0 reads back as"),
])  # fmt: skip
def test_what_a_running_guest_has_in_force_stays_as_it_was(old, new, said):
    assert old in RUNNING
    (fault,) = lost(RUNNING.replace(old, new, 1), True)
    assert fault.startswith(said)


def test_what_needs_no_cold_start_may_be_in_force_at_once():
    """Recorded: running-live-options. Somebody's backup=0 waits no longer when aio and iothread are put back."""
    before = "scsi0: local:1/a.qcow2,size=1G\n\n[PENDING]\nscsi0: local:1/a.qcow2,aio=threads,backup=0,size=1G\n"
    value = "local:1/a.qcow2,backup=0,size=1G"
    assert lost(f"scsi0: {value}\n", True, before, {"scsi0": value}) == []
    assert lost("scsi0: local:1/a.qcow2,backup=0,ro=1,size=1G\n", True, before, {"scsi0": value}) != []


def test_what_waited_may_have_been_applied_and_not_be_gone():
    before = BEFORE.replace("[before", "[PENDING]\nname: web02\ndelete: cores\n\n[before")
    running, stopped = (
        text.replace("name: web01", "name: web02").replace("cores: 1\n", "") for text in (RUNNING, STOPPED)
    )
    assert lost(running, True, before) == lost(stopped, False, before) == []
    assert lost(RUNNING, True, before) == [
        "cores was to be removed by [PENDING], and is '1'",
        "name of [PENDING] was 'web02' and is 'web01'",
    ]


@pytest.mark.parametrize(
    "user",
    [
        "scsi1: local:206/vm-206-disk-2.qcow2,size=1G\n",
        "memory: 1\n\n[PENDING]\nscsi1: local:206/vm-206-disk-2.qcow2,size=1G\n",
    ],
)
def test_an_unused_volume_that_a_disk_uses_is_dropped_by_design(user):
    """write_vm_config of qemu-server."""
    unused = "unused0: local:206/vm-206-disk-2.qcow2\n"
    assert lost(user, True, unused + user, {}) == []
    assert lost("memory: 1\n", True, f"{unused}memory: 1\n", {}) == ["unused0 is gone"]


@pytest.mark.parametrize(("line", "other", "same"), [("cores: 02", "cores: 2", True), ("balloon: 0", "balloon: 0", True), ("cores: 20", "cores: 2", False),
                                                     ("name: 007", "name: 7", False)])  # fmt: skip
def test_a_whole_number_is_the_same_without_its_leading_zeros(line, other, same):
    """Recorded by check_type of qemu-server: it writes the number."""
    assert (lost(f"{other}\n", False, f"{line}\n", {}) == []) is same


def test_what_qm_writes_in_its_own_words_is_no_loss():
    """Recorded: it rewrites every drive."""
    disk = "scsi1: local:206/vm-206-disk-1.qcow2,discard=on,size=1536M"
    before = BEFORE.replace(disk, 'scsi1: discard=on,file=local:206/a.qcow2,size=1.5G\nonboot: yes\ntags: "a"')
    after = STOPPED.replace(disk, "scsi1: local:206/a.qcow2,discard=on,size=1536M\nonboot: 1\ntags: a")
    assert lost(after, False, before) == []
    assert lost(after.replace("206/a.qcow2", "206/b.qcow2"), False, before) != []


def recorded():
    found = []
    for scenario in qm_answers():
        now = scenario.get("config_when_running") or scenario["config"]
        for number, step in enumerate(scenario["steps"]):
            after = now if step["config_after"] == "unchanged" else step["config_after"]
            sets = step["command"][:3] == ["qm", "set", str(scenario["vmid"])] and "--revert" not in step["command"]
            if sets and step["rc"] == 0:
                found.append(pytest.param(now, step, after, scenario["running"], id=f"{scenario['name']}-{number}"))
            now = after
    return found


@pytest.mark.parametrize("before, step, after, running", recorded())
def test_every_recorded_write_is_proven_but_for_what_qm_said_it_loses(before, step, after, running):
    arguments = step["command"][3:]
    written = {name[2:]: value for name, value in zip(arguments[::2], arguments[1::2])}
    written.pop("digest", None)
    deleted = written.pop("delete", None)
    written.update(dict.fromkeys(deleted.split(","), None) if deleted else {})
    faults = lost_in(config.parse(before), config.parse(after), written, running)
    told = re.findall("unable to parse value of '([^']+)'", step["stderr"])
    assert {fault.split()[0] for fault in faults} <= set(told)
