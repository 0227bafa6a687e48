# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""A host with libvirt, its virsh stood in for, goes through every playbook: one guest runs, one does not."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest

from ansible_collections.hypervisor.io_hardening.tests.playbooks import ROOT, Run, run_playbook
from ansible_collections.hypervisor.io_hardening.tests.unit.stand_ins.virsh_host import VirshHost

SAMPLES = ROOT / "sample_fleet/hosts/kvm1/etc/libvirt/qemu"
HARDENED = "<driver name='qemu' type='raw' cache='none' io='threads' discard='unmap' iothread='1'/>"


class Host:
    """The stand-in's host, and the playbooks on it: db runs, files does not."""

    def __init__(self, folder: Path) -> None:
        self.virsh = VirshHost(folder / "host")
        for guest in ("db", "files"):
            # What libvirt prints of it, without the comment of its file.
            text = (SAMPLES / f"{guest}.xml").read_text()
            self.virsh.definition(guest).write_text(text[text.index("<domain") :])
        uuid = re.search("<uuid>(.*)</uuid>", self.virsh.definition("db").read_text())[1]
        assert self.virsh.run(f"start --domain {uuid}").returncode == 0
        self.inventory = folder / "hosts.json"
        host = {
            "ansible_connection": "local",
            "ansible_python_interpreter": sys.executable,
            "guest_io_hypervisor": "libvirt",
            # No other connection is asked, whatever this machine runs.
            "guest_io_libvirt_uris": [f"qemu:///system?socket={folder}/socket"],
            "guest_io_journal": str(folder / "journal"),
            "guest_io_policy": {"accept_defects": ["virtio-scsi-reset"]},
        }
        self.inventory.write_text(json.dumps({"hypervisors": {"hosts": {"kvm1": host}}}))

    @property
    def live(self) -> Path:
        return self.virsh.root / "run/libvirt/qemu/db.xml"

    def definitions(self) -> dict[str, str]:
        return {guest: self.virsh.definition(guest).read_text() for guest in ("db", "files")}

    def play(self, name: str, *arguments: str, **variables: object) -> Run:
        given = ("--extra-vars", json.dumps(variables)) if variables else ()
        return run_playbook(f"playbooks/{name}.yml", "--inventory", self.inventory, *arguments, *given, folder=ROOT)


@pytest.fixture(scope="module")
def seen(tmp_path_factory):
    folder = tmp_path_factory.mktemp("libvirt")
    with pytest.MonkeyPatch.context() as patch:
        host = Host(folder)
        host.virsh.on_path(patch)
        named = {"guest_io_guests": "db,files"}
        seen = {"before": host.definitions(), "live_before": host.live.read_text()}
        seen["audited"] = host.play("audit_io", **named)
        seen["gated"] = host.play("gate_io", **named)
        seen["checked"] = host.play("harden_io", "--check", "--diff", **named)
        seen["after_check"] = host.definitions()
        seen["hardened"] = host.play("harden_io", report_json=str(folder / "report.json"), **named)
        seen["after"], seen["live_after"] = host.definitions(), host.live.read_text()
        seen["calls_before"] = len(host.virsh.calls())
        seen["again"] = host.play("harden_io", **named)
        seen["calls_of_again"] = host.virsh.calls()[seen["calls_before"] :]
        seen["waiting"] = host.play("restart_pending", "--check", restart_match="guest.id == 'db'")
        seen["restarted"] = host.play("restart_pending", restart_match="guest.id == 'db'")
        seen["live_restarted"] = host.live.read_text()
        seen["passed"] = host.play("gate_io", **named)
        seen["rolled"] = host.play("rollback_io")
        seen["after_rollback"] = host.definitions()
        seen["report"] = json.loads((folder / "report.json").read_text())
    return seen


def test_both_guests_are_audited_and_fail_the_gate(seen):
    assert seen["audited"].status == 0 and "1 host, 2 guests, 3 disks" in seen["audited"].output
    assert seen["gated"].status == 2 and "GATE FAILED" in seen["gated"].output


def test_check_mode_shows_the_change_and_makes_none(seen):
    assert seen["checked"].status == 0 and seen["after_check"] == seen["before"]
    assert re.search(r"^\+.*io='threads'.*iothread='1'", seen["checked"].output, re.MULTILINE)


def test_the_definitions_get_what_is_wanted_and_keep_every_other_line(seen):
    assert seen["hardened"].status == 0, seen["hardened"].output
    lines = {guest: text.splitlines() for guest, text in seen["after"].items()}
    old = {guest: text.splitlines() for guest, text in seen["before"].items()}
    added = {guest: [line.strip() for line in lines[guest] if line not in old[guest]] for guest in lines}
    assert sorted(added["db"]) == sorted(["<iothreads>1</iothreads>", HARDENED])
    drive = HARDENED.replace(" iothread='1'", "")
    assert sorted(added["files"]) == sorted(["<iothreads>1</iothreads>", drive, drive, "<driver iothread='1'/>"])
    gone = [line for line in old["db"] if line not in lines["db"]]
    assert len(gone) == 1 and "io='native'" in gone[0]


def test_a_running_guest_keeps_what_it_runs_with_and_waits_for_a_restart(seen):
    assert seen["live_after"] == seen["live_before"]
    states = {guest["guest"]: guest["status"] for guest in seen["report"]["guests"]}
    assert states == {"db": "restart_pending", "files": "compliant"}
    output = seen["hardened"].output
    assert "RESTART PENDING (1)" in output and "restart_match=guest.id=='db'" in output


def test_a_second_run_changes_nothing_and_only_asks(seen):
    assert seen["again"].status == 0 and "changed=0" in seen["again"].output
    said = " ".join(word for call in seen["calls_of_again"] for word in call)
    assert "dumpxml" in said and "define" not in said


def test_a_restart_puts_the_change_in_force(seen):
    assert "db" in seen["waiting"].output and seen["waiting"].status == 0
    assert seen["restarted"].status == 0, seen["restarted"].output
    assert "vda aio native → threads" in " ".join(seen["restarted"].output.split())
    assert "io='threads'" in seen["live_restarted"] and "io='native'" not in seen["live_restarted"]
    assert seen["passed"].status == 0 and "GATE PASSED" in seen["passed"].output


def test_the_run_is_rolled_back_to_the_byte(seen):
    assert seen["rolled"].status == 0, seen["rolled"].output
    assert seen["after_rollback"] == seen["before"]
    output = " ".join(seen["rolled"].output.split())
    assert "PUT BACK (2)" in output and "RESTART PENDING (1)" in output
