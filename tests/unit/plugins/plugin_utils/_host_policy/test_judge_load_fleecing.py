# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Fleecing (IO301, IO303): what is found in files, and what the policy makes of it."""

from __future__ import annotations

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._host_policy import load_policy

from .load import (
    GUEST,
    JOBS,
    JUDGES,
    NODE,
    PVECFG,
    STORAGE,
    STORAGES,
    VZDUMP,
    cures,
    facts,
    judge,
    rules,
    told,
    version,
)

OF_PVE2 = STORAGES.replace("\tthinpool data", "\tthinpool data\n\tnodes pve2")
FILE = {VZDUMP: "fleecing: enabled=1,storage=fast\n"}
WAITS = "a guest's write to what is not backed up yet waits until the target has the old data"


POLICY = {"backup": {"fleecing": "fast"}}


def job(*lines, name="nightly"):
    return f"vzdump: {name}\n\tschedule 02:00\n" + "".join(f"\t{line}\n" for line in lines) + "\n"


def test_a_backup_to_a_remote_target_without_fleecing():
    assert told(judge("fleecing")) == [
        (
            "IO301",
            "warning",
            "vzdump.conf: no fleecing, 16 workers, and job nightly backs up to nas, which is remote: "
            f"{WAITS}, and for ever where it hangs",
        )
    ]


@pytest.mark.parametrize(
    ("what", "files", "expected"),
    [
        ("fleecing in the file", FILE, []),
        ("fleecing in the job", {JOBS: job("all 1", "storage nas", "fleecing 1,storage=fast")}, []),
        ("off in the job", {JOBS: job("all 1", "storage nas", "fleecing 0")}, [("IO301", "warning")]),
        ("few workers", {VZDUMP: "performance: max-workers=4\n"}, [("IO301", "note")]),
        ("the job's workers", {JOBS: job("all 1", "storage nas", "performance max-workers=1")}, [("IO301", "note")]),
        ("a local target", {JOBS: job("all 1", "storage local")}, [("IO301", "note")]),
        ("no target named", {JOBS: job("all 1")}, [("IO301", "note")]),
        ("local, few workers", {JOBS: job("all 1"), VZDUMP: "performance: max-workers=1\n"}, []),
        ("the file's target", {JOBS: job("all 1"), VZDUMP: "storage: pbs1\n"}, [("IO301", "warning")]),
        ("mode suspend", {JOBS: job("all 1", "storage nas", "mode suspend")}, [("IO301", "warning")]),
        ("mode stop", {VZDUMP: "mode: stop\n"}, [("IO301", "warning")]),
        ("disabled", {JOBS: job("all 1", "storage nas", "enabled 0")}, []),
        ("another node's", {JOBS: job("all 1", "storage nas", "node pve2")}, []),
        ("a storage for another node alone", {JOBS: job("all 1", "fleecing 1,storage=fast"), STORAGE: OF_PVE2}, [("IO303", "warning")]),
        ("a job of that node", {JOBS: job("all 1", "fleecing 1,storage=fast", "node pve2"), STORAGE: OF_PVE2}, []),
        ("no guest of this node", {JOBS: job("vmid 500", "storage nas")}, []),
        ("a container alone", {GUEST: None, "etc/pve/nodes/pve1/lxc/200.conf": "hostname: a\n"}, []),
        ("no job", {JOBS: None}, []),
        ("before fleecing", {PVECFG: version("8.1.11")}, [("IO301", "note")]),
        ("with fleecing", {PVECFG: version("8.2.2")}, [("IO301", "warning")]),
        ("a pool that is not known", {JOBS: job("pool a", "storage nas")}, [("IO301", "warning")]),
        ("served by the node itself", {"etc/hosts": "10.0.0.40 pve1\n"}, [("IO301", "note")]),
        ("a mount in a directory", {"etc/fstab": "n:/x /var/lib/vz nfs rw 0 0\n", JOBS: job("all 1")}, [("IO301", "warning")]),
        ("a directory on a mount", {"etc/fstab": "n:/x /mnt/nas nfs rw 0 0\n", VZDUMP: "dumpdir: /mnt/nas/a\n", JOBS: job("all 1")}, [("IO301", "warning")]),
        ("a directory on this machine", {"etc/fstab": "n:/x /mnt/nas nfs rw 0 0\n", VZDUMP: "dumpdir: /mnt/na\n", JOBS: job("all 1")}, [("IO301", "note")]),
        ("the job's directory", {"etc/fstab": "//n/x /mnt/nas cifs rw 0 0\n", JOBS: job("all 1", "dumpdir /mnt/nas")}, [("IO301", "warning")]),
        ("the directory of a job of its own",
         {"etc/fstab": "n:/x /mnt nfs rw 0 0\n", JOBS: job("all 1", "dumpdir /mnt", "fleecing 0")}, [("IO301", "warning")]),
        ("a directory of another node",
         {"etc/fstab": "n:/x /mnt nfs rw 0 0\n", JOBS: job("all 1", "node pve2", "dumpdir /mnt", "fleecing 0")}, [("IO301", "note")]),
        ("a mount of the node itself", {"etc/fstab": "localhost:/x /mnt nfs rw 0 0\n", VZDUMP: "dumpdir: /mnt\n", JOBS: job("all 1")}, [("IO301", "note")]),
        ("a job of vzdump.cron", {JOBS: None, "etc/pve/vzdump.cron": "0 2 * * * root vzdump --all 1 --storage nas\n"}, [("IO301", "warning")]),
    ],
)  # fmt: skip
def test_whether_writes_wait(what, files, expected):
    assert rules(judge("fleecing", files)) == expected


