# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""After two runs that may not touch others' files: in force now, and the report says that it will not last."""

from __future__ import annotations

OTHERS = ("/etc/sysctl.d/99-zz-vendor.conf", "/etc/sysctl.d/99-zzz-limit.conf", "/etc/sysctl.conf")


def test_ratios_are_in_force_and_their_twins_are_not(limits):
    assert limits == (2, 0, 1, 0)


def test_own_file_holds_the_ratios_alone(drop_in):
    assert drop_in == ["vm.dirty_background_ratio=1", "vm.dirty_ratio=2"]


def test_other_files_are_as_they_were(host):
    assert host.run("diff -r /root/sysctl.before/sysctl.d /etc/sysctl.d").stdout == (
        "Only in /etc/sysctl.d: 99-hypervisor-io-hardening.conf\n"
    )
    host.run_expect([0], "diff /root/sysctl.before/sysctl.conf /etc/sysctl.conf")


def test_report_names_the_files_that_win_at_boot_or_through_tuned(report):
    assert report["status"] == "overruled"
    named = {finding["file"] for finding in report["findings"] if finding["severity"] == "error"}
    assert named == set(OTHERS)
