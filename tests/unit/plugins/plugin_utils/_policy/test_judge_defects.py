# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Below QEMU 8.0 no disk on virtio-scsi is given an iothread, and one that has it already is a finding."""

from __future__ import annotations

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._policy import defects, judge_defects
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._policy.errors import PolicyError

from .fleet import DAY, NODES, assess, changes, guest, judge, rules

PCI, SINGLE = "scsihw: virtio-scsi-pci\n", "scsihw: virtio-scsi-single\n"
DISK = "scsi0: local:1/d.raw\n"
HARDENED = SINGLE + "scsi0: local:1/d.raw,aio=threads,iothread=1\n"
THREADS = {"scsi0": {"aio": "threads"}}
WHOLE = {"controller": {"type": "virtio-scsi-single"}, "scsi0": {"aio": "threads", "iothread": True}}
ACCEPTED = {"accept_defects": ["virtio-scsi-reset"]}


def live(installed, running=None):
    """The facts of a guest that was read on its own node."""
    return {"running": running is not None, "qemu": {"running": running, "installed": installed, "proven": None}}


def runs(iothread, **facts):
    """A findings document of the hardened guest whose process has such an iothread."""
    record = guest(HARDENED, **facts)
    record["disks"][0]["runs"] = {**record["disks"][0]["effective"], "iothread": iothread}
    return assess([record], {}, DAY, NODES)


@pytest.mark.parametrize("scsihw", [PCI, SINGLE])
def test_where_7_2_is_installed_threads_alone_are_planned(scsihw):
    found = judge(scsihw + DISK, **live("7.2.0-8"))
    assert changes(found) == THREADS
    (left,) = found["unresolved"]
    assert left["reason"] == "known_defect"
    assert (
        "QEMU 7.2.0-8 would start the guest, and an iothread on virtio-scsi triggers a known defect of it: QEMU aborts"
        in left["detail"]
    )
    assert (
        "Install QEMU 8.0 or later, or accept the defect in the policy: accept_defects: [virtio-scsi-reset]"
        in left["detail"]
    )
    assert [f["fixable"] for f in found["findings"] if f["rule"] in ("IO101", "IO102")] == [False] * (
        2 if scsihw == PCI else 1
    )


def test_the_second_run_plans_nothing_and_says_why():
    found = judge(PCI + "scsi0: local:1/d.raw,aio=threads\n", **live("7.2.0-8"))
    assert found["plan"] == [] and rules(found) == [("IO101", "warning"), ("IO102", "warning")]
    assert found["unresolved"][0]["reason"] == "known_defect"


def test_an_ignored_iothread_is_not_woken_by_the_controller():
    found = judge(
        PCI + "scsi0: local:1/d.raw,aio=threads,iothread=1\n", {"disk": {"iothread": "keep"}}, **live("7.2.0-8")
    )
    assert found["plan"] == []


def test_a_controller_without_an_iothread_is_nobodys_defect():
    found = judge(PCI + DISK, {"disk": {"iothread": "keep"}}, **live("7.2.0-8"))
    assert changes(found) == {"controller": {"type": "virtio-scsi-single"}, **THREADS}


def test_a_named_guest_keeps_its_driver_too():
    found = judge(DISK, migrate="guest.id == '100'", **live("7.2.0-8"))
    assert changes(found) == THREADS and found["unresolved"][0]["reason"] == "known_defect"


def test_virtio_blk_is_not_hit_below_8_0():
    assert changes(judge("virtio0: local:1/d.raw\n", **live("7.2.0-8"))) == {
        "virtio0": {"aio": "threads", "iothread": True}
    }


@pytest.mark.parametrize("version", ["8.0.2-4", "8.0.2-7", "8.1.5-3", "9.0.0-4", "10.1.2-1", "11.0.0-2"])
def test_from_8_0_on_the_guest_is_cured_whole(version):
    found = judge(PCI + DISK, **live(version))
    assert changes(found) == WHOLE and found["unresolved"] == []


def test_what_runs_on_7_2_and_starts_on_8_is_cured_whole():
    assert changes(judge(PCI + DISK, **live("8.0.2-7", running="7.2.0-8"))) == WHOLE


def test_on_its_own_node_an_unknown_version_holds_back():
    found = judge(PCI + DISK + "meta: creation-qemu=10.1.2\n", **live(None))
    assert changes(found) == THREADS
    assert "it is not known which QEMU would start the guest" in found["unresolved"][0]["detail"]


