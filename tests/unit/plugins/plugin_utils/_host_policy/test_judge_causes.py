# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""What a wrong host looks like, what is said about it, and what is set: the table of docs/causes.md."""

from __future__ import annotations

import os

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.module_utils._causes.read import read_facts
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._causes.settings import CausesSettings
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._host.tree import Tree
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._host_policy import host_policy
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._host_policy.judge_causes import judge
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._host_policy.waivers import object_of
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._policy.rules import RULES
from ansible_collections.hypervisor.io_hardening.tests.unit.plugins.module_utils._causes import host

GIB8 = str(8 << 30)
PVE = {"/etc/pve/storage.cfg": host.STORAGES}
LVS, ZPOOL = (
    (0, host.LVS % ("81.20", "4.13"), ""),
    (0, host.ZPOOL.replace("scrub in progress since", "scrub repaired"), ""),
)


def found(root, *parts, policy=None, **answers):
    return judge(host.facts(root, *parts, **answers), host_policy.parse(policy), True)


def said(root, *parts, policy=None, **answers):
    return [(one["rule"], one["severity"], one["message"]) for one in found(root, *parts, policy=policy, **answers)]


def cured(findings):
    return [(one["key"], one["option"], one["before"], one["after"]) for finding in findings for one in finding["cure"]]


def test_a_host_that_is_right_is_not_mentioned(tmp_path):
    small_arc = {
        **host.ZFS,
        "/proc/spl/kstat/zfs/arcstats": host.ARCSTATS.format(c_max=8 << 30),
        "/sys/module/zfs/parameters/zfs_arc_max": GIB8,
    }
    right = {
        "/proc/sys/vm/swappiness": "10\n",
        "/sys/block/sda/queue/wbt_lat_usec": "75000\n",
        "/proc/swaps": host.DISK_SWAP.format(used=0),
        "/proc/mounts": host.MOUNTS + host.NFS.replace(":/export", ":/iso").replace("/mnt/pve/nas", "/mnt/iso"),
    }
    storages = {
        "/etc/pve/storage.cfg": host.STORAGES.replace(
            "zfspool: local-zfs\n\tpool rpool/data", "zfspool: local-zfs\n\tdisable\n\tpool rpool/data"
        )
    }
    answers = {"lvs": (0, host.LVS % ("79.99", "4.13"), ""), "zpool": ZPOOL}
    assert said(tmp_path, small_arc, host.MD, {**host.DISK, **right}, storages, **answers) == []
    assert said(tmp_path / "empty", {path: "" for path in host.BASE}) == []


@pytest.mark.parametrize(
    ("used", "severity", "words"), [(524288, "error", "512 MiB of it used"), (0, "warning", "nothing of it used yet")]
)
def test_swap_on_a_zvol_is_an_error_once_it_is_used(tmp_path, used, severity, words):
    swaps = {"/proc/swaps": host.ZVOL_SWAP.replace("524288", str(used)), "/proc/sys/vm/swappiness": "10\n"}
    (one,) = found(tmp_path, swaps)
    assert (one["rule"], one["severity"], one["cure"]) == ("IO501", severity, [])
    assert one["message"].startswith("swap /dev/zd0: ") and words in one["message"]
    assert "swapoff" in one["hint"]


@pytest.mark.parametrize(
    ("swaps", "zfs", "now", "expected"),
    [
        (host.DISK_SWAP.format(used=1024), {}, 60, "vm.swappiness is 60 and 1 MiB of swap is used"),
        (host.DISK_SWAP.format(used=0), host.ZFS, 60, "vm.swappiness is 60 on a host with ZFS and swap"),
        (host.DISK_SWAP.format(used=0), {}, 60, None),
        (host.DISK_SWAP.format(used=1024), {}, 10, None),
        (host.SWAPS + "/dev/zram0  partition\t8388604\t\t524288\t\t100\n", host.ZFS, 60, None),
        (host.SWAPS, host.ZFS, 60, None),
    ],
)
def test_swappiness_matters_where_guests_can_be_swapped_out(tmp_path, swaps, zfs, now, expected):
    messages = [
        words
        for rule, severity, words in said(tmp_path, zfs, {"/proc/swaps": swaps, "/proc/sys/vm/swappiness": f"{now}\n"})
        if rule == "IO510" and severity == "note"
    ]
    assert len(messages) == bool(expected) and all(one.startswith(expected) for one in messages)


