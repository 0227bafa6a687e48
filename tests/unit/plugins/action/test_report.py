# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The action report: through ansible-playbook where templates matter, and in this process."""

from __future__ import annotations

import json
import time

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.action import report as action
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils import _terminal
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._render.reports import REPORTS
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._render.to_sarif import MOST_RESULTS
from ansible_collections.hypervisor.io_hardening.tests.playbooks import run_playbook
from ansible_collections.hypervisor.io_hardening.tests.unit.in_process import run_action
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
        directory: "{{ playbook_dir }}/reports"
"""


@pytest.fixture
def report(tmp_path, monkeypatch):
    """Run the action: (what it returned, the lines it showed, the files in the folder reports)."""
    monkeypatch.chdir(tmp_path)

    def run(check=False, **options):
        shown = []
        monkeypatch.setattr(_terminal.display, "display", lambda line, color=None: shown.append(line))
        returned = run_action(action, check=check, directory=str(tmp_path / "reports"), **options)
        files = [path for path in (tmp_path / "reports").glob("*") if path.is_file()]
        return returned, shown, {path.name: path.read_text("utf-8") for path in files}

    return run


def test_every_report_is_written_and_nothing_a_guest_is_called_is_a_template(tmp_path):
    """The guest's name would make a file if it were a template."""
    mark = tmp_path / "ran"
    names = [HOSTILE[0], "{{ lookup('pipe', 'touch %s') }}" % mark, HOSTILE[6], "{% raw %}"]
    doc = document(
        [guest(str(100 + n), "restart_pending", name=name) for n, name in enumerate(names)],
        [finding(str(100 + n), name=name, message=name, hint=name) for n, name in enumerate(names)],
    )
    (tmp_path / "document.json").write_text(json.dumps(doc))
    (tmp_path / "play.yml").write_text(PLAY)
    status, output = run_playbook(tmp_path / "play.yml", "-i", "localhost,", "-c", "local")
    assert status == 0, output
    text = {path.name: path.read_text("utf-8") for path in (tmp_path / "reports").iterdir()}
    assert not mark.exists()
    written = json.loads(text["guest-io.json"])
    assert [entry["name"] for entry in written["guests"]] == names
    assert [(host["host"], host["reported"]) for host in written["hosts"]] == [("pve1", True), ("silent", False)]
    table = " ".join(output.split())
    assert all(name[:60] in table for name in names) and "NO REPORT from 1 host: silent" in table
    assert "<script" not in text["guest-io.junit.xml"]
    assert json.loads(text["guest-io.sarif"])["runs"][0]["results"][1]["properties"]["name"] == names[1]
    assert "<script>alert" not in text["guest-io.html"]


@pytest.mark.parametrize("name", REPORTS)
def test_a_report_that_cannot_be_written_fails_the_run_at_its_end_and_the_others_are_there(tmp_path, report, name):
    (tmp_path / "reports" / REPORTS[name].file).mkdir(parents=True)
    returned, shown, text = report(documents={"pve1": document([guest()])})
    wanted = f"cannot write the report {tmp_path}/reports/{REPORTS[name].file}: it is a folder"
    assert returned["failed"] and returned["msg"].startswith(wanted) and wanted in "\n".join(shown)
    assert any(line.startswith("Guest I/O, 2026-11-23: ") for line in shown)
    assert set(text) == {report.file for report in REPORTS.values()} - {REPORTS[name].file}


