# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Sizes and rates mean one thing to everybody, or are refused."""

from __future__ import annotations

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._host_policy import units
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._policy.errors import PolicyError


@pytest.mark.parametrize(
    ("value", "expected"),
    [("8 GiB", 8 << 30), ("8GiB", 8 << 30), ("1.5 gib", 3 << 29), ("0.25 TiB", 1 << 38), ("512 KiB", 1 << 19)],
)
def test_a_size_is_read_as_people_write_it(value, expected):
    assert units.size("here", value) == expected


def test_a_rate_is_per_second():
    assert units.rate("here", "50 MiB/s") == 50 << 20
    assert units.rate("here", "1.5 GiB/s", whole=1024) == 3 << 29


@pytest.mark.parametrize(
    "value",
    [
        8589934592, "8589934592", "8 GB", "8 G", "8 Gb", "8 GiB/s", "-8 GiB", "8  GiB", "8 GiB\n", "1e3 GiB", "", None, True, ["8 GiB"],
        "٨ GiB", "9" * 5000 + " GiB", "8 PiB",
    ],
)  # fmt: skip
def test_what_is_ambiguous_or_not_a_size_is_refused(value):
    with pytest.raises(PolicyError, match="^here: is .*, it takes a size such as 8 GiB, with KiB, MiB, GiB or TiB$"):
        units.size("here", value)


@pytest.mark.parametrize("value", ["50 MiB", "50 MiBps", "50 MB/s", "50", 50])
def test_what_is_not_a_rate_is_refused(value):
    with pytest.raises(PolicyError, match="it takes a rate such as 50 MiB/s, with KiB/s, MiB/s or GiB/s$"):
        units.rate("here", value)


def test_bounds_are_said_in_the_same_units():
    with pytest.raises(PolicyError, match="is '32 MiB', it takes 64 MiB to 1024 TiB$"):
        units.size("here", "32 MiB", least=64 << 20)
    with pytest.raises(PolicyError, match="is '3 TiB/s', it takes 1 MiB/s to 1 TiB/s$"):
        units.rate("here", "3 TiB/s", least=1 << 20, most=1 << 40)
    with pytest.raises(PolicyError, match="is '0 GiB', it takes 1 byte to 1024 TiB$"):
        units.size("here", "0 GiB")
    with pytest.raises(PolicyError, match="is '1.5 KiB', it takes a multiple of 1 KiB$"):
        units.size("here", "1.5 KiB", whole=1024)
    with pytest.raises(PolicyError, match="is '0.000001 KiB', it takes a multiple of 1 byte$"):
        units.size("here", "0.000001 KiB")
