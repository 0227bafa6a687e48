# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""After it took everything back."""

from __future__ import annotations


def test_values_of_before_are_in_force(limits):
    assert limits == (0, 500000000, 0, 100000000)


def test_files_are_as_before(host):
    assert host.run("diff -r /root/sysctl.before/sysctl.d /etc/sysctl.d").stdout == ""
    host.run_expect([0], "diff /root/sysctl.before/sysctl.conf /etc/sysctl.conf")


def test_nothing_of_the_role_is_left(host):
    assert host.check_output("find /etc /var/lib /usr/lib/sysctl.d -path '*io-hardening*'") == ""
