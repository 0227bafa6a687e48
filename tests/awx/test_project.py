# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The checkout as an AWX project: installed as AWX does it, run by ansible-runner as AWX runs it."""

from __future__ import annotations

import copy
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import ansible_runner
import pytest
import yaml

from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._fleet.slice import unpack

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
NODES = ("pve1", "pve2", "pve3", "kvm1")


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    """A copy of the project's files beside nothing else, as a project update leaves it."""
    target = tmp_path_factory.mktemp("awx") / "project"
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name)
    return target


@pytest.fixture(scope="module")
def collections(checkout):
    """What AWX's project update installs: from the top of the project, by this one command."""
    path = checkout.parent / "requirements_collections"
    done = subprocess.run(
        [
            str(BIN / "ansible-galaxy"),
            "collection",
            "install",
            "-r",
            "collections/requirements.yml",
            "--collections-path",
            str(path),
        ],
        cwd=checkout,
        env={"PATH": f"{BIN}:/usr/bin:/bin", "LC_ALL": "C.UTF-8", "HOME": str(checkout.parent)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert (path / "ansible_collections/hypervisor/io_hardening/MANIFEST.json").is_file()
    return path


@pytest.fixture
def awx(checkout, collections, tmp_path):
    """Run one job in AWX's layout: project, inventory, env/extravars, env/cmdline, artifacts."""
    fleet = tmp_path / "fleet"
    subprocess.run([str(ROOT / "sample_fleet/copy"), str(fleet)], check=True)
    inventory = yaml.safe_load((ROOT / "sample_fleet/inventory.yml").read_text())

    def job(playbook, *options, hosts=NODES, limit=None, inventory_vars=None, **extravars):
        folder = tmp_path / f"job{len(list(tmp_path.glob('job*')))}"
        for name in ("inventory", "env"):
            (folder / name).mkdir(parents=True)
        (folder / "project").symlink_to(checkout)
        given = copy.deepcopy(inventory)
        group = given["all"]["children"]["hypervisors"]
        for child in group["children"].values():
            child["hosts"] = {name: None for name in child["hosts"] if name in hosts}
        group["vars"].update(inventory_vars or {})
        (folder / "inventory/hosts.yml").write_text(yaml.safe_dump(given))
        (folder / "env/extravars").write_text(json.dumps({"sample_fleet_build": str(fleet), **extravars}))
        (folder / "env/cmdline").write_text(" ".join(options))
        run = ansible_runner.run(
            private_data_dir=str(folder),
            playbook=f"playbooks/{playbook}",
            limit=limit,
            quiet=True,
            envvars={"ANSIBLE_COLLECTIONS_PATH": str(collections), "PATH": f"{BIN}:/usr/bin:/bin", "LC_ALL": "C.UTF-8"},
        )
        run.text = run.stdout.read()
        run.all_events = list(run.events)
        return run

    job.fleet = fleet
    return job


def artifacts(run):
    """What set_stats handed out: AWX gives it to the next node as extra variables."""
    return run.all_events[-1]["event_data"].get("artifact_data", {})


def files_of(tree):
    return {path.relative_to(tree).as_posix(): path.read_bytes() for path in tree.rglob("*") if path.is_file()}


def test_slices_hand_out_parts_and_the_join_judges_the_fleet(awx):
    parts = {}
    for number, hosts in ((11, NODES[:2]), (12, NODES[2:])):
        run = awx("gate_io.yml", hosts=hosts, gate_part=True, awx_job_id=number)
        assert run.status == "successful", run.text
        assert list(artifacts(run)) == [f"io_hardening_part_{number}"]
        parts.update(artifacts(run))
    assert not any(sign in part for part in parts.values() for sign in "{}'\" \n"), "nothing that a template could read"

    whole = awx("gate_io.yml")
    joined = awx("join_reports.yml", report_json=str(awx.fleet / "joined.json"), **parts)
    for run in (whole, joined):
        assert (run.status, run.rc) == ("failed", 2)
        assert "4 hosts, 53 guests" in run.text
    # A job's output has colours.
    plain = [re.sub(r"\x1b\[[0-9;]*m", "", run.text) for run in (whole, joined)]
    verdicts = [[line for line in text.splitlines() if line.startswith("GATE")] for text in plain]
    assert verdicts[0] == verdicts[1] and "GATE FAILED: " in verdicts[0][0]
    assert {guest["host"] for guest in json.loads((awx.fleet / "joined.json").read_text())["guests"]} == set(NODES)

    del parts["io_hardening_part_12"]
    missing = awx("join_reports.yml", **parts)
    assert missing.rc == 2 and "NO REPORT from 2 hosts: kvm1, pve3" in missing.text


def test_an_audit_leaves_its_report_as_an_artifact(awx):
    """Of extra variables as setup_awx.yml gives them to its template."""
    run = awx("audit_io.yml", gate_part=True, awx_job_id=21, report_dir=str(awx.fleet / "mounted/audit"))
    assert run.status == "successful", run.text
    (part,) = artifacts(run).values()
    document = unpack(part)
    assert len(document["guests"]) == 53 and {entry["host"] for entry in document["hosts"]} == set(NODES)
    assert len(part) < 300 * len(document["guests"]), "AWX keeps it in its database: docs/awx.md says how much"
    assert (awx.fleet / "mounted/audit/guest-io.html").is_file()


def test_a_survey_that_is_not_answered_leaves_the_inventory_in_force(awx):
    survey = yaml.safe_load((ROOT / "playbooks/vars/awx_surveys.yml").read_text())["__survey_harden"]
    unanswered = {question["variable"]: question["default"] for question in survey["spec"]}
    of_awx = {"awx_job_id": 7, "awx_user_name": "admin", "tower_job_id": 7, "awx_inventory_name": "Guest I/O"}
    run = awx("harden_io.yml", inventory_vars={"host_writeback_mode": "ratio"}, **unanswered, **of_awx)
    assert run.status == "successful", run.text
    for node in NODES:
        assert (
            "vm.dirty_ratio" in (awx.fleet / f"hosts/{node}/etc/sysctl.d/99-hypervisor-io-hardening.conf").read_text()
        )


def test_check_mode_a_limit_and_events(awx):
    before = files_of(awx.fleet)
    run = awx("harden_io.yml", "--check", limit="pve1", report_html=str(awx.fleet.parent / "page.html"))
    assert run.status == "successful", run.text
    assert files_of(awx.fleet) == before
    kinds = {event["event"] for event in run.all_events}
    assert {"playbook_on_start", "playbook_on_task_start", "runner_on_ok", "playbook_on_stats"} <= kinds
    stats = run.all_events[-1]["event_data"]
    assert set(stats["processed"]) == {"pve1"} and stats["changed"]["pve1"] > 0
    assert (awx.fleet.parent / "page.html").read_text().startswith("<!DOCTYPE html>")

    run = awx("harden_io.yml", limit="pve1", guest_io_guests=["102"])
    assert run.status == "successful", run.text
    changed = {name for name, raw in files_of(awx.fleet).items() if before.get(name) != raw}
    assert "root/etc/pve/nodes/pve1/qemu-server/102.conf" in changed
    assert not any("/pve2/" in name or "/pve3/" in name or name.endswith("/101.conf") for name in changed)
