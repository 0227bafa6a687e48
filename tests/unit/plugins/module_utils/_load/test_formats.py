# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Files of backups and limits, line by line: what counts, and what is said about the rest."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.hypervisor.io_hardening.plugins.module_utils._load import (
    guests,
    identity,
    jobs_cfg,
    key_value,
    limits,
    mounts,
    stored,
    vzdump_conf,
    vzdump_cron,
)
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._load.property_string import (
    BWLIMIT,
    FLEECING,
    PERFORMANCE,
    FormatFault,
    parse,
)
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._load.units import spelled


@pytest.mark.parametrize(
    ("form", "text", "found"),
    [
        (FLEECING, "1,storage=fast", {"enabled": "1", "storage": "fast"}),
        (FLEECING, "enabled=yes,storage=fast", {"enabled": "1", "storage": "fast"}),
        (FLEECING, "enabled=off", {"enabled": "0"}),
        (FLEECING, "storage=fast", {"storage": "fast"}),
        (FLEECING, "", {}),
        (PERFORMANCE, "max-workers=256,,pbs-entries-max=5, ", {"max-workers": "256", "pbs-entries-max": "5"}),
        (BWLIMIT, "restore=1.5,default=1e3,move=0", {"restore": "1.5", "default": "1e3", "move": "0"}),
    ],
)
def test_a_property_string(form, text, found):
    assert parse(text, form) == found


@pytest.mark.parametrize(
    ("form", "text", "said"),
    [
        (FLEECING, "1", "'storage' is required when 'enabled' is set"),
        (FLEECING, "1,on,storage=fast", "on is a value without a key"),
        (FLEECING, "enabled=maybe", "enabled: maybe is not 1 or 0"),
        (FLEECING, "1,storage=a b", "storage: a b is not a storage id"),
        (PERFORMANCE, "4", "4 is a value without a key"),
        (PERFORMANCE, "max-workers=0", "max-workers: 0 is not 1 to 256"),
        (PERFORMANCE, "max-workers=257", "max-workers: 257 is not 1 to 256"),
        (PERFORMANCE, "max-workers=4,max-workers=5", "max-workers is there twice"),
        (PERFORMANCE, "max-workers = 4", "max-workers  is not one of max-workers, pbs-entries-max"),
        (PERFORMANCE, "max-workers=" + "9" * 5000, "is not a whole number"),
        (BWLIMIT, "backup=1000", "backup is not one of default, restore, migration, clone, move"),
        (BWLIMIT, "restore=fast", "restore: fast is not a number"),
        (BWLIMIT, "restore=-1", "restore: -1 is not 0 or more"),
        (BWLIMIT, "restore=", "restore= is not KEY=VALUE"),
    ],
)
def test_what_proxmox_ve_does_not_take(form, text, said):
    with pytest.raises(FormatFault, match=said.replace("(", r"\(")):
        parse(text, form)


def test_the_last_of_two_lines_counts_and_a_bad_one_hides_the_good_one_before_it():
    read = vzdump_conf.parse("ionice: 3\n  bwlimit:50000 \n#bwlimit: 1\nionice: 9\nno line\nmailto x\nmailto: x@y\n")
    assert (read["values"]["bwlimit"], read["values"]["ionice"]) == (50000, None)
    assert read["stored"]["ionice"] == "9" and read["lines"] == {"ionice": 4, "bwlimit": 2}
    assert [(one["line"], one["key"], one["reason"]) for one in read["ignored"]] == [
        (1, "ionice", "line 4 has ionice again, and the last counts"),
        (4, "ionice", "9 is not 0 to 8"),
        (5, None, "it is not 'key: value': no line"),
        (6, None, "it is not 'key: value': mailto x"),
    ]


def test_a_file_that_is_not_there_sets_nothing():
    read = vzdump_conf.parse(None)
    assert read["file"] is None and set(read["values"].values()) == {None} and read["ignored"] == []


JOBS = """vzdump: nightly
\tschedule 02:00
\tall 1
\tenabled
\tcomment all of it
\texclude-path /a
\texclude-path /b
\tstorage nas
\tstorage other
\tionice 12
\tperformance max-workers=2,pbs-entries-max=9
\tturbo 1
 not indented as it should be:
stray

realm-sync: ldap
\tschedule 03:00

vzdump: unscheduled
\tall 1

backup: x

vzdump: some
  schedule sat 01:00
  vmid 101, 102
  enabled 0
"""


