# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Queues against the policy: which rules, in which words, and what the plan would set."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.module_utils._model.findings import Finding
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._host_policy import host_policy, judge_queues

WWN = "wwn-0x5000c500a1b2c3d4"
MIB = 1 << 20
PERCENT = {"limit": 2048 * MIB, "background": 1024 * MIB, "percent": True}
LIMITED = {"limit": 256 * MIB, "background": 128 * MIB, "percent": False}


def disk(name: str = "sda", **more: Any) -> dict[str, Any]:
    """A rotational disk with guests' images and a queue of 160 MiB."""
    return {
        "name": name,
        "kind": "disk",
        "ids": [WWN, "scsi-35000c500a1b2c3d4"],
        "nr_requests": 128,
        "max_sectors_kb": 1280,
        "max_hw_sectors_kb": 32767,
        "hw_queues": 1,
        "scheduler": "mq-deadline",
        "wbt_lat_usec": 75000,
        "rotational": True,
        "has_limit": True,
        "max_bytes": None,
        "strict_limit": False,
        "queue_bytes": 160 * MIB,
        "raid": None,
        "remote": False,
        "below": [],
        "images": ["local-lvm"],
        "mounts": [],
        **more,
    }


LAYER = disk(
    "dm-0",
    kind="layer",
    ids=["dm-name-pve-root"],
    **dict.fromkeys(("nr_requests", "max_sectors_kb", "max_hw_sectors_kb", "hw_queues", "scheduler", "queue_bytes")),
    below=["sda"],
    images=[],
    mounts=["/"],
)


def judge(
    *disks: dict[str, Any],
    policy: Any = None,
    storages: Any = (),
    dirty: Any = None,
    rules: Any = None,
    sys: bool = True,
) -> list[Finding]:
    facts = {
        "sys": sys,
        "disks": list(disks),
        "storages": list(storages),
        "dirty": dirty or PERCENT,
        "rules": rules or {},
    }
    # As it comes from a host.
    facts = json.loads(json.dumps(facts))
    return judge_queues.judge(facts, host_policy.parse({"disks": policy} if policy else None), True)


def said(findings: list[Finding]) -> list[tuple[str, str, str]]:
    return [(one["rule"], one["severity"], one["message"]) for one in findings]


def cures(findings: list[Finding]) -> list[tuple[str, str, Any, Any]]:
    return [(made["key"], made["option"], made["before"], made["after"]) for one in findings for made in one["cure"]]


def test_a_named_disk_is_to_be_set_now_and_at_boot():
    found = judge(disk(), policy={"scsi-3*": {"nr_requests": 16, "max_sectors_kb": 128}})
    assert said(found) == [
        (
            "IO211",
            "warning",
            f"disk {WWN}: sda has max_sectors_kb 1280, nr_requests 128; the policy asks for max_sectors_kb 128,"
            " nr_requests 16",
        ),
        (
            "IO212",
            "warning",
            f"disk {WWN}: sda does not get max_sectors_kb 128, nr_requests 16 when it appears, as at boot",
        ),
    ]
    # The best of its names, whichever the policy used: a disk is one object.
    assert cures(found) == [
        (f"disk {WWN}", "max_sectors_kb", "1280", "128"),
        (f"disk {WWN}", "nr_requests", "128", "16"),
        (f"udev rule of {WWN}", "max_sectors_kb", None, "128"),
        (f"udev rule of {WWN}", "nr_requests", None, "16"),
    ]


def test_a_disk_as_the_policy_says_is_no_finding_whatever_its_queue_holds():
    rules = {WWN: {"nr_requests": "64"}}
    assert judge(disk(nr_requests=64), policy={WWN: {"nr_requests": 64}}, rules=rules) == []


def test_a_limit_of_a_disks_own():
    policy = {WWN: {"max_bytes": "32 MiB", "strict_limit": True}}
    found = judge(disk(), policy=policy, dirty=LIMITED)
    assert said(found)[0][2] == (
        f"disk {WWN}: sda has no max_bytes, strict_limit off; the policy asks for max_bytes 32 MiB, strict_limit on"
    )
    assert cures(found) == [
        (f"disk {WWN}", "max_bytes", None, "33554432"),
        (f"disk {WWN}", "strict_limit", "0", "1"),
        (f"udev rule of {WWN}", "max_bytes", None, "33554432"),
        (f"udev rule of {WWN}", "strict_limit", None, "1"),
    ]


@pytest.mark.parametrize(
    ("shown", "wanted", "set_again"),
    [(32, "32 MiB", False), (36, "32 MiB", False), (29, "32 MiB", False), (13, "32 MiB", True), (37, "32 MiB", True)],
)
def test_the_kernel_keeps_a_share_so_a_limit_may_differ_by_an_eighth(shown, wanted, set_again):
    rules = {WWN: {"max_bytes": str(32 * MIB)}}
    found = judge(disk(max_bytes=shown * MIB), policy={WWN: {"max_bytes": wanted}}, dirty=LIMITED, rules=rules)
    assert ("IO211" in [one["rule"] for one in found]) == set_again


