# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The host's pressure and dirty pages."""

from __future__ import annotations

from ansible_collections.hypervisor.io_hardening.plugins.module_utils._host import meminfo
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._stall.host import host_record, parse_pressure


def test_both_ends_of_a_watch():
    before = {
        "pressure": parse_pressure(
            "some avg10=0.00 avg60=0.00 avg300=0.00 total=1000000\nfull avg10=0.00 avg60=0.00 avg300=0.00"
            " total=500000\n"
        ),
        "memory": meminfo.parse("MemTotal: 100 kB\nDirty:     480 kB\nWriteback:         0 kB\nWritebackTmp: 9 kB\n"),
    }
    after = {
        "pressure": parse_pressure("some avg10=9.0 total=5300000\nfull avg10=9.0 total=3600000\n"),
        "memory": meminfo.parse("Dirty: 245760 kB\n"),
    }
    assert host_record(before, after, 10) == {
        "pressure": {"some": 0.43, "full": 0.31},
        "dirty": {"before": 491520, "after": 251658240},
        "writeback": {"before": 0, "after": None},
    }


def test_a_kernel_without_them():
    nothing = {"pressure": parse_pressure("\n"), "memory": meminfo.parse("odd\nDirty:\n")}
    assert host_record(nothing, nothing, 10)["pressure"] == {"some": None, "full": None}


def test_a_share_of_the_time_is_never_more_than_all_of_it():
    # The kernel's total is of its own last look: as much as two seconds more than what lies between two readings.
    before = {"pressure": parse_pressure("some total=1000000\nfull total=1000000\n"), "memory": {}}
    after = {"pressure": parse_pressure("some total=3100000\nfull total=2900000\n"), "memory": {}}
    assert host_record(before, after, 2)["pressure"] == {"some": 1, "full": 0.95}


def test_an_invalid_number_is_not_known():
    digits = "1" * 5000
    assert parse_pressure(f"some total={digits}\nfull total=²\n") == {}
    assert meminfo.parse(f"Dirty: {digits} kB\nWriteback: ² kB\n") == {}
