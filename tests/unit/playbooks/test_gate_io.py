# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The gate through ansible-playbook, as a pipeline runs it."""

from __future__ import annotations

import json
import os
import re
import sys
from xml.etree import ElementTree

import pytest
import yaml

from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._render.reports import REPORTS as ALL
from ansible_collections.hypervisor.io_hardening.tests.playbooks import run_playbook
from ansible_collections.hypervisor.io_hardening.tests.unit.plugins.plugin_utils._render.sample import COMMANDS, obeyed

STORAGES = "nfs: nas\n\tserver 10.0.0.11\n\texport /x\n"
GOOD = "scsihw: virtio-scsi-single\nscsi0: nas:100/d.qcow2,aio=threads,iothread=1\n"
BAD = "name: db\nscsihw: virtio-scsi-single\nscsi0: nas:100/d.qcow2,aio=native,cache=writeback\n"
WAIVER = {
    "id": "W-1",
    "match": "guest.id == '101'",
    "rules": ["IO102", "IO105"],
    "until": "2999-01-01",
    "reason": "vendor appliance",
}
REPORTS = {report.file for report in ALL.values()}


def gate(folder, *arguments, **variables):
    return run_playbook("gate_io", *arguments, folder=folder, variables=variables)


@pytest.fixture
def configs(tmp_path):
    """A Git checkout's folder of configs, in order."""
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs/storage.cfg").write_text(STORAGES)
    (tmp_path / "configs/100.conf").write_text(GOOD)
    return tmp_path / "configs"


def test_what_is_in_order_passes_without_any_inventory(configs):
    run = gate(configs.parent, gate_root="configs")
    assert run.status == 0, run.output
    assert "GATE PASSED" in run.output and "changed=0" in run.output
    assert sorted(path.name for path in configs.parent.rglob("*")) == ["100.conf", "configs", "storage.cfg"]


def test_each_report_has_a_variable_and_findings_are_annotated_where_that_is_asked_for(configs):
    (configs / "101.conf").write_text(BAD)
    paths = {f"report_{name}": f"out/{name}.prom" for name in ALL}
    run = gate(configs.parent, gate_root="configs", report_annotations=True, **paths)
    assert {path.name for path in (configs.parent / "out").iterdir()} == {f"{name}.prom" for name in ALL}
    notes = [line for line in run.output.splitlines() if line.startswith("::")]
    assert len(notes) == 3 and notes[0].startswith(
        "::error file=configs/101.conf,line=3,title=IO102 No iothread in effect::"
    )
    (configs / "101.conf").unlink()
    run = gate(configs.parent, gate_root="configs", report_annotations="maybe")
    assert run.status == 2 and "maybe" in run.output


def test_nothing_in_a_directory_of_configs_is_a_command_to_the_ci(configs):
    """Whoever proposes a config must not mask, stop or set anything in the run that judges it."""
    for number, command in enumerate(COMMANDS, 101):
        text = f"name: {command}\n{command}\n{command}: x\nscsi1: {command}\nscsi2: nas:{command},aio={command}\nargs: {command}\n"
        (configs / f"{number}.conf").write_text(f"#{command}\n{BAD}{text}")
        (configs / command.replace("/", "_")).write_text("")
        (configs / f"{command.replace('/', '_')}.conf").write_text("")
    for arguments in ((), ("-vvv",)):
        run = gate(configs.parent, *arguments, gate_root="configs", gate_fail_on="note", report_dir="reports")
        assert run.status == 2 and "GATE FAILED" in run.output
        assert [line for line in run.output.splitlines() if obeyed(line)] == []


def test_a_disk_that_can_freeze_its_guest_is_stopped_and_shown_by_guest(configs):
    (configs / "101.conf").write_text(BAD)
    run = gate(configs.parent, "--check", gate_root="configs", report_dir="reports")
    assert run.status == 2
    assert "configs/101.conf:3: 101 db scsi0" in run.output
    assert run.output.index("ERROR IO102") < run.output.index("ERROR IO105") < run.output.index("GATE FAILED")
    reports = configs.parent / "reports"
    assert {path.name for path in reports.iterdir()} == REPORTS
    reason = "2 findings of severity error, not waived, in 1 guest"
    assert json.loads((reports / "guest-io.json").read_text())["gate"] == {
        "fail_on": "error",
        "passed": False,
        "reason": reason,
    }
    page = (reports / "guest-io.html").read_text()
    assert "Gate failed" in page and f"Fails on error: {reason}." in page
    cases = ElementTree.parse(reports / "guest-io.junit.xml").iter("testcase")
    assert {(case.get("name")) for case in cases if case.find("failure") is not None} == {"scsi0 IO102", "scsi0 IO105"}
    sarif = json.loads((reports / "guest-io.sarif").read_text())
    places = [result["locations"][0]["physicalLocation"] for result in sarif["runs"][0]["results"]]
    assert {(place["artifactLocation"]["uri"], place["region"]["startLine"]) for place in places} == {
        ("configs/101.conf", 3)
    }