def test_jobs_that_take_it_from_the_file_are_one_finding_for_each_kind_of_target():
    files = {
        JOBS: job("all 1", "storage nas", "comment all of it")
        + job("all 1", name="b")
        + job("vmid 101", "storage pbs1", name="c")
    }
    remote, local = judge("fleecing", files)
    assert "and job nightly (all of it) backs up to nas, and job c to pbs1, which are remote" in remote["message"]
    assert (local["severity"], "job b backs up to local, which is local" in local["message"]) == ("note", True)


@pytest.mark.parametrize("leads", [True, False])
def test_what_jobs_say_themselves_is_judged_once_a_cluster(leads):
    files = {JOBS: job("all 1", "storage nas", "fleecing 0")}
    assert rules(judge("fleecing", files, leads=leads)) == [("IO301", "warning")] * leads
    assert rules(judge("fleecing", {**FILE, **files}, leads=leads)) == [("IO301", "warning")] * leads


CLUSTER = "".join(f"  node {{\n    name: pve{number}\n  }}\n" for number in (1, 2, 3))
OTHERS = {
    "etc/pve/corosync.conf": f"nodelist {{\n{CLUSTER}}}\ntotem {{\n  cluster_name: harbour\n}}\n",
    "etc/pve/nodes/pve2/qemu-server/201.conf": "name: db\n",
}


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (["node pve2", "all 1", "storage nas"], ["no fleecing, and it backs up to nas, which is remote: "]),
        (["node pve2", "all 1", "performance max-workers=8"], ["no fleecing, 8 workers: "]),
        (["node pve2", "all 1", "performance max-workers=2"], []),
        (["vmid 201", "storage nas"], ["no fleecing, 16 workers, and it backs up to nas, which is remote: "]),
        (["vmid 201,301", "storage local"], ["no fleecing, 16 workers, and it backs up to local, which is local: "]),
        (["vmid 200", "storage nas"], []),
        (["node pve1", "vmid 201", "storage nas"], ["no fleecing, 16 workers"]),
        (["node pve1", "pool none", "storage nas"], []),
    ],
)
@pytest.mark.parametrize("files", [{}, OTHERS])
def test_what_a_job_sets_itself_is_judged_whosever_guests_it_backs_up(files, lines, said):
    own = {
        **files,
        JOBS: job(*lines, "fleecing 0"),
        "etc/pve/nodes/pve1/lxc/200.conf": "hostname: a\n",
        "etc/pve/user.cfg": "user:root@pam:1:0:::::\n",
    }
    found = judge("fleecing", own)
    assert len(found) == len(said) and judge("fleecing", own, leads=False) == []
    for one, start in zip(found, said):
        assert one["message"].startswith(f"job nightly: {start}")
    assert cures(judge("fleecing", own, POLICY))[1:] == [("job nightly", "fleecing", "0", "1,storage=fast")]


