# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""An host_policy is right as a whole, or refused with the place of its fault and what is allowed there."""

from __future__ import annotations

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._host_policy import host_policy
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._policy.errors import PolicyError


def test_a_document_that_names_nothing_sets_nothing():
    for document in (None, {}, {"swappiness": None, "waivers": None}):
        policy = host_policy.parse(document)
        assert policy.thin_pool_percent == 80
        assert policy.guest_agent is False
        assert not any(policy[:6]) and policy.waivers == ()


def test_every_key_is_read():
    policy = host_policy.parse(
        {
            "swappiness": 10,
            "zfs_arc_max": "8 GiB",
            "md_sync_speed_max": "50 MiB/s",
            "wbt": "default",
            "transparent_hugepage": "madvise",
            "thin_pool_percent": 70,
            "guest_agent": True,
        }
    )
    assert policy[1:] == (10, 8 << 30, 50 << 20, "default", "madvise", 70, True, ())


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ([], "host_policy: is [], it takes a mapping with the keys disks, swappiness"),
        ({"swapiness": 10}, "host_policy.swapiness: is not known; allowed here: disks, swappiness"),
        ({"swappiness": "10"}, "host_policy.swappiness: is '10', it takes a whole number from 0 to 100"),
        ({"swappiness": True}, "host_policy.swappiness: is true, it takes a whole number"),
        ({"swappiness": 101}, "host_policy.swappiness: is 101, it takes a whole number from 0 to 100"),
        ({"zfs_arc_max": 8589934592}, "host_policy.zfs_arc_max: is 8589934592, it takes a size such as 8 GiB"),
        ({"zfs_arc_max": "32 MiB"}, "host_policy.zfs_arc_max: is '32 MiB', it takes 64 MiB to 1024 TiB"),
        ({"md_sync_speed_max": "50 MiB"}, "host_policy.md_sync_speed_max: is '50 MiB', it takes a rate"),
        ({"md_sync_speed_max": "500 KiB/s"}, "it takes 1 MiB/s to 1 TiB/s"),
        ({"md_sync_speed_max": "1.0001 MiB/s"}, "it takes a multiple of 1 KiB/s"),
        ({"wbt": -1}, "host_policy.wbt: is -1, it takes default"),
        ({"transparent_hugepage": "never"}, "host_policy.transparent_hugepage: is 'never', it takes madvise"),
        ({"thin_pool_percent": 100}, "host_policy.thin_pool_percent: is 100, it takes a whole number from 1 to 99"),
        ({"guest_agent": "yes"}, "host_policy.guest_agent: is 'yes', it takes true or false"),
        ({"disks": ["sda"]}, "host_policy.disks: is ['sda'], it takes a mapping"),
        ({"waivers": {"id": "a"}}, "host_policy.waivers: is {'id': 'a'}, it takes a list"),
    ],
)
def test_a_mistake_is_refused_with_its_place(document, said):
    with pytest.raises(PolicyError) as caught:
        host_policy.parse(document)
    assert said in str(caught.value)
