# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Domain XML through ansible-playbook: gated in a directory, hardened and rolled back in a host's tree."""

from __future__ import annotations

import json
import sys
from xml.etree import ElementTree
from xml.sax import saxutils

import pytest

from ansible_collections.hypervisor.io_hardening.tests.playbooks import run_playbook
from ansible_collections.hypervisor.io_hardening.tests.unit.domains import disk, domain
from ansible_collections.hypervisor.io_hardening.tests.unit.plans import change, domain_disk, plan
from ansible_collections.hypervisor.io_hardening.tests.unit.plans import domain as resource
from ansible_collections.hypervisor.io_hardening.tests.unit.plugins.plugin_utils._render.sample import COMMANDS, obeyed

GOOD = domain("good", disk(driver="cache='none' io='threads' iothread='1'"), iothreads=1)
BAD = domain("db", disk("vda", "io='io_uring'"), disk("vdb", "cache='unsafe'"))
HOSTILE = "<!DOCTYPE domain [<!ENTITY a SYSTEM 'file:///etc/passwd'>]>\n" + domain("&a;")


def gate(folder, **variables):
    return run_playbook("gate_io", folder=folder, variables={"gate_root": "configs", **variables})


@pytest.fixture
def configs(tmp_path):
    """A folder of domain XML, in order."""
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs/good.xml").write_text(GOOD)
    return tmp_path / "configs"


def test_domains_in_order_pass_and_other_xml_is_told(configs):
    (configs / "default.xml").write_text("<network><name>default</name></network>")
    (configs / "README.md").write_text("# Guests")
    run = gate(configs.parent)
    assert run.status == 0 and "GATE PASSED" in run.output, run.output
    assert "Not read, not guest configs (2): configs/README.md, configs/default.xml" in run.output
    assert "(network)" in run.output


def test_findings_point_at_the_line_of_the_disk_in_every_report(configs):
    (configs / "db.xml").write_text(BAD)
    run = gate(configs.parent, report_dir="reports", report_annotations=True)
    assert run.status == 2 and "GATE FAILED" in run.output
    assert ": db vda\n" in run.output and "db db" not in run.output
    assert "db db" not in (configs.parent / "reports/guest-io.codequality.json").read_text()
    lines = [number for number, line in enumerate(BAD.splitlines(), 1) if "<disk " in line]
    findings = json.loads((configs.parent / "reports/guest-io.json").read_text())["findings"]
    assert {(one["file"], one["line"], one["disk"]) for one in findings} == {
        ("configs/db.xml", lines[0], "vda"),
        ("configs/db.xml", lines[1], "vdb"),
    }
    sarif = json.loads((configs.parent / "reports/guest-io.sarif").read_text())
    places = [result["locations"][0]["physicalLocation"] for result in sarif["runs"][0]["results"]]
    assert {place["region"]["startLine"] for place in places} == set(lines)
    assert {place["artifactLocation"]["uri"] for place in places} == {"configs/db.xml"}
    cases = ElementTree.parse(configs.parent / "reports/guest-io.junit.xml").iter("testcase")
    failed = {case.get("name") for case in cases if case.find("failure") is not None}
    assert failed == {"vda IO102", "vda IO103", "vdb IO104"}


def test_xml_that_is_not_read_fails_the_gate_and_the_other_guests_are_judged(configs):
    (configs / "db.xml").write_text(BAD)
    (configs / "evil.xml").write_text(HOSTILE)
    (configs / "cut.xml").write_text(GOOD[:100])
    (configs / "below").mkdir()
    (configs / "below/hidden.xml").write_text(BAD)
    run = gate(configs.parent, report_json="out.json", gate_fail_on="IO100")
    document = json.loads((configs.parent / "out.json").read_text())
    assert run.status == 2 and not document["gate"]["passed"] and "root:" not in run.output
    unread = {(one["file"], one["line"]): one["message"] for one in document["findings"] if one["rule"] == "IO100"}
    assert unread[("configs/evil.xml", 1)].startswith("it has a DOCTYPE")
    (line,) = (line for file, line in unread if file == "configs/cut.xml")
    assert line <= GOOD[:100].count("\n") + 1 and line > 1
    assert unread[("configs/below/hidden.xml", None)].startswith(
        "was not read: the XML of domains lies in the directory"
    )
    assert len(unread) == 3 and {guest["guest"] for guest in document["guests"]} == {"good", "db"}


