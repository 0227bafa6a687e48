# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The sample fleet's guests of libvirt go through every playbook, and their definitions are looked at from outside."""

from __future__ import annotations

import json
import re
import subprocess
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
import yaml

from ansible_collections.hypervisor.io_hardening.tests.fleet.playbook import ROOT, play
from ansible_collections.hypervisor.io_hardening.tests.playbooks import run_playbook

EXPECTED = yaml.safe_load((ROOT / "tests/fixtures/sample_fleet_expected.yml").read_text())
DOMAINS = "hosts/kvm1/etc/libvirt/qemu"
GUESTS = {path.stem: EXPECTED[path.stem] for path in sorted((ROOT / "sample_fleet" / DOMAINS).glob("*.xml"))}
CHANGED = sorted(guest for guest, expected in GUESTS.items() if expected["changes"])
OPTIONS = {"aio": "io", "cache": "cache", "iothread": "iothread"}


def domains(tree: Path) -> dict[str, bytes]:
    return {path.stem: path.read_bytes() for path in (tree / DOMAINS).glob("*.xml")}


def harden(tree: Path, *arguments: str) -> str:
    code, output = play(tree, "harden_io", "--limit", "kvm1", "--tags", "guests", *arguments)
    assert code == 0, output
    return output


def gate(folder: Path, *arguments: str) -> tuple[int, str]:
    return run_playbook("playbooks/gate_io.yml", "--extra-vars", f"gate_root={folder}", *arguments, folder=ROOT)


@pytest.fixture(scope="module")
def seen(tmp_path_factory):
    folder = tmp_path_factory.mktemp("fleet")
    tree = folder / "copy"
    subprocess.run([ROOT / "sample_fleet/copy", tree], check=True)
    reports = ("--extra-vars", f"report_dir={folder}/reports")
    seen = {"before": domains(tree), "reports": folder / "reports"}
    seen["gated_before"] = gate(tree / DOMAINS, "--extra-vars", f"report_json={folder}/gate.json")
    seen["gate"] = json.loads((folder / "gate.json").read_text())
    seen["checked"], seen["after_check"] = harden(tree, "--check", "--diff"), domains(tree)
    seen["first"], seen["after"] = harden(tree, *reports), domains(tree)
    seen["second"], seen["after_second"] = harden(tree), domains(tree)
    (tree / DOMAINS / "build.xml").rename(folder / "build.xml")
    (tree / DOMAINS / "accounting.xml").rename(folder / "accounting.xml")
    seen["gated_after"] = gate(tree / DOMAINS)
    for name in ("build.xml", "accounting.xml"):
        (folder / name).rename(tree / DOMAINS / name)
    seen["audited"] = play(tree, "audit_io", "--limit", "kvm1")
    one = ("--limit", "kvm1", "--extra-vars", json.dumps({"restart_match": "guest.hypervisor == 'libvirt'"}))
    seen["restarted"] = play(tree, "restart_pending", *one)
    seen["rolled"], seen["after_rollback"] = play(tree, "rollback_io", "--limit", "kvm1"), domains(tree)
    return seen


def drives(raw: bytes) -> dict[str, dict[str, str | None]]:
    """Disk → its io and cache, and the iothread that it has: its own, or its virtio-scsi controller's."""
    found = {}
    root = ET.fromstring(raw)
    for disk in root.iterfind("devices/disk"):
        driver, address = disk.find("driver"), disk.find("address")
        iothread = driver.get("iothread")
        if disk.find("target").get("bus") == "scsi":
            at = f"devices/controller[@type='scsi'][@index='{address.get('controller')}'][@model='virtio-scsi']/driver"
            assert iothread is None
            iothread = None if root.find(at) is None else root.find(at).get("iothread")
        found[disk.find("target").get("dev")] = {
            "io": driver.get("io"),
            "cache": driver.get("cache"),
            "iothread": iothread,
        }
    return found