def test_waived_findings_let_it_pass_and_stay_visible_everywhere(configs):
    (configs / "101.conf").write_text(
        BAD.replace("db", "<script>alert(1)</script>{{ lookup('pipe', 'touch obeyed') }}")
    )
    (configs / "waivers.yml").write_text(
        yaml.safe_dump([{**WAIVER, "rules": ["IO100", "IO102", "IO104", "IO105"]}]).replace(
            "'2999-01-01'", "2999-01-01"
        )
    )
    (configs / "waivers.yml").rename(configs.parent / "waivers.yml")
    run = gate(
        configs.parent,
        gate_root="configs",
        report_dir="reports",
        gate_fail_on="warning",
        guest_io_waivers_file="waivers.yml",
    )
    assert run.status == 0, run.output
    reports = configs.parent / "reports"
    texts = {name: (reports / name).read_text() for name in REPORTS}
    assert "until 2999-01-01, W-1 (1 guest): vendor appliance" in run.output
    document = json.loads(texts["guest-io.json"])
    assert [finding["waived"]["id"] for finding in document["findings"]] == ["W-1"] * len(document["findings"])
    assert document["waivers"][0]["matched"] == len(document["findings"]) >= 2
    assert texts["guest-io.junit.xml"].count("<skipped") == len(document["findings"])
    suppressed = [result["suppressions"] for result in json.loads(texts["guest-io.sarif"])["runs"][0]["results"]]
    assert all(entry[0]["justification"] == "W-1 until 2999-01-01: vendor appliance" for entry in suppressed)
    assert "vendor appliance" in texts["guest-io.html"]
    assert any("<script>alert(1)</script>{{ lookup" in finding["message"] for finding in document["findings"])
    assert "<script>alert" not in texts["guest-io.html"] + texts["guest-io.junit.xml"]
    assert not list(configs.parent.rglob("obeyed"))


def test_a_path_may_begin_at_home_and_cannot_steer_the_terminal(configs, monkeypatch):
    monkeypatch.setenv("HOME", str(configs.parent / "home"))
    run = gate(configs.parent, gate_root="configs", report_json="~/r.json", report_html="\x1b[31mred.html")
    assert run.status == 0, run.output
    assert (configs.parent / "home/r.json").is_file() and not (configs.parent / "~").exists()
    assert "Report: \\x1b[31mred.html" in run.output and "\x1b[31m" not in run.output


