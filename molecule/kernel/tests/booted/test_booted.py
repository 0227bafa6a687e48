# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""After it took over the others' files and the host has booted, with tuned active: still in force."""

from __future__ import annotations


def test_it_has_booted(host):
    assert host.file("/proc/sys/kernel/random/boot_id").content != host.file("/root/boot-id.before").content


def test_tuned_is_active(host):
    assert host.service("tuned").is_running
    assert host.check_output("cat /etc/tuned/active_profile") == "virtual-host"
    # and is done: it has applied its profile
    assert "static tuning from profile 'virtual-host' applied" in host.file("/var/log/tuned/tuned.log").content_string


def test_ratios_are_in_force(limits):
    assert limits == (2, 0, 1, 0)


def test_another_setting_of_the_file_taken_over_is_kept(host):
    assert host.file("/proc/sys/vm/swappiness").content_string.strip() == "10"


def test_report_promised_it(report):
    assert report["status"] == "changed"
    assert "not after a reboot" not in report["detail"]


def test_what_was_taken_over_can_be_had_back(host):
    for name in ("sysctl.d/99-zz-vendor.conf", "sysctl.d/99-zzz-limit.conf", "sysctl.conf"):
        host.run_expect([0], f"cmp /root/sysctl.before/{name} /etc/{name}.before-io-hardening")