def the_rest(raw: bytes) -> str:
    """The definition without what a plan may set."""
    root = ET.fromstring(raw)
    for element in root.findall("iothreads"):
        root.remove(element)
    for driver in root.iterfind("devices/disk/driver"):
        for option in OPTIONS.values():
            driver.attrib.pop(option, None)
    for controller in root.iterfind("devices/controller[@type='scsi']"):
        for driver in controller.findall("driver"):
            controller.remove(driver)
    return ET.canonicalize(ET.tostring(root), strip_text=True)


def test_check_mode_shows_the_change_and_makes_none(seen):
    assert seen["after_check"] == seen["before"]
    assert re.search(r"^\+iothreads: 1$", seen["checked"], re.MULTILINE)
    assert re.search(r"^-.*io='native'", seen["checked"], re.MULTILINE)


@pytest.mark.parametrize("guest", GUESTS)
def test_a_guest_gets_what_its_expectation_says_and_nothing_else(seen, guest):
    before, after = seen["before"][guest], seen["after"][guest]
    if not GUESTS[guest]["changes"]:
        assert after == before
        return
    wanted, found = drives(before), drives(after)
    users = set()
    for disk, option, _old, new in GUESTS[guest]["changes"]:
        if option == "iothread":
            users.add(found[disk]["iothread"])
        wanted[disk][OPTIONS[option]] = found[disk]["iothread"] if option == "iothread" else new
    assert found == wanted and None not in users
    assert ET.fromstring(after).findtext("iothreads") == (str(len(users)) if users else None)
    assert the_rest(after) == the_rest(before)


def test_two_disks_of_one_controller_share_its_iothread(seen):
    files = drives(seen["after"]["files"])
    assert [disk["iothread"] for disk in files.values()] == ["1", "1"]


def test_a_second_run_changes_nothing(seen):
    assert seen["after_second"] == seen["after"] and "changed=0" in seen["second"]


def test_a_directory_of_definitions_is_gated(seen):
    code, output = seen["gated_before"]
    assert code == 2 and "GATE FAILED" in output
    found = {guest: set() for guest in GUESTS}
    for finding in seen["gate"]["findings"]:
        if finding["guest"] is not None:
            found[finding["guest"]].add(finding["rule"])
            place = finding["file"]
            assert place is None or place.endswith(f"/{finding['guest']}.xml")
    wanted = {name: {rule for rules in one["findings"].values() for rule in rules} for name, one in GUESTS.items()}
    assert found == wanted


def test_the_gate_lets_hardened_definitions_through(seen):
    code, output = seen["gated_after"]
    assert code == 0 and "GATE PASSED" in output, output


def test_the_reports_are_about_these_guests_as_they_are_after_the_run(seen):
    document = json.loads((seen["reports"] / "guest-io.json").read_text())
    assert {guest["guest"]: guest["hypervisor"] for guest in document["guests"]} == dict.fromkeys(GUESTS, "libvirt")
    assert document["plan"] == []
    assert sorted(one["guest"] for one in document["results"] if one["status"] == "changed") == CHANGED
    for name in ("guest-io.html", "guest-io.sarif", "guest-io.junit.xml"):
        assert "accounting" in (seen["reports"] / name).read_text(), name


def test_an_audit_names_what_is_left(seen):
    code, output = seen["audited"]
    assert code == 0 and "kvm1" in output and "1 host, 6 guests, 7 disks" in output
    assert re.search(r"^ +build\b", output, re.MULTILINE) and re.search(r"^ +accounting\b", output, re.MULTILINE)


def test_nothing_is_restarted_in_files(seen):
    code, output = seen["restarted"]
    assert code == 0 and "RESTARTED" not in output, output


def test_the_run_is_rolled_back_to_the_byte(seen):
    code, output = seen["rolled"]
    assert code == 0 and f"PUT BACK ({len(CHANGED)})" in output, output
    assert seen["after_rollback"] == seen["before"]
