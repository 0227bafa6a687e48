# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Which QEMU runs a guest, and which will start it."""

from __future__ import annotations

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._policy import qemu
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._policy.version import version

from .fleet import guest


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("", None),
        ("machine: q35", None),
        ("machine: pc-q35-10.1", "10.1"),
        ("machine: pc-i440fx-9.2+pve1", "9.2"),
        ("machine: virt-8.0,viommu=intel", "8.0"),
        ("machine: type=pc-q35-7.2", "7.2"),
        ("meta: creation-qemu=10.1.2,ctime=1700000000", "10.1.2"),
        ("meta: ctime=1700000000,creation-qemu=6.1", "6.1.0"),
        ("meta: uncreation-qemu=10.1.2", None),
        ("meta: creation-qemu=10.0.2\nmachine: pc-q35-9.2", "10.0.2"),
        ("meta: creation-qemu=9.10.0\nmachine: pc-q35-9.9", "9.10.0"),
        ("machine: pc-q35-8.1\n\n[PENDING]\ndelete: machine", None),
    ],
)
def test_what_a_config_proves_of_the_next_start(lines, expected):
    found = qemu.next_start(guest(lines + "\n"))
    assert (found and found.text) == expected


def test_what_is_installed_is_what_starts():
    record = guest("machine: pc-q35-10.1\n")
    record["qemu"].update(installed="8.1.5-2", running="7.2.0-8")
    assert (str(qemu.next_start(record)), str(qemu.running(record))) == ("8.1.5-2", "7.2.0-8")
    assert qemu.may_be_below(record, version("8")) and not qemu.may_be_below(record, version("7.2"))


def test_a_record_without_the_key_proves_nothing():
    assert qemu.next_start(guest("", qemu={"running": None, "installed": None})) is None
