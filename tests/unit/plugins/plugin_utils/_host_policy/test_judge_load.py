# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Workers, rate and ionice (IO304, IO305), limits (IO306, IO307), targets (IO308, IO310), windows (IO309), and what is
not in force (IO311).
"""

from __future__ import annotations

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._host_policy import judge_load, load_policy

from .load import (
    CRON,
    DATACENTER,
    GUEST,
    JOBS,
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

ALL = {"backup": {"max_workers": 1, "bwlimit": "80 MiB/s", "ionice": 8}}
XSHOK = {VZDUMP: "bwlimit: 0\nionice: 5\n"}
JOB = "vzdump: nightly\n\tschedule 02:00\n\tall 1\n\tstorage nas\n"


def job(*lines):
    return JOB + "".join(f"\t{line}\n" for line in lines)


@pytest.mark.parametrize(
    ("what", "files", "policy", "changes"),
    [
        (
            "nothing set",
            {},
            ALL,
            [
                ("vzdump.conf", "performance", None, "max-workers=1"),
                ("vzdump.conf", "bwlimit", None, "81920"),
                ("vzdump.conf", "ionice", None, "8"),
            ],
        ),
        (
            "other sub-keys are kept",
            {VZDUMP: "performance: max-workers=16,pbs-entries-max=2000000\n"},
            {"backup": {"max_workers": 1}},
            [
                (
                    "vzdump.conf",
                    "performance",
                    "max-workers=16,pbs-entries-max=2000000",
                    "max-workers=1,pbs-entries-max=2000000",
                )
            ],
        ),
        ("as wanted", {VZDUMP: "performance: max-workers=1\nbwlimit: 81920\nionice: 8\n"}, ALL, []),
        ("the default is as wanted", {}, {"backup": {"max_workers": 16, "ionice": 7, "bwlimit": "unlimited"}}, []),
        (
            "a job says otherwise",
            {VZDUMP: "performance: max-workers=1\n", JOBS: job("performance max-workers=16", "ionice 3")},
            {"backup": {"max_workers": 1}},
            [("job nightly", "performance", "max-workers=16", "max-workers=1")],
        ),
        (
            "a job of its own",
            {VZDUMP: "performance: max-workers=1\n"},
            {"backup": {"max_workers": 1}, "jobs": {"nightly": {"max_workers": 4}}},
            [("job nightly", "performance", None, "max-workers=4")],
        ),
        (
            "a job of its own, and no value for all",
            {JOBS: job("performance pbs-entries-max=9")},
            {"jobs": {"nightly": {"max_workers": 4}}},
            [("job nightly", "performance", "pbs-entries-max=9", "pbs-entries-max=9,max-workers=4")],
        ),
        ("a disabled job", {JOBS: job("enabled 0", "ionice 3")}, {"jobs": {"nightly": {"ionice": 8}}}, []),
        ("a job of vzdump.cron", {JOBS: None, CRON: "0 2 * * * root vzdump --all --ionice 3\n", VZDUMP: "ionice: 8\n"}, {"backup": {"ionice": 8}}, []),
        ("the file is not there", {VZDUMP: None}, ALL, []),
    ],
)  # fmt: skip
def test_what_the_policy_sets_of_backups(what, files, policy, changes):
    assert cures(judge("values", files, policy)) == changes


@pytest.mark.parametrize("lines", [[], ["node pve2"]])
def test_a_value_for_one_job_is_set_in_it_where_other_nodes_files_count_too(lines):
    nodes = "".join(f"  node {{\n    name: pve{number}\n  }}\n" for number in (1, 2))
    files = {
        "etc/pve/corosync.conf": f"nodelist {{\n{nodes}}}\n",
        VZDUMP: "performance: max-workers=4\n",
        JOBS: job(*lines),
    }
    policy = {"jobs": {"nightly": {"max_workers": 4}}}
    (found,) = judge("values", files, policy)
    assert found["message"].startswith("job nightly: it has no max-workers of its own, wanted 4 workers; each worker's")
    assert cures([found]) == [("job nightly", "performance", None, "max-workers=4")]
    assert judge("values", {**files, JOBS: job("node pve1")}, policy) == []
    assert judge("values", {**files, JOBS: job("performance max-workers=4")}, policy) == []


@pytest.mark.parametrize(
    "where", [{}, {VZDUMP: "performance: max-workers=1\n", JOBS: job("performance max-workers=8")}]
)
def test_a_version_without_workers_is_said(where):
    policy = {"backup": {"max_workers": 1}}
    (found,) = judge("values", {**where, PVECFG: version("7.2-11")}, policy)
    assert found["hint"] == "Proxmox VE 7.2-11 has no max-workers; 7.3 brings it." and found["cure"] == []
    (found,) = judge("values", {**where, PVECFG: version("7.3-1")}, policy)
    assert found["hint"].startswith("Set performance") and found["cure"]


def test_named_values_that_differ():
    files = {**XSHOK, JOBS: job("performance max-workers=64", "bwlimit 20000")}
    assert told(judge("values", files, ALL)) == [
        ("IO304", "error", "vzdump.conf: 16 workers by default, wanted 1 worker; each worker's request waits ahead of a guest's write"),
        ("IO304", "error", "job nightly: 64 workers, wanted 1 worker; each worker's request waits ahead of a guest's write"),
        ("IO305", "warning", f"vzdump.conf: no bwlimit, wanted bwlimit 80 MiB/s; {RATE}"),
        ("IO305", "warning", f"job nightly: bwlimit 19.5 MiB/s, wanted bwlimit 80 MiB/s; {RATE}"),
        ("IO305", "warning", f"vzdump.conf: ionice 5, wanted ionice 8; {PRIORITY}"),
    ]  # fmt: skip
    assert [rule for rule, _severity in rules(judge("values", files, ALL, leads=False))] == ["IO304", "IO305", "IO305"]
    few = judge("values", {}, {"backup": {"max_workers": 1}, "jobs": {"nightly": {"max_workers": 4}}})
    assert few[1]["message"] == "job nightly: it takes 1 worker from vzdump.conf, wanted 4 workers"


RATE = (
    "it slows the backup's own reads, not the copy that a guest's write waits for, and a longer backup makes more writes"
    " wait; it helps where it is below the target's rate"
)
PRIORITY = (
    "it is the priority of vzdump's compressor under the scheduler BFQ; the guests' disks are read by QEMU, which does"
    " not have it"
)


@pytest.mark.parametrize(
    ("files", "said"),
    [
        (XSHOK, [f"vzdump.conf: ionice 5 raises the backup above the default 7, and does little else: {PRIORITY}"]),
        ({VZDUMP: "ionice: 8\n"}, [f"vzdump.conf: ionice 8 does not protect guests from the backup: {PRIORITY}"]),
        ({VZDUMP: "ionice: 7\nbwlimit: 0\n"}, []),
        ({VZDUMP: "bwlimit: 50000\n"}, [f"vzdump.conf: bwlimit 48.8 MiB/s does not protect guests from the backup: {RATE}"]),
        ({VZDUMP: "bwlimit: 50000\nfleecing: 1,storage=fast\n"}, []),
        ({JOBS: job("bwlimit 1024", "comment a\tb")}, [f"job nightly: (a\\tb) bwlimit 1 MiB/s does not protect guests from the backup: {RATE}"]),
    ],
)  # fmt: skip
def test_what_settings_do_not_do(files, said):
    found = judge("values", files)
    assert [one["message"] for one in found] == said and {one["severity"] for one in found} <= {"note"}


@pytest.mark.parametrize(
    ("what", "files", "policy", "changes"),
    [
        (
            "two of four",
            {DATACENTER: "keyboard: de\nbwlimit: migration=200000,restore=1\n"},
            {"limits": {"restore": "100 MiB/s", "move": "unlimited"}},
            [("datacenter", "bwlimit", "migration=200000,restore=1", "migration=200000,restore=102400,move=0")],
        ),
        ("as wanted", {DATACENTER: "bwlimit: restore=102400\n"}, {"limits": {"restore": "100 MiB/s"}}, []),
        (
            "a bad value",
            {DATACENTER: "bwlimit: backup=1\n"},
            {"limits": {"restore": "100 MiB/s"}},
            [("datacenter", "bwlimit", "backup=1", "restore=102400")],
        ),
        (
            "a storage",
            {STORAGE: STORAGES.replace("\tvgname big", "\tvgname big\n\tbwlimit move=5000")},
            {"storages": {"thick": {"restore": "50 MiB/s"}, "fast": {"default": "1 GiB/s"}}},
            [
                ("storage thick", "bwlimit", "move=5000", "move=5000,restore=51200"),
                ("storage fast", "bwlimit", None, "default=1048576"),
            ],
        ),
        ("a storage that is not there", {}, {"storages": {"gone": {"restore": "50 MiB/s"}}}, []),
    ],
)
def test_what_the_policy_sets_of_limits(what, files, policy, changes):
    assert cures(judge("limits", files, policy)) == changes
    assert cures(judge("limits", files, policy, leads=False)) == []


def test_a_limit_that_differs_and_a_storage_that_is_not_there():
    policy = {"limits": {"restore": "100 MiB/s"}, "storages": {"gone": {"restore": "50 MiB/s"}}}
    assert told(judge("limits", {DATACENTER: "bwlimit: restore=51200\n"}, policy)) == [
        ("IO306", "warning", "datacenter: restore is 50 MiB/s, wanted 100 MiB/s"),
        ("IO306", "warning", "storage gone: the policy limits it, and it is not in storage.cfg"),
    ]


UNLIMITED = {"limits": {"migration": "unlimited"}}


@pytest.mark.parametrize(
    ("now", "policy", "said"),
    [
        ("", UNLIMITED, []),
        ("bwlimit: restore=51200\n", UNLIMITED, []),
        ("bwlimit: migration=0,default=51200\n", UNLIMITED, []),
        ("bwlimit: default=0\n", {"limits": {"migration": "unlimited", "default": "unlimited"}}, []),
        ("bwlimit: default=51200\n", UNLIMITED, ["datacenter: migration is 50 MiB/s by default, wanted unlimited"]),
        ("bwlimit: migration=51200\n", UNLIMITED, ["datacenter: migration is 50 MiB/s, wanted unlimited"]),
        ("", {"limits": {"move": "50 MiB/s"}}, ["datacenter: move is not limited, wanted 50 MiB/s"]),
        ("bwlimit: move=0\n", {"limits": {"move": "50 MiB/s"}}, ["datacenter: move is unlimited, wanted 50 MiB/s"]),
        ("bwlimit: default=51200\n", {"limits": {"move": "50 MiB/s"}}, []),
        (
            "",
            {"limits": {"default": "50 MiB/s", "migration": "unlimited"}},
            [
                "datacenter: default is not limited, wanted 50 MiB/s;"
                " migration would be 50 MiB/s by default, wanted unlimited"
            ],
        ),
        ("bwlimit: move=0\n", {"storages": {"fast": {"move": "unlimited"}}}, []),
        (
            "bwlimit: default=51200\n",
            {"storages": {"fast": {"move": "unlimited"}, "thick": {"default": "unlimited"}}},
            [
                "storage fast: move is 50 MiB/s by datacenter.cfg, wanted unlimited",
                "storage thick: default is 50 MiB/s by datacenter.cfg, wanted unlimited",
            ],
        ),
        (
            "",
            {"limits": {"move": "50 MiB/s"}, "storages": {"fast": {"move": "unlimited"}}},
            [
                "datacenter: move is not limited, wanted 50 MiB/s",
                "storage fast: move would be 50 MiB/s by datacenter.cfg, wanted unlimited",
            ],
        ),
    ],
)
def test_a_limit_is_as_wanted_where_what_holds_is(now, policy, said):
    found = [one for one in judge("limits", {DATACENTER: now}, policy) if one["cure"]]
    assert [one["message"] for one in found] == said


@pytest.mark.parametrize(
    ("files", "free"),
    [
        ({DATACENTER: ""}, "restore, migration, clone, move"),
        # A tree may lack the file.
        ({}, None),
        ({DATACENTER: "bwlimit: restore=51200,move=1024\n"}, "migration, clone"),
        ({DATACENTER: "bwlimit: restore=51200,move=0\n"}, "migration, clone, move"),
        ({DATACENTER: "bwlimit: default=51200\n"}, None),
        ({STORAGE: STORAGES.replace("\tvgname big", "\tvgname big\n\tbwlimit default=5000")}, None),
    ],
)
def test_operations_without_a_limit(files, free):
    said = [one["message"] for one in judge("limits", files) if "no limit on" in one["message"]]
    assert said == (
        []
        if free is None
        else [f"datacenter: no limit on {free}: such a copy takes all that the disk gives, and guests on it wait"]
    )


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({DATACENTER: "bwlimit: migration=1,default=51200\n"}, "datacenter: migration 1 is 1 KiB/s, and was probably meant in MiB/s"),
        ({DATACENTER: "bwlimit: default=104857600\n"}, "datacenter: default 104857600 is 100 GiB/s, and was probably meant in bytes/s"),
        ({VZDUMP: "bwlimit: 50\n"}, "vzdump.conf: bwlimit 50 is 50 KiB/s, and was probably meant in MiB/s"),
        ({JOBS: job("bwlimit 50")}, "job nightly: bwlimit 50 is 50 KiB/s, and was probably meant in MiB/s"),
        ({STORAGE: STORAGES.replace("\tvgname big", "\tvgname big\n\tbwlimit move=0.5")},
         "storage thick: move 0.5 is 0.5 KiB/s, and was probably meant in MiB/s"),
    ],
)  # fmt: skip
def test_a_limit_in_an_unlikely_unit(files, said):
    assert [one["message"] for one in judge("limits", files) if one["rule"] == "IO307"] == [said]


@pytest.mark.parametrize("text", ["bwlimit: default=1024\n", "bwlimit: default=10485760\n", "bwlimit: default=0\n"])
def test_a_likely_unit(text):
    assert [one for one in judge("limits", {DATACENTER: text}) if one["rule"] == "IO307"] == []


def test_a_unit_that_the_policy_names_is_meant():
    found = judge("limits", {DATACENTER: "bwlimit: move=512\n"}, {"limits": {"move": "512 KiB/s"}})
    assert [one for one in found if one["rule"] == "IO307"] == []


def test_no_limit_on_one_storage_and_a_limit_on_another_depend_on_their_order():
    text = STORAGES.replace("\tvgname big", "\tvgname big\n\tbwlimit move=0").replace(
        "\tvgname pve", "\tvgname pve\n\tbwlimit default=5000"
    )
    (found,) = (one for one in judge("limits", {STORAGE: text}) if "order" in one["message"])
    assert found["message"].startswith("storage thick: move 0 is no limit") and found["severity"] == "note"


def test_a_restore_from_a_backup_server_obeys_no_limit():
    files = {JOBS: JOB.replace("nas", "pbs1"), DATACENTER: "bwlimit: default=51200\n"}
    said = "storage pbs1: a restore from it obeys no limit: Proxmox VE gives pbs-restore none"
    assert told(judge("limits", files)) == [("IO306", "note", said)]
    assert told(judge("limits", {**files, JOBS: files[JOBS] + "\tnode pve2\n"})) == [("IO306", "note", said)]
    assert told(judge("limits", {**files, JOBS: JOB})) == []
    assert said in [
        one["message"] for one in judge("limits", {**files, DATACENTER: ""}, {"limits": {"restore": "1 GiB/s"}})
    ]


@pytest.mark.parametrize(
    ("storage", "why"),
    [("gone", "is not in storage.cfg"), ("thick", "has no content backup"), ("fast", "has no content backup")],
)
def test_a_job_without_a_target(storage, why):
    files = {JOBS: JOB.replace("nas", storage)}
    assert told(judge("targets", files)) == [
        ("IO308", "warning", f"job nightly: its storage {storage} {why}: it backs nothing up")
    ]
    assert judge("targets", files, leads=False) == [] and judge("targets", {JOBS: files[JOBS] + "\tenabled 0\n"}) == []


GUEST_AS_TARGET = (
    "storage nas: its server 10.0.0.40 is guest {} of this node, and job nightly backs up to it: "
    + "a backup waits for a guest that waits for the backup"
)


@pytest.mark.parametrize(
    ("files", "who"),
    [
        ({"etc/pve/nodes/pve1/lxc/200.conf": "hostname: files\nnet0: name=eth0,ip=10.0.0.40/24\n"}, "200 (files)"),
        ({GUEST: "name: web\nipconfig0: ip=10.0.0.40/24,gw=10.0.0.1\n"}, "101 (web)"),
    ],
)
def test_a_target_that_is_a_guest_of_this_node(files, who):
    found = judge("targets", files, leads=False)
    assert told(found) == [("IO308", "warning", GUEST_AS_TARGET.format(who))]


@pytest.mark.parametrize(
    ("files", "hard"),
    [
        ({}, True),
        ({STORAGE: STORAGES.replace("\texport /backup", "\texport /backup\n\toptions soft,vers=4")}, False),
        ({"etc/fstab": "10.0.0.40:/backup /mnt/pve/nas nfs soft 0 0\n"}, False),
        ({JOBS: JOB.replace("nas", "pbs1")}, False),
        ({"etc/hosts": "10.0.0.40 pve1\n"}, False),
    ],
)
def test_a_hard_mount_is_a_note(files, hard):
    found = judge("targets", files)
    assert rules(found) == [("IO308", "note")] * hard
    assert all("and so do the writes of guests" in one["message"] for one in found)


DIRECTORY = {
    "etc/fstab": "10.0.0.40:/x /mnt/nas nfs rw 0 0\n",
    VZDUMP: "dumpdir: /mnt/nas/a\n",
    JOBS: JOB.replace("\tstorage nas\n", ""),
}


def test_a_directory_on_a_hard_mount():
    (found,) = judge("targets", DIRECTORY)
    assert found["message"].startswith("mount /mnt/nas: a hard NFS mount: where its server is gone, a backup waits for")
    assert found["file"] == "/etc/fstab"
    assert judge("targets", {**DIRECTORY, "etc/fstab": "10.0.0.40:/x /mnt/nas nfs soft 0 0\n"}) == []


def test_a_directory_that_a_guest_of_this_node_serves():
    found = judge(
        "targets", {**DIRECTORY, "etc/pve/nodes/pve1/lxc/200.conf": "hostname: files\nnet0: ip=10.0.0.40/24\n"}
    )
    assert told(found) == [
        ("IO308", "warning", GUEST_AS_TARGET.format("200 (files)").replace("storage nas", "mount /mnt/nas"))
    ]


def test_a_storage_in_a_directory_that_a_guest_of_this_node_serves():
    files = {
        STORAGE: STORAGES.replace("nfs: nas\n\tserver 10.0.0.40\n\texport /backup", "dir: nas\n\tpath /mnt/nas"),
        "etc/fstab": "10.0.0.40:/x /mnt/nas nfs rw 0 0\n",
        "etc/pve/nodes/pve1/lxc/200.conf": "hostname: files\nnet0: ip=10.0.0.40/24\n",
    }
    assert told(judge("targets", files)) == [("IO308", "warning", GUEST_AS_TARGET.format("200 (files)"))]


def test_a_hard_mount_with_fleecing_does_not_hold_guests():
    (found,) = judge("targets", {VZDUMP: "fleecing: 1,storage=fast\n"})
    assert found["message"] == "storage nas: a hard NFS mount: where its server is gone, a backup waits for ever"
    assert found["hint"] == "A soft mount ends a backup with an error in place of waiting."
    (found,) = judge("targets")
    assert found["hint"].startswith("Fleecing keeps guests out of that; ")


def test_images_that_a_backup_left():
    left = "\n[special:fleecing]\nfleecing-images: fast:vm-101-fleece-0\n"
    (found, _mount) = sorted(judge("targets", {GUEST: NODE[GUEST] + left}), key=lambda one: one["rule"], reverse=True)
    assert (found["rule"], found["severity"], found["line"]) == ("IO310", "note", 5)
    assert found["message"] == "guest 101 (web): 1 fleecing image of an earlier backup left: fast:vm-101-fleece-0"
    busy = judge("targets", {GUEST: "lock: backup\n" + NODE[GUEST] + left})
    assert "IO310" not in [one["rule"] for one in busy]


SCRUB = {
    "etc/cron.d/zfsutils-linux": (
        "24 0 8-14 * * root if [ $(date +\\%w) -eq 0 ] && [ -x /usr/lib/zfs-linux/scrub ]; then /usr/lib/zfs-linux/scrub;"
        " fi\n"
    ),
    "etc/zfs/zpool.cache": "x",
}
MDCHECK = {
    "etc/systemd/system/mdmonitor.service.wants/mdcheck_start.timer": "x",
    "usr/lib/systemd/system/mdcheck_start.timer": "[Timer]\nOnCalendar=Sun *-*-1..7 1:00:00\n",
    "etc/mdadm/mdadm.conf": "ARRAY /dev/md0 UUID=1\n",
}


@pytest.mark.parametrize(
    ("what", "files", "said"),
    [
        ("nothing else is done", {}, []),
        ("a scrub", SCRUB, ["scrub of ZFS and job nightly can run at the same time: both read the disks of the guests, which wait longer then"]),
        ("no pool", {**SCRUB, "etc/zfs/zpool.cache": None}, []),
        ("a check", MDCHECK, ["check of md arrays and job nightly can run at the same time: both read the disks of the guests, which wait longer then"]),
        ("no array", {**MDCHECK, "etc/mdadm/mdadm.conf": "# ARRAY none\n"}, []),
        ("not enabled", {**MDCHECK, "etc/systemd/system/mdmonitor.service.wants/mdcheck_start.timer": None}, []),
        ("another day", {**SCRUB, JOBS: JOB.replace("02:00", "mon 02:00")}, []),
        ("no guest here", {**SCRUB, JOBS: JOB.replace("all 1", "vmid 500")}, []),
        (
            "a schedule that is not understood",
            {**SCRUB, JOBS: JOB.replace("02:00", "*-6-1 02:00")},
            ["job nightly: its schedule is not understood: *-6-1 02:00; whether a backup meets a scrub, a trim or a check was not judged"],
        ),
        (
            "a timer that is not understood",
            {**MDCHECK, "usr/lib/systemd/system/mdcheck_start.timer": "OnCalendar=Sun *-6-1 1:00\n"},
            ["the schedule of check of md arrays is not understood; whether a backup meets a scrub, a trim or a check was not judged"],
        ),
    ],
)  # fmt: skip
def test_backups_beside_other_work(what, files, said):
    found = judge("windows", files)
    assert [one["message"] for one in found] == said and {one["severity"] for one in found} <= {"note"}


def test_lines_that_are_not_in_force():
    files = {
        VZDUMP: "bwlimit: fast\nno line\nionice: 7\nionice: 8\n",
        JOBS: JOB + "\tionice 12\n\tturbo 1\n\nvzdump: other\n\tall 1\n",
        CRON: "0 2 1 * * root vzdump --all\n",
        DATACENTER: "bwlimit: backup=1\nother line\n",
        STORAGE: STORAGES.replace("\tvgname big", "\tvgname big\n\tbwlimit restore=fast"),
    }
    assert told(judge("ignored", files)) == [
        ("IO311", "warning", "vzdump.conf: line 1 is not in force: fast is not a whole number"),
        ("IO311", "note", "vzdump.conf: line 2 is not in force: it is not 'key: value': no line"),
        ("IO311", "warning", "vzdump.conf: line 3 is not in force: line 4 has ionice again, and the last counts"),
        ("IO311", "warning", "job nightly: line 5 is not in force: 12 is not 0 to 8"),
        ("IO311", "note", "job nightly: line 6 is not in force: turbo is not a property of a backup job"),
        ("IO311", "warning", "jobs.cfg: line 8 is not in force: job other has no schedule, so it is no job"),
        ("IO311", "warning", "vzdump.cron: line 1 is not in force: it is not 'MINUTE HOUR * * DAYS root vzdump ...': 0 2 1 * * root vzdump --all"),
        ("IO311", "warning", "datacenter: line 1 is not in force: backup is not one of default, restore, migration, clone, move"),
        ("IO311", "warning", "storage thick: its bwlimit is not in force: restore: fast is not a number"),
    ]  # fmt: skip
    assert len(judge("ignored", files, leads=False)) == 3


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({VZDUMP: "bwlimit:\n"}, "vzdump.conf: line 1 is not in force: it has no value"),
        ({JOBS: JOB + "\tbwlimit\n"}, "job nightly: line 5 is not in force: it has no value"),
        ({CRON: "0 2 * * * root vzdump --bwlimit ''\n"}, "vzdump.cron: line 1 is not in force: bwlimit has no value"),
    ],
)
def test_a_key_without_a_value(files, said):
    assert [one["message"] for one in judge("ignored", files)] == [said]


def test_a_job_that_only_the_policy_knows():
    assert told(judge("ignored", policy={"jobs": {"nightyl": {"ionice": 8}}})) == [
        ("IO311", "warning", "job nightyl: the policy names it, and there is no such job")
    ]


def test_a_tree_without_the_nodes_file_says_so_once():
    assert told(judge("ignored", {VZDUMP: None})) == [
        ("IO311", "note", "vzdump.conf: it is not below this root, so what jobs take from it was not judged")
    ]
    assert judge("ignored", {VZDUMP: None}, leads=False) == judge("ignored", {VZDUMP: None, JOBS: None}) == []
    assert judge("ignored", {VZDUMP: None}, live=True) == []


def test_every_finding_has_its_place_and_says_what_to_do():
    files = {**XSHOK, **SCRUB, JOBS: job("fleecing 0", "bwlimit 5", "ionice 12"), DATACENTER: "bwlimit: move=1\n"}
    for about in ("fleecing", "values", "limits", "targets", "windows", "ignored"):
        for one in judge(about, files):
            assert one["file"] and one["hint"].endswith(".") and one["disk"] is one["guest"] is None


@pytest.mark.parametrize(
    ("files", "changes"),
    [
        ({"etc/hostname": "web1\n"}, 0),
        ({VZDUMP: "ionice: 5\n"}, 3),
        ({"usr/share/perl5/PVE/pvecfg.pm": version("9.0.3")}, 3),
    ],
)
def test_a_host_without_proxmox_ve_has_nothing_to_set(files, changes):
    found = list(judge_load.judge(facts(files, live=True), load_policy.parse(ALL), True))
    assert len(cures(found)) == changes and (changes or not found)


def test_facts_are_plain():
    import json

    read = facts({**NODE, **SCRUB, **MDCHECK})
    assert json.loads(json.dumps(read)) == read