@pytest.mark.parametrize("dirty", [{**LIMITED, "limit": 32 * MIB}, {**PERCENT, "limit": 20 * MIB}])
def test_a_limit_that_is_not_below_the_hosts_own_is_not_set(dirty):
    found = judge(disk(), policy={WWN: {"max_bytes": "32 MiB", "strict_limit": True, "nr_requests": 128}}, dirty=dirty)
    assert [one["rule"] for one in found] == ["IO212", "IO214"]
    assert cures(found) == [(f"udev rule of {WWN}", "nr_requests", None, "128")]
    assert "max_bytes 32 MiB is not set, because the host's own limit of" in found[1]["message"]


@pytest.mark.parametrize(
    ("of_disk", "policy", "why"),
    [
        (disk(max_hw_sectors_kb=128), {"max_sectors_kb": 256}, "max_sectors_kb 256: its hardware takes at most 128"),
        (disk(nr_requests=None), {"nr_requests": 16}, "nr_requests 16: its kernel has no nr_requests for it"),
        (
            disk(has_limit=False),
            {"max_bytes": "8 MiB"},
            "max_bytes 8 MiB: a limit of a device's own needs Linux 6.2 or",
        ),
        (
            {**LAYER, "ids": [WWN]},
            {"nr_requests": 16},
            "nr_requests 16: it has no queue; name the disks that it lies on (sda)",
        ),
    ],
)
def test_what_a_disk_cannot_have_is_an_error_and_not_planned(of_disk, policy, why):
    found = judge(of_disk, policy={WWN: policy})
    assert [(one["rule"], one["severity"]) for one in found] == [("IO215", "error")]
    assert found[0]["message"].startswith(f"disk {WWN}: {of_disk['name']} cannot have {why}")
    assert cures(found) == []


def test_a_long_queue_of_a_rotational_disk_under_guests_is_reported_and_not_set():
    (found,) = judge(disk())
    assert said([found]) == [
        (
            "IO213",
            "note",
            f"disk {WWN}: sda is rotational, holds guests' images (local-lvm), and its queue holds 160 MiB (128 requests"
            " of 1280 KiB), and 2 GiB may wait in memory for one flush",
        )
    ]
    assert found["cure"] == []


@pytest.mark.parametrize(
    "of_disk",
    [
        disk(images=[]),
        disk(rotational=False),
        disk(rotational=None),
        disk(queue_bytes=None),
        disk(queue_bytes=32 * MIB),
        disk(max_bytes=32 * MIB),
    ],
)
def test_no_other_queue_is_called_long(of_disk):
    assert judge(of_disk) == []
    assert judge(disk(), dirty={**LIMITED, "limit": 32 * MIB}) == []


def test_a_disk_without_a_stable_name_is_named_as_the_kernel_does():
    (found,) = judge(disk("vda", ids=[]), dirty={"limit": None, "background": None, "percent": None})
    assert found["message"].startswith("disk vda: it is rotational")
    assert found["message"].endswith("(128 requests of 1280 KiB)")


@pytest.mark.parametrize(
    ("of_disk", "message"),
    [
        (
            disk(raid="megaraid_sas"),
            "sda is behind a RAID controller (megaraid_sas), whose own queue and cache no limit",
        ),
        (disk(remote=True), "sda is in another machine, whose own queue and cache no limit of this host reaches"),
        (
            disk("nvme0n1", scheduler="none", rotational=False, hw_queues=32),
            "nvme0n1 has no scheduler, so a flush and a guest's request are the same to it, and its nr_requests counts"
            " for each of 32 hardware queues",
        ),
    ],
)
def test_what_a_limit_does_not_reach_is_said_once_a_disk(of_disk, message):
    (found,) = [one for one in judge(of_disk) if one["rule"] == "IO214"]
    assert found["severity"] == "note" and message in found["message"]
    assert [one["rule"] for one in judge({**of_disk, "images": []}, policy={"x*": {"nr_requests": 4}})] == []


def test_what_a_limit_of_a_disks_own_does_not_reach():
    found = judge(LAYER, disk(mounts=["/"]), policy={WWN: {"max_bytes": "32 MiB"}})
    message = next(one["message"] for one in found if one["rule"] == "IO214")
    assert message == (
        f"disk {WWN}: max_bytes of sda does not reach what is written to /: that lies on dm-name-pve-root, which has its"
        " own max_bytes; max_bytes is kept as a share of the host's limit, which is a percentage of the available memory"
        " here: it moves with it; limits in bytes (vm.dirty_bytes) hold it"
    )
    zfs = {"id": "tank", "type": "zfspool", "kind": "zfs", "disks": ["sda"]}
    found = judge(disk(), policy={WWN: {"max_bytes": "32 MiB"}}, storages=[zfs], dirty=LIMITED)
    assert found[-1]["message"] == f"disk {WWN}: max_bytes of sda does not reach what ZFS writes"


