# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""setup_awx.yml run by ansible-playbook with the real modules of awx.awx, against a stand-in of AWX's API."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._fleet.join import join_documents
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._fleet.slice import pack
from ansible_collections.hypervisor.io_hardening.tests.awx.stand_in import TOKEN, Awx, serving

ROOT = Path(__file__).resolve().parents[2]
COLLECTIONS = ROOT / "build/awx-collection"

pytestmark = pytest.mark.skipif(
    not (COLLECTIONS / "ansible_collections/awx/awx").is_dir(),
    reason="the collection awx.awx is absent: tests/tools/awx-collection brings it",
)
OWN = {
    "awx_project_url": "https://git.example.com/io_hardening.git",
    "awx_inventory_path": "inventory/hosts.yml",
    "awx_credentials": ["nodes"],
}


def controller(prefix="/api/"):
    """An AWX with what docs/awx.md asks for."""
    awx = Awx(prefix)
    awx.add("organizations", name="Default")
    awx.add("credentials", name="nodes")
    awx.add("execution_environments", name="Guest I/O")
    awx.add("inventories", name="Data centre", organization=1)
    awx.add("projects", name="infrastructure", organization=1)
    for name in ("chat", "mail", "pager"):
        awx.add("notification_templates", name=name)
    return awx


def run(awx, variables, *options, playbook="setup_awx.yml", collections=COLLECTIONS, **environment):
    with serving(awx) as address:
        return subprocess.run(
            [
                str(Path(sys.executable).with_name("ansible-playbook")),
                str(ROOT / "playbooks" / playbook),
                "--extra-vars",
                json.dumps(variables),
                *options,
            ],
            cwd=ROOT,
            env={
                **os.environ,
                "ANSIBLE_COLLECTIONS_PATH": f"{ROOT / 'build/collections'}:{collections}",
                "CONTROLLER_HOST": address,
                "CONTROLLER_OAUTH_TOKEN": TOKEN,
                "ANSIBLE_NOCOLOR": "1",
                **environment,
            },
            capture_output=True,
            text=True,
            check=False,
        )


def changed(done):
    assert done.returncode == 0, done.stdout + done.stderr
    return int(re.search(r"changed=(\d+)", done.stdout)[1])


def test_it_makes_what_the_page_says_and_the_second_run_changes_nothing():
    awx = controller()
    everything = {
        **OWN,
        "awx_become": True,
        "awx_slices": 4,
        "awx_schedule": "DTSTART;TZID=Europe/Berlin:20260101T013000 RRULE:FREQ=DAILY;INTERVAL=1",
        "awx_notify_failure": ["pager", "chat"],
        "awx_notify_success": ["mail"],
        "awx_notify_approval": ["chat"],
        "awx_report_dir": "/reports",
    }
    assert changed(run(awx, everything)) > 10
    assert awx.names("job_templates") == [
        f"Guest I/O {name}"
        for name in (
            "audit", "gate", "gate, join", "gate, sliced", "harden", "harden, check", "restart", "roll back",
        )
    ]  # fmt: skip
    assert awx.names("workflow_job_templates") == ["Guest I/O gate in slices", "Guest I/O gate, approve, harden"]
    assert awx.names("inventories") == ["Data centre", "Guest I/O"]
    assert awx.named("inventory_sources", "Guest I/O")["source_path"] == "inventory/hosts.yml"

    for template in awx.objects["job_templates"].values():
        assert template["become_enabled"] is True
        assert template["inventory"] == awx.named("inventories", "Guest I/O")["id"]
        assert awx.associated("job_templates", template["name"], "credentials") == ["nodes"]
        assert set(awx.associated("job_templates", template["name"], "notification_templates_error")) == {
            "pager",
            "chat",
        }
    assert awx.associated("job_templates", "Guest I/O audit", "notification_templates_success") == ["mail"]
    assert awx.associated("job_templates", "Guest I/O gate", "notification_templates_success") == []
    approve = "Guest I/O gate, approve, harden"
    assert awx.associated("workflow_job_templates", approve, "notification_templates_approvals") == ["chat"]
    reports = {
        template["name"].removeprefix("Guest I/O "): json.loads(template["extra_vars"]).get("report_dir")
        for template in awx.objects["job_templates"].values()
    }
    assert reports == {
        "audit": "/reports/audit",
        "gate": "/reports/gate",
        "gate, join": "/reports/join",
        "gate, sliced": None,
        "harden": "/reports/harden",
        "harden, check": "/reports/check",
        "restart": None,
        "roll back": None,
    }
    assert json.loads(awx.named("job_templates", "Guest I/O audit")["extra_vars"])["gate_part"] is True
    schedule = awx.named("schedules", "Guest I/O audit")
    assert schedule["unified_job_template"] == awx.named("job_templates", "Guest I/O audit")["id"]
    assert schedule["rrule"].startswith("DTSTART;TZID=Europe/Berlin:20260101T013000 ")
    nodes = {node["identifier"] for node in awx.objects["workflow_job_template_nodes"].values()}
    assert nodes == {"gate", "approval", "harden", "gate-again", "parts", "join"}
    assert awx.associated("workflow_job_template_nodes", "gate", "failure_nodes") == ["approval"]

    before = repr([awx.objects, awx.surveys, awx.associations])
    assert changed(run(awx, everything)) == 0
    assert repr([awx.objects, awx.surveys, awx.associations]) == before