def test_jobs():
    jobs, ignored = jobs_cfg.parse(JOBS, "/etc/pve/jobs.cfg")
    nightly, some = jobs
    assert (nightly["id"], nightly["line"], nightly["enabled"], nightly["all"]) == ("nightly", 1, True, True)
    assert nightly["comment"] == "all of it" and nightly["values"]["storage"] == "nas"
    assert nightly["stored"] == {
        "bwlimit": None,
        "ionice": "12",
        "performance": "max-workers=2,pbs-entries-max=9",
        "fleecing": None,
    }
    assert nightly["values"]["ionice"] is None and nightly["lines"]["performance"] == 11
    assert [(one["line"], one["key"], one["reason"]) for one in nightly["ignored"]] == [
        (9, "storage", "line 8 has storage already, and the first counts"),
        (10, "ionice", "12 is not 0 to 8"),
        (12, "turbo", "turbo is not a property of a backup job"),
        (13, "not", "not is not a property of a backup job"),
        (14, None, "it is not an indented 'KEY VALUE': stray"),
    ]
    assert (some["guests"], some["enabled"], some["schedule"]) == (["101", "102"], False, "sat 01:00")
    assert [(one["line"], one["reason"]) for one in ignored] == [
        (19, "job unscheduled has no schedule, so it is no job"),
        (22, "backup is not a type of job"),
    ]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("enabled yes", "yes is not 1 or 0"),
        ("mode never", "never is not one of snapshot, suspend, stop"),
        ("storage a b", "a b is not a storage id"),
        ("bwlimit", "it has no value"),
    ],
)
def test_a_value_that_a_job_does_not_take_is_dropped(line, reason):
    ((job,), _ignored) = jobs_cfg.parse(f"vzdump: a\n\tschedule 1:00\n\t{line}\n", "x")
    assert [one["reason"] for one in job["ignored"]] == [reason]
    assert job["enabled"] and set(job["values"].values()) == {None}


def test_the_second_of_two_jobs_replaces_the_first():
    jobs, _ignored = jobs_cfg.parse("vzdump: a\n\tschedule 1:00\n\nvzdump: a\n\tschedule 2:00\n", "x")
    assert [(job["schedule"], job["line"]) for job in jobs] == [("2:00", 4)]


CRON = """# cluster wide vzdump cron schedule
PATH="/usr/sbin:/usr/bin:/sbin:/bin"

0 2 * * 6           root vzdump 101 102 --quiet 1 --mode snapshot --storage nas --fleecing enabled=1,storage=fast
30 1 * * mon-fri    root #vzdump --all 1 --mailto 'a b' --bwlimit=5000
0 3 * * *           root /usr/bin/vzdump --all
0 4 1 * *           root vzdump --all
0 5 * * nevermore   root vzdump --all
0 6 * * 0           root vzdump --all --ionice 11
"""


def test_the_jobs_of_an_old_node():
    jobs, ignored = vzdump_cron.parse(CRON, "/etc/pve/vzdump.cron")
    assert [(job["id"], job["schedule"], job["enabled"], job["old"]) for job in jobs] == [
        ("line 4", "sat 02:00", True, True),
        ("line 5", "mon..fri 01:30", False, True),
        ("line 6", "*-*-* 03:00", True, True),
    ]
    assert jobs[0]["guests"] == ["101", "102"] and jobs[0]["values"]["storage"] == "nas"
    assert jobs[0]["values"]["fleecing"] == {"enabled": True, "storage": "fast"}
    assert jobs[1]["values"]["bwlimit"] == 5000 and jobs[2]["all"]
    assert [(one["line"], one["reason"][:12]) for one in ignored] == [
        (7, "it is not 'M"),
        (8, "nevermore ar"),
        (9, "11 is not 0 "),
    ]


def test_a_command_that_no_shell_splits_is_no_job():
    jobs, ignored = vzdump_cron.parse("0 2 * * * root vzdump --comment 'a\n", "x")
    assert jobs == [] and "cannot be split" in ignored[0]["reason"]


@pytest.mark.parametrize(
    ("kib", "text"),
    [
        (0, "unlimited"),
        (1, "1 KiB/s"),
        (1000, "1000 KiB/s"),
        (1024, "1 MiB/s"),
        (50000, "48.8 MiB/s"),
        (81920, "80 MiB/s"),
        (1048576, "1 GiB/s"),
        (104857600, "100 GiB/s"),
    ],
)
def test_a_rate_in_words(kib, text):
    assert spelled(kib) == text


@pytest.mark.parametrize(
    ("made", "text"),
    [
        (stored.performance(None, 1), "max-workers=1"),
        (stored.performance("pbs-entries-max=2000000", 1), "pbs-entries-max=2000000,max-workers=1"),
        (stored.performance("max-workers=16,pbs-entries-max=2000000", 1), "max-workers=1,pbs-entries-max=2000000"),
        (stored.performance("max-workers=0,pbs-entries-max=5", 1), "max-workers=1"),
        (stored.fleecing(None, "fast", of_job=False), "enabled=1,storage=fast"),
        (stored.fleecing("enabled=1,storage=slow", "", of_job=False), "enabled=0,storage=slow"),
        (stored.fleecing("0", "fast", of_job=True), "1,storage=fast"),
        (stored.fleecing(None, "", of_job=True), "0"),
        (stored.bwlimit("restore=1,move=2", {"restore": 3, "clone": 4}), "restore=3,move=2,clone=4"),
        (stored.bwlimit("restore=fast", {"clone": 4}), "clone=4"),
    ],
)
def test_the_text_that_is_stored_keeps_other_sub_keys(made, text):
    assert made == text


