# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors
"""One broken config is that guest's trouble: it is named, and the others are read."""

from __future__ import annotations

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.module_utils._backends import find
from ansible_collections.hypervisor.io_hardening.tests.unit.sample_fleet import bad_fleet


@pytest.fixture
def fleet(tmp_path):
    return tmp_path, bad_fleet.make(tmp_path)


def test_what_cannot_be_read_is_named_and_hides_nothing(fleet):
    root, configs = fleet
    reading = find.read(str(root))
    assert [guest["id"] for guest in reading.guests] == [bad_fleet.HEALTHY]
    of_guests = {problem["guest"]: problem for problem in reading.problems if problem["guest"]}
    assert sorted(of_guests) == sorted(set(configs) - {bad_fleet.HEALTHY})
    for vmid, problem in of_guests.items():
        assert problem["file"] == f"/etc/pve/nodes/pve1/qemu-server/{vmid}.conf"
        assert problem["reason"]


def test_a_storage_cfg_that_does_not_parse_is_named_with_its_line(fleet):
    reading = find.read(str(fleet[0]))
    problems = [problem for problem in reading.problems if problem["guest"] is None]
    assert {problem["file"] for problem in problems} == {"/etc/pve/storage.cfg"}
    assert problems[0]["line"] == 5
    assert [storage["id"] for storage in reading.storages] == ["local"]


def test_reading_writes_nothing(fleet):
    root, configs = fleet
    find.read(str(root))
    for vmid, raw in configs.items():
        assert (root / "etc/pve/nodes/pve1/qemu-server" / f"{vmid}.conf").read_bytes() == raw
