# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Guests that do not start, and lines that are not what they look like, are not in order."""

from __future__ import annotations

import pytest

from .fleet import changes, judge, rules

GOOD = "scsihw: virtio-scsi-single\nscsi0: far:1/d.raw,aio=threads,iothread=1\n"


def test_the_guest_they_start_from_is_in_order():
    assert rules(judge(GOOD)) == []


@pytest.mark.parametrize(
    "line",
    [
        "scsi1: local:vm-110-disk-0,aio=threads,iothread=1",
        "ide2: local:iso/x.iso",
        "ide2: local:cloudinit,media=cdrom",
        "scsi1: local:1/e.raw,aio=threads,iothread=1,format=qcow2",
        "efidisk0: local:vm-110-disk-1",
        "tpmstate0: local:vm-110-disk-1",
        "scsi1: none",
        "virtio1: none",
        "ide0: none",
    ],
)
def test_a_drive_that_keeps_its_guest_from_starting_is_an_error(line):
    found = judge(f"{GOOD}{line}\n")
    assert rules(found) == [("IO113", "error")] and found["findings"][0]["disk"] == line.split(":")[0]
    assert found["findings"][0]["line"] == 3 and found["plan"] == [] and found["summary"]["unresolved"] == 1


def test_a_disk_that_loses_its_image_at_the_next_start_keeps_its_guest_from_starting():
    assert rules(judge(GOOD + "\n[PENDING]\nscsi0: none\n")) == [("IO113", "error")]
    assert rules(judge(GOOD + "\n[PENDING]\nscsi0: none,media=cdrom\n")) == []


def test_a_drive_that_is_on_its_way_out_keeps_nobody_from_starting():
    assert rules(judge(GOOD + "ide2: local:iso/x.iso\n\n[PENDING]\ndelete: ide2\n")) == []


def test_other_disks_of_a_guest_that_does_not_start_are_planned_all_the_same():
    found = judge(GOOD + "scsi1: local:vm-110-disk-0\nscsi2: local:1/e.raw\n")
    assert (
        set(changes(found)) == {"scsi2"}
        and ("IO113", "error") in rules(found, "scsi1")
        and len(rules(found, "scsi1")) == 1
    )


@pytest.mark.parametrize(
    ("machine", "installed", "refused"),
    [
        (None, None, True),
        ("q35", None, True),
        ("pc-q35-10.0", None, True),
        ("pc-i440fx-11.0+pve1", "9.2.0-1", True),
        ("pc-i440fx-9.2", None, False),
        ("type=pc-q35-9.0,viommu=intel", "11.0.0-1", False),
        ("viommu=virtio,type=pc-q35-7.2", None, False),
        ("viommu=virtio,pc-q35-7.2", None, False),
        ("viommu=virtio,type=pc-q35-10.0", "9.2.0-1", True),
        ("virt-9.1", None, False),
        (None, "9.2.0-1", False),
        (None, "10.1.2-1", True),
    ],
)
def test_snapshot_1_keeps_a_guest_from_starting_from_machine_10_on(machine, installed, refused):
    text = GOOD.replace("iothread=1", "iothread=1,snapshot=1") + (f"machine: {machine}\n" if machine else "")
    found = judge(text, qemu={"running": None, "installed": installed})
    assert rules(found, "scsi0").count(("IO113", "error")) == refused


@pytest.mark.parametrize(
    ("main", "waits", "refused"),
    [
        ("machine: pc-q35-9.0", "machine: pc-q35-10.1", True),
        ("machine: pc-q35-10.1", "machine: viommu=virtio,type=pc-q35-9.0", False),
        ("machine: pc-q35-9.0", "delete: machine", True),
        ("ostype: win11", "ostype: l26", True),
    ],
)
def test_a_machine_that_waits_is_that_of_the_next_start(main, waits, refused):
    text = GOOD.replace("iothread=1", "iothread=1,snapshot=1") + f"{main}\n\n[PENDING]\n{waits}\n"
    assert rules(judge(text), "scsi0").count(("IO113", "error")) == refused


def test_a_config_without_a_path_is_judged_as_one_with_it():
    text = GOOD.replace("iothread=1", "iothread=1,snapshot=1")
    assert ("IO113", "error") in rules(judge(text, config=None), "scsi0")