def test_offline_an_unknown_version_is_said_and_holds_nothing_back():
    found = judge(PCI + DISK)
    assert changes(found) == WHOLE
    hints = [f["hint"] for f in found["findings"] if f["rule"] in ("IO101", "IO102")]
    assert len(hints) == 2 and all("make sure that it is 8.0 or later (IO401)" in hint for hint in hints)


@pytest.mark.parametrize("proof", ["meta: creation-qemu=7.2.0,ctime=1\n", "machine: pc-q35-7.1\n"])
def test_offline_a_proof_below_8_0_holds_back(proof):
    found = judge(PCI + DISK + proof)
    assert changes(found) == THREADS and "QEMU 7." in found["unresolved"][0]["detail"]


@pytest.mark.parametrize("proof", ["meta: creation-qemu=8.0.2,ctime=1\n", "machine: pc-i440fx-8.1\n"])
def test_offline_a_proof_of_8_0_is_enough(proof):
    found = judge(PCI + DISK + proof)
    assert changes(found) == WHOLE and not any("IO401" in f["hint"] for f in found["findings"])


@pytest.mark.parametrize("facts", [live("7.2.0-8"), live(None), {}])
def test_a_policy_accepts_it_by_name(facts):
    found = judge(PCI + DISK, ACCEPTED, **facts)
    assert changes(found) == WHOLE and not any("IO401" in f["hint"] for f in found["findings"])


@pytest.mark.parametrize("value", ["virtio-scsi-reset", ["virtio-scsi-rest"], [7]])
def test_a_defect_that_is_not_known_cannot_be_accepted(value):
    with pytest.raises(PolicyError, match="accept_defects"):
        judge(DISK, {"accept_defects": value})


def test_a_guest_that_will_start_so_is_a_finding():
    found = judge(HARDENED, **live("7.2.0-8"))
    assert (
        rules(found) == [("IO401", "warning")] and found["plan"] == [] and found["guests"][0]["status"] == "unresolved"
    )
    (finding,) = found["findings"]
    assert finding["message"].startswith("QEMU 7.2.0-8 will start scsi0 with an iothread on virtio-scsi: QEMU aborts")
    assert "Install QEMU 8.0 or later and restart the guest, or remove the iothread" in finding["hint"]


def test_offline_a_proof_is_a_lower_bound_and_is_called_so():
    (finding,) = judge(HARDENED + "machine: pc-q35-7.1\n")["findings"]
    assert finding["message"].startswith("QEMU 7.1 may start scsi0 with an iothread on virtio-scsi")


def test_a_guest_that_runs_so_is_cured_by_a_cold_start_on_a_newer_qemu():
    (finding,) = [f for f in runs(True, **live("8.0.2-7", running="7.2.0-8"))["findings"] if f["rule"] == "IO401"]
    assert (
        finding["message"].startswith("QEMU 7.2.0-8 runs scsi0 with an iothread")
        and finding["hint"] == "Stop and start the guest: QEMU 8.0.2-7 is installed."
    )


def test_a_guest_that_runs_without_it_is_hit_at_its_next_start_only():
    found = runs(False, **live("7.2.0-8", running="7.2.0-8"))
    assert "will start scsi0 with" in [f["message"] for f in found["findings"] if f["rule"] == "IO401"][0]
    assert not [f for f in runs(False, **live("8.0.2-7", running="7.2.0-8"))["findings"] if f["rule"] == "IO401"]


def test_an_accepted_defect_is_a_note():
    found = judge(HARDENED, ACCEPTED, **live("7.2.0-8"))
    assert rules(found) == [("IO401", "note")] and found["guests"][0]["status"] == "compliant"


@pytest.mark.parametrize(
    ("bus", "installed", "ids"),
    [
        ("scsi", "7.2.0-8", "virtio-scsi-reset"),
        ("scsi", "8.0.0-1", "iothread-resume"),
        ("scsi", "8.1.2-4", "iothread-resize, iothread-drain"),
        ("scsi", "8.1.2-6", "iothread-drain"),
        ("virtio", "8.1.5-1", "iothread-drain, virtio-blk-stop"),
        ("virtio", "8.1.5-2", "virtio-blk-stop"),
        ("scsi", "8.1.5-2", None),
        ("virtio", "9.0.0-3", "virtio-blk-snapshot"),
        ("scsi", "9.0.0-3", None),
        ("virtio", "10.0.2-4", None),
        ("virtio", "8.1.5", None),
    ],
)
def test_an_iothread_is_held_back_where_the_installed_package_has_a_defect(bus, installed, ids):
    """Proxmox VE's revision decides; another build of 8.1.5 has patches that its number does not tell."""
    found = judge(SINGLE + f"{bus}0: local:1/d.raw\n", **live(installed))
    whole = {"aio": "threads", "iothread": True}
    assert changes(found) == {f"{bus}0": whole if ids is None else {"aio": "threads"}}
    assert [left["reason"] for left in found["unresolved"]] == ([] if ids is None else ["known_defect"])
    if ids:
        assert f"accept_defects: [{ids}]" in found["unresolved"][0]["detail"]
        accepted = judge(SINGLE + f"{bus}0: local:1/d.raw\n", {"accept_defects": ids.split(", ")}, **live(installed))
        assert changes(accepted) == {f"{bus}0": whole} and accepted["unresolved"] == []


