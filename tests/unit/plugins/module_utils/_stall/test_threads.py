# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Which thread does what, by its name."""

from __future__ import annotations

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.module_utils._qemu_process import cmdline
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._stall.threads import are_named, roles
from ansible_collections.hypervisor.io_hardening.tests.unit.facts import facts

PVE = {
    10: "kvm",
    11: "call_rcu",
    12: "kvm",
    13: "kvm",
    14: "IO mon_iothread",
    15: "CPU 0/KVM",
    16: "CPU 1/KVM",
    17: "vnc_worker",
    18: "worker",
    19: "iou-wrk-12",
    20: "vhost-10",
    21: "kvm-nx-lpage-re",
}


def test_names_too_long_for_the_kernel_are_assigned_by_their_order():
    found = roles(10, PVE, ["iothread-virtioscsi0", "iothread-virtio1"])
    assert found == {
        10: ("main", "main loop"),
        12: ("iothread", "iothread-virtioscsi0"),
        13: ("iothread", "iothread-virtio1"),
        15: ("vcpu", "CPU 0/KVM"),
        16: ("vcpu", "CPU 1/KVM"),
    }


def test_threads_stay_unnamed_if_their_number_does_not_match():
    found = roles(10, PVE, ["iothread-virtioscsi0"])
    assert [found[tid] for tid in (12, 13)] == [("unnamed", "thread 12"), ("unnamed", "thread 13")]


def test_short_names_are_whole_and_cut_ones_are_completed():
    names = {1: "qemu-system-x86", 2: "call_rcu", 3: "IO iothread1", 4: "IO iothread-ab"}
    assert roles(1, names, ["iothread1", "iothread-abc"])[4] == ("iothread", "iothread-abc")
    assert roles(1, names, ["iothread1", "iothread-abc"])[3] == ("iothread", "iothread1")


def test_without_names_nothing_is_guessed():
    names = {1: "qemu-system-x86", 2: "qemu-system-x86", 3: "qemu-system-x86"}
    assert not are_named(1, names)
    assert {role for role, _name in roles(1, names, ["iothread-virtioscsi0", "b"]).values()} == {"main", "unnamed"}


@pytest.mark.parametrize("process", facts("qemu_processes"), ids=lambda process: process["name"])
def test_recorded_thread_names(process):
    # The main thread carries the process's name as nameless iothreads do; it is the first of them.
    names = dict(enumerate(sorted(process["threads"], key=lambda one: one != "qemu-system-x86"), 100))
    iothreads = cmdline.parse(process["cmdline"])["iothreads"]
    found = list(roles(100, names, iothreads).values())
    assert [one for role, one in found if role == "iothread"] == iothreads
    assert [one for role, one in found if role == "vcpu"] == ["CPU 0/TCG"]
    assert "unnamed" not in [role for role, _name in found]
