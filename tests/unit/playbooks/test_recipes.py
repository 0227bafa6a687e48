# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The recipes of docs/gate.md, run as they are written, on modules of the kind that people write.

Stand-ins take the place of what installs software and of Terraform, which prints the plan.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._render.reports import REPORTS
from ansible_collections.hypervisor.io_hardening.tests.playbooks import COLLECTIONS, ROOT
from ansible_collections.hypervisor.io_hardening.tests.unit.plans import (
    GOOD,
    SINGLE,
    bpg_disk,
    bpg_vm,
    change,
    plan,
    telmate_disk,
    telmate_slots,
    telmate_vm,
)

SOURCES = ROOT / "tests/fixtures/terraform"
VM, QEMU = "proxmox_virtual_environment_vm", "proxmox_vm_qemu"
_INSTALL = ("apk", "apt-get", "pip", "ansible-galaxy")


def guest(name, *disks, **given):
    return change(VM, bpg_vm(*disks, name=name, **SINGLE, **given), module_address=f'module.guest["{name}"]')


def node(number):
    disk = telmate_disk(storage="nas", iothread=True)
    after = telmate_vm(
        name=f"node-{number}",
        clone="debian-13-template",
        vmid=None,
        disks=telmate_slots("scsi", scsi0={"disk": [disk]}),
    )
    return change(QEMU, after, name="node", index=number, module_address="module.cluster", unknown={"vmid": True})


#: Sources to their plan, and to the findings: what Terraform authors see on the terminal.
PLANS = {
    "bpg": (
        plan(
            guest("db", bpg_disk(**GOOD), bpg_disk("scsi1", datastore_id="nas"), vm_id=102),
            guest("web", bpg_disk(**GOOD), vm_id=101),
        ),
        'modules/guest/main.tf:27: plan.json module.guest["db"].proxmox_virtual_environment_vm.this db scsi1',
        'interface = "scsi1"\n      iothread  = true\n      aio       = "threads"',
        {("IO102", "scsi1"), ("IO103", "scsi1")},
    ),
    "telmate": (
        plan(node(0), node(1)),
        "modules/cluster/main.tf:9: plan.json module.cluster.proxmox_vm_qemu.node[1] node-1",
        'scsihw = "virtio-scsi-single"',
        {("IO101", None), ("IO102", "scsi0"), ("IO103", "scsi0")},
    ),
}


def recipes():
    """The shell lines of each recipe in docs/gate.md."""
    page = (ROOT / "docs/gate.md").read_text("utf-8")
    for text in re.findall(r"^```yaml\n(.*?)^```", page, re.MULTILINE | re.DOTALL):
        recipe = yaml.safe_load(text)
        job = recipe.get("gate", recipe.get("jobs", {}).get("gate")) if isinstance(recipe, dict) else None
        if job:
            yield job.get("script") or [step["run"] for step in job["steps"] if "run" in step]


RECIPES = list(recipes())
WITH_A_PLAN = [lines for lines in RECIPES if any("terraform" in line for line in lines)]


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Runs the lines of a recipe in ``checkout``; (status of the gate, output)."""
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in _INSTALL:
        (tools / name).write_text("#!/bin/sh\n")
    (tools / "terraform").write_text(
        '#!/bin/sh\ncase "$*" in\n"plan "*) : >plan.out ;;\n"show -json plan.out") cat ../printed ;;\nesac\n'
    )
    for path in tools.iterdir():
        path.chmod(0o755)
    monkeypatch.setenv("PATH", os.pathsep.join([str(tools), str(Path(sys.executable).parent), os.environ["PATH"]]))
    monkeypatch.setenv("ANSIBLE_COLLECTIONS_PATH", str(COLLECTIONS))
    monkeypatch.setenv("ANSIBLE_NOCOLOR", "1")
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary.md"))

    def run_all(lines):
        status, output = None, ""
        for line in lines:
            done = subprocess.run(
                ["bash", "-e", "-c", line],
                cwd=tmp_path / "checkout",
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                check=False,
            )
            if "gate_io" in line:
                status, output = done.returncode, done.stdout
            else:
                assert done.returncode == 0, (line, done.stderr)
        return status, output

    return run_all


def test_there_are_two_recipes_for_configs_and_two_for_plans():
    assert len(RECIPES) == 4 and len(WITH_A_PLAN) == 2


@pytest.mark.parametrize("source", PLANS)
@pytest.mark.parametrize("lines", WITH_A_PLAN, ids=["GitHub", "GitLab"])
def test_a_recipe_with_a_plan_shows_where_and_what_and_no_secret(tmp_path, run, source, lines):
    printed, place, pasted, rules = PLANS[source]
    checkout = tmp_path / "checkout"
    shutil.copytree(SOURCES / source, checkout)
    shutil.copy(SOURCES / "storage.cfg", checkout)
    (checkout / "waivers.yml").write_text("")
    (tmp_path / "printed").write_text(printed)
    status, output = run(lines)
    assert status == 2 and place in output and pasted in output, output
    reports = {path.name: path.read_text() for path in (checkout / "reports").iterdir()}
    assert len(reports) == len(REPORTS)
    assert "hunter2" in printed and "hunter2" not in output + "".join(reports.values())
    document = json.loads(reports["guest-io.json"])
    assert {(one["rule"], one["disk"]) for one in document["findings"] if one["severity"] == "error"} == rules
    (file, line) = place.split(": ")[0].split(":")
    sarif = json.loads(reports["guest-io.sarif"])["runs"][0]["results"]
    places = [result["locations"][0]["physicalLocation"] for result in sarif]
    assert (file, int(line)) in {(one["artifactLocation"]["uri"], one["region"]["startLine"]) for one in places}
    quality = json.loads(reports["guest-io.codequality.json"])
    assert (file, int(line)) in {(one["location"]["path"], one["location"]["lines"]["begin"]) for one in quality}
    assert sum("GITHUB" in text for text in lines) == (tmp_path / "summary.md").exists()


@pytest.mark.parametrize("lines", [lines for lines in RECIPES if lines not in WITH_A_PLAN], ids=["GitHub", "GitLab"])
def test_a_recipe_for_configs_gates_them(tmp_path, run, lines):
    configs = tmp_path / "checkout/configs"
    configs.mkdir(parents=True)
    (configs / "storage.cfg").write_text((SOURCES / "storage.cfg").read_text())
    (configs / "101.conf").write_text("scsi0: nas:101/d.qcow2\n")
    (tmp_path / "checkout/waivers.yml").write_text("")
    status, output = run(lines)
    assert status == 2 and "configs/101.conf:1: 101 scsi0" in output, output