def test_configs_domains_and_a_plan_are_gated_in_one_run(configs):
    (configs / "100.conf").write_text("scsihw: virtio-scsi-single\nscsi0: lvm:x,iothread=1,aio=native\n")
    (configs / "storage.cfg").write_text("lvmthin: lvm\n\tvgname v\n\tthinpool t\n")
    (configs / "plan.json").write_text(plan(change("libvirt_domain", resource(domain_disk(driver={"io": "io_uring"})))))
    (configs / "101.xml").write_text(domain("101"))
    run = gate(configs.parent, report_json="out.json")
    document = json.loads((configs.parent / "out.json").read_text())
    assert run.status == 2, run.output
    assert {guest["guest"] for guest in document["guests"]} == {"100", "good", "libvirt_domain.this"}
    assert {one["guest"] for one in document["findings"] if one["rule"] == "IO103"} == {"100", "libvirt_domain.this"}
    (renamed,) = (one for one in document["findings"] if one["guest"] == "101")
    assert renamed["message"] == "its name is that of a guest of Proxmox VE; rename it"


@pytest.mark.parametrize("name", ["{{ lookup('pipe', 'touch obeyed') }}", "$(touch obeyed)", "&lt;script&gt;alert(1)"])
def test_a_name_is_only_shown(configs, name):
    (configs / "x.xml").write_text(domain(name))
    run = gate(configs.parent, gate_fail_on="IO104", report_dir="reports")
    assert run.status == 2 and not (configs.parent / "obeyed").exists(), run.output
    assert "<script>alert(1)" not in (configs.parent / "reports/guest-io.html").read_text()


def test_nothing_in_a_domain_is_a_command_to_the_ci(configs):
    """Whoever proposes a domain must not mask, stop or set anything in the run that judges it."""
    for number, command in enumerate(COMMANDS):
        text = saxutils.escape(command, {"'": "&apos;", "\n": "&#10;"})
        wrong = disk("vda", f"io='{text}'") if number % 2 else disk("vda", "io='io_uring'")
        named = domain(f"a&#10;{text}&#10;{text}", wrong, disk("vdb", source=f"<source file='/x&#10;{text}'/>"))
        (configs / f"{number}.xml").write_text(named)
        (configs / f"{command.replace('/', '_')}.xml").write_text(f"<domain><name>{text}</name>\n{text}")
    for arguments in ((), ("-vvv",)):
        run = run_playbook(
            "gate_io", *arguments, folder=configs.parent, variables={"gate_root": "configs", "gate_fail_on": "note"}
        )
        assert run.status == 2 and "GATE FAILED" in run.output
        assert [line for line in run.output.splitlines() if obeyed(line)] == []


def test_a_directory_without_a_guest_says_what_it_takes(configs):
    (configs / "good.xml").rename(configs.parent / "good.xml")
    run = gate(configs.parent)
    assert run.status == 2 and "of libvirt the XML of domains, or etc/libvirt/qemu/NAME.xml" in run.output
    (configs / "host1").mkdir()
    (configs.parent / "good.xml").rename(configs / "host1/good.xml")
    assert "name one of them" in gate(configs.parent).output


def on_tree(playbook, root, *arguments, **variables):
    host = {
        "ansible_connection": "local",
        "ansible_python_interpreter": sys.executable,
        "guest_io_root": str(root),
        "host_writeback_root": str(root),
    }
    (root / "inventory.yml").write_text(json.dumps({"hypervisors": {"hosts": {"kvm1": host}}}))
    return run_playbook(playbook, "-i", root / "inventory.yml", *arguments, variables=variables)


def test_the_tree_of_a_libvirt_host_is_checked_hardened_left_alone_and_rolled_back_to_the_byte(tmp_path):
    qemu = tmp_path / "etc/libvirt/qemu"
    (qemu / "autostart").mkdir(parents=True)
    (tmp_path / "etc/sysctl.d").mkdir()
    files = {"db.xml": BAD.replace("  <os>", "  <!-- mine -->\r\n  <os>"), "good.xml": GOOD}
    for name, text in files.items():
        (qemu / name).write_bytes(text.encode())
    (qemu / "autostart/db.xml").symlink_to("../db.xml")

    def now():
        return {name: (qemu / name).read_bytes().decode() for name in files}

    checked = on_tree("harden_io", tmp_path, "--check", "--tags", "guests")
    assert checked.status == 0 and now() == files, checked.output
    first = on_tree("harden_io", tmp_path, "--tags", "guests")
    assert first.status == 0, first.output
    after = now()
    assert after["good.xml"] == files["good.xml"] and "<!-- mine -->\r\n" in after["db.xml"]
    disks = ElementTree.fromstring(after["db.xml"]).findall("devices/disk/driver")
    assert [(one.get("io"), one.get("cache"), one.get("iothread")) for one in disks] == [
        ("threads", None, "1"),
        (None, "writeback", "2"),
    ]
    second = on_tree("harden_io", tmp_path, "--tags", "guests")
    assert second.status == 0 and "changed=0" in second.output and now() == after, second.output
    back = on_tree("rollback_io", tmp_path, rollback_run="last")
    assert back.status == 0 and now() == files, back.output
