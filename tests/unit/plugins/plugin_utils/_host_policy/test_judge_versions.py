# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""A host's versions against the known defects."""

from __future__ import annotations

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._host_policy import host_policy, judge_versions
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._host_policy.waivers import object_of
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._policy import defects
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._policy.rules import RULES

NOTHING = {"aacraid": False, "striped_ext4": False, "backup_server": False}
UNKNOWN = dict.fromkeys(NOTHING)


def facts(qemu="10.1.2-7", kernel="7.0.14-14", installed=(), has=None, **more):
    return {
        "root": "/",
        "packages": {"pve-manager": None, "pve-qemu-kvm": qemu, "qemu-server": None},
        "kernels": [*installed, kernel],
        "kernel": {"release": f"{kernel}-pve", "version": kernel},
        "pinned": None,
        "has": {**NOTHING, **(has or {})},
        "problems": [],
        **more,
    }


def judge(**known):
    return judge_versions.judge(facts(**known), host_policy.parse({}), leads=True)


def one(rule, **known):
    """The only finding, which is of this rule."""
    (found,) = judge(**known)
    assert found["rule"] == rule and found["cure"] == [] and found["guest"] is None and found["disk"] is None
    assert RULES[rule].severity == found["severity"]
    return found


def test_a_current_host_has_nothing():
    assert judge(has=dict.fromkeys(NOTHING, True)) == []


def test_a_host_of_which_nothing_is_known_has_nothing():
    known = {"packages": None, "kernels": [], "kernel": None, "has": UNKNOWN}
    assert judge(**known) == [] and judge(kernel=None, **{"kernels": [], "has": UNKNOWN}) == []


def test_a_kernel_of_somebody_else_is_not_judged():
    assert judge(**{"kernel": None}) == []
    found = judge_versions.judge({**facts(), "kernel": {"release": "6.8.0-31-generic", "version": None}}, None, True)
    assert found == []


@pytest.mark.parametrize("kernel", ["6.8.1-1", "6.8.4-2", "6.8.4-4"])
def test_a_kernel_with_a_defect_is_named(kernel):
    found = one("IO402", kernel=kernel)
    assert found["message"].startswith(f"kernel {kernel}: the kernel can crash in a flush of a disk")
    assert found["hint"] == "Install Proxmox VE's kernel 6.8.8-1 or later, and reboot the host."
    assert (found["actual"], found["wanted"]) == (kernel, "6.8.8-1") and object_of(found) == f"kernel {kernel}"


@pytest.mark.parametrize("kernel", ["6.5.13-6", "6.8.8-1", "6.8.12-43", "6.14.0-1", "6.17.13-2", "5.15.158-2"])
def test_a_kernel_beside_the_ranges_is_not(kernel):
    assert judge(kernel=kernel, has=dict.fromkeys(NOTHING, True)) == []


@pytest.mark.parametrize(
    ("has", "kernel", "says"),
    [
        ("aacraid", "6.5.11-7", "the controller hangs"),
        ("striped_ext4", "6.5.3-1", "a flush of ext4"),
        ("backup_server", "6.17.4-1", "connections on which this host receives data can stall"),
    ],
)
def test_a_kernels_defect_is_named_only_where_the_host_has_its_trigger(has, kernel, says):
    assert says in one("IO402", kernel=kernel, has={has: True})["message"]
    assert judge(kernel=kernel) == [] and judge(kernel=kernel, has={has: None}) == []


def test_two_defects_are_two_findings():
    assert len(judge(kernel="6.5.11-7", has={"aacraid": True, "striped_ext4": True})) == 2


def test_a_fixed_kernel_that_is_installed_asks_for_a_reboot():
    found = one("IO402", kernel="6.8.4-2", installed=["6.8.12-9", "6.8.12-15", "6.5.13-6"])
    assert found["hint"] == "Reboot the host: kernel 6.8.12-15 is installed."


def test_a_kernel_with_a_defect_of_its_own_is_no_cure():
    found = one("IO402", kernel="6.5.11-7", has={"aacraid": True}, installed=["6.8.4-2"])
    assert found["hint"].startswith("Install")


def test_a_pinned_kernel_must_be_released_first():
    found = one("IO402", kernel="6.8.4-2", installed=["6.8.12-15"], pinned="6.8.4-2-pve")
    assert found["hint"].startswith("Release the pinned kernel 6.8.4-2 (proxmox-boot-tool kernel unpin). Reboot")
    for pinned in ("6.8.12-15-pve", "odd"):
        assert one("IO402", kernel="6.8.4-2", installed=["6.8.12-15"], pinned=pinned)["hint"].startswith("Reboot")


def test_the_installed_qemu_is_a_note_for_what_no_disk_decides():
    found = one("IO403", qemu="10.1.2-4")
    assert found["message"].startswith(
        "QEMU 10.1.2-4: the backup of a guest with a TPM can get stuck (fixed in 10.1.2-5);"
    )
    assert "Install pve-qemu-kvm 10.1.2-7 or later" in found["hint"] and found["wanted"] == "10.1.2-7"


@pytest.mark.parametrize("qemu", ["7.2.0-8", "8.1.2-4", "8.1.5-2", "9.0.0-3", "10.1.2-7", None])
def test_what_disks_decide_is_said_of_guests_alone(qemu):
    assert judge(qemu=qemu) == []


@pytest.mark.parametrize(
    ("qemu", "kernel", "wanted"),
    [
        ("10.2.1-1", "7.0.14-14", "right with pve-qemu-kvm 10.2.1-2, or later."),
        ("10.2.1-1", "6.14.11-9", "right with pve-qemu-kvm 10.2.1-2 and a kernel of 6.15, or later."),
        ("10.2.1-2", "6.14.11-9", "right with a kernel of 6.15, or later."),
        ("11.0.0-2", "6.8.12-43", "right with a kernel of 6.15, or later."),
    ],
)
def test_pressure_that_is_no_evidence_is_a_note(qemu, kernel, wanted):
    found = one("IO404", qemu=qemu, kernel=kernel)
    assert f"QEMU {qemu} on kernel {kernel} counts an idle iothread" in found["message"] and wanted in found["hint"]


@pytest.mark.parametrize(("qemu", "kernel"), [("10.1.2-7", "6.8.12-43"), ("10.2.1-2", "6.17.2-1"), (None, "6.8.12-43")])
def test_pressure_is_evidence_with_the_others(qemu, kernel):
    assert judge(qemu=qemu, kernel=kernel) == []


def test_pressure_is_judged_where_the_kernel_is_not_known():
    (found,) = judge_versions.judge({**facts(qemu="10.2.1-1"), "kernel": None}, None, True)
    assert found["rule"] == "IO404" and found["message"].startswith("QEMU 10.2.1-1 counts")


def test_each_trigger_of_a_host_is_looked_up():
    assert {one.hits for one in defects.KERNEL.values()} - {None} == set(judge_versions._TRIGGERS)