def test_a_named_swappiness_is_set_now_and_at_boot(tmp_path):
    (one,) = found(tmp_path, policy={"swappiness": 10})
    assert (one["rule"], one["severity"], one["message"]) == ("IO510", "warning", "vm.swappiness is 60, wanted 10")
    assert one["hint"] == f"Set it now and in {host.SYSCTL_FILE}."
    assert cured([one]) == [("kernel", "vm.swappiness", "60", "10"), ("sysctl.d", "vm.swappiness", None, "10")]


@pytest.mark.parametrize(
    ("files", "changes", "words"),
    [
        ({"/etc/sysctl.d/10-a.conf": "vm.swappiness=10\n"}, [("kernel", "60", "10")], ["vm.swappiness is 60, wanted 10"]),
        ({host.SYSCTL_FILE: "vm.swappiness = 5\n"}, [("kernel", "60", "10"), ("sysctl.d", "5", "10")], ["vm.swappiness is 60, wanted 10"]),
        (
            {"/etc/sysctl.d/99-zz.conf": "#\nvm.swappiness=60\n"},
            [("kernel", "60", "10")],
            ["vm.swappiness is 60, wanted 10", f"vm.swappiness is 60 after a boot, wanted 10: /etc/sysctl.d/99-zz.conf line 2 counts after {host.SYSCTL_FILE}"],
        ),
        (
            {"/etc/sysctl.d/10-a.conf": "vm.swappiness=60\n", "/proc/sys/vm/swappiness": "10\n"},
            [("sysctl.d", None, "10")],
            ["vm.swappiness is 10 as wanted, but after a boot it is 60"],
        ),
        ({"/proc/sys/vm/swappiness": "10\n"}, [("sysctl.d", None, "10")], ["vm.swappiness is 10 as wanted, but no file sets it at boot"]),
        ({"/proc/sys/vm/swappiness": "10\n", host.SYSCTL_FILE: "vm.swappiness = 10\n"}, [], []),
    ],
)  # fmt: skip
def test_the_last_word_at_boot_counts_and_is_never_outrun(tmp_path, files, changes, words):
    findings = found(tmp_path, files, policy={"swappiness": 10})
    assert [(key, before, after) for key, _option, before, after in cured(findings)] == changes
    assert [one["message"] for one in findings] == words


@pytest.mark.parametrize(
    ("version", "ceiling", "parameter", "severity", "words"),
    [
        ("2.3.4-pve1", 65785540 * 1024 - host.GIB, 0, "warning",
         "may grow to 61.7 GiB of 62.7 GiB of memory, the default of OpenZFS from 2.3 on (this is 2.3.4-pve1)"),
        ("2.2.7-pve2", 40 << 30, 40 << 30, "note", "may grow to 40 GiB of 62.7 GiB of memory, as zfs_arc_max says"),
        ("2.2.7-pve2", 65785540 * 512, 0, None, None),
        ("2.3.4-pve1", 8 << 30, 8 << 30, None, None),
    ],
)  # fmt: skip
def test_the_ceiling_of_the_arc_is_said_where_nobody_chose_it(tmp_path, version, ceiling, parameter, severity, words):
    zfs = {
        **host.ZFS,
        "/sys/module/zfs/version": f"{version}\n",
        "/sys/module/zfs/parameters/zfs_arc_max": f"{parameter}\n",
        "/proc/spl/kstat/zfs/arcstats": host.ARCSTATS.format(c_max=ceiling),
    }
    findings = [one for one in found(tmp_path, zfs) if one["rule"] == "IO502"]
    assert [one["severity"] for one in findings] == ([severity] if severity else [])
    assert all(words in one["message"] and "6 GiB is what" in one["hint"] for one in findings)


