# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""An io_load_policy is right as a whole, or refused with the place of its fault and what is allowed there."""

from __future__ import annotations

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._host_policy import load_policy
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._policy.errors import PolicyError


def test_a_document_that_names_nothing_sets_nothing():
    for document in (None, {}, {"backup": {}, "limits": None, "storages": {}, "jobs": None, "waivers": []}):
        policy = load_policy.parse(document)
        assert policy == load_policy.LoadPolicy(load_policy.BackupPolicy(), {}, {}, {}, ())


def test_every_key_is_read():
    policy = load_policy.parse(
        {
            "backup": {"max_workers": 1, "bwlimit": "80 MiB/s", "ionice": 8, "fleecing": "local-lvm"},
            "limits": {"default": "unlimited", "restore": "1.5 GiB/s", "move": "512 KiB/s"},
            "storages": {"local-lvm": {"restore": "50 MiB/s"}},
            "jobs": {"backup-1a:2": {"max_workers": 4, "fleecing": False}},
        }
    )
    assert policy.backup == (1, 81920, 8, "local-lvm")
    assert policy.limits == {"default": 0, "restore": 1572864, "move": 512}
    assert policy.storages == {"local-lvm": {"restore": 51200}}
    assert policy.of_job("backup-1a:2") == (4, 81920, 8, "") and policy.of_job("other") == policy.backup


@pytest.mark.parametrize("name", ["a", "_a", "{{7*7}}", "f0a1:2", "a" * 50, "~!"])
def test_a_job_is_named_by_every_id_that_can_be_set(name):
    assert list(load_policy.parse({"jobs": {name: {"ionice": 8}}}).jobs) == [name]


RATE = "it takes a rate such as 50 MiB/s, with KiB/s, MiB/s or GiB/s; or unlimited"


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ("all", "io_load_policy: is 'all', it takes a mapping with the keys backup, limits, storages, jobs, waivers"),
        ({"backups": {}}, "io_load_policy.backups: is not known; allowed here: backup, limits"),
        ({"backup": []}, "io_load_policy.backup: is [], it takes a mapping with the keys max_workers, bwlimit"),
        ({"backup": {"workers": 1}}, "io_load_policy.backup.workers: is not known; allowed here: max_workers"),
        (
            {"backup": {"max_workers": 0}},
            "io_load_policy.backup.max_workers: is 0, it takes a whole number from 1 to 256",
        ),
        ({"backup": {"max_workers": "1"}}, "backup.max_workers: is '1', it takes a whole number from 1 to 256"),
        ({"backup": {"ionice": 9}}, "backup.ionice: is 9, it takes a whole number from 0 to 8"),
        ({"backup": {"bwlimit": 81920}}, f"backup.bwlimit: is 81920, {RATE}"),
        ({"backup": {"bwlimit": 0}}, f"backup.bwlimit: is 0, {RATE}"),
        ({"backup": {"bwlimit": "80 MB/s"}}, f"backup.bwlimit: is '80 MB/s', {RATE}"),
        ({"backup": {"bwlimit": "80 MiB"}}, f"backup.bwlimit: is '80 MiB', {RATE}"),
        ({"backup": {"bwlimit": "0 MiB/s"}}, "backup.bwlimit: is '0 MiB/s', it takes 1 KiB/s to"),
        ({"backup": {"fleecing": True}}, "it takes the id of a storage such as local-lvm, or false"),
        ({"backup": {"fleecing": "a b"}}, "backup.fleecing: is 'a b', it takes the id of a storage"),
        (
            {"limits": {"backup": "1 MiB/s"}},
            "io_load_policy.limits.backup: is no operation that Proxmox VE limits here",
        ),
        (
            {"limits": {"copy": "1 MiB/s"}},
            "limits.copy: is not known; allowed here: default, restore, migration, clone, move",
        ),
        ({"limits": {"move": "fast"}}, "limits.move: is 'fast', it takes a rate"),
        (
            {"storages": {"x": {"move": "1 MiB/s"}}},
            "io_load_policy.storages.x: is not a storage's id: it takes two letters or more, with digits",
        ),
        ({"storages": {"a b": {"move": "1 MiB/s"}}}, "io_load_policy.storages.a b: is not a storage's id"),
        ({"storages": {5: {"move": "1 MiB/s"}}}, "io_load_policy.storages.5: is not a storage's id"),
        ({"storages": {"nas": {}}}, "io_load_policy.storages.nas: names no value"),
        ({"storages": ["nas"]}, "io_load_policy.storages: is ['nas'], it takes a mapping from a storage's id"),
        (
            {"jobs": {"../x": {"ionice": 8}}},
            "io_load_policy.jobs.../x: is not a job's id: it takes text of 1 to 50 characters of ASCII, without blanks",
        ),
        ({"jobs": {7: {"ionice": 8}}}, "io_load_policy.jobs.7: is not a job's id: it takes text of 1 to 50 characters"),
        ({"jobs": {"a" * 51: {"ionice": 8}}}, "is not a job's id"),
        ({"jobs": {"nightly": {"max_workers": 300}}}, "io_load_policy.jobs.nightly.max_workers: is 300, it takes"),
        ({"waivers": [{"id": "a"}]}, "io_load_policy.waivers[0].match: is missing"),
    ],
)
def test_a_mistake_is_refused_with_its_place(document, said):
    with pytest.raises(PolicyError) as caught:
        load_policy.parse(document)
    assert said in str(caught.value)
