# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""What the targets that run playbooks hand on, and how make prove ends where nothing can be measured."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
SHOW = """#!/bin/sh
exec {python} -c 'import json, os, sys; print(json.dumps([sys.argv[1:], dict(os.environ)]))' "$@"
"""


@pytest.fixture
def make(tmp_path):
    """Call make with words: what ansible-playbook would be called with, and the environment."""
    shutil.copy(ROOT / "Makefile", tmp_path)
    for name, text in {"tools/in-venv": SHOW.format(python=sys.executable), "sample_fleet/copy": "#!/bin/sh\n"}.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)

    def run(*words, **environment):
        variables = {name: value for name, value in os.environ.items() if not name.startswith(("ANSIBLE_", "MAKE"))}
        command = ["make", "--no-print-directory", *words]
        given = {**variables, **environment}
        done = subprocess.run(command, cwd=tmp_path, env=given, capture_output=True, text=True, check=True)
        called, seen = json.loads(done.stdout)
        return called[2:], seen

    return run


def test_a_selector_and_an_inventory_reach_ansible_as_they_are(make):
    match = "contains(['105','106'],guest.id) || guest.name == 'a b'"
    called, _environment = make("restart", "INVENTORY=my hosts.yml", f"MATCH={match}", "ARGS=-l 'pve1,pve2'")
    assert called[:4] == ["--inventory", "my hosts.yml", "playbooks/restart_pending.yml", "-e"]
    assert json.loads(called[4]) == {"restart_match": match} and called[5:] == ["-l", "pve1,pve2"]


@pytest.mark.parametrize(
    ("target", "playbook"),
    [("harden", "harden_io"), ("audit", "audit_io"), ("gate", "gate_io"), ("rollback", "rollback_io")],
)
def test_without_more_the_sample_fleet_is_taken(make, target, playbook):
    called, _environment = make(target)
    assert called == ["--inventory", "sample_fleet/inventory.yml", f"playbooks/{playbook}.yml"]


def test_a_run_is_rolled_back_by_its_name(make):
    called, _environment = make("rollback", "INVENTORY=hosts.yml", "RUN=nightly")
    assert json.loads(called[-1]) == {"rollback_run": "nightly"}


@pytest.mark.parametrize("target", ["harden", "audit", "gate", "restart", "rollback", "prove", "calibrate"])
def test_the_report_is_not_drowned_unless_the_user_wants_it(make, target):
    _called, seen = make(target, "STORAGE=/x")
    assert seen["ANSIBLE_DISPLAY_OK_HOSTS"] == seen["ANSIBLE_DISPLAY_SKIPPED_HOSTS"] == "false"
    assert seen["IO_HARDENING_CALLED_BY_MAKE"]
    assert make(target, "STORAGE=/x", ANSIBLE_DISPLAY_OK_HOSTS="true")[1]["ANSIBLE_DISPLAY_OK_HOSTS"] == "true"


@pytest.mark.parametrize("target", ["prove", "calibrate"])
def test_a_storage_is_measured_on_the_hosts_of_an_inventory_or_here(make, target):
    called, _environment = make(target, "STORAGE=/mnt/it's one", "INVENTORY=hosts.yml", "ARGS=-l pve1")
    assert called[:3] == ["--inventory", "hosts.yml", "--extra-vars"]
    assert json.loads(called[3]) == {f"{target}_io_path": "/mnt/it's one"}
    assert called[4:] == [f"playbooks/{target}_io.yml", "-l", "pve1"]
    called, _environment = make(target, "STORAGE=/x")
    assert called[:4] == ["--inventory", "localhost,", "--connection", "local"]


@pytest.mark.parametrize(
    ("python", "why"),
    [
        ("echo 'a slow disk needs root'; exit 3", "a slow disk needs root"),
        ('case "$2" in --obstacle) ;; *) exit 3 ;; esac', "the slow disk cannot be made here"),
    ],
)
@pytest.mark.parametrize("tool", ["prove", "calibrate"])
def test_a_machine_that_cannot_measure_is_no_failure(tmp_path, tool, python, why):
    for name, text in {"python3": python, "dpkg-query": "echo installed", "uname": "echo x"}.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{text}\n")
        (tmp_path / name).chmod(0o755)
    (tmp_path / "tests/tools").mkdir(parents=True)
    for name in (tool, "apt-packages"):
        shutil.copy(ROOT / "tests/tools" / name, tmp_path / "tests/tools")
    (tmp_path / "tests/tools/guest-kernel").write_text("#!/bin/sh\necho /boot/vmlinuz\n")
    (tmp_path / "tests/tools/guest-kernel").chmod(0o755)
    path = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    done = subprocess.run([tmp_path / "tests/tools" / tool], env=path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert f"NOT MEASURED: {why}. Name a host and a directory on its storage: make {tool}" in done.stderr
