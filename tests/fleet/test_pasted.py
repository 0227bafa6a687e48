# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""What a run prints to be pasted names exactly its guest, whatever the guest is called, and evaluates nothing."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from xml.sax.saxutils import escape

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._asked.commands import Call, command, guest_list
from ansible_collections.hypervisor.io_hardening.tests.fleet.test_libvirt_host import SAMPLES
from ansible_collections.hypervisor.io_hardening.tests.playbooks import COLLECTIONS, ROOT, run_playbook
from ansible_collections.hypervisor.io_hardening.tests.unit.stand_ins.virsh_host import VirshHost

# Each would make a file if Ansible or a shell evaluated it.
NAMES = [
    '-x{{ lookup("pipe","touch pwned") }}',
    "-e it's, {% if lookup('pipe','touch pwned') %}`touch pwned` $(touch pwned){% endif %} \\{{ 7*7 }} ",
]


class Host:
    """A host whose one guest, which runs, has a hostile name."""

    def __init__(self, folder, name):
        self.name, self.folder = name, folder
        self.virsh = VirshHost(folder / "host")
        text = (SAMPLES / "db.xml").read_text()
        text = text[text.index("<domain") :].replace("<name>db</name>", f"<name>{escape(name)}</name>")
        self.virsh.definition(name).write_text(text)
        uuid = re.search("<uuid>(.*)</uuid>", text)[1]
        assert self.virsh.run(f"start --domain {uuid}").returncode == 0
        host = {
            "ansible_connection": "local",
            "ansible_python_interpreter": sys.executable,
            "guest_io_hypervisor": "libvirt",
            "guest_io_libvirt_uris": [f"qemu:///system?socket={folder}/socket"],
            "guest_io_journal": str(folder / "journal"),
            "guest_io_policy": {"accept_defects": ["virtio-scsi-reset"]},
        }
        (folder / "hosts.json").write_text(json.dumps({"hypervisors": {"hosts": {"kvm1": host}}}))

    def paste(self, line):
        """Run a printed command in a shell, as a check."""
        words = line.replace("ansible-playbook", f"{sys.executable} -m ansible playbook --check", 1)
        environment = {**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS), "ANSIBLE_NOCOLOR": "1"}
        done = subprocess.run(
            ["sh", "-c", words], cwd=self.folder, env=environment, capture_output=True, text=True, check=False
        )
        return done.returncode, done.stdout + done.stderr

    def evaluated(self):
        return [str(path) for folder in (self.folder, ROOT) for path in folder.rglob("pwned")]


@pytest.fixture(params=NAMES)
def host(request, tmp_path, monkeypatch):
    made = Host(tmp_path, request.param)
    made.virsh.on_path(monkeypatch)
    return made


def test_the_command_of_a_restart_matches_the_guest_and_evaluates_nothing(host):
    report = host.folder / "report.json"
    # It is named, because other tests may run guests on this machine.
    named = f'{{"guest_io_guests": {guest_list([host.name])}}}'
    hardened = run_playbook(
        "harden_io", "-i", "hosts.json", "-e", named, folder=host.folder, variables={"report_json": str(report)}
    )
    assert hardened.status == 0, hardened.output
    assert [(one["guest"], one["status"]) for one in json.loads(report.read_text())["guests"]] == [
        (host.name, "restart_pending")
    ]
    (line,) = [line for line in hardened.output.splitlines() if "restart_match" in line and "ansible-playbook" in line]
    status, output = host.paste(line.strip())
    assert status == 0 and "Restarts: 1 guest that waits on 1 host" in output, output
    assert not host.evaluated()


def test_the_command_that_hardens_a_measured_guest_names_it_and_evaluates_nothing(host):
    status, output = host.paste(command(Call(inventory=["hosts.json"]), "harden", host.name))
    assert status == 0 and "TO CHANGE (1)" in output, output
    assert not host.evaluated()