def test_a_directory_is_not_said_to_be_local_where_mounts_are_not_known():
    files = {**OTHERS, JOBS: job("all 1", "node pve2", "dumpdir /mnt/nas", "fleecing 0")}
    (found,) = judge("fleecing", files)
    assert found["message"] == f"job nightly: no fleecing, and it backs up to /mnt/nas: {WAITS}"
    behind_an_api = {**facts({**NODE, JOBS: job("all 1", "dumpdir /mnt/nas")}), "dumpdirs": None}
    (found,) = JUDGES["fleecing"](behind_an_api, load_policy.parse(None), True)
    assert found["message"] == f"vzdump.conf: no fleecing, 16 workers, and job nightly backs up to /mnt/nas: {WAITS}"
    assert list(JUDGES["targets"](behind_an_api, load_policy.parse(None), True)) == []


def test_a_target_that_this_node_serves_is_remote_for_another_node():
    files = {**OTHERS, "etc/hosts": "10.0.0.40 pve1\n", JOBS: job("all 1", "node pve2", "storage nas", "fleecing 0")}
    (found,) = judge("fleecing", files)
    assert "it backs up to nas, which is remote" in found["message"]


@pytest.mark.parametrize("lines", [["all 1"], ["all 1", "node pve2"]])
def test_a_value_for_one_job_is_set_in_it_where_other_nodes_files_count_too(lines):
    files = {**OTHERS, **FILE, JOBS: job(*lines)}
    policy = {"jobs": {"nightly": {"fleecing": "fast"}}}
    (found,) = judge("fleecing", files, policy)
    assert found["message"].startswith("job nightly: it has no fleecing of its own, wanted onto fast; ")
    assert cures([found]) == [("job nightly", "fleecing", None, "1,storage=fast")]
    files[JOBS] = job("all 1", "node pve1")
    assert (
        judge("fleecing", files, policy) == judge("fleecing", {**files, JOBS: job("all 1")}, {**POLICY, **policy}) == []
    )


def test_a_storage_of_another_node_fits_a_job_of_guests_there():
    files = {**OTHERS, STORAGE: OF_PVE2, JOBS: job("vmid 201", "fleecing 1,storage=fast")}
    assert judge("fleecing", files) == []
    assert cures(judge("fleecing", {**files, JOBS: job("vmid 201")}, {"jobs": {"nightly": {"fleecing": "fast"}}})) == [
        ("job nightly", "fleecing", None, "1,storage=fast")
    ]


def test_a_job_drops_the_fleecing_of_the_file():
    (found,) = judge("fleecing", {**FILE, JOBS: job("all 1", "storage nas", "fleecing 0", "comment all of it")})
    assert found["message"] == (
        "job nightly: (all of it) its own fleecing is off, which drops that of vzdump.conf (onto fast) as a whole"
    )
    assert (found["file"], found["line"], found["actual"]) == ("/etc/pve/jobs.cfg", 5, "0")


