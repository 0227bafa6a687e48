# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The roles io_load and io_host in a play of one's own, through ansible-playbook."""

from __future__ import annotations

import sys

import pytest

from ansible_collections.hypervisor.io_hardening.tests.playbooks import run_playbook

POLICIES = {"io_load_policy": {"limits": {"restore": "80 MiB/s"}}, "io_host_policy": {"swappiness": 10}}
#: What each role sets by its policy: the file below the host's root, and what it then has.
SETS = {"io_load": ("etc/pve/datacenter.cfg", "restore=81920"), "io_host": ("proc/sys/vm/swappiness", "10")}


@pytest.fixture
def play(tmp_path):
    """Run a play with these roles on a host's tree, ``play.root``."""
    files = {
        "etc/pve/datacenter.cfg": "keyboard: de\n",
        "etc/pve/jobs.cfg": "vzdump: nightly\n\tschedule 21:00\n\tall 1\n\tstorage local\n",
        "etc/pve/nodes/pve1/qemu-server/.keep": "",
        "proc/sys/vm/swappiness": "60\n",
        "proc/meminfo": "MemTotal: 16384000 kB\n",
    }
    for name, text in files.items():
        path = tmp_path / "root" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def run(*roles):
        listed = "".join(f"    - hypervisor.io_hardening.{role}\n" for role in roles)
        (tmp_path / "play.yml").write_text(f"- hosts: all\n  gather_facts: false\n  roles:\n{listed}")
        given = {"ansible_python_interpreter": sys.executable, "guest_io_root": str(tmp_path / "root"), **POLICIES}
        return run_playbook(tmp_path / "play.yml", "-i", "pve1,", "-c", "local", variables=given)

    run.root = tmp_path / "root"
    return run


def test_the_role_report_shows_what_the_roles_found_and_set(play):
    done = play("io_load", "io_host", "report")
    assert done.status == 0, done.output
    for name, text in SETS.values():
        assert text in (play.root / name).read_text()
    assert "pve1: changed: 1 setting changed" in done.output and "pve1: note IO311: " in done.output, done.output
    assert "NO REPORT" not in done.output


@pytest.mark.parametrize("role", SETS)
def test_a_role_alone_fails_when_a_setting_failed(play, role):
    journal = play.root / "var/lib/hypervisor-io-hardening/journal"
    journal.mkdir(parents=True)
    journal.chmod(0o777)
    done = play(role)
    name, text = SETS[role]
    assert text not in (play.root / name).read_text()
    assert done.status == 2 and "Fail when a setting failed" in done.output and "journal" in done.output, done.output
