# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

from __future__ import annotations

import yaml

from ansible_collections.hypervisor.io_hardening.plugins.module_utils._calibrate import policy
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._calibrate.candidates import TODAY, made

FACTS = {
    "device": {"name": "dm-0", "id": "dm-uuid-LVM-x", "max_bytes": 1, "strict_limit": 0},
    "disks": [{"name": "sda", "id": "wwn-0x5000c500a1b2c3d4"}, {"name": "loop1", "id": None}],
}
QUEUE = made("short", queue={"nr_requests": 16, "max_sectors_kb": 128}, dirty={"max_bytes": 8 << 20, "strict_limit": 1})
BACKUP = {**QUEUE, "backup": {"max_workers": 1, "rate_mb_per_s": 20, "fleecing": "/mnt/fast"}}


def test_the_policies_are_those_that_the_roles_take():
    chosen = {"writer": QUEUE, "backup": BACKUP, "restore": {**QUEUE, "load_mb_per_s": 20}}
    found = policy.policies(chosen, FACTS, "local-lvm")
    assert found == {
        "io_host_policy": {
            "disks": {
                "wwn-0x5000c500a1b2c3d4": {"nr_requests": 16, "max_sectors_kb": 128},
                "loop1": {"nr_requests": 16, "max_sectors_kb": 128},
                "dm-uuid-LVM-x": {"max_bytes": "8 MiB", "strict_limit": True},
            }
        },
        "io_load_policy": {
            "backup": {"max_workers": 1, "bwlimit": "19 MiB/s", "fleecing": "local-lvm"},
            "limits": {"restore": "19 MiB/s"},
        },
    }
    assert yaml.safe_load("\n".join(policy.as_text(found))) == found


def test_a_disk_that_holds_the_file_system_itself_has_one_entry():
    facts = {"device": {"name": "sda", "id": "wwn-1"}, "disks": [{"name": "sda", "id": "wwn-1"}]}
    (disks,) = (of["disks"] for of in policy.policies({"writer": QUEUE}, facts, None).values())
    assert disks == {"wwn-1": {"nr_requests": 16, "max_sectors_kb": 128, "max_bytes": "8 MiB", "strict_limit": True}}


def test_where_nothing_is_to_be_set_there_is_no_policy():
    assert policy.policies({"writer": TODAY, "backup": TODAY}, FACTS, None) == {}
    assert policy.as_text({}) == []
