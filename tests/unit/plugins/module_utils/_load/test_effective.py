# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""What is effective: backups by job, file and default; limits by storage and datacenter."""

from __future__ import annotations

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.module_utils._load import (
    effective,
    jobs_cfg,
    limits,
    vzdump_conf,
)

OFF = {"enabled": False, "storage": None}


def fleece(storage):
    return {"enabled": True, "storage": storage}


def backup(job, file):
    properties = "".join(f"\t{line}\n" for line in ["schedule 2:00", *job])
    (read,) = jobs_cfg.parse(f"vzdump: a\n{properties}", "x")[0]
    return effective.backup(read["values"], vzdump_conf.parse("\n".join(file))["values"])


@pytest.mark.parametrize(
    ("job", "file", "values"),
    [
        (
            [],
            [],
            {"bwlimit": 0, "ionice": 7, "max_workers": 16, "fleecing": OFF, "mode": "snapshot", "storage": "local"},
        ),
        ([], ["bwlimit: 5", "ionice: 3", "mode: stop", "storage: nas"], {"bwlimit": 5, "ionice": 3, "mode": "stop"}),
        (["bwlimit 0", "ionice 8"], ["bwlimit: 5", "ionice: 3"], {"bwlimit": 0, "ionice": 8}),
        # performance is merged by sub-key, fleecing is one value.
        (["performance pbs-entries-max=9"], ["performance: max-workers=2"], {"max_workers": 2}),
        (["performance max-workers=4"], ["performance: max-workers=2"], {"max_workers": 4}),
        (["fleecing 0"], ["fleecing: enabled=1,storage=fast"], {"fleecing": OFF}),
        (["fleecing 0,storage=bb"], ["fleecing: 1,storage=aa"], {"fleecing": {"enabled": False, "storage": "bb"}}),
        ([], ["fleecing: enabled=1,storage=fast"], {"fleecing": fleece("fast")}),
        (["fleecing storage=bb"], ["fleecing: 1,storage=aa"], {"fleecing": {"enabled": False, "storage": "bb"}}),
        # A bad value is as good as none, wherever it is.
        (["fleecing 1"], ["fleecing: enabled=1,storage=fast"], {"fleecing": fleece("fast")}),
        (["bwlimit -1"], ["bwlimit: 5"], {"bwlimit": 5}),
        # A job's storage or dumpdir hides both of the file.
        (["storage nas"], ["dumpdir: /srv"], {"storage": "nas", "dumpdir": None}),
        (["dumpdir /a"], ["storage: nas"], {"storage": None, "dumpdir": "/a"}),
        ([], ["dumpdir: /srv"], {"storage": None, "dumpdir": "/srv"}),
        ([], ["dumpdir: /srv", "storage: nas"], {"storage": "nas", "dumpdir": None}),
    ],
)
def test_a_backup(job, file, values):
    used = backup(job, file)._asdict()
    assert {key: used[key] for key in values} == values


def test_where_a_value_comes_from():
    origins = backup(["ionice 3", "performance pbs-entries-max=9"], ["fleecing: 0", "ionice: 4"]).origins
    assert origins == {
        "bwlimit": "default",
        "ionice": "job",
        "max_workers": "default",
        "fleecing": "file",
        "mode": "default",
    }


@pytest.mark.parametrize(
    ("job", "covered"),
    [
        (["all 1"], ["101", "102", "103"]),
        (["all 1", "exclude 102"], ["101", "103"]),
        (["exclude 102"], ["101", "103"]),
        (["vmid 103,101,999"], ["101", "103"]),
        (["pool prod"], ["102"]),
        (["pool nowhere"], []),
        ([], []),
    ],
)
def test_the_guests_of_a_job(job, covered):
    text = "".join(f"\t{line}\n" for line in ["schedule 2:00", *job])
    (read,) = jobs_cfg.parse(f"vzdump: a\n{text}", "x")[0]
    pools = {"prod": ["102", "500"], "prod/sub": ["103"]}
    assert effective.covered(read, ["101", "102", "103"], pools) == covered
    assert effective.covered(read, ["101"], None) is None or "pool" not in text


def test_where_a_job_runs():
    jobs, _ignored = jobs_cfg.parse(
        "vzdump: a\n\tschedule 1:00\n\tnode pve1\n\nvzdump: b\n\tschedule 1:00\n\tenabled 0\n\nvzdump: c\n\tschedule 1:00\n",
        "x",
    )
    for node, names in (("pve1", ["a", "c"]), ("pve2", ["c"]), (None, ["a", "c"])):
        assert [job["id"] for job in jobs if effective.runs_on(job, node)] == names


@pytest.mark.parametrize(
    ("storages", "datacenter", "limit"),
    [
        ([], None, None),
        ([], {"move": 5}, 5),
        ([None], {"move": 5}, 5),
        ([{"restore": 1}], {"move": 5}, 5),
        ([{"default": 7}], {"move": 5}, 7),
        ([{"default": 7, "move": 9}], {"move": 5}, 9),
        ([{"move": 9}, {"move": 8}], {"move": 5}, 8),
        ([{"move": 9}, None], {"move": 5}, 5),
        ([{"move": 3}, None], {"move": 5}, 3),
        ([{"move": 9}, None], None, 9),
        # The comparison is a plain "<", so it depends on the order whether 0 counts.
        ([{"move": 0}, {"move": 8}], None, 8),
        ([{"move": 8}, {"move": 0}], None, 0),
        ([{"move": 0}], {"move": 5}, 0),
        ([{"move": 0}, None], {"move": 5}, 5),
        ([{"move": 4}, None], {"move": 0}, 0),
        ([{}], {"default": 6}, 6),
    ],
)
def test_the_limit_of_an_operation(storages, datacenter, limit):
    assert limits.effective("move", storages, datacenter) == limit


@pytest.mark.parametrize(
    ("version", "known"),
    [
        ("8.2.4", True),
        ("8.1.11", False),
        ("9.0", True),
        ("7.4-17", False),
        ("8.2~beta1", True),
        (None, None),
        ("x", None),
    ],
)
def test_whether_a_proxmox_ve_has_fleecing(version, known):
    assert effective.at_least(version, effective.FLEECING_SINCE) is known
