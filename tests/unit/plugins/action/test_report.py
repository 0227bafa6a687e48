# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The action report as a playbook uses it."""

from __future__ import annotations

import json

from ansible_collections.hypervisor.io_hardening.plugins.action import report as action
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._render.to_sarif import MOST_RESULTS
from ansible_collections.hypervisor.io_hardening.tests.playbooks import run_playbook
from ansible_collections.hypervisor.io_hardening.tests.unit.plugins.plugin_utils._render.sample import (
    HOSTILE,
    document,
    finding,
    guest,
    result,
)

PLAY = """
- hosts: all
  gather_facts: false
  tasks:
    - hypervisor.io_hardening.report:
        documents: {pve1: "{{ lookup('ansible.builtin.file', playbook_dir ~ '/document.json') | from_json }}", silent: {}}
        results: {pve1: "{{ lookup('ansible.builtin.file', playbook_dir ~ '/results.json') | from_json }}"}
        directory: "{{ playbook_dir }}/reports"
"""


def report(folder, doc, results=(), **options):
    """(exit status, output, what is in the folder reports) of a playbook with the report of one host's document."""
    (folder / "document.json").write_text(json.dumps(doc))
    (folder / "results.json").write_text(json.dumps(list(results)))
    (folder / "play.yml").write_text(
        PLAY + "".join(f"        {name}: {json.dumps(value)}\n" for name, value in options.items())
    )
    done = run_playbook(folder / "play.yml", "-i", "localhost,", "-c", "local")
    return (
        *done,
        {path.name: path.read_text("utf-8") for path in (folder / "reports").iterdir() if path.is_file()},
    )


def test_every_report_is_written_and_nothing_a_guest_is_called_is_a_template(tmp_path):
    """What stands between {{ }} in a guest's name would, as a template, make a file."""
    mark = tmp_path / "ran"
    names = [HOSTILE[0], "{{ lookup('pipe', 'touch %s') }}" % mark, HOSTILE[6], "{% raw %}"]
    doc = document(
        [guest(str(100 + n), "restart_pending", name=name) for n, name in enumerate(names)],
        [finding(str(100 + n), name=name, message=name, hint=name) for n, name in enumerate(names)],
    )
    status, output, text = report(tmp_path, doc)
    assert status == 0, output
    assert not mark.exists()
    written = json.loads(text["guest-io.json"])
    assert [entry["name"] for entry in written["guests"]] == names
    assert [(host["host"], host["reported"]) for host in written["hosts"]] == [("pve1", True), ("silent", False)]
    table = " ".join(output.split())
    assert all(name[:60] in table for name in names) and "NO REPORT from 1 host: silent" in table
    assert "<script" not in text["guest-io.junit.xml"]
    assert json.loads(text["guest-io.sarif"])["runs"][0]["results"][1]["properties"]["name"] == names[1]
    assert "<script>alert" not in text["guest-io.html"]


def test_a_report_that_cannot_be_written_fails_the_run_at_its_end_and_the_others_are_there(tmp_path):
    (tmp_path / "reports/guest-io.junit.xml").mkdir(parents=True)
    status, output, text = report(tmp_path, document([guest()]))
    wanted = f"cannot write the report {tmp_path}/reports/guest-io.junit.xml: it is a folder"
    assert status == 2 and wanted in output.split('"msg": "')[1] and "Guest I/O, 2026-11-23: " in output
    assert set(text) == {"guest-io.json", "guest-io.sarif", "guest-io.html"}


def test_the_terminal_says_what_sarif_had_no_room_for():
    found = [finding()] * (MOST_RESULTS + 1)
    assert action.told("guest-io.sarif", True, {"findings": found}).startswith(
        "Report: guest-io.sarif (the gravest 25,000 of 25,001 findings"
    )
    assert action.told("guest-io.json", False, {"findings": found}) == "Report: guest-io.json"
    assert action.told("guest-io.sarif", True, {"findings": found[1:]}) == "Report: guest-io.sarif"


def test_digits_by_the_thousand_anywhere_leave_every_report(tmp_path):
    """Python refuses to read or to print a number of more than 4,300 digits."""
    digits = "1" * 5000
    one = {"name": digits, "node": digits}
    doc = document(
        [guest(digits, "to_change", **one)],
        [finding(digits, disk="scsi" + digits, message=digits, actual=digits, **one)],
    )
    doc["guests"][0]["disks"][0]["key"] = "scsi" + digits
    status, output, text = report(
        tmp_path, doc, [result(digits, "failed", reason="refused", detail=digits, **one)], fail_on="error"
    )
    assert status == 2 and "gate failed: " in output and "Traceback" not in output and "4300" not in output
    assert len(text) == 4


def test_what_a_command_printed_is_shown_without_escapes(tmp_path):
    words = "400 Parameter verification failed.\nscsi0: invalid format - format error\n\nqm set <vmid> [OPTIONS]\n"
    _status, output, text = report(
        tmp_path, document([guest(status="to_change")]), [result("101", "failed", reason="refused", detail=words)]
    )
    wanted = "400 Parameter verification failed.; scsi0: invalid format - format error; qm set <vmid> [OPTIONS]"
    assert (
        wanted in " ".join(output.split())
        and wanted.replace("<", "\\u003c").replace(">", "\\u003e") in text["guest-io.html"]
    )
