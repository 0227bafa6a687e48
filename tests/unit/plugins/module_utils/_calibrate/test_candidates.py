# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

from __future__ import annotations

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.module_utils._calibrate import candidates
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._prove import backup

DISK = {"name": "sda", "id": "wwn-1", "scheduler": "none", "hw_queues": 1, "nr_requests": 128, "max_sectors_kb": 1280}
DEVICE = {"name": "dm-0", "id": "dm-uuid-1", "max_bytes": 4 << 30, "strict_limit": 0}
SLOW = {"device": DEVICE, "disks": [DISK], "around": ["dm-0", "sda"]}


def names(found):
    return [one["name"] for one in found]


def test_a_slow_disk_s_values_are_those_that_were_measured():
    found, missing = candidates.of_queue(SLOW, 40.0)
    assert missing == []
    assert [(one["queue"], one["dirty"].get("max_bytes", 0) >> 20) for one in found] == [
        ({"nr_requests": 16}, 0),
        ({"max_sectors_kb": 128}, 0),
        ({}, 32),
        ({"nr_requests": 16, "max_sectors_kb": 128}, 0),
        ({}, 8),
        ({"nr_requests": 16, "max_sectors_kb": 128}, 8),
    ]
    assert names(found)[:4] == ["16 requests", "requests of 128 KiB", "32 MiB dirty", "16 requests of 128 KiB"]
    assert names(found)[5] == "16 requests of 128 KiB, 8 MiB dirty"
    assert found[2]["dirty"]["strict_limit"] == 1


@pytest.mark.parametrize("rate", [0.5, 5.0, 40.0, 120.0, 500.0, 3000.0, 20000.0])
@pytest.mark.parametrize(("requests", "size_kb"), [(128, 1280), (256, 512), (1023, 128), (16, 128), (4, 64), (2, 4)])
def test_no_candidate_makes_anything_larger_and_none_is_there_twice(rate, requests, size_kb):
    disk = dict(DISK, nr_requests=requests, max_sectors_kb=size_kb)
    found, _missing = candidates.of_queue(dict(SLOW, disks=[disk]), rate)
    assert all(disk[key] >= value > 0 for one in found for key, value in one["queue"].items())
    assert all(DEVICE["max_bytes"] > one["dirty"]["max_bytes"] for one in found if one["dirty"])
    assert len(set(names(found))) == len(found)
    assert all(one["queue"] or one["dirty"] for one in found)


def test_a_fast_disk_has_a_queue_that_it_works_off_in_a_moment():
    found, _missing = candidates.of_queue(dict(SLOW, disks=[dict(DISK, nr_requests=1023)]), 500.0)
    both = [one["queue"] for one in found if len(one["queue"]) == 2]
    assert both[0]["nr_requests"] * both[0]["max_sectors_kb"] * 1024 <= 0.1 * 500e6


def test_a_disk_with_several_queues_of_its_own_has_that_many_times_the_requests():
    found, _missing = candidates.of_queue(dict(SLOW, disks=[dict(DISK, hw_queues=2)]), 40.0)
    assert found[0]["queue"] == {"nr_requests": 8} and found[1]["queue"] == {"max_sectors_kb": 64}


@pytest.mark.parametrize(
    ("facts", "says"),
    [
        ({"device": None, "disks": [], "around": []}, "on no block device of its own"),
        (dict(SLOW, disks=[dict(DISK, nr_requests=None)]), "nr_requests and max_sectors_kb are left out"),
        (dict(SLOW, device=dict(DEVICE, max_bytes=None)), "no max_bytes of a device"),
    ],
)
def test_what_is_not_possible_is_said(facts, says):
    _found, missing = candidates.of_queue(facts, 40.0)
    assert says in " ".join(missing)


def test_a_kernel_without_strict_limit_is_not_asked_for_it():
    found, _missing = candidates.of_queue(dict(SLOW, device=dict(DEVICE, strict_limit=None)), 40.0)
    assert all(set(one["dirty"]) <= {"max_bytes"} for one in found)


@pytest.mark.parametrize(
    ("today", "disk", "target", "fleecing", "expected"),
    [
        ({}, 40.0, 5.0, None, ["4 workers", "1 worker", "1 worker, 4 MB/s"]),
        ({}, 40.0, None, None, ["4 workers", "1 worker", "1 worker, 20 MB/s"]),
        ({}, 40.0, 5.0, "/f", ["4 workers", "1 worker", "fleecing", "1 worker, fleecing", "1 worker, 4 MB/s"]),
        ({"max_workers": 1}, 40.0, 5.0, "/f", ["fleecing", "4 MB/s"]),
        ({"max_workers": 2, "fleecing": "/f"}, 40.0, 100.0, "/f", ["1 worker", "1 worker, 20 MB/s"]),
        ({"max_workers": 1, "rate_mb_per_s": 3}, 40.0, 5.0, None, []),
        ({"max_workers": 1}, 1.0, 0.5, None, []),
    ],
)
def test_a_backup_gets_fewer_workers_first(today, disk, target, fleecing, expected):
    found = candidates.of_backup({**backup.DEFAULTS, **today}, disk, target, fleecing)
    assert names(found) == expected


def test_a_restore_is_held_below_the_disk_s_rate_and_gets_a_short_queue_where_none_was_chosen():
    shorter, _missing = candidates.of_queue(SLOW, 40.0)
    assert names(candidates.of_restore(40.0, [])) == ["20 MB/s", "10 MB/s"]
    found = candidates.of_restore(40.0, shorter)
    assert names(found)[2] == "16 requests of 128 KiB, 8 MiB dirty, 20 MB/s"
    assert (found[2]["load_mb_per_s"], found[2]["queue"]["nr_requests"]) == (20, 16)
    assert candidates.of_restore(1.0, []) == []


def test_what_was_chosen_is_under_all_that_follow_but_today():
    queue = candidates.made("16 requests", queue={"nr_requests": 16})
    found = candidates.on(queue, [candidates.made("1 worker", backup={"max_workers": 1})])
    assert names(found) == ["today", "as chosen above", "1 worker"]
    assert [one["queue"] for one in found] == [{}, {"nr_requests": 16}, {"nr_requests": 16}]
    assert names(candidates.on({**queue, "queue": {}}, found[2:])) == ["today", "1 worker"]
