# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

from __future__ import annotations

import copy
import datetime
import json
from pathlib import Path

import jsonschema
import pytest

from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._fleet.document import ReportError
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._fleet.join import join_documents
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._render.to_json import json_report
from ansible_collections.hypervisor.io_hardening.tests.unit.plugins.plugin_utils._render.sample import (
    document,
    finding,
    fleet,
    guest,
    hostile,
    result,
    waiver,
)

SCHEMA = json.loads((Path(__file__).parents[5] / "docs" / "findings.schema.json").read_text("utf-8"))
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)
ONE = document([guest()], [finding(waived=waiver())])


def test_the_schema_is_a_schema():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize(
    "doc",
    [
        document(),
        ONE,
        fleet(),
        hostile(),
        join_documents(
            {"pve1": ONE, "pve2": None}, {"pve1": [result()]}, {"writeback": {"pve1": {"status": "ok", "findings": []}}}
        ),
        {
            **join_documents({"pve1": ONE}, complete=False),
            "gate": {"fail_on": "error", "passed": True, "reason": "nothing"},
        },
    ],
)
def test_the_report_is_the_document_and_valid(doc):
    text = json_report(doc)
    assert text.isascii()
    assert json.loads(text) == doc
    VALIDATOR.validate(json.loads(text))


def test_a_finding_is_a_line():
    assert sum(line.startswith('{"rule": "IO102"') for line in json_report(fleet(20, 3, 1)).splitlines()) == sum(
        f["rule"] == "IO102" for f in fleet(20, 3, 1)["findings"]
    )


@pytest.mark.parametrize(
    "path, value",
    [
        (("schema",), 1),
        (("date",), "yesterday"),
        (("extra",), 1),
        (("findings", 0, "severity"), "grave"),
        (("findings", 0, "rule"), "X"),
        (("findings", 0, "line"), 0),
        (("findings", 0, "waived"), {"id": "W"}),
        (("guests", 0, "status"), "fine"),
        (("guests", 0, "disks", 0, "compliant"), None),
        (("summary", "guests"), -1),
        (("summary", "findings"), {}),
    ],
)
def test_the_schema_refuses_another_shape(path, value):
    doc = copy.deepcopy(ONE)
    place = doc
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    with pytest.raises(jsonschema.ValidationError):
        VALIDATOR.validate(doc)


def test_an_unquoted_date_of_yaml_becomes_text():
    text = json_report({**ONE, "date": datetime.date(2026, 11, 23)})
    assert json.loads(text)["date"] == "2026-11-23"


@pytest.mark.parametrize("value", [float("nan"), object(), {1, 2}])
def test_what_json_cannot_express_is_refused(value):
    with pytest.raises(ReportError, match="JSON cannot express"):
        json_report({**ONE, "findings": [finding(actual=value)]})