# What is wrong, and the one sentence that says so.
WRONG = {
    "no guest": ({"root": "empty"}, "no guest config in empty: it takes VMID.conf"),
    "no root": ({"root": ""}, "no directory is named to read guest configs from"),
    "no folder": ({"root": "gone"}, "no directory gone"),
    "a loop": ({"root": "loop"}, "cannot read directory loop/etc/pve/nodes: Too many levels of symbolic links"),
    "policy": (
        {"policy": {"disk": {"cache": "writebak"}}},
        "policy.disk.cache: is 'writebak', it takes one of none, writeback",
    ),
    "no policy": ({"policy": None}, "policy: is null, it takes a mapping with the keys"),
    "policy's type": ({"policy": "all good"}, "policy: is 'all good', it takes a mapping"),
    "waiver's date": (
        {"waivers": [{**WAIVER, "until": "2027-02-30"}]},
        "waivers[0].until: is '2027-02-30', it takes a date such as",
    ),
    "waiver's key": (
        {"waivers": [{**WAIVER, "untill": "x"}]},
        "waivers[0].untill: is not known; allowed here: id, match",
    ),
    "waivers in a link": (
        {"waivers_file": "link.yml"},
        "waivers_file link.yml: is a link; give the file itself",
    ),
    "waivers in a pipe": ({"waivers_file": "pipe"}, "waivers_file pipe: is not a regular file"),
    "waivers with aliases": (
        {"waivers_file": "bomb.yml"},
        "waivers_file bomb.yml line 1: has an anchor or alias",
    ),
    "waivers that are a key": ({"waivers_file": "key"}, "waivers_file key: does not hold a list of waivers"),
    "a deep selector": (
        {"waivers": [{**WAIVER, "match": "(" * 9999}]},
        "waivers[0].match: is nested too deeply: '((((",
    ),
    "a slice of nothing": (
        {"policy": {"overrides": [{"match": "guest.tags[::0]", "controller": "keep"}]}},
        "policy.overrides[0].match: fails for guest 100: ",
    ),
    "severity": ({"fail_on": "fatal"}, "fail_on is 'fatal'; it takes one of error, warning, note, ids of rules"),
    "no severity": ({"fail_on": None}, "fail_on is null; it takes one of error, warning, note, ids of rules"),
    "no rule": ({"fail_on": []}, "fail_on is []; it takes one of error, warning, note, ids of rules"),
    "report's path": ({"html": "configs/100.conf/x.html"}, "cannot write the report configs/100.conf/x.html: "),
    "a path without end": ({"html": "x" * 5000}, f"cannot write the report {'x' * 254}…: File name too long"),
    "one path spelt twice": ({"json": "out/x", "junit": "out/../out//x"}, "two reports have the same path: "),
    "an escape in a path": ({"root": "\x1b[31mgone"}, "no directory \\x1b[31mgone"),
    "an escape in a policy": ({"policy": {"disk": {"cache": "\x1b[31m"}}}, "policy.disk.cache: is '\\x1b[31m'"),
    "a file unread": ({"root": "half"}, "gate failed: 1 finding of severity error, not waived, in 1 guest"),
    "a silent host": ({"hosts": ["pve9"]}, "gate failed: no report from pve9"),
}


def test_whatever_is_wrong_is_said_in_a_sentence_and_is_never_a_pass(configs):
    top = configs.parent
    for name in ("empty", "half", "loop/etc/pve"):
        (top / name).mkdir(parents=True)
    (top / "half/storage.cfg").write_text(STORAGES)
    (top / "half/100.conf").write_text(GOOD)
    (top / "half/101.conf").write_bytes(b"\0")
    (top / "loop/etc/pve/nodes").symlink_to("nodes")
    (top / "key").write_text("-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXk\n")
    (top / "link.yml").symlink_to("key")
    (top / "bomb.yml").write_text("- &a [x, x]\n- &b [*a, *a]\n")
    os.mkfifo(top / "pipe")
    tasks = [
        {
            "hypervisor.io_hardening.report": {
                "root": "configs",
                "policy": {},
                "fail_on": "error",
                "junit": f"out/{number}.xml",
                **options,
            },
            "register": f"result{number}",
            "ignore_errors": True,
        }
        for number, (options, _words) in enumerate(WRONG.values())
    ]
    results = "{{ [%s] | to_json }}" % ", ".join(f"result{number}" for number in range(len(WRONG)))
    tasks.append({"ansible.builtin.copy": {"content": results, "dest": str(top / "results"), "mode": "0600"}})
    (top / "play.yml").write_text(yaml.safe_dump([{"hosts": "localhost", "gather_facts": False, "tasks": tasks}]))
    run = run_playbook("play.yml", folder=top)
    assert run.status == 0, run.output
    assert "Traceback" not in run.output and "BEGIN" not in run.output and "b3Blb" not in run.output
    for (name, (_options, words)), result in zip(WRONG.items(), json.loads((top / "results").read_text())):
        assert result.get("failed") is True, name
        assert result["msg"].startswith(words), name
        assert len(result["msg"].splitlines()) == 1, name
    judged = [
        number
        for number, name in enumerate(WRONG)
        if name in ("report's path", "a path without end", "a file unread", "a silent host")
    ]
    assert {path.name for path in (top / "out").iterdir()} == {f"{number}.xml" for number in judged}