def test_a_named_ceiling_is_set_now_and_at_boot_and_the_initramfs_is_named(tmp_path):
    for root, mounts in ((True, host.MOUNTS), (False, "")):
        files = {"/proc/mounts": mounts, "/etc/modprobe.d/zfs.conf": "options zfs zfs_arc_max=1\n"}
        (one,) = found(tmp_path / str(root), host.ZFS, files, policy={"zfs_arc_max": "8 GiB"})
        assert one["message"] == "zfs_arc_max is not set, wanted 8 GiB"
        assert cured([one]) == [("module zfs", "zfs_arc_max", "0", GIB8), ("modprobe.d", "zfs_arc_max", None, GIB8)]
        assert ("update-initramfs -u -k all" in one["hint"]) is root


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        ("2007 MiB", "above the ARC's minimum, here 2 GiB"),
        ("64 GiB", "below the host's memory, here 62.7 GiB"),
    ],
)
def test_a_ceiling_that_openzfs_ignores_is_not_planned(tmp_path, wanted, words):
    (one,) = found(tmp_path, host.ZFS, policy={"zfs_arc_max": wanted})
    assert (one["rule"], one["severity"], one["cure"]) == ("IO502", "error", [])
    assert one["message"].endswith(f"OpenZFS takes a ceiling only where it is {words}")


def test_an_initramfs_without_our_file_is_said_until_it_is_made(tmp_path):
    files = {"/proc/mounts": host.MOUNTS, host.MODPROBE_FILE: f"options zfs zfs_arc_max={GIB8}\n"}
    initramfs = tmp_path / "boot/initrd.img-6.14.11-4-pve"
    root = host.host(tmp_path, host.ZFS, files, {"/boot/initrd.img-6.14.11-4-pve": "an archive"})
    for made, expected in ((100, ["warning"]), (4_000_000_000, [])):
        os.utime(initramfs, (made, made))
        findings = judge(read_facts(Tree(str(root))), host_policy.parse(None), True)
        assert [one["severity"] for one in findings if "initramfs" in one["message"]] == expected


def test_a_host_without_zfs_gets_no_ceiling(tmp_path):
    sys = {"/sys/block/sda/dev": "8:0\n"}
    policy = {"zfs_arc_max": "8 GiB", "md_sync_speed_max": "50 MiB/s", "wbt": "default"}
    assert found(tmp_path, sys, policy=policy) == []


def test_storages_on_zfs_are_named_once(tmp_path):
    storages = {"/etc/pve/storage.cfg": "zfspool: za\n\tpool rpool/a\n\nzfspool: zb\n\tpool tank/b\n"}
    (one,) = [one for one in found(tmp_path, host.ZFS, storages) if one["rule"] == "IO503"]
    assert one["severity"] == "note" and one["message"].startswith(
        "storages za, zb: the write-back limits (vm.dirty_*)"
    )
    assert "zfs_dirty_data_max, here 4 GiB" in one["message"]


def test_a_scrub_is_said_while_it_runs(tmp_path):
    findings = [one for one in found(tmp_path, host.ZFS, lvs=LVS, zpool=(0, host.ZPOOL, "")) if one["rule"] == "IO508"]
    assert [one["message"] for one in findings] == ["pool rpool: a scrub runs now, and reads all its disks"]


@pytest.mark.parametrize(("rotational", "wanted"), [("1", "75000"), ("0", "2000")])
def test_throttling_that_was_switched_off_is_switched_on_where_that_is_named(tmp_path, rotational, wanted):
    disk = {**host.DISK, "/sys/block/sda/queue/rotational": f"{rotational}\n"}
    (unnamed,), (named,) = found(tmp_path, disk), found(tmp_path, disk, policy={"wbt": "default"})
    assert (unnamed["rule"], unnamed["severity"], unnamed["cure"]) == ("IO504", "warning", [])
    assert unnamed["message"].startswith(
        "disk wwn-0x5000c500a1b2c3d4: write-back throttling is off (wbt_lat_usec of sda is 0)"
    )
    assert cured([named]) == [("disk wwn-0x5000c500a1b2c3d4", "wbt_lat_usec", "0", wanted)]


def test_bfq_needs_no_throttling(tmp_path):
    assert found(tmp_path, {**host.DISK, "/sys/block/sda/queue/scheduler": "none mq-deadline [bfq]\n"}) == []


@pytest.mark.parametrize(
    ("data", "metadata", "most", "severity", "words"),
    [
        ("80.00", "4.13", 80, "warning", "80 % of its data is used, 80 % is the limit"),
        ("81.20", "95.50", 80, "error", "81.2 % of its data and 95.5 % of its metadata is used"),
        ("61.00", "4.13", 60, "warning", "61 % of its data is used, 60 % is the limit"),
        ("79.99", "4.13", 80, None, None),
        ("", "", 80, None, None),
    ],
)
def test_a_thin_pool_is_judged_by_data_and_metadata(tmp_path, data, metadata, most, severity, words):
    lvs = (0, host.LVS % (data, metadata), "")
    findings = found(tmp_path, PVE, policy={"thin_pool_percent": most}, lvs=lvs)
    assert [one["severity"] for one in findings] == ([severity] if severity else [])
    assert all(one["message"].startswith("thin pool pve/data: ") and words in one["message"] for one in findings)