def test_of_two_defects_the_version_that_has_both_fixed_is_named():
    (left,) = judge(SINGLE + DISK, **live("8.1.2-4"))["unresolved"]
    assert "triggers known defects of it: QEMU can hang" in left["detail"] and "QEMU 8.1.5-2 or later" in left["detail"]


def test_one_accepted_defect_of_two_is_not_enough():
    found = judge(SINGLE + DISK, {"accept_defects": ["iothread-resize"]}, **live("8.1.2-4"))
    (left,) = found["unresolved"]
    assert changes(found) == THREADS and "Install QEMU 8.1.5-2 or later" in left["detail"]
    assert "accept_defects: [iothread-drain]" in left["detail"] and "iothread-resize" not in left["detail"]


@pytest.mark.parametrize("proof", ["meta: creation-qemu=8.1.2,ctime=1\n", "machine: pc-q35-8.1\n"])
def test_offline_a_proof_within_a_range_says_nothing_about_the_package(proof):
    assert changes(judge(PCI + DISK + proof)) == WHOLE


@pytest.mark.parametrize(
    ("line", "installed", "message"),
    [
        ("ide0", "7.2.0-6", "QEMU 7.2.0-6 will start ide0 on IDE or SATA: the guest can hang for good when it trims"),
        ("sata1", "7.0.0-4", "QEMU 7.0.0-4 will start sata1 on IDE or SATA"),
        ("sata1", "7.2.0-7", None),
        ("scsi0", "10.0.2-4", "QEMU 10.0.2-4 will start scsi0 on virtio-scsi, in a guest that is neither Linux nor"),
        ("scsi0", "10.1.2-1", None),
        ("virtio0", "10.0.2-4", None),
    ],
)
def test_a_defect_without_an_iothread_is_found_where_the_guest_has_its_trigger(line, installed, message):
    found = judge(
        SINGLE + f"{line}: local:1/d.raw,aio=threads{',iothread=1' if line[0] in 'sv' and line != 'sata1' else ''}\n",
        **live(installed),
    )
    told = [f["message"] for f in found["findings"] if f["rule"] == "IO401"]
    assert len(told) == (message is not None) and all(one.startswith(message) for one in told)
    assert message is None or "accept_defects" not in str(found["unresolved"])


@pytest.mark.parametrize(
    ("lines", "hit"),
    [
        ("", True),
        ("ostype: other\n", True),
        ("ostype: solaris\n", True),
        ("ostype: l26\n", False),
        ("ostype: win11\n", False),
    ],
)
def test_linux_and_windows_do_not_cancel_requests(lines, hit):
    assert bool(judge(HARDENED + lines, **live("10.0.2-4"))["findings"]) is hit


def test_a_controller_that_is_not_virtio_scsi_does_not_know_the_command():
    found = judge("scsihw: lsi\nscsi0: local:1/d.raw,aio=threads\n", **live("10.0.2-4"))
    assert [f for f in found["findings"] if f["rule"] == "IO401"] == []


def test_a_defect_without_an_iothread_can_be_accepted_too():
    found = judge(HARDENED, {"accept_defects": ["virtio-scsi-cancel"]}, **live("10.0.2-4"))
    assert rules(found) == [("IO401", "note")]


def test_what_no_setting_of_a_disk_triggers_is_no_guests_finding():
    assert judge(HARDENED + "ostype: l26\ntpmstate0: local:1/t.raw\n", **live("10.1.2-4"))["findings"] == []


def test_each_trigger_of_a_guest_is_checked():
    wanted = {defect.hits for defect in defects.QEMU.values()} - {None}
    assert wanted == set(judge_defects._TRIGGERS)


def test_each_defect_has_an_id_of_its_own_a_range_and_a_source():
    known = [*defects.QEMU.values(), *defects.KERNEL.values(), *defects.VIRTIO_WIN.values()]
    assert len({one.id for one in known}) == len(known) == 16
    assert all(one.effect and one.source and (one.since is None or one.since < one.fixed) for one in known)
