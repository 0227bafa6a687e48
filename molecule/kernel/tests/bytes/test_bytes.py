# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""After a run in bytes on a host whose ratios were in force, and whose tuned has the last word."""

from __future__ import annotations


def test_bytes_are_in_force_and_their_twins_are_not(limits):
    assert limits == (0, 268435456, 0, 134217728)


def test_own_file_holds_the_bytes_alone(drop_in):
    assert drop_in == ["vm.dirty_background_bytes=134217728", "vm.dirty_bytes=268435456"]


def test_report_says_that_tuned_will_undo_it(found, report):
    assert "virtual-host" in " ".join(found["IO203"])
    # A profile that undoes nothing is named as well, and only what undoes it is told of the next boot.
    assert "not after a reboot" in report["detail"]
