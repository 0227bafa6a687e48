# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""``tools/gate``: the status of a pipeline's step, and what pre-commit runs."""

from __future__ import annotations

import importlib.machinery
import importlib.util
import json
import os
import sys
from pathlib import Path

import pytest
import yaml

from ansible_collections.hypervisor.io_hardening.tests.playbooks import COLLECTIONS, ROOT
from ansible_collections.hypervisor.io_hardening.tests.unit.plans import GOOD, SINGLE, bpg_disk, bpg_vm, change, plan

VM = "proxmox_virtual_environment_vm"

_LOADER = importlib.machinery.SourceFileLoader("tools_gate", str(ROOT / "tools/gate"))
_SPEC = importlib.util.spec_from_loader("tools_gate", _LOADER)
tools_gate = importlib.util.module_from_spec(_SPEC)


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    """A folder of a caller, with a good plan and a bad one; the tests' own environment in place of tools/in-venv."""
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    _LOADER.exec_module(tools_gate)
    (tmp_path / "good.json").write_text(plan(change(VM, bpg_vm(bpg_disk(**GOOD), **SINGLE))))
    (tmp_path / "bad.json").write_text(plan(change(VM, bpg_vm(bpg_disk()))))
    fake = tmp_path / "checkout/tools/in-venv"
    fake.parent.mkdir(parents=True)
    fake.write_text('#!/bin/sh\nshift\ncd /\nexec "$@"\n')
    fake.chmod(0o755)
    (tmp_path / "caller").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(tools_gate, "CHECKOUT", str(tmp_path / "checkout"))
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("ANSIBLE_COLLECTIONS_PATH", str(COLLECTIONS))
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    return tmp_path


def status(monkeypatch, *arguments):
    monkeypatch.setattr(sys, "argv", ["gate", *arguments])
    return tools_gate.main()


def test_all_passed_is_0_findings_are_1(here, monkeypatch, capfd):
    assert status(monkeypatch, "good.json") == 0
    assert status(monkeypatch, "-e", "report_dir=reports", "bad.json") == 1
    assert "GATE FAILED" in capfd.readouterr().out
    assert json.loads((here / "reports/guest-io.json").read_text())["gate"]["passed"] is False
    # The report that is there is not of the next run.
    assert status(monkeypatch, "-e", "report_dir=reports", "-e", "gate_fail_om=note", "bad.json") == 2


@pytest.mark.parametrize(
    "arguments",
    [
        ["good.json", "gone.json"],
        ["-e", "guest_io_policy=5", "bad.json"],
        ["-e", "report_json=good.json/x", "bad.json"],
    ],
    ids=["no such root", "an error", "no report"],
)
def test_what_could_not_be_judged_is_2(monkeypatch, arguments):
    assert status(monkeypatch, *arguments) == 2


def test_reports_of_several_roots_are_refused(monkeypatch, capsys):
    with pytest.raises(SystemExit) as ended:
        status(monkeypatch, "-e", "report_dir=reports", "good.json", "bad.json")
    assert ended.value.code == 2 and "give one ROOT" in capsys.readouterr().err


def test_pre_commit_runs_it():
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    assert hook["entry"] == "tools/gate" and os.access(ROOT / hook["entry"], os.X_OK)
    assert hook["language"] == "script" and hook["pass_filenames"] is False