def test_a_name_of_thousands_of_digits_ends_neither_the_gate_nor_a_report(configs):
    """Python refuses to read a number of more than 4,300 digits."""
    digits = "1" * 5000
    (configs / "101.conf").write_text(f"name: {digits}\nmemory: {digits}\nnet0: virtio,queues={digits}\n{GOOD}")
    run = gate(configs.parent, gate_root="configs", report_dir="out")
    assert run.status == 0 and "GATE PASSED" in run.output, run.output
    assert {path.name for path in (configs.parent / "out").iterdir()} == REPORTS


def test_what_the_gate_would_not_look_at_is_no_pass(configs):
    run = gate(configs.parent, gate_root="configs", gate_fail_om="warning")
    assert (
        run.status == 2
        and "gate_fail_om: no such variable. There are gate_fail_on, gate_part, gate_root, gate_source" in run.output
    )
    run = gate(configs.parent, gate_root="configs", gate_fail_on=None)
    assert run.status == 2 and "GATE PASSED" not in run.output


def test_an_audit_says_and_does_not_judge(configs):
    (configs / "101.conf").write_text(BAD)
    run = run_playbook("audit_io", folder=configs.parent, variables={"gate_root": "configs"})
    assert run.status == 0 and "GATE" not in run.output
    assert "TO CHANGE" in run.output and "101" in run.output


def test_parts_are_not_joined_where_nobody_knows_the_hosts(tmp_path):
    run = run_playbook("join_reports", "-i", "localhost,", folder=tmp_path)
    assert run.status == 2 and "Nothing to hold the parts against" in run.output


@pytest.mark.parametrize(
    "arguments",
    [["-i", "localhost,"], ["-i", "localhost,", "--limit", "localhost"]],
    ids=["no hypervisor", "a limit without one"],
)
def test_nothing_to_gate_is_no_pass(tmp_path, arguments):
    run = gate(tmp_path, *arguments)
    assert run.status == 2
    assert "Nothing to gate: no host of hypervisors is in the inventory" in run.output


def test_live_hosts_are_gated_together_and_one_that_is_silent_fails_it(configs):
    """pve1 is in order, pve2 has a waived guest, pve3 cannot be read, pve4 is out of the limit."""
    top = configs.parent
    (top / "second").mkdir()
    (top / "second/storage.cfg").write_text(STORAGES)
    (top / "second/101.conf").write_text(BAD)
    hosts = {
        name: {"guest_io_root": str(top / folder), "host_writeback_root": str(top / name)}
        for name, folder in (("pve1", "configs"), ("pve2", "second"), ("pve3", "gone"), ("pve4", "configs"))
    }
    for name in hosts:
        (top / name / "etc/sysctl.d").mkdir(parents=True)
        (top / name / "etc/sysctl.d/90.conf").write_text(
            "vm.dirty_bytes = 268435456\nvm.dirty_background_bytes = 134217728\n"
        )
    connection = {
        "ansible_connection": "local",
        "ansible_python_interpreter": sys.executable,
        "host_writeback_mode": "bytes",
    }
    (top / "hosts.yml").write_text(
        yaml.safe_dump({"all": {"children": {"hypervisors": {"hosts": hosts, "vars": connection}}}})
    )
    waivers = [{**WAIVER, "rules": ["IO102", "IO104", "IO105"]}, {**WAIVER, "id": "W-2", "match": "guest.id == '400'"}]
    run = gate(
        top,
        "-i",
        "hosts.yml",
        "--limit",
        "pve1,pve2",
        guest_io_waivers=waivers,
        report_json="out.json",
        gate_fail_on="warning",
    )
    document = json.loads((top / "out.json").read_text())
    assert run.status == 0, run.output
    assert [(host["host"], host["reported"]) for host in document["hosts"]] == [("pve1", True), ("pve2", True)]
    assert [finding["rule"] for finding in document["findings"] if not finding["waived"]] == [], (
        "W-1 is for pve2 alone, W-2 for a guest that may be on pve4"
    )
    assert not re.search(r"changed=[1-9]", run.output)

    run = gate(top, "-i", "hosts.yml", "--limit", "!pve4", guest_io_waivers=waivers, report_json="out.json")
    document = json.loads((top / "out.json").read_text())
    assert run.status == 2
    assert "GATE FAILED: no report from pve3" in run.output
    assert [(host["host"], host["reported"]) for host in document["hosts"]] == [
        ("pve1", True),
        ("pve2", True),
        ("pve3", False),
    ]
