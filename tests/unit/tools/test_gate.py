# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""``tools/gate``: the status of a pipeline's step, and what pre-commit runs."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from ansible_collections.hypervisor.io_hardening.tests.playbooks import COLLECTIONS, ROOT
from ansible_collections.hypervisor.io_hardening.tests.unit.plans import GOOD, SINGLE, bpg_disk, bpg_vm, change, plan

VM = "proxmox_virtual_environment_vm"

_SPEC = importlib.util.spec_from_file_location("tools_gate", ROOT / "tools/gate.py")
tools_gate = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(tools_gate)


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    """A folder of a caller, with a good plan and a bad one, in the tests' own environment."""
    (tmp_path / "good.json").write_text(plan(change(VM, bpg_vm(bpg_disk(**GOOD), **SINGLE))))
    (tmp_path / "bad.json").write_text(plan(change(VM, bpg_vm(bpg_disk()))))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("ANSIBLE_COLLECTIONS_PATH", str(COLLECTIONS))
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    return tmp_path


def status(here, *arguments):
    return tools_gate.main(str(here), list(arguments))


def test_all_passed_is_0_findings_are_1(here, capfd):
    assert status(here, "good.json") == 0
    assert status(here, "-e", "report_dir=reports", "bad.json") == 1
    assert "GATE FAILED" in capfd.readouterr().out
    assert json.loads((here / "reports/guest-io.json").read_text())["gate"]["passed"] is False
    # The report that is there is not of the next run.
    assert status(here, "-e", "report_dir=reports", "-e", "gate_fail_om=note", "bad.json") == 2


@pytest.mark.parametrize(
    "arguments",
    [
        ["good.json", "gone.json"],
        ["-e", "guest_io_policy=5", "bad.json"],
        ["-e", "report_json=good.json/x", "bad.json"],
    ],
    ids=["no such root", "an error", "no report"],
)
def test_what_could_not_be_judged_is_2(here, arguments):
    assert status(here, *arguments) == 2


def test_reports_of_several_roots_are_refused(here, capsys):
    with pytest.raises(SystemExit) as ended:
        status(here, "-e", "report_dir=reports", "good.json", "bad.json")
    assert ended.value.code == 2 and "give one ROOT" in capsys.readouterr().err


def test_without_an_environment_nothing_is_judged(here):
    (here / "tools").mkdir()
    shutil.copy(ROOT / "tools/gate", here / "tools")
    in_venv = here / "tools/in-venv"
    in_venv.write_text("#!/bin/sh\n[ $# -gt 1 ] || exit 1\n")
    in_venv.chmod(0o755)
    assert subprocess.run([here / "tools/gate", "good.json"], check=False).returncode == 2
    assert status(here / "gone", "good.json") == 2


def test_pre_commit_runs_it():
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    assert hook["entry"] == "tools/gate" and os.access(ROOT / hook["entry"], os.X_OK)
    assert hook["language"] == "script" and hook["pass_filenames"] is False