@pytest.mark.parametrize("name", REPORTS)
def test_each_report_goes_where_it_is_asked_for_and_folders_that_are_missing_are_made(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("")
    documents = {"pve1": document([guest()])}
    path = tmp_path / "a b/c" / f"{name}.prom"
    returned = run_action(action, documents=documents, **{name: str(path)})
    assert returned["written"] == [str(path)] and path.read_text("utf-8") and len(list(path.parent.iterdir())) == 1
    failed = run_action(action, documents=documents, **{name: "file/c/d"})
    assert failed["msg"] == "cannot write the report file/c/d: file is not a folder: remove it, or name another path"


def test_reports_of_one_folder_that_fail_for_one_reason_are_told_together(tmp_path):
    (tmp_path / "file").write_text("")
    failed = run_action(action, documents={"pve1": document([guest()])}, directory=str(tmp_path / "file"))
    assert failed["msg"].startswith(f"cannot write {len(REPORTS)} reports in {tmp_path}/file (guest-io.json, ")
    assert failed["msg"].count("is not a folder") == 1


def test_annotations_are_shown_where_they_are_asked_for_with_files_of_the_checkout(tmp_path, report):
    path = str(tmp_path / "configs/101.conf")
    documents = {"pve1": document([guest()], [finding(file=path, rule="IO105")])}
    _returned, shown, _files = report(documents=documents, annotations="yes")
    title = "IO105 aio=native with a cached mode%3A the guest does not start"
    note = next(line for line in shown if line.startswith("::"))
    assert note.startswith(f"::error file=configs/101.conf,line=12,title={title}::pve1 101 web01 scsi0: ")
    _returned, shown, _files = report(documents=documents, annotations=True, base=str(tmp_path / "configs"))
    assert any(line.startswith("::error file=101.conf,line=12,") for line in shown)
    _returned, shown, _files = report(documents=documents)
    assert not any(line.startswith("::") for line in shown)


def test_the_metrics_have_the_time_of_the_run(report):
    before = time.time()
    _returned, _shown, files = report(documents={"pve1": document([guest()])})
    (line,) = [line for line in files["guest-io.prom"].splitlines() if line.startswith("guest_io_last_run_")]
    assert before <= float(line.split()[1]) <= time.time()


def test_the_terminal_says_what_sarif_lacks():
    found = [finding()] * (MOST_RESULTS + 1)
    assert action._line("guest-io.sarif", "sarif", {"findings": found}).startswith(
        "Report: guest-io.sarif (the 25,000 most severe of 25,001 findings"
    )
    assert action._line("guest-io.json", "json", {"findings": found}) == "Report: guest-io.json"
    assert action._line("guest-io.sarif", "sarif", {"findings": found[1:]}) == "Report: guest-io.sarif"


def test_digits_by_the_thousand_anywhere_leave_every_report(report):
    """Python refuses to read or to print a number of more than 4,300 digits."""
    digits = "1" * 5000
    one = {"name": digits, "node": digits}
    doc = document(
        [guest(digits, "to_change", **one)],
        [finding(digits, disk="scsi" + digits, message=digits, actual=digits, **one)],
    )
    doc["guests"][0]["disks"][0]["key"] = "scsi" + digits
    results = {"pve1": [result(digits, "failed", reason="refused", detail=digits, **one)]}
    returned, _shown, text = report(documents={"pve1": doc}, results=results, fail_on="error")
    assert returned["failed"] and returned["msg"].startswith("gate failed: ")
    assert len(text) == len(REPORTS)


def test_what_a_command_printed_is_shown_without_escapes(report):
    words = "400 Parameter verification failed.\nscsi0: invalid format - format error\n\nqm set <vmid> [OPTIONS]\n"
    results = {"pve1": [result("101", "failed", reason="refused", detail=words)]}
    _returned, shown, text = report(documents={"pve1": document([guest(status="to_change")])}, results=results)
    wanted = "400 Parameter verification failed.; scsi0: invalid format - format error; qm set <vmid> [OPTIONS]"
    assert (
        wanted in " ".join(" ".join(shown).split())
        and wanted.replace("<", "\\u003c").replace(">", "\\u003e") in text["guest-io.html"]
    )


def test_a_gate_that_passes_writes_the_files_it_was_asked_for_and_returns_its_verdict(tmp_path, report):
    returned, shown, files = report(
        documents={"pve1": document([guest()])}, fail_on="error", json=str(tmp_path / "other/out.json"), part=True
    )
    assert (returned["failed"], returned["passed"], returned["changed"]) == (False, True, False)
    assert set(files) == {report.file for report in REPORTS.values()} - {"guest-io.json"}
    assert json.loads((tmp_path / "other/out.json").read_text())["gate"]["passed"] is True
    assert len(returned["written"]) == len(REPORTS) and any(line.startswith("GATE PASSED") for line in shown)
    # Another host's run joins its part with this one.
    joined, _shown, _files = report(parts=[returned["part"]])
    assert joined["summary"] == returned["summary"]


def test_the_advice_names_the_callers_variable_in_every_report(report):
    hint = "then allow the change with migrate_controllers: \"guest.id == '1'\""
    documents = {"pve1": document([guest("1", "unresolved")], [finding("1", hint=hint)])}
    _returned, shown, files = report(documents=documents, fail_on="error", migrate_variable="my_guests")
    for text in (" ".join(" ".join(shown).split()), files["guest-io.json"], files["guest-io.sarif"]):
        assert "with my_guests: " in text and "migrate_controllers" not in text


def test_a_directory_is_read_with_its_waivers(tmp_path, report):
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs/storage.cfg").write_text("nfs: nas\n\tserver 192.0.2.1\n\texport /x\n")
    (tmp_path / "configs/100.conf").write_text("name: db\nscsihw: virtio-scsi-pci\nscsi0: nas:100/d.qcow2\n")
    given = {"root": "configs", "policy": {}, "date": "2026-11-28", "fail_on": "error"}
    returned, shown, _files = report(**given)
    assert returned["failed"] and "configs/100.conf:3: 100 db scsi0" in "\n".join(shown)
    waiver = {"id": "W-1", "match": "guest.id == '100'", "until": "2999-01-01", "reason": "vendor appliance"}
    rules = sorted({finding["rule"] for finding in json.loads(_files["guest-io.json"])["findings"]})
    returned, _shown, _files = report(**given, waivers=[{**waiver, "rules": rules}])
    assert returned["passed"] and returned["summary"]["waived_findings"] > 0


def test_a_directory_is_read_with_the_policy_for_its_backups(tmp_path, report):
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs/storage.cfg").write_text("dir: local\n\tpath /var/lib/vz\n\tcontent images,backup\n")
    (tmp_path / "configs/jobs.cfg").write_text("vzdump: a\n\tschedule 2:00\n\tall 1\n\tfleecing 0\n")
    (tmp_path / "configs/100.conf").write_text("name: db\n")
    given = {"root": "configs", "policy": {}, "fail_on": "error"}
    assert report(**given)[0]["passed"]
    returned, shown, _files = report(**given, load_policy={"backup": {"fleecing": "local"}})
    assert returned["failed"] and "job a: its fleecing is off, wanted onto local" in " ".join(" ".join(shown).split())
    assert "Harden the node that these files are from" in " ".join(" ".join(shown).split())


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "one of the following is required: documents, variables, parts, root"),
        ({"root": "nowhere", "policy": {}}, "nowhere"),
        ({"parts": ["x"]}, "part 1"),
        ({"root": ".", "policy": {"disk": {"aio": "fast"}}}, "aio"),
        (
            {"root": ".", "policy": {}, "load_policy": {"backup": {"bwlimit": 5}}},
            "load_policy.backup.bwlimit: is 5, it takes a rate",
        ),
        ({"root": ".", "date": "tomorrow"}, "tomorrow"),
        ({"documents": {}, "json": "a", "html": "./a"}, "two reports have the same path: a"),
    ],
)
def test_what_cannot_be_read_or_meant_fails_in_a_sentence(tmp_path, report, options, words):
    (tmp_path / "100.conf").write_text("name: db\n")
    returned, _shown, files = report(**options)
    assert returned["failed"] and words in returned["msg"] and files == {}


def test_waivers_are_written_for_what_fails_the_gate_and_never_over_a_file(tmp_path, report):
    documents = {"pve1": document([guest()], [finding()])}
    path = tmp_path / "waivers.yml"
    returned, shown, _files = report(documents=documents, fail_on="error", write_waivers=str(path))
    assert returned["failed"] and f"Waivers: {path}" in shown
    assert "guest.id == '101'" in path.read_text()
    returned, _shown, _files = report(documents=documents, fail_on="error", write_waivers=str(path))
    assert "it is there already; name another file, or remove it" in returned["msg"]
    returned, _shown, _files = report(documents=documents, write_waivers=str(path))
    assert returned["msg"] == "waivers are written for what fails the gate, and this run has no gate"


def test_two_reports_in_one_file_are_refused(tmp_path, report):
    path = str(tmp_path / "one")
    returned, _shown, _files = report(documents={"pve1": document([guest()])}, json=path, html=path)
    assert "two reports have the same path" in returned["msg"]
