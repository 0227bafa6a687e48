# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

from __future__ import annotations

import json

import jsonschema
import pytest

from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._render.to_codequality import codequality_report
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._render.to_sarif import sarif_report
from ansible_collections.hypervisor.io_hardening.tests.unit.plugins.plugin_utils._render.sample import (
    document,
    finding,
    fleet,
    guest,
    hostile,
    waiver,
)

#: The table of docs.gitlab.com, "Code Quality report format", closed. What GitLab itself requires (app/validators/json_schemas/
#: codeclimate.json) is less.
TEXT = {"type": "string", "minLength": 1}
SCHEMA = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["description", "check_name", "fingerprint", "severity", "location"],
        "additionalProperties": False,
        "properties": {
            "description": TEXT,
            "check_name": TEXT,
            "fingerprint": TEXT,
            "severity": {"enum": ["info", "minor", "major", "critical", "blocker"]},
            "location": {
                "type": "object",
                "required": ["path", "lines"],
                "additionalProperties": False,
                "properties": {
                    "path": {"type": "string", "pattern": r"^(?!\.{0,2}/)(?!.*/\.\./)[^\n]+$"},
                    "lines": {
                        "type": "object",
                        "required": ["begin"],
                        "additionalProperties": False,
                        "properties": {"begin": {"type": "integer", "minimum": 1}},
                    },
                },
            },
        },
    },
}


def entries(*findings, **options):
    return json.loads(codequality_report(document([guest()], findings), **options))


@pytest.mark.parametrize("doc", [document(), fleet(100), hostile()])
def test_valid_as_gitlab_documents_the_format(doc):
    found = json.loads(codequality_report(doc))
    assert [error.message for error in jsonschema.Draft7Validator(SCHEMA).iter_errors(found)] == []
    assert len(found) == sum(not one["waived"] for one in doc["findings"])
    assert len({one["fingerprint"] for one in found}) == len(found)
    assert codequality_report(doc).isascii()


def test_an_entry_says_who_what_where_and_what_to_do():
    (one,) = entries(finding(host="pve1"))
    assert one["description"] == (
        "pve1 101 web01 scsi0: the disk has no iothread in effect. Set iothread=1 and virtio-scsi-single."
    )
    assert (one["check_name"], one["severity"]) == ("IO102", "critical")
    assert one["location"] == {"path": "etc/pve/nodes/pve1/qemu-server/101.conf", "lines": {"begin": 12}}
    assert [one["severity"] for one in entries(finding(severity="warning"), finding(severity="note"))] == [
        "minor",
        "info",
    ]


@pytest.mark.parametrize(
    ("about", "path"),
    [
        ({"file": "/repo/configs/101.conf"}, "configs/101.conf"),
        ({"file": "./101.conf"}, "ci/101.conf"),
        ({"file": "../configs/101.conf"}, "configs/101.conf"),
        ({"file": "../../etc/101.conf"}, "etc/101.conf"),
        ({"file": "/etc/sysctl.conf"}, "etc/sysctl.conf"),
        ({"file": None, "host": "pve1"}, "pve1/101"),
        ({"file": None, "host": "pve1", "guest": "../x"}, "pve1/.._x"),
        ({"file": None, "host": "pve1", "guest": None}, "pve1"),
        ({"file": None, "guest": None}, "policy"),
    ],
)
def test_a_path_is_relative_to_the_checkout_and_there_is_always_one(about, path):
    (one,) = entries(finding(**{"line": None, **about}), base="/repo", here="/repo/ci")
    assert one["location"] == {"path": path, "lines": {"begin": 1}}


def test_waived_findings_are_left_out_and_the_fingerprints_are_those_of_sarif():
    found = [finding(), finding(waived=waiver()), finding()]
    sarif = json.loads(sarif_report(document([guest()], found)))["runs"][0]["results"]
    prints = [result["partialFingerprints"]["guestIo/v1"] for result in sarif]
    assert [one["fingerprint"] for one in entries(*found)] == [prints[0], prints[2]]
    moved = [finding(line=99, message="other words", name="renamed")]
    assert entries(*moved)[0]["fingerprint"] == prints[0]
