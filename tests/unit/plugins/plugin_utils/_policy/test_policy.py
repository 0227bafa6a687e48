# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""A policy is refused as a whole, with the place of its error and what is allowed there."""

from __future__ import annotations

import datetime

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._policy import policy as _policy
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._policy.errors import PolicyError

WAIVER = {"id": "W-1", "match": "guest.id == '105'", "rules": ["IO101"], "until": "2027-03-31", "reason": "vendor"}


def test_an_empty_policy_is_the_default():
    policy = _policy.parse({})
    assert policy.controller == "virtio-scsi-single"
    assert policy.disk == {"iothread": True, "aio": ["threads"], "cache": ["none"], "loosen": [], "direct_io": False}


@pytest.mark.parametrize("until", ["2027-03-31", datetime.date(2027, 3, 31), datetime.datetime(2027, 3, 31)])
def test_dates_as_yaml_and_json_bring_them(until):
    assert _policy.parse({"waivers": [{**WAIVER, "until": until}]}).waivers[0].until == datetime.date(2027, 3, 31)


@pytest.mark.parametrize(
    ("policy", "place", "words"),
    [
        ([], "policy: ", "takes a mapping"),
        ({"contoller": "x"}, "contoller", "allowed here: controller, disk, iothreads_per_guest, overrides, waivers"),
        ({"controller": "lsi"}, "controller", "virtio-scsi-single or keep"),
        ({"disk": {"aoi": "threads"}}, "disk.aoi", "iothread, aio, cache, loosen"),
        ({"disk": {"aio": "fast"}}, "disk.aio", "threads, io_uring, native"),
        ({"disk": {"aio": []}}, "disk.aio", "threads, io_uring, native"),
        ({"disk": {"aio": ["threads", "fast"]}}, "disk.aio", "one of"),
        ({"disk": {"iothread": False}}, "disk.iothread", "true or keep"),
        ({"disk": {"iothread": "yes"}}, "disk.iothread", "true or keep"),
        ({"disk": {"cache": "unsafe"}}, "disk.cache", "none, writeback"),
        ({"disk": {"loosen": ["writeback"]}}, "disk.loosen", "writethrough, directsync"),
        ({"disk": {"aio": "native", "cache": "writeback"}}, "disk", "impossible"),
        (
            {"disk": {"aio": "native"}, "overrides": [{"match": "bus == 'x'", "disk": {"cache": "writethrough"}}]},
            "overrides[0].disk",
            "impossible",
        ),
        ({"disk": {"direct_io": "yes"}}, "disk.direct_io", "true or false"),
        ({"storage_types": ["drbd"]}, "storage_types", "takes a mapping from a plugin's storage type to block or file"),
        ({"storage_types": {"drbd": "blok"}}, "storage_types.drbd", "is 'blok', it takes block or file"),
        ({"storage_types": {"drbd": ["block"]}}, "storage_types.drbd", "it takes block or file"),
        ({"storage_types": {"lvm": "file"}}, "storage_types.lvm", "is known already"),
        ({"storage_types": {"rbd": "file"}}, "storage_types.rbd", "is known already"),
        ({"storage_types": {"x y": "file"}}, "storage_types.x y", "is not a storage type"),
        ({"storage_types": {5: "file"}}, "storage_types.5", "is not a storage type"),
        ({"storage_types": {"drbd": "block", "dbrd" * 100: "x"}}, "storage_types.dbrd", "is not a storage type"),
        ({"overrides": {}}, "overrides", "takes a list"),
        ({"overrides": [{"disk": {}}]}, "overrides[0].match", "is missing"),
        ({"overrides": [{"match": "guest.template"}]}, "overrides[0]", "changes nothing"),
        (
            {"overrides": [{"match": "storage.type ==", "disk": {"cache": "keep"}}]},
            "overrides[0].match",
            "not a JMESPath expression",
        ),
        ({"overrides": [{"match": 5, "disk": {"cache": "keep"}}]}, "overrides[0].match", "takes a JMESPath"),
        ({"overrides": [{"match": "'120'", "disk": {"cache": "keep"}}]}, "overrides[0].match", "takes a condition"),
        ({"overrides": [{"match": "['120', '121']", "disk": {"cache": "keep"}}]}, "overrides[0].match", "contains(["),
        (
            {"overrides": [{"match": "guest.ostpye != 'win11'", "disk": {"cache": "keep"}}]},
            "overrides[0].match",
            "guest.ostpye, which does not exist",
        ),
        (
            {"overrides": [{"match": 'guest.id == "100"', "disk": {"cache": "keep"}}]},
            "overrides[0].match",
            "raw quotes: '100'",
        ),
        (
            {"overrides": [{"match": "!stroage.krbd", "disk": {"cache": "keep"}}]},
            "overrides[0].match",
            "stroage, which does not exist",
        ),
        (
            {"overrides": [{"match": "guest.template && nosuch(guest.id)", "disk": {"cache": "keep"}}]},
            "overrides[0].match",
            "nosuch()",
        ),
        ({"overrides": [{"match": "x", "dsk": {}}]}, "overrides[0].dsk", "name, match, disk, controller"),
        (
            {"overrides": [{"match": "storage.id != 'x'", "controller": "keep"}]},
            "overrides[0].match",
            "uses storage, a field of a disk, but selects guests",
        ),
        (
            {"overrides": [{"match": "guest.id != `100`", "disk": {"cache": "keep"}}]},
            "overrides[0].match",
            "'100' in raw quotes",
        ),
        (
            {"overrides": [{"match": "`100` == guest.id", "disk": {"cache": "keep"}}]},
            "overrides[0].match",
            "'100' in raw quotes",
        ),
        (
            {"overrides": [{"match": "contains(`[100]`, guest.id)", "disk": {"cache": "keep"}}]},
            "overrides[0].match",
            "'100' in raw quotes",
        ),
        (
            {"overrides": [{"match": "contains([`100`], guest.id)", "disk": {"cache": "keep"}}]},
            "overrides[0].match",
            "'100' in raw quotes",
        ),
        ({"waivers": [{**WAIVER, "rules": [["IO101"]]}]}, "waivers[0].rules[0]", "rule id"),
        ({"waivers": [{**WAIVER, "until": "soon"}]}, "waivers[0].until", "takes a date"),
        ({"waivers": [{**WAIVER, "rules": ["IO999"]}]}, "waivers[0].rules[0]", "rule id"),
        ({"waivers": [{**WAIVER, "rules": []}]}, "waivers[0].rules", "empty"),
        ({"waivers": [{**WAIVER, "reason": " "}]}, "waivers[0].reason", "empty"),
        ({"waivers": [{k: v for k, v in WAIVER.items() if k != "until"}]}, "waivers[0].until", "is missing"),
        ({"waivers": [WAIVER, WAIVER]}, "waivers", "duplicate id 'W-1'"),
        ({"waivers": [{**WAIVER, "id": ["a"]}]}, "waivers[0].id", "is ['a'], it takes text"),
        ({"waivers": [{**WAIVER, "until": 10**5000}]}, "waivers[0].until", "is a very large number, it takes a date"),
        (
            {"overrides": [{"name": {}, "match": "guest.template", "controller": "keep"}]},
            "overrides[0].name",
            "takes text",
        ),
    ],
)
def test_what_is_refused(policy, place, words):
    with pytest.raises(PolicyError) as caught:
        _policy.parse(policy)
    assert place in str(caught.value) and words in str(caught.value)