def test_an_inventory_and_a_project_that_are_named_are_used_and_left_alone():
    awx = controller()
    mine = {"awx_inventory": "Data centre", "awx_project": "infrastructure", "awx_credentials": ["nodes"]}
    assert changed(run(awx, mine)) > 10
    assert awx.names("inventories") == ["Data centre"] and awx.names("projects") == ["infrastructure"]
    assert not awx.objects["inventory_sources"]
    assert not [path for _method, path, _data in awx.writes if path.startswith(("inventories/", "projects/"))]
    inventory, project = awx.named("inventories", "Data centre")["id"], awx.named("projects", "infrastructure")["id"]
    templates = [*awx.objects["job_templates"].values(), *awx.objects["workflow_job_templates"].values()]
    assert {template["inventory"] for template in templates} == {inventory}
    assert {template["project"] for template in awx.objects["job_templates"].values()} == {project}


def test_what_somebody_chose_in_awx_stays_and_a_schedule_can_be_left_out():
    awx = controller()
    run(awx, OWN)
    gate, chat = awx.named("job_templates", "Guest I/O gate")["id"], awx.named("notification_templates", "chat")["id"]
    awx.associations["job_templates", gate, "notification_templates_error"] = [chat]
    awx.named("schedules", "Guest I/O audit")["enabled"] = False
    assert changed(run(awx, OWN)) == 0
    assert awx.associated("job_templates", "Guest I/O gate", "notification_templates_error") == ["chat"]
    assert awx.named("schedules", "Guest I/O audit")["enabled"] is False

    assert changed(run(awx, {**OWN, "awx_schedule": ""})) == 1
    assert awx.names("schedules") == []


def none_of(what, name):
    return f'AWX shows this token no {what} of the name "{name}"; it must be one. Nothing was created.'


@pytest.mark.parametrize(
    ("variables", "sentences"),
    [
        pytest.param(
            {},
            [
                "Set awx_project_url (where AWX finds this project) or awx_project",
                "and awx_inventory (the name of an inventory in AWX) or awx_inventory_path",
                "and awx_credentials (names of credentials in AWX, for your hosts).",
            ],
            id="nothing",
        ),
        pytest.param(
            {
                "awx_organization": "Ops",
                "awx_inventory": "Data center",
                "awx_project": "infra",
                "awx_credentials": ["nodes", "root"],
                "awx_execution_environment": "EE",
                "awx_notify_failure": ["sms"],
            },
            [
                f"awx_organization: {none_of('organization', 'Ops')}",
                f"awx_inventory: {none_of('inventory', 'Data center')}",
                f"awx_project: {none_of('project', 'infra')}",
                f"awx_credentials: {none_of('credential', 'root')}",
                f"awx_execution_environment: {none_of('execution environment', 'EE')}",
                f"awx_notify_failure: {none_of('notification template', 'sms')}",
            ],
            id="names that AWX does not have",
        ),
        pytest.param(
            {
                **OWN,
                "awx_credentials": "nodes",
                "awx_slices": 0,
                "awx_become": "sudo",
                "awx_schedule": "RRULE:FREQ=DAILY",
                "awx_report_dir": "reports",
                "awx_collection": "ansible.tower",
            },
            [
                "awx_credentials is 'nodes'; it takes a list of names",
                "awx_slices is 0; it takes a whole number, 1 or more",
                "awx_become is 'sudo'; it takes true or false",
                "awx_schedule is 'RRULE:FREQ=DAILY'; it takes a start and a rule",
                "awx_report_dir is 'reports'; it takes the absolute path of a folder",
                "awx_collection is 'ansible.tower'; it takes one of awx.awx, ansible.controller",
            ],
            id="values",
        ),
        pytest.param(
            {**OWN, "awx_notify_failures": ["chat"]}, ["awx_notify_failures: no such variable."], id="variable"
        ),
    ],
)
def test_bad_values_are_refused_before_anything_is_made(variables, sentences):
    awx = controller()
    done = run(awx, variables)
    assert done.returncode == 2
    said = " ".join((done.stdout + done.stderr).split()).replace('\\"', '"')
    assert [sentence for sentence in sentences if sentence not in said] == []
    assert awx.writes == []


