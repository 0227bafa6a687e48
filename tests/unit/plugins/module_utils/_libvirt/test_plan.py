# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""How a plan names what is libvirt's: a plan comes from outside, and what is not as it must be is told."""

from __future__ import annotations

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.module_utils import _plan
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._libvirt import plan

SYSTEM, SESSION = "/etc/libvirt/qemu", "/home/u/.config/libvirt/qemu"


@pytest.mark.parametrize(
    ("guest", "node", "config"),
    [
        ("web", "kvm1", f"{SYSTEM}/web.xml"),
        ("web", None, f"{SYSTEM}/web.xml"),
        ("web", None, "/web.xml"),
        ("web", None, "/other {{ name }}.xml"),
        ("web 'é' \"$(id)\" {{ 1 }}", "kvm1", f"{SYSTEM}/web 'é' \"$(id)\" {{{{ 1 }}}}.xml"),
        ("..", "kvm1", f"{SYSTEM}/...xml"),
        ("session:web", "kvm1", f"{SESSION}/web.xml"),
        ("session:web", "kvm1.example.org", "/root/.config/libvirt/qemu/web.xml"),
        ("session:web", "kvm1", f"{SYSTEM}/session:web.xml"),
    ],
)
def test_a_definition_at_its_place(guest, node, config):
    assert plan.misplaced(guest, node, config) is None


@pytest.mark.parametrize(
    ("guest", "node", "config", "said"),
    [
        ("", None, "/web.xml", "guest is ''; it takes the name of a domain"),
        (7, None, "/web.xml", "guest is 7; it takes the name of a domain"),
        ("a/b", None, f"{SYSTEM}/a/b.xml", "guest is 'a/b'; it takes the name of a domain"),
        ("../../shadow", None, f"{SYSTEM}/../../shadow.xml", "guest is '../../shadow'; it takes the name of a domain"),
        ("a\nb", None, "/web.xml", "guest is 'a\\nb'; it takes the name of a domain"),
        ("web", "", f"{SYSTEM}/web.xml", "node is ''; it takes the name of a host, or null"),
        ("web", "../x", f"{SYSTEM}/web.xml", "node is '../x'; it takes the name of a host, or null"),
        ("web", "kvm1", f"{SYSTEM}/db.xml",
         f"config is '{SYSTEM}/db.xml'; that of guest 'web' on node kvm1 is '{SYSTEM}/web.xml'"),
        ("web", "kvm1", "/web.xml", f"config is '/web.xml'; that of guest 'web' on node kvm1 is '{SYSTEM}/web.xml'"),
        ("web", None, "/a/web.xml",
         f"config is '/a/web.xml'; that of guest 'web' without a node is '{SYSTEM}/web.xml' or '/FILE.xml'"),
        ("web", None, "/../web.xml",
         f"config is '/../web.xml'; that of guest 'web' without a node is '{SYSTEM}/web.xml' or '/FILE.xml'"),
        ("web", None, "/web.conf",
         f"config is '/web.conf'; that of guest 'web' without a node is '{SYSTEM}/web.xml' or '/FILE.xml'"),
        ("web", None, None, f"config is null; that of guest 'web' without a node is '{SYSTEM}/web.xml' or '/FILE.xml'"),
        ("session:web", "kvm1", f"{SESSION}/../../../../../etc/web.xml",
         f"config is '{SESSION}/../../../../../etc/web.xml'; that of guest 'session:web' on node kvm1 is"
         " 'HOME/.config/libvirt/qemu/web.xml'"),
        ("session:web", "kvm1", "/home/../.config/libvirt/qemu/web.xml",
         "config is '/home/../.config/libvirt/qemu/web.xml'; that of guest 'session:web' on node kvm1 is"
         " 'HOME/.config/libvirt/qemu/web.xml'"),
        ("web", "kvm1", f"{SESSION}/web.xml",
         f"config is '{SESSION}/web.xml'; that of guest 'web' on node kvm1 is '{SYSTEM}/web.xml'"),
    ],
)  # fmt: skip
def test_a_definition_elsewhere(guest, node, config, said):
    assert plan.misplaced(guest, node, config) == said


@pytest.mark.parametrize("key", ["vda", "sdaa", "hdc", "fda", "xvdb", "vda1"])
def test_a_disk_takes_three_options(key):
    assert plan.options(key) == ("aio", "cache", "iothread")


@pytest.mark.parametrize(
    "key", ["", "vd", "scsi0", "vda/..", "vda\n", "controller", "vda'", None, 7, "x" * 99, "vd" + "a" * 33]
)
def test_nothing_else_takes_any(key):
    assert plan.options(key) == ()


def test_the_guest_takes_a_number_of_iothreads():
    assert plan.options("guest") == ("iothreads",)
    given = {"key": "guest", "option": "iothreads", "before": None, "after": "4"}
    assert _plan.change(given, "libvirt") == {**given, "after": 4}


def test_a_plan_for_libvirt_knows_no_controller():
    with pytest.raises(_plan.PlanError, match="key is 'controller'; it takes guest, or a disk such as vda or sda"):
        _plan.change({"key": "controller", "option": "type", "after": "virtio-scsi"}, "libvirt")
