# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""What kernels and tools print is understood, and garbage is nothing."""

from __future__ import annotations

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.module_utils._causes import texts
from ansible_collections.hypervisor.io_hardening.tests.unit.plugins.module_utils._causes import host

GARBAGE = ["", "\n", "x", "a b c d e f\n", "\x00\x01\xff", "1 2 3\n4 5 6\n", "{", "[]", '{"report": 1}', "[" * 5000]


def test_swaps_have_a_kind():
    text = (
        host.SWAPS
        + "/dev/zd16                               partition\t1024\t\t512\t\t-2\n"
        + "/dev/dm-0                               partition\t1024\t\t0\t\t-3\n"
        + "/dev/zram0                              partition\t1024\t\t0\t\t100\n"
        + "/swap\\040file                           file\t\t1024\t\t0\t\t-4\n"
    )
    assert [(one["path"], one["kind"], one["size"], one["used"]) for one in texts.swaps(text)] == [
        ("/dev/zd16", "zvol", 1 << 20, 1 << 19),
        ("/dev/dm-0", "partition", 1 << 20, 0),
        ("/dev/zram0", "zram", 1 << 20, 0),
        ("/swap file", "file", 1 << 20, 0),
    ]


def test_arcstats_are_numbers():
    found = texts.arcstats(host.ARCSTATS.format(c_max=123))
    assert (found["c_max"], found["c_min"], found["size"]) == (123, 2105137280, 7516192768)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("200000 (system)\n", (200000, False)), ("51200 (local)\n", (51200, True)), ("none\n", None), ("", None)],
)
def test_an_arrays_speed_is_its_own_or_the_systems(text, expected):
    assert texts.sync_speed(text) == expected


def test_thin_pools_that_are_not_active_have_no_percentage():
    assert texts.thin_pools(host.LVS % ("81.20", "4.13")) == [
        {"name": "pve/data", "data_percent": 81.2, "metadata_percent": 4.13}
    ]
    assert texts.thin_pools(host.LVS % ("", ""))[0]["data_percent"] is None


def test_a_pool_is_scrubbed_or_not():
    assert texts.pools(host.ZPOOL) == [{"name": "rpool", "scan": "scrub"}, {"name": "tank", "scan": None}]
    assert texts.pools("  pool: a\n  scan: resilver in progress since Sun\n")[0]["scan"] == "resilver"
    assert texts.pools("no pools available\n") == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [("6.14.11-4-pve", (6, 14)), ("2.3.4-pve1", (2, 3)), ("10.2.1-2", (10, 2)), ("v6", None), ("", None), (None, None)],
)
def test_versions_are_compared_by_two_numbers(text, expected):
    assert texts.version(text) == expected


@pytest.mark.parametrize("text", GARBAGE, ids=repr)
def test_garbage_is_nothing(text):
    assert texts.swaps(text) == [] and texts.pools(text) == [] and texts.sync_speed(text) is None
    assert texts.chosen(text) is None or text == "[]"
    texts.arcstats(text)
    with pytest.raises(ValueError):
        texts.thin_pools(text)