@pytest.mark.parametrize(
    ("ostype", "created", "refused"),
    [("win11", "9.2.0", False), ("win11", "10.1.0", True), ("w2k", None, False), ("l26", "9.2.0", True)],
)
def test_windows_keeps_the_machine_it_was_created_with(ostype, created, refused):
    text = (
        GOOD.replace("iothread=1", "iothread=1,snapshot=1")
        + f"ostype: {ostype}\n"
        + (f"meta: creation-qemu={created}\n" if created else "")
    )
    assert rules(judge(text), "scsi0").count(("IO113", "error")) == refused


def test_a_setting_that_nobody_knows_is_a_note_where_no_live_node_was_asked():
    text = f"{GOOD}nvme0: local:1/e.raw\nfuture_key0: a=b\n"
    found = judge(text)
    assert (
        rules(found) == [("IO100", "note")]
        and "the settings 'future_key0', 'nvme0'; a write may drop them" in found["findings"][0]["message"]
    )
    assert found["guests"][0]["status"] == "compliant"
    assert "the setting 'hello'; a write may drop it" in judge("hello: world\n")["findings"][0]["message"]
    assert "'e' and 2 more" in judge("".join(f"{key}: x\n" for key in "abcdefg"))["findings"][0]["message"]


@pytest.mark.parametrize("running", [True, False])
def test_of_a_setting_that_a_live_node_was_asked_about_nothing_is_said(running):
    assert rules(judge(f"{GOOD}nvme0: local:1/e.raw\n", running=running)) == []


@pytest.mark.parametrize("option", ["ro=1", "snapshot=1"])
@pytest.mark.parametrize("policy", [{}, {"disk": {"cache": "keep"}}])
@pytest.mark.parametrize("store", ["far", "cow"])
def test_cache_unsafe_loses_nothing_where_nothing_is_kept(option, policy, store):
    found = judge(
        GOOD.replace("far", store).replace("iothread=1", f"iothread=1,cache=unsafe,{option}") + "machine: pc-q35-9.0\n",
        policy,
    )
    assert [rule for rule in rules(found) if rule[0] == "IO104"] == [("IO104", "note")] and found["plan"] == []
    off = judge(GOOD.replace("far", store).replace("iothread=1", f"iothread=1,cache=unsafe,{option[:-1]}0"), policy)
    assert ("IO104", "error") in rules(off)


@pytest.mark.parametrize(
    "start", ["scsi1 = ", "scsi1= ", "  scsi1: ", "SCSI1: ", "- scsi1: ", "scsi31: ", "scsi1 ", "virtio1\t"]
)
@pytest.mark.parametrize("rest", ["local:1/e.raw", "local-lvm:vm-110-disk-1,aio=native", "/dev/sdb,aio=native"])
def test_a_line_that_was_to_be_a_drive_is_an_error(start, rest):
    assert ("IO100", "error") in rules(judge(f"{GOOD}{start}{rest}\n"))


@pytest.mark.parametrize(
    "line",
    ["scsi1 is gone", "scsi1 was: moved", "scsi1 http://example/", "scsi1 /srv was full", "the scsi1 local:1/e.raw"],
)
def test_a_line_that_talks_of_a_drive_is_a_warning(line):
    assert rules(judge(f"{GOOD}{line}\n")) == [("IO100", "warning")]


@pytest.mark.parametrize("options", ["bps=5,mbps=6", "iops=1,iops_rd=2", "mbps_max=3"])
def test_a_drive_that_its_guest_starts_without_is_an_error_and_no_line_that_is_lost(options):
    found = judge(GOOD + f"scsi1: local:1/e.raw,{options}\nscsi2: local:1/t.raw\n")
    assert rules(found, "scsi1") == [("IO100", "error")] and set(changes(found)) == {"scsi2"}


@pytest.mark.parametrize(
    ("args", "disk"),
    [
        ("-set drive.drive-scsi0.cache=unsafe", "scsi0"),
        ("-snapshot", None),
        ("-readconfig /x", None),
        ("'-drive' file=/x", None),
        ("-hda /x", None),
    ],
)
def test_what_args_does_to_disks_is_a_warning(args, disk):
    found = judge(f"args: -cpu host {args}\n{GOOD}")
    assert [(one["rule"], one["severity"], one["disk"], one["line"]) for one in found["findings"]] == [
        ("IO100", "warning", disk, 1)
    ]
    assert args.split()[-1].strip("'") in found["findings"][0]["message"]
