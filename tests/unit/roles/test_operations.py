# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The roles restart, rollback and report in a play of one's own, through ansible-playbook."""

from __future__ import annotations

import sys

import pytest

from ansible_collections.hypervisor.io_hardening.tests.playbooks import run_playbook

BEFORE = "scsihw: virtio-scsi-pci\nscsi0: local:102/a.raw\n"


@pytest.fixture
def play(tmp_path):
    """Run a play with these roles on a tree with one guest; ``play.config`` is the guest's."""
    configs = tmp_path / "root/etc/pve/nodes/pve1/qemu-server"
    configs.mkdir(parents=True)
    (tmp_path / "root/etc/pve/storage.cfg").write_text("dir: local\n\tpath /x\n\tcontent images\n")
    (configs / "102.conf").write_text(BEFORE)

    def run(*roles, arguments=(), **variables):
        listed = "".join(f"    - hypervisor.io_hardening.{role}\n" for role in roles)
        (tmp_path / "play.yml").write_text(f"- hosts: all\n  gather_facts: false\n  roles:\n{listed}")
        given = {"ansible_python_interpreter": sys.executable, "guest_io_root": str(tmp_path / "root"), **variables}
        return run_playbook(tmp_path / "play.yml", "-i", "pve1,", "-c", "local", *arguments, variables=given)

    run.config = configs / "102.conf"
    return run


def test_a_rollback_puts_back_what_the_role_changed_and_in_check_mode_shows_it(play, tmp_path):
    page = tmp_path / "reports/page.html"
    done = play("guest_io", "report", report_html=str(page))
    hardened = play.config.read_text()
    assert done.status == 0 and hardened != BEFORE and page.exists(), done.output
    done = play("rollback", arguments=["--check", "--diff"])
    assert done.status == 0 and play.config.read_text() == hardened, done.output
    assert "-scsihw: virtio-scsi-single" in done.output and "changed=1" in done.output
    done = play("rollback", rollback_guests="102,777")
    assert done.status == 2 and "guest 777 was not changed by run" in done.output, done.output
    done = play("rollback", rollback_guests=[102])
    assert done.status == 0 and play.config.read_text() == BEFORE and "changed=1" in done.output, done.output


def test_a_restart_names_its_guests_and_skips_those_of_which_nobody_knows_whether_they_run(play):
    assert play("guest_io").status == 0
    done = play("restart", restart_match="guest.id == '102'")
    assert done.status == 0 and "changed=0" in done.output, done.output
    done = play("restart")
    assert done.status == 2 and "restart_match is not set" in done.output, done.output


@pytest.mark.parametrize(
    ("role", "variables", "words"),
    [
        ("restart", {"restart_timout": 5}, "restart_timout: no such variable."),
        ("restart", {"restart_timeout": 0}, "restart_timeout is 0; it takes a whole number, 1 or more"),
        ("restart", {"restart_max_failures": "0"}, "restart_max_failures is '0'; it takes a whole number, 1 or more"),
        ("rollback", {"rollback_guest": "102"}, "A misspelt rollback_guests would mean all guests."),
        ("rollback", {"rollback_run": ""}, "rollback_run is ''; it takes a run's name, or last"),
        ("report", {"report_directory": "x"}, "report_directory: no such variable."),
    ],
)
def test_a_role_refuses_a_mistake_before_it_reads_a_guest(play, role, variables, words):
    done = play(role, **{"restart_match": "guest.id == '102'", **variables})
    assert done.status == 2 and words in done.output and "changed=0" in done.output, done.output
    assert "TASK [hypervisor.io_hardening.rollback : Read the journal]" not in done.output
    assert "TASK [hypervisor.io_hardening.restart : Restart the guests one" not in done.output