def test_a_hard_mount_is_said_where_a_guest_waits_for_it(tmp_path):
    (one,) = found(tmp_path, PVE, host.GUESTS, {"/proc/mounts": host.NFS})
    assert (one["rule"], one["severity"], one["actual"]) == ("IO506", "warning", ["101", "105"])
    assert one["message"].startswith(
        "mount /mnt/pve/nas: hard NFS from 10.0.0.5:/export/vm below disks of guests 101, 105 without"
    )
    assert found(tmp_path, PVE, host.GUESTS, {"/proc/mounts": host.NFS.replace("hard", "soft")}) == []


@pytest.mark.parametrize(
    ("action", "words"),
    [("check", "a check runs now, at up to 200000 KiB/s"), ("recover", "a rebuild runs now, at up to 200000 KiB/s")],
)
def test_an_array_that_is_read_now_is_said(tmp_path, action, words):
    (one,) = found(tmp_path, {**host.MD, "/sys/block/md0/md/sync_action": f"{action}\n"})
    assert (one["rule"], one["severity"], one["message"]) == ("IO507", "note", f"array md0: {words}")
    assert ("degraded for longer" in one["hint"]) is (action == "recover")


def test_an_array_that_is_idle_is_not_mentioned(tmp_path):
    assert found(tmp_path, host.MD) == []


def test_a_named_rate_holds_for_the_host_and_for_an_array_with_its_own(tmp_path):
    own = {"/sys/block/md1/md/sync_action": "idle\n", "/sys/block/md1/md/sync_speed_max": "100000 (local)\n"}
    findings = found(tmp_path, host.MD, own, policy={"md_sync_speed_max": "50 MiB/s"})
    assert findings[0]["message"] == "dev.raid.speed_limit_max is 200000 KiB/s, wanted 51200 KiB/s"
    assert cured(findings) == [
        ("kernel", "dev.raid.speed_limit_max", "200000", "51200"),
        ("sysctl.d", "dev.raid.speed_limit_max", None, "51200"),
        ("array md1", "sync_speed_max", "100000", "51200"),
    ]


def test_huge_pages_that_are_always_given(tmp_path):
    always = {"/sys/kernel/mm/transparent_hugepage/enabled": "[always] madvise never\n"}
    (unnamed,), (named,) = found(tmp_path, always), found(tmp_path, always, policy={"transparent_hugepage": "madvise"})
    assert (unnamed["rule"], unnamed["severity"], unnamed["cure"]) == ("IO509", "note", [])
    assert named["severity"] == "warning" and cured([named]) == [
        ("kernel", "transparent_hugepage", "always", "madvise"),
        ("tmpfiles.d", "transparent_hugepage", None, "madvise"),
    ]


UNKNOWN = {
    "vm.swappiness": ({"/proc/sys/vm/swappiness": "much\n"}, {"swappiness": 10}, "IO510"),
    "transparent_hugepage": (
        {"/sys/kernel/mm/transparent_hugepage/enabled": "always madvise never\n"},
        {"transparent_hugepage": "madvise"},
        "IO509",
    ),
    "dev.raid.speed_limit_max": (
        {**host.MD, "/proc/sys/dev/raid/speed_limit_max": "\n"},
        {"md_sync_speed_max": "50 MiB/s"},
        "IO507",
    ),
    "array md0: its rate": (
        {**host.MD, "/sys/block/md0/md/sync_speed_max": "max (system)\n"},
        {"md_sync_speed_max": "50 MiB/s"},
        "IO507",
    ),
    "zfs_arc_max": (
        {**host.ZFS, "/sys/module/zfs/parameters/zfs_arc_max": "\n", "/sys/block/sda/dev": "8:0\n"},
        {"zfs_arc_max": "8 GiB"},
        "IO502",
    ),
    "disk wwn-0x5000c500a1b2c3d4: write-back throttling": (
        {**host.DISK, "/sys/block/sda/queue/wbt_lat_usec": "none\n"},
        {"wbt": "default"},
        "IO504",
    ),
}