@pytest.mark.parametrize(
    ("storage", "severity", "said", "would"),
    [
        ("gone", "warning", "vzdump.conf: fleecing storage gone is not in storage.cfg: a backup of a guest fails", "would fail"),
        ("nas", "warning", "is remote (nfs): guests' writes wait for it in place of the target", "writes would wait for it"),
        ("thick", "note", "is thick (lvm): each backup reserves the size of the guest's disks there once more", "would reserve"),
        ("pbs1", "warning", "has no content images: a backup of a guest fails", "would fail"),
    ],
)  # fmt: skip
def test_a_fleecing_storage_that_does_not_fit(storage, severity, said, would):
    set_already = {VZDUMP: f"fleecing: 1,storage={storage}\n"}
    named = {"backup": {"fleecing": storage}}
    for files, policy, told_so in ((set_already, None, said), (set_already, named, said), ({}, named, would)):
        (found,) = (one for one in judge("fleecing", files, policy) if one["rule"] == "IO303")
        assert (found["severity"], told_so in found["message"]) == (severity, True)


@pytest.mark.parametrize(
    ("change", "storage"),
    [
        (("\tthinpool data", "\tthinpool data\n\tdisable 1"), "fast"),
        (("\tthinpool data", "\tthinpool data\n\tnodes pve2"), "fast"),
        (("lvm: thick\n\tvgname big", "zfspool: thick\n\tpool big"), "thick"),
        (("lvm: thick\n\tvgname big", "dir: thick\n\tpath /big\n\tpreallocation full"), "thick"),
        (("lvm: thick\n\tvgname big", "dir: thick\n\tpath /big\n\tshared 1"), "thick"),
    ],
)
def test_a_fleecing_storage_by_its_properties(change, storage):
    files = {STORAGE: STORAGES.replace(*change), VZDUMP: f"fleecing: 1,storage={storage}\n"}
    assert [rule for rule, _severity in rules(judge("fleecing", files))] == ["IO303"]


@pytest.mark.parametrize(
    "change",
    [
        ("lvm: thick\n\tvgname big", "zfspool: thick\n\tpool big\n\tsparse 1"),
        ("lvm: thick\n\tvgname big", "dir: thick\n\tpath /big"),
        ("lvm: thick\n\tvgname big", "plugin: thick\n\tvgname big"),
    ],
)
def test_a_fleecing_storage_that_fits_or_is_not_known(change):
    assert judge("fleecing", {STORAGE: STORAGES.replace(*change), VZDUMP: "fleecing: 1,storage=thick\n"}) == []


@pytest.mark.parametrize(
    ("what", "files", "policy", "changes"),
    [
        ("nothing set", {}, POLICY, [("vzdump.conf", "fleecing", None, "enabled=1,storage=fast")]),
        ("as wanted", FILE, POLICY, []),
        ("as wanted in both", {**FILE, JOBS: job("all 1", "fleecing 1,storage=fast")}, POLICY, []),
        (
            "another storage, and a job that says otherwise",
            {VZDUMP: "fleecing: storage=thick,enabled=1\n", JOBS: job("all 1", "fleecing 0")},
            POLICY,
            [
                ("vzdump.conf", "fleecing", "storage=thick,enabled=1", "enabled=1,storage=fast"),
                ("job nightly", "fleecing", "0", "1,storage=fast"),
            ],
        ),
        ("off", FILE, {"backup": {"fleecing": False}}, [("vzdump.conf", "fleecing", "enabled=1,storage=fast", "enabled=0,storage=fast")]),
        ("one job", {}, {"jobs": {"nightly": {"fleecing": "fast"}}}, [("job nightly", "fleecing", None, "1,storage=fast")]),
        ("one job has it from the file", FILE, {"jobs": {"nightly": {"fleecing": "fast"}}}, []),
        ("a bad value", {VZDUMP: "fleecing: enabled=1\n"}, POLICY, [("vzdump.conf", "fleecing", "enabled=1", "enabled=1,storage=fast")]),
        ("a storage that is gone", {}, {"backup": {"fleecing": "gone"}}, []),
        ("no fleecing in this version", {PVECFG: version("8.1.0")}, POLICY, []),
        ("a job of vzdump.cron", {**FILE, JOBS: None, "etc/pve/vzdump.cron": "0 2 * * * root vzdump --all --fleecing 0\n"}, POLICY, []),
        ("a job of another node", {**FILE, JOBS: job("all 1", "fleecing 0", "node pve2")}, POLICY, [("job nightly", "fleecing", "0", "1,storage=fast")]),
        ("a disabled job", {**FILE, JOBS: job("all 1", "enabled 0", "fleecing 0")}, POLICY, []),
    ],
)  # fmt: skip
def test_what_the_policy_sets(what, files, policy, changes):
    assert cures(judge("fleecing", files, policy)) == changes


