# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The write-back limits are set for now and for the next boot, and nowhere but on the test host."""

from __future__ import annotations

DROP_IN = "/etc/sysctl.d/99-hypervisor-io-hardening.conf"


def test_in_force(host):
    values = {
        name: host.file(f"/proc/sys/vm/{name}").content_string.strip()
        for name in ("dirty_ratio", "dirty_background_ratio")
    }
    assert values == {"dirty_ratio": "2", "dirty_background_ratio": "1"}


def test_at_the_next_boot(host):
    file = host.file(DROP_IN)
    assert (file.user, file.group, file.mode) == ("root", "root", 0o644)
    settings = [line.replace(" ", "") for line in file.content_string.splitlines() if line and line[0] not in "#;"]
    assert sorted(settings) == ["vm.dirty_background_ratio=1", "vm.dirty_ratio=2"]


def test_not_on_the_machine_that_runs_the_tests(host):
    assert host.check_output("stat --file-system --format=%T /proc/sys/vm") == "tmpfs"
    # the rest of it is the machine's, and cannot be written
    assert host.run("test -w /proc/sys/kernel/hostname").rc == 1