@pytest.mark.parametrize(("what", "case"), UNKNOWN.items())
def test_what_the_policy_names_and_nobody_can_tell_is_not_called_compliant(tmp_path, what, case):
    files, policy, rule = case
    findings = found(tmp_path, files, policy=policy)
    (first,) = [one for one in findings if "is not known: " in one["message"]]
    others = [one for one in findings if one is not first]
    assert (first["rule"], first["severity"], first["cure"]) == (rule, "warning", [])
    assert first["message"].startswith(f"{what} is not known: ") and "; the policy asks for " in first["message"]
    # What a boot sets is known all the same, and set; what holds now stays unknown.
    places = {key for key, *_rest in cured(others)}
    assert places <= ({"kernel", "sysctl.d"} if what.startswith("array") else {"sysctl.d", "tmpfiles.d", "modprobe.d"})
    assert bool(places) is not what.startswith("disk")
    assert found(tmp_path, files) == [] or rule == "IO502"


def test_a_boot_is_set_where_the_value_now_is_not_known(tmp_path):
    findings = found(tmp_path, {"/proc/sys/vm/swappiness": ""}, policy={"swappiness": 10})
    assert [one["message"] for one in findings] == [
        "vm.swappiness is not known: /proc/sys/vm/swappiness is not there, or shows no value; the policy asks for 10",
        "vm.swappiness is to be 10, and no file sets it at boot",
    ]
    assert cured(findings) == [("sysctl.d", "vm.swappiness", None, "10")]
    lasting = {"/proc/sys/vm/swappiness": "", host.SYSCTL_FILE: "vm.swappiness = 10\n"}
    assert [one["cure"] for one in found(tmp_path, lasting, policy={"swappiness": 10})] == [[]]


def test_a_tree_without_sys_says_so_of_each_value_that_it_would_show(tmp_path):
    root = tmp_path / "tree"
    root.mkdir()
    facts = read_facts(Tree(str(root)))
    assert judge(facts, host_policy.parse(None), True) == []
    findings = judge(facts, host_policy.parse(EVERYTHING), True)
    assert {one["rule"] for one in findings if "is not known: " in one["message"] and one["severity"] == "warning"} == {
        "IO502", "IO504", "IO507", "IO509", "IO510",
    }  # fmt: skip
    assert {key for key, *_rest in cured(findings)} == {"sysctl.d", "tmpfiles.d"}


def test_a_pool_without_its_module_has_no_ceiling_that_is_known(tmp_path):
    files = {"/sys/block/sda/dev": "8:0\n", "/etc/pve/storage.cfg": "zfspool: za\n\tpool rpool/a\n"}
    (one,) = [one for one in found(tmp_path, files, policy={"zfs_arc_max": "8 GiB"}) if one["rule"] == "IO502"]
    assert one["message"] == "zfs_arc_max is not known: the module zfs is not loaded; the policy asks for 8 GiB"


STRICTER = {"swappiness": 10, "transparent_hugepage": "madvise", "md_sync_speed_max": "50 MiB/s"}


def test_a_value_that_is_stricter_than_the_policy_stays(tmp_path):
    now = {
        "/proc/sys/vm/swappiness": "1\n",
        "/sys/kernel/mm/transparent_hugepage/enabled": "always madvise [never]\n",
        "/proc/sys/dev/raid/speed_limit_max": "1000\n",
        "/sys/block/md0/md/sync_speed_max": "1000 (local)\n",
    }
    at_boot = {"/etc/sysctl.d/50-x.conf": "vm.swappiness = 1\ndev.raid.speed_limit_max = 1000\n"}
    assert found(tmp_path / "both", host.MD, now, at_boot, policy=STRICTER) == []
    # Where no file sets it, a boot would bring the kernel's own; but never of huge pages is on the command line.
    findings = found(tmp_path / "now", host.MD, now, policy=STRICTER)
    assert cured(findings) == [
        ("sysctl.d", "vm.swappiness", None, "10"),
        ("sysctl.d", "dev.raid.speed_limit_max", None, "51200"),
    ]
    assert findings[0]["message"] == (
        "vm.swappiness is 1, stricter than the 10 that is wanted, but no file sets it at boot"
    )
    word = {"/etc/tmpfiles.d/thp.conf": "w /sys/kernel/mm/transparent_hugepage/enabled - - - - never\n"}
    assert found(tmp_path / "word", now, word, at_boot, policy={"transparent_hugepage": "madvise"}) == []