def test_a_device_above_disks_can_have_a_limit_of_its_own():
    found = judge(LAYER, policy={"dm-name-pve-root": {"max_bytes": "16 MiB"}}, dirty=LIMITED)
    assert cures(found) == [
        ("disk dm-name-pve-root", "max_bytes", None, "16777216"),
        ("udev rule of dm-name-pve-root", "max_bytes", None, "16777216"),
    ]


def test_storages_out_of_reach_are_said_once():
    storages = [
        {"id": "nas", "type": "nfs", "kind": "network", "disks": []},
        {"id": "ceph", "type": "rbd", "kind": "network", "disks": []},
        {"id": "off", "type": "lvm", "kind": "unknown", "disks": []},
        {"id": "tank", "type": "zfspool", "kind": "zfs", "disks": []},
        {"id": "imgs", "type": "dir", "kind": "disks", "disks": ["sda"]},
    ]
    fast = disk(rotational=False)
    assert [(one["rule"], one["message"].partition(":")[0]) for one in judge(fast, storages=storages)] == [
        ("IO214", "storages nas, ceph"),
        ("IO214", "storage off"),
    ]
    # A tree without /sys says it once, whatever lies on its disks.
    several = [*storages, {"id": "off2", "type": "lvm", "kind": "unknown", "disks": []}]
    (nothing, remote) = judge(storages=several, sys=False)
    assert said([nothing]) == [
        ("IO214", "note", "there is no /sys/block here: the disks and their queues are not known")
    ]
    assert remote["message"].startswith("storages nas, ceph: ")
    assert judge(storages=storages[:1], sys=False) == judge(storages=storages[:1])


def test_disks_that_are_named_and_not_known_are_not_called_compliant():
    (found,) = judge(policy={"wwn-*": {"nr_requests": 16}}, sys=False)
    assert (found["rule"], found["severity"], found["cure"]) == ("IO214", "warning", [])
    assert found["message"].endswith("not known, and what the policy's disks ask for was not checked")
    # A host that has no such disk is another matter: one policy serves many hosts.
    assert judge(policy={"wwn-*": {"nr_requests": 16}}) == []


@pytest.mark.parametrize(
    ("has", "policy"),
    [
        ({"nr_requests": 2}, {"nr_requests": 16}),
        ({"max_sectors_kb": 64}, {"max_sectors_kb": 128}),
        ({"max_bytes": 8 * MIB}, {"max_bytes": "32 MiB"}),
    ],
)
def test_a_shorter_queue_than_the_policy_names_stays(has, policy):
    assert judge(disk(**has), policy={WWN: policy}, dirty=LIMITED) == []


def test_a_limit_that_the_kernel_rounded_down_is_as_the_policy_says_and_lasts():
    found = judge(disk(max_bytes=31 * MIB), policy={WWN: {"max_bytes": "32 MiB"}}, dirty=LIMITED)
    assert cures(found) == [(f"udev rule of {WWN}", "max_bytes", None, str(32 * MIB))]


def test_what_an_earlier_policy_set_moves_with_the_policy():
    found = judge(disk(nr_requests=8), policy={WWN: {"nr_requests": 16}}, rules={WWN: {"nr_requests": "8"}})
    assert cures(found) == [
        (f"disk {WWN}", "nr_requests", "8", "16"),
        (f"udev rule of {WWN}", "nr_requests", "8", "16"),
    ]


def test_what_our_rules_set_and_the_policy_does_not_name_any_more_is_said():
    rules = {WWN: {"nr_requests": "16", "max_sectors_kb": "128"}, "wwn-0xgone": {"nr_requests": "32"}}
    short = disk(nr_requests=16, max_sectors_kb=128, rotational=False)
    for policy, left in (
        ({WWN: {"max_sectors_kb": 128}}, ["nr_requests 16"]),
        (None, ["nr_requests 16, max_sectors_kb 128"]),
    ):
        found = judge(short, policy=policy, rules=rules)
        assert said(found) == [
            ("IO212", "note", f"disk {name}: a udev rule of ours still sets {what}, which the policy does not name")
            for name, what in zip((WWN, "wwn-0xgone"), [*left, "nr_requests 32"])
        ]
        assert cures(found) == [] and all("io_host_state: absent" in one["hint"] for one in found)
    # A disk that is named and not here may come back.
    everything = {"wwn-*": {"nr_requests": 16, "max_sectors_kb": 128}}
    assert judge(short, policy=everything, rules={**rules, "wwn-0xgone": {"max_bytes": "8388608"}}) == []


def test_a_rule_under_a_name_that_is_not_the_best_any_more_is_said():
    rules = {WWN: {"nr_requests": "16"}, "scsi-35000c500a1b2c3d4": {"nr_requests": "16"}}
    (found,) = judge(disk(nr_requests=16), policy={WWN: {"nr_requests": 16}}, rules=rules)
    assert found["message"].startswith("disk scsi-35000c500a1b2c3d4: a udev rule of ours still sets nr_requests 16")
    assert found["message"].endswith(f", and this disk has its rule as {WWN}")