def test_a_wrong_token_and_a_missing_collection_say_so(tmp_path):
    awx = controller()
    done = run(awx, OWN, CONTROLLER_OAUTH_TOKEN="wrong")
    assert done.returncode == 2 and "Invalid authentication credentials" in done.stdout + done.stderr
    done = run(awx, OWN, collections=tmp_path)
    assert done.returncode == 2 and "awx.awx" in done.stdout + done.stderr
    assert awx.writes == []


@pytest.fixture(scope="module")
def certified(tmp_path_factory):
    """ansible.controller as AWX's own Makefile makes it of the same sources: another name, another type."""
    top = tmp_path_factory.mktemp("certified")
    there = top / "ansible_collections/ansible/controller"
    shutil.copytree(COLLECTIONS / "ansible_collections/awx/awx", there)
    for path in (*there.glob("plugins/lookup/*.py"), *there.glob("plugins/modules/*.py")):
        text = path.read_text()
        path.write_text(
            text.replace(
                "extends_documentation_fragment: awx.awx.", "extends_documentation_fragment: ansible.controller."
            )
        )
    api = there / "plugins/module_utils/controller_api.py"
    assert '_COLLECTION_TYPE = "awx"' in api.read_text()
    api.write_text(api.read_text().replace('_COLLECTION_TYPE = "awx"', '_COLLECTION_TYPE = "controller"'))
    manifest = there / "MANIFEST.json"
    data = json.loads(manifest.read_text())
    data["collection_info"].update(namespace="ansible", name="controller")
    manifest.write_text(json.dumps(data))
    return top


def test_the_certified_collection_does_the_same(certified):
    """Its default path is that of the gateway of the Ansible Automation Platform 2.5; awx.awx is told that path."""
    awx = controller("/api/controller/")
    assert changed(run(awx, {**OWN, "awx_collection": "ansible.controller"}, collections=certified)) > 10
    assert len(awx.objects["job_templates"]) == 8
    assert changed(run(awx, OWN, CONTROLLER_OPTIONAL_API_URLPATTERN_PREFIX="/api/controller/")) == 0


def test_a_report_is_fetched_from_the_job_that_left_it(tmp_path):
    awx = controller()
    document = join_documents({"pve1": None})
    left = awx.add("jobs", artifacts={"io_hardening_part_7": pack(document), "another": "x"})["id"]
    nothing = awx.add("jobs", artifacts={})["id"]
    fetch = {"playbook": "fetch_report.yml"}
    done = run(awx, {"awx_job": left, "report_dir": str(tmp_path / "new/reports")}, **fetch)
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads((tmp_path / "new/reports/guest-io.json").read_text())["hosts"][0]["host"] == "pve1"
    assert (tmp_path / "new/reports/guest-io.html").is_file()
    for job, sentence in (
        (nothing, f"Job {nothing} left no report."),
        ("", "it takes the number of a job"),
        (99, "not be found"),
    ):
        done = run(awx, {"awx_job": job}, **fetch)
        assert done.returncode == 2 and sentence in " ".join((done.stdout + done.stderr).split())
    assert awx.writes == []