def test_what_an_earlier_policy_set_moves_with_the_policy(tmp_path):
    ours = {"/proc/sys/vm/swappiness": "5\n", host.SYSCTL_FILE: "vm.swappiness = 5\n"}
    assert cured(found(tmp_path, ours, policy={"swappiness": 10})) == [
        ("kernel", "vm.swappiness", "5", "10"),
        ("sysctl.d", "vm.swappiness", "5", "10"),
    ]


def test_what_we_set_and_the_policy_does_not_name_any_more_is_said(tmp_path):
    ours = {
        host.SYSCTL_FILE: "dev.raid.speed_limit_max = 51200\nvm.swappiness = 10\n",
        host.MODPROBE_FILE: f"options zfs zfs_arc_max={GIB8}\n",
        host.TMPFILES_FILE: "w /sys/kernel/mm/transparent_hugepage/enabled - - - - madvise\n",
    }
    findings = found(tmp_path, ours)
    assert [(one["rule"], one["severity"], one["file"], one["cure"]) for one in findings] == [
        ("IO510", "note", host.SYSCTL_FILE, []),
        ("IO507", "note", host.SYSCTL_FILE, []),
        ("IO502", "note", host.MODPROBE_FILE, []),
        ("IO509", "note", host.TMPFILES_FILE, []),
    ]
    assert findings[0]["message"] == (
        f"our {host.SYSCTL_FILE} still sets vm.swappiness to 10 at boot, and the policy of hosts does not name swappiness"
    )
    assert all("io_host_state: absent" in one["hint"] for one in findings)
    assert not any("still sets vm.swappiness" in one["message"] for one in found(tmp_path, ours, policy=STRICTER))


def test_a_check_with_a_named_rate_has_no_hint_to_name_it(tmp_path):
    files = {
        **host.MD,
        "/sys/block/md0/md/sync_action": "check\n",
        "/sys/block/md0/md/sync_speed_max": "1000 (local)\n",
    }
    for policy, hinted in ((None, True), ({"md_sync_speed_max": "50 MiB/s"}, False)):
        one = found(tmp_path, files, policy=policy)[-1]
        assert one["message"] == "array md0: a check runs now, at up to 1000 KiB/s"
        assert ("name md_sync_speed_max" in one["hint"]) is hinted


EVERYTHING = {
    "swappiness": 10,
    "zfs_arc_max": "8 GiB",
    "md_sync_speed_max": "50 MiB/s",
    "wbt": "default",
    "transparent_hugepage": "madvise",
}
WRONG = (
    host.ZFS,
    {**host.MD, "/sys/block/md0/md/sync_speed_max": "100000 (local)\n"},
    host.DISK,
    {"/sys/kernel/mm/transparent_hugepage/enabled": "[always] madvise never\n"},
)


def test_what_is_planned_is_set_and_then_nothing_is_planned_any_more(tmp_path):
    plan = cured(found(tmp_path, *WRONG, policy=EVERYTHING))
    settings = CausesSettings(Tree(str(tmp_path)))
    for key in dict.fromkeys(key for key, *_rest in plan):
        changes = [dict(zip(("key", "option", "before", "after"), one)) for one in plan if one[0] == key]
        now = settings.now([key])
        for one in changes:
            settings.check(one)
            assert now[key, one["option"]] == one["before"]
        settings.write(key, changes)
    assert len(plan) == 10
    assert cured(judge(read_facts(Tree(str(tmp_path))), host_policy.parse(EVERYTHING), False)) == []


def test_findings_name_rules_that_there_are_and_objects_that_waivers_can_name(tmp_path):
    files = {"/proc/swaps": host.ZVOL_SWAP, "/proc/mounts": host.MOUNTS + host.NFS}
    findings = found(tmp_path, *WRONG, PVE, host.GUESTS, files, lvs=LVS, zpool=(0, host.ZPOOL, ""))
    assert all(one["rule"] in RULES and one["disk"] is None for one in findings)
    assert {object_of(one) for one in findings} == {
        None, "swap /dev/zd0", "pool rpool", "thin pool pve/data", "mount /mnt/pve/nas", "disk wwn-0x5000c500a1b2c3d4", "storage local-zfs",
    }  # fmt: skip
