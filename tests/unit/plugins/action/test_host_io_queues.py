# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""A disk's queue through the door that the roles use: set once, now and at boot, and given back."""

from __future__ import annotations

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.module_utils._queues import udev_rules
from ansible_collections.hypervisor.io_hardening.tests.unit.plugins.module_utils._queues.machine import WWN, Machine

from .test_host_io import host_io_on

POLICY = {"disks": {"wwn-*": {"nr_requests": 16, "max_sectors_kb": 128}}}
SET = {"max_sectors_kb": "128", "nr_requests": "16"}


@pytest.fixture
def machine(tmp_path):
    machine = Machine(tmp_path)
    machine.disk("sda", "8:0", WWN, partitions=1)
    machine.mapped(0, "pve-data_tdata", "sda1")
    machine.storages("lvmthin: local-lvm\n\tvgname pve\n\tthinpool data")
    return machine


def queue(machine: Machine) -> tuple[str | None, dict[str, dict[str, str]]]:
    """What holds now, and what our rules set."""
    now = machine.get("/sys/block/sda/queue/nr_requests")
    return now and now.strip(), udev_rules.parse(machine.get(udev_rules.PATH) or "")


def rules(returned) -> list[str]:
    return [one["rule"] for one in returned["assessments"]["queues"]["findings"]]


def test_nothing_is_set_that_the_policy_does_not_name(machine):
    returned = host_io_on(machine.root)
    assert (returned["changed"], rules(returned), queue(machine)) == (False, ["IO213"], ("128", {}))


def test_a_queue_is_set_once_now_and_at_boot_and_given_back(machine):
    checked = host_io_on(machine.root, policy=POLICY, check=True)
    assert (checked["changed"], rules(checked), queue(machine)) == (True, ["IO211", "IO212"], ("128", {}))
    first = host_io_on(machine.root, policy=POLICY)
    assert (first["changed"], rules(first), queue(machine)) == (True, [], ("16", {WWN: SET}))
    assert host_io_on(machine.root, policy=POLICY)["results"] == []
    back = host_io_on(machine.root, state="absent")
    assert back["assessments"]["queues"]["detail"] == "4 settings given back"
    assert queue(machine) == ("128", {})


def test_a_disk_that_the_policy_asks_too_much_of_is_unresolved(machine):
    returned = host_io_on(machine.root, policy={"disks": {WWN: {"max_sectors_kb": 65536}}})
    assert (returned["assessments"]["queues"]["status"], rules(returned)) == ("unresolved", ["IO215"])
