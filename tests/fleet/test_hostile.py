# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Texts of guests and hosts are never templates: on every road that they take through Ansible, and with every line of it.

Each text would make a file if Ansible evaluated it.
"""

from __future__ import annotations

import json
import sys

import pytest
import yaml

from ansible_collections.hypervisor.io_hardening.tests.playbooks import run_playbook

# What a user's own playbook may do with what the collection returns. A second template would evaluate a text that lost
# its mark on the way, as through hostvars.
OWN = """
- hosts: pve1
  gather_facts: false
  tasks:
    - hypervisor.io_hardening.guest_io_info: {root: "{{ guest_io_root }}"}
      register: read
    - hypervisor.io_hardening.host_writeback_info: {root: "{{ guest_io_root }}"}
      register: limits
    - ansible.builtin.slurp: {src: "{{ guest_io_root }}/etc/pve/nodes/pve1/qemu-server/102.conf"}
      register: config
    - ansible.builtin.include_role: {name: hypervisor.io_hardening.guest_io}
    - ansible.builtin.include_role: {name: hypervisor.io_hardening.host_writeback}
    - ansible.builtin.set_fact:
        copied: {findings: "{{ guest_io_findings }}", limits: "{{ host_writeback_report }}"}
    - ansible.builtin.assert:
        that: copied.findings.unresolved == []
        fail_msg: "{{ copied.findings.unresolved | map(attribute='detail') | join(' ') }}"
      # It is to fail: what it prints, a guest's text, is looked at, and the next road is tried after it.
      ignore_errors: true

- hosts: localhost
  gather_facts: false
  tasks:
    - ansible.builtin.set_fact: {kept: "{{ ROAD }}"}
    - ansible.builtin.debug: {msg: "{{ kept }}"}
    - ansible.builtin.copy: {content: "{{ kept | to_json }}", dest: "{{ folder }}/kept", mode: "0600"}
    - ansible.builtin.debug: {msg: "{{ own }}"}
"""
TEXT = "hostvars.pve1.config.content | b64decode | hypervisor.io_hardening.from_qemu_server('102')"
# One at a time: Ansible takes a whole expression for unsafe where it sees that a part of it is.
ROADS = {
    "what a module returned": "hostvars.pve1.read.guests",
    "what a role left": "hostvars.pve1.guest_io_findings",
    "a fact": "hostvars.pve1.copied",
    "the filter from_qemu_server": TEXT,
    "the filter assess": f"[{TEXT}] | hypervisor.io_hardening.assess({{}})",
    "the filter assess_writeback": "hostvars.pve1.limits | hypervisor.io_hardening.assess_writeback",
}


class Host:
    """A host as a directory, with texts in its guests' configs and its sysctl files that make files."""

    def __init__(self, folder):
        self.folder = folder
        self.root = folder / "pve1"
        configs = self.root / "etc/pve/nodes/pve1/qemu-server"
        configs.mkdir(parents=True)
        for name in ("etc/sysctl.d", "proc"):
            (self.root / name).mkdir()
        (self.root / "proc/meminfo").write_text("MemTotal:       67108864 kB\n")
        (self.root / "etc/pve/storage.cfg").write_text("dir: local\n\tpath /x\n\tcontent images\n")
        (self.root / "etc/sysctl.d/99-zz.conf").write_text(f"vm.dirty_ratio = 40 {self.text('limit')}\n")
        disks = "scsihw: virtio-scsi-pci\nscsi0: local:{0}/vm-{0}-disk-0.raw\n"
        (configs / "101.conf").write_text(f"#{self.text('note')}\nargs: -name {self.text('args')}\n{disks.format(101)}")
        (configs / "102.conf").write_text(
            f"name: {self.text('name')}\nlock: {self.text('lock')}\ntags: {self.text('tag')}\n{disks.format(102)}"
        )

    def text(self, name):
        return "{{ lookup('ansible.builtin.pipe', 'touch %s/evaluated-%s') }}" % (self.folder, name)

    def evaluated(self):
        return sorted(path.name for path in self.folder.glob("evaluated-*"))

    def config(self, guest):
        return (self.root / f"etc/pve/nodes/pve1/qemu-server/{guest}.conf").read_text()

    def play(self, name, *arguments, **extra):
        host = {
            "ansible_connection": "local",
            "ansible_python_interpreter": sys.executable,
            "guest_io_root": str(self.root),
            "host_writeback_root": str(self.root),
        }
        inventory = self.folder / "hosts.yml"
        inventory.write_text(yaml.safe_dump({"hypervisors": {"hosts": {"pve1": host}}}))
        return run_playbook(name, "-i", inventory, *arguments, folder=self.folder, variables=extra)


@pytest.fixture
def host(tmp_path):
    return Host(tmp_path)


def test_the_playbooks_evaluate_nothing(host):
    status, output = host.play("harden_io", "--diff", report_dir="reports")
    assert status == 0 and host.evaluated() == [], output
    assert "iothread=1" in host.config(101) and "iothread=1" not in host.config(102)
    unresolved = json.loads((host.folder / "reports/guest-io.json").read_text())["unresolved"]
    assert [host.text("lock")[:30] in entry["detail"] for entry in unresolved if entry["guest"] == "102"] == [True]
    for name in ("gate_io", "audit_io", "restart_pending", "rollback_io"):
        status, output = host.play(name, *(["--check"] if name == "restart_pending" else []))
        assert status in (0, 2) and host.evaluated() == [], output
    assert "iothread=1" not in host.config(101)


def test_the_parts_of_a_sliced_gate_evaluate_nothing(host):
    settings = host.folder / "ansible.cfg"
    settings.write_text("[defaults]\nshow_custom_stats = true\n")
    status, output = host.play("gate_io", gate_part=True)
    assert status == 0 and host.evaluated() == [], output
    part = json.loads(output[output.index("CUSTOM STATS") :].split("RUN: ", 1)[1])
    status, output = host.play("join_reports", report_json="joined.json", **part)
    assert status == 2 and "GATE FAILED" in output and host.evaluated() == [], output
    assert host.text("lock")[:30] in (host.folder / "joined.json").read_text()


@pytest.mark.parametrize("road", ROADS)
def test_a_users_own_playbook_evaluates_nothing_of_what_it_got(host, road):
    playbook = host.folder / "own.yml"
    playbook.write_text(OWN.replace("ROAD", ROADS[road]))
    # What the user wrote is a template: the texts would make files.
    status, output = host.play(playbook, folder=str(host.folder), own=host.text("own"))
    assert status == 0 and host.evaluated() == ["evaluated-own"], output
    kept = (host.folder / "kept").read_text()
    assert host.text("limit" if "writeback" in road else "lock")[:30] in json.dumps(json.loads(kept)), kept