@pytest.mark.parametrize(
    ("source", "kind", "server"),
    [
        ("10.0.0.40:/x", "nfs", "10.0.0.40"),
        ("[fd00::1]:/x", "nfs4", "fd00::1"),
        ("//nas/share", "cifs", "nas"),
        ("root@nas:/x", "fuse.sshfs", "nas"),
        ("10.0.0.1,10.0.0.2:/", "ceph", None),
        ("share", "9p", None),
        ("a:b", "zfs", None),
    ],
)
def test_the_server_of_a_mount(source, kind, server):
    (mount,) = mounts.parse(f"{source} /mnt {kind} rw 0 0\n")
    assert mount["server"] == server


def test_mounts():
    text = (
        "nas:/x\\040y /mnt/pve/nas nfs4 rw,hard 0 0\nnas:/z /mnt/z nfs soft,rw 0 0\n/dev/sda1 / ext4 rw 0 1\n#nas:/a /b"
        " nfs rw\nproc /proc\n//s/x /mnt/c cifs rw 0 0\n"
    )
    found = {mount["at"]: (mount["network"], mount["hard"]) for mount in mounts.parse(text)}
    assert found == {
        "/mnt/pve/nas": (True, True),
        "/mnt/z": (True, False),
        "/": (False, None),
        "/mnt/c": (True, None),
    }


COROSYNC = """nodelist {
  node {
    name: pve1
    ring0_addr: 10.0.0.11
    ring1_addr: 10.1.0.11
  }
  node {
    name: pve2
    ring0_addr: 10.0.0.12
  }
}
totem {
  cluster_name: harbour
  interface { linknumber: 0 }
}
"""


def test_who_a_host_is():
    assert identity.own_node('{"nodename": "pve1"}', "pve3", "other\n") == "pve1"
    assert identity.own_node(None, "pve3", "pve2.example.org\n") == "pve3"
    assert identity.own_node(None, None, "pve2.example.org\n") == "pve2"
    assert identity.own_node("[", None, None) is None and identity.own_node("[]", None, "") is None
    assert identity.cluster(COROSYNC, "pve1") == {"name": "harbour", "nodes": ["pve1", "pve2"], "node": "pve1"}
    assert identity.cluster(None, "pve1") is None and identity.cluster("totem { }", None) is None
    names = identity.own_names(
        "pve1", COROSYNC, "10.0.0.11 pve1.example.org pve1\n", "iface a\n  address 10.9.0.1/24\n"
    )
    assert {"10.1.0.11", "10.9.0.1", "pve1", "pve1.example.org", "localhost"} <= names
    assert "10.0.0.12" not in names and "pve2" not in names
    assert identity.version("sub version {\n    return '8.2.4';\n}\n") == "8.2.4" and identity.version("x") is None


def test_what_is_read_of_guests():
    web = "name: web\nscsi0: fast:vm-1-disk-0,size=1G\nnet0: virtio=AA,bridge=vmbr0\nipconfig0: ip=10.0.0.5/24,gw=10.0.0.1\n"
    left = "[special:fleecing]\nfleecing-images: fast:vm-1-fleece-0,fast:vm-1-fleece-1\n"
    snapshot = "\n[before]\nscsi0: old:vm-1-disk-0\nlock: backup\n"
    configs = [
        guests.Config("101", "qemu", "/a", web + snapshot + "\n" + left),
        guests.Config("102", "qemu", "/b", "lock: backup\nname: busy\n\n" + left),
        guests.Config("103", "qemu", "/c", "template: 1\nscsi0: nas:103/base-103-disk-0.qcow2\n"),
        guests.Config(
            "200", "lxc", "/d", "hostname: backup1\nrootfs: tank:subvol-200-disk-0\nmp0: volume=nas:1/x,mp=/y\n"
        ),
    ]
    found = guests.read(configs, {"10.0.0.5", "backup1.example.org", "10.0.0.1"})
    assert (found["qemu"], found["lxc"]) == (["101", "102"], ["200"])
    assert found["storages"] == ["fast", "nas", "tank"]
    assert found["left_images"] == [
        {
            "guest": "101",
            "name": "web",
            "file": "/a",
            "line": 11,
            "images": ["fast:vm-1-fleece-0", "fast:vm-1-fleece-1"],
        }
    ]
    assert [(one["server"], one["guest"]) for one in found["served"]] == [
        ("10.0.0.5", "101"),
        ("backup1.example.org", "200"),
    ]


def test_pools():
    text = "user:root@pam:1:0:::x@y::\npool:prod:words:101,102:nas:\npool:empty:::\n"
    assert guests.pools(text) == {"prod": ["101", "102"], "empty": []} and guests.pools(None) is None


@given(st.text(alphabet="abvzdump:=, \t\n#0123456789-", max_size=200))
def test_any_text_is_read(text):
    vzdump_conf.parse(text)
    limits.parse_datacenter(text, "x")
    jobs_cfg.parse(text, "x")
    vzdump_cron.parse(text, "x")
    mounts.parse(text)
    guests.read([guests.Config("1", "qemu", "x", text)], {"a"})
    key_value.parse(text, {})
