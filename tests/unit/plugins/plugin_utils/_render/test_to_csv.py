# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

from __future__ import annotations

import csv
import io

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.module_utils._text import one_line
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._fleet.outcome import outcomes
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._render.to_csv import COLUMNS, csv_report
from ansible_collections.hypervisor.io_hardening.tests.unit.plugins.plugin_utils._render.sample import (
    HOSTILE,
    document,
    finding,
    fleet,
    guest,
    hostile,
    result,
    waiver,
)


def rows(doc, **options):
    text = csv_report(doc, **options)
    assert text.endswith("\r\n") and "\n" not in text.replace("\r\n", "")
    return list(csv.DictReader(io.StringIO(text, newline=""), strict=True))


def test_a_row_says_what_became_of_a_guest_and_why():
    found = [
        finding(host="pve1"),
        finding(host="pve1", disk="scsi1", rule="IO111", severity="note"),
        finding(host="pve1", disk="scsi2", waived=waiver()),
    ]
    doc = document([guest(status="unresolved", host="pve1", disks=3)], found)
    doc["guests"][0]["disks"][2]["waived"] = True
    doc["unresolved"] = [
        {
            "guest": "101",
            "name": "web01",
            "node": "pve1",
            "host": "pve1",
            "reason": "locked",
            "detail": "locked\n(backup)",
        }
    ]
    doc["results"] = [result(host="pve1", restart_pending=True)]
    (row,) = rows(doc)
    assert row == {
        "host": "pve1",
        "node": "pve1",
        "guest": "101",
        "name": "web01",
        "hypervisor": "pve",
        "state": "unresolved",
        "reason": "locked",
        "detail": "locked; (backup)",
        "changed": "true",
        "restart_pending": "true",
        "running": "true",
        "started": "2026-10-01T06:00:12Z",
        "disks": "3",
        "noncompliant_disks": "2",
        "waived_disks": "1",
        "errors": "1",
        "warnings": "0",
        "notes": "1",
        "rules": "IO102 IO111",
        "waived_rules": "IO102",
        "waivers": "W-1",
        "config": "/etc/pve/nodes/pve1/qemu-server/101.conf",
    }
    assert rows(doc, check=True)[0]["changed"] == "false"


def test_every_guest_has_a_row_in_the_order_of_the_other_reports():
    doc = fleet(200)
    assert [row["guest"] for row in rows(doc)] == [entry["guest"] for entry in outcomes(doc)]
    assert rows(document()) == [] and csv_report(document()).split("\r\n")[0] == ",".join(COLUMNS)


@pytest.mark.parametrize("name", HOSTILE)
def test_no_text_is_a_formula_and_every_text_is_one_cell(name):
    (row,) = rows(document([guest(name=name, config=name)]))
    text = one_line(name)
    assert row["name"] == row["config"] == ("'" + text if text[0] in "=+-@＝＋－＠" else text) and None not in row


def test_hostile_findings_make_no_further_column():
    assert all(len(row) == len(COLUMNS) for row in rows(hostile()))
