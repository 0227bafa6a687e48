# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The role through ansible-playbook, on trees: check mode, diff mode, idempotence, refusals."""

from __future__ import annotations

import json
import re
import sys

import pytest

from ansible_collections.hypervisor.io_hardening.tests.playbooks import run_playbook
from ansible_collections.hypervisor.io_hardening.tests.unit.plugins.module_utils._writeback.host import (
    harden,
    host_tree,
    kernel,
    snapshot,
)

PLAY = """
- hosts: all
  gather_facts: false
  tasks:
    - ansible.builtin.include_role:
        name: hypervisor.io_hardening.host_writeback
    - ansible.builtin.debug:
        msg: "REPORT {{ host_writeback_report | to_json }}"
"""


@pytest.fixture
def run(tmp_path):
    """Run the role on ``tmp_path/root``; gives the exit code, the output and the report."""
    (tmp_path / "play.yml").write_text(PLAY)

    def _run(*arguments, **variables):
        given = {
            "ansible_python_interpreter": sys.executable,
            "host_writeback_root": str(tmp_path / "root"),
            **variables,
        }
        done = run_playbook(tmp_path / "play.yml", "-i", "pve1,", "-c", "local", *arguments, variables=given)
        report = re.search(r'"msg": ("REPORT .*")$', done.output, re.MULTILINE)
        return (
            *done,
            json.loads(json.loads(report[1]).removeprefix("REPORT ")) if report else None,
        )

    return _run


LATE = {"/etc/sysctl.d/99-zz.conf": "net.ipv4.ip_forward = 1\nvm.dirty_ratio = 40\n"}


def test_check_mode_reports_what_the_run_does_and_changes_nothing(tmp_path, run):
    root = host_tree(tmp_path / "root", LATE)
    before = snapshot(root)
    code, checked, report = run("--check", "--diff", host_writeback_take_over=True)
    assert (code, report["status"], report["changed"]) == (0, "to_change", True)
    assert snapshot(root) == before
    assert {one["host"] for one in report["findings"]} == {"pve1"}
    code, done, report = run("--diff", host_writeback_take_over=True)
    assert (code, report["status"], report["changed"]) == (0, "changed", True)
    assert "+vm.dirty_ratio = 2" in done
    assert [line for line in checked.splitlines() if line[:1] in "+-"] == [
        line for line in done.splitlines() if line[:1] in "+-"
    ]
    after = snapshot(root)
    code, _unused, report = run(host_writeback_take_over=True)
    assert (code, report["status"], report["changed"], report["plan"]) == (0, "compliant", False, None)
    assert snapshot(root) == after
    code, _unused, report = run(host_writeback_state="absent")
    assert (code, report["status"]) == (0, "taken_back")
    assert snapshot(root) == before


def test_a_file_that_wins_is_an_error_in_the_report_and_stays(tmp_path, run):
    root = host_tree(tmp_path / "root", LATE)
    harden(root)
    code, _unused, report = run()
    assert (code, report["status"], report["changed"]) == (0, "overruled", False)
    assert "99-zz.conf line 2 wins at boot: vm.dirty_ratio = 40" in report["detail"]
    assert (root / "etc/sysctl.d/99-zz.conf").read_text() == LATE["/etc/sysctl.d/99-zz.conf"]
    assert kernel(root)["dirty_ratio"] == 2


@pytest.mark.parametrize(
    ("variables", "says"),
    [
        ({"host_writeback_mode": "percent"}, "value of host_writeback_mode must be one of: auto, ratio, bytes"),
        (
            {"host_writeback_background_ratio": 5},
            "host_writeback_background_ratio (5) is not below host_writeback_ratio (2)",
        ),
        # Older lines of ansible-core refuse it themselves.
        ({"host_writeback_ratio": "1" * 5000}, "host_writeback_ratio"),
    ],
)
def test_invalid_settings_stop_the_run_before_anything_is_written(tmp_path, run, variables, says):
    root = host_tree(tmp_path / "root")
    before = snapshot(root)
    code, output, _unused = run(**variables)
    assert code != 0
    assert says in output
    assert "Traceback" not in output
    assert snapshot(root) == before


def test_a_host_s_texts_are_never_templates(tmp_path, run):
    odd = "{{ lookup('ansible.builtin.pipe', 'touch %s') }}" % (tmp_path / "evaluated")
    root = host_tree(tmp_path / "root", {"/etc/sysctl.d/99-zz.conf": "vm.dirty_ratio = 40 %s\n" % odd})
    harden(root)
    code, _unused, report = run()
    assert code == 0
    assert odd[:50] in report["detail"]
    assert not (tmp_path / "evaluated").exists()


def test_a_later_file_with_the_kernels_own_defaults_is_not_called_compliant(tmp_path, run):
    root = host_tree(
        tmp_path / "root", {"/etc/sysctl.d/99-sysctl.conf": "vm.dirty_ratio = 20\nvm.dirty_background_ratio = 10\n"}
    )
    assert run()[2]["status"] == "changed"
    before = snapshot(root)
    code, _unused, report = run()
    assert (code, report["status"], snapshot(root)) == (0, "overruled", before)
    assert "99-sysctl.conf line 1 wins at boot: vm.dirty_ratio = 20" in report["detail"]


@pytest.mark.parametrize("arguments", [[], ["--check"]])
def test_the_limits_of_before_are_not_given_up_if_their_record_cannot_be_read(tmp_path, run, arguments):
    root = host_tree(tmp_path / "root")
    harden(root)
    record = root / "var/lib/hypervisor-io-hardening/host_writeback.json"
    text = record.read_text()
    record.write_text(text + "x" * (4 << 20))
    before = snapshot(root)
    code, output, _unused = run(*arguments, host_writeback_state="absent")
    assert code == 2 and "is larger than 4 MiB; nothing was taken back: make it readable and run again" in output
    assert snapshot(root) == before
    record.write_text(text)
    assert run(*arguments, host_writeback_state="absent")[0] == 0
    assert kernel(root)["dirty_ratio"] == (2 if arguments else 20)