def test_a_named_value_that_differs_is_an_error_said_once():
    assert told(judge("fleecing", policy=POLICY)) == [
        (
            "IO301",
            "error",
            "vzdump.conf: fleecing is off, wanted onto fast; with it, a guest's writes go to that storage and do not wait"
            " for the backup's target",
        )
    ]
    drops = judge("fleecing", {**FILE, JOBS: job("all 1", "storage nas", "fleecing 0")}, POLICY)
    assert rules(drops) == [("IO301", "error")]


@pytest.mark.parametrize("policy", [None, POLICY, {"jobs": {"nightly": {"fleecing": "fast"}}}])
def test_a_jobs_fleecing_is_one_rule_whatever_the_file_has(policy):
    own = {JOBS: job("all 1", "storage nas", "fleecing 0")}
    for files in (own, {**own, **FILE}):
        of_job = [one for one in judge("fleecing", files, policy) if one["message"].startswith("job nightly: ")]
        assert [one["rule"] for one in of_job] == ["IO301"]


def test_fleecing_that_is_to_be_off_is_not_argued_for():
    (found,) = judge("fleecing", FILE, {"backup": {"fleecing": False}})
    assert found["message"] == "vzdump.conf: fleecing is onto fast, wanted off"
    (found,) = judge(
        "fleecing", {JOBS: job("all 1", "fleecing 1,storage=fast")}, {"jobs": {"nightly": {"fleecing": False}}}
    )
    assert found["message"] == "job nightly: its fleecing is onto fast, wanted off"


def test_a_storage_that_only_a_job_is_to_have_is_judged_too():
    found = judge("fleecing", {}, {"jobs": {"nightly": {"fleecing": "thick"}}})
    assert "job nightly: fleecing storage thick is thick (lvm): each backup would reserve" in found[-1]["message"]


def test_a_version_without_fleecing_is_said():
    (found,) = judge("fleecing", {PVECFG: version("8.1.11")}, POLICY)
    assert found["hint"] == "Proxmox VE 8.1.11 has no fleecing; 8.2 brings it." and found["cure"] == []


@pytest.mark.parametrize(
    ("number", "target", "hint"),
    [
        ("7.2-11", "nas", "Proxmox VE 7.3 brings max-workers, and 8.2 fleecing."),
        ("7.2-11", "local", "Proxmox VE 7.3 brings performance: max-workers."),
        ("8.1.2", "nas", "Set performance: max-workers=1, which made the wait ten times shorter where it was measured. Proxmox VE 8.2 brings fleecing."),
    ],
)  # fmt: skip
def test_what_to_do_is_what_this_version_has(number, target, hint):
    (found,) = judge("fleecing", {PVECFG: version(number), JOBS: job("all 1", f"storage {target}")})
    assert found["hint"] == hint


def test_without_the_nodes_file_only_what_jobs_say_themselves_is_judged():
    files = {VZDUMP: None, JOBS: job("all 1", "storage nas") + job("all 1", "storage nas", "fleecing 0", name="b")}
    assert cures(judge("fleecing", files, {"backup": {"fleecing": "fast"}})) == [
        ("job b", "fleecing", "0", "1,storage=fast")
    ]
    (found,) = judge("fleecing", files)
    assert found["message"].startswith("job b: no fleecing, and it backs up to nas, which is remote: ")
    assert rules(judge("fleecing", files, live=True)) == [("IO301", "warning"), ("IO301", "warning")]
    assert NODE[VZDUMP].startswith("#")
