# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""setup_awx.yml against the argument specs of awx.awx, and against the project's own files."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import pytest
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar

from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._asked.specs import known

ROOT = Path(__file__).resolve().parents[2]
AWX = ROOT / "build/awx-collection"

pytestmark = pytest.mark.skipif(
    not (AWX / "ansible_collections/awx/awx").is_dir(),
    reason="the collection awx.awx is absent: tests/tools/awx-collection brings it",
)
SETTINGS = {
    "awx_project_url": "https://git.example.com/io_hardening.git",
    "awx_inventory_path": "hosts.yml",
    "awx_credentials": ["nodes"],
    "awx_slices": 4,
    "awx_notify_failure": ["chat"],
    "awx_notify_approval": ["chat"],
    "awx_report_dir": "/reports",
}


def tasks():
    """(module, arguments as AWX's modules would get them) of each task, with the play's variables."""
    loader = DataLoader()
    loaded = loader.load_from_file(str(ROOT / "playbooks/setup_awx.yml"), trusted_as_template=True)[0]
    variables = {**loaded["vars"], **SETTINGS, "omit": "__omit__"}
    for file in loaded["vars_files"]:
        variables.update(loader.load_from_file(str(ROOT / "playbooks" / file)))
    templar = Templar(loader=loader, variables=variables)
    found = []
    for task in loaded["tasks"]:
        module = templar.template(task["action"]) if "action" in task else ""
        if module.startswith("awx.awx."):
            templar.available_variables = {**variables, **task.get("vars", {})}
            arguments = templar.template(task["args"])
            omitted = variables["omit"]
            given = {name: value for name, value in arguments.items() if value != omitted}
            found.append((module.rpartition(".")[2], given))
    return found


@pytest.fixture(scope="module")
def argument_spec():
    """Gives the argument spec that a module of awx.awx hands to its base class."""
    with pytest.MonkeyPatch.context() as patch:
        import ansible_collections

        patch.setattr(ansible_collections, "__path__", [str(AWX / "ansible_collections")])
        for name in [name for name in sys.modules if name.startswith("ansible_collections.awx")]:
            del sys.modules[name]

        class Caught(Exception):
            pass

        def spec_of(name):
            module = importlib.import_module(f"ansible_collections.awx.awx.plugins.modules.{name}")
            base = module.ControllerAPIModule

            def catch(argument_spec, **rules):
                raise Caught({**base.AUTH_ARGSPEC, **argument_spec}, rules)

            module.ControllerAPIModule = catch
            try:
                module.main()
            except Caught as caught:
                return caught.args
            finally:
                module.ControllerAPIModule = base
            raise AssertionError(f"awx.awx.{name} made no module")

        yield spec_of


def errors(argument_spec, module, arguments):
    spec, rules = argument_spec(module)
    return (
        ArgumentSpecValidator(
            spec,
            **{key: rules[key] for key in rules if key in ("mutually_exclusive", "required_if", "required_together")},
        )
        .validate(arguments)
        .error_messages
    )


def test_every_argument_is_one_that_the_module_takes(argument_spec):
    checked = tasks()
    assert len(checked) == 18
    for module, arguments in checked:
        assert errors(argument_spec, module, arguments) == [], arguments
        # What a credential injects is a template of AWX.
        assert "{{" not in str({name: value for name, value in arguments.items() if name != "injectors"})


@pytest.mark.parametrize(
    ("module", "arguments"),
    [
        ("job_template", {"name": "a", "playbok": "x"}),
        ("job_template", {"name": "a", "job_type": "dry-run"}),
        ("inventory", {"name": "a"}),
        ("schedule", {"rrule": "x"}),
        ("workflow_job_template_node", {"identifier": "a", "workflow_job_template": "b", "failure_node": ["c"]}),
        ("project", {"name": "a", "scm_update_on_launch": "perhaps"}),
    ],
)
def test_a_wrong_argument_would_be_found(argument_spec, module, arguments):
    assert errors(argument_spec, module, arguments)


def test_the_playbooks_are_there():
    named = [arguments["playbook"] for _module, arguments in tasks() if "playbook" in arguments]
    assert len(named) == 8
    assert [name for name in named if not (ROOT / name).is_file()] == []


def test_workflows_lead_only_to_nodes_and_templates_that_are_made():
    made = {arguments["name"] for module, arguments in tasks() if module == "job_template"}
    links = {}
    workflows = {
        arguments["name"]: arguments["workflow_nodes"] for module, arguments in tasks() if "workflow_nodes" in arguments
    }
    nodes = {node["identifier"] for name in workflows for node in workflows[name]}
    for node in (node for name in workflows for node in workflows[name]):
        assert node["unified_job_template"]["name"] in made
        for kind, targets in node.get("related", {}).items():
            for target in targets:
                links[node["identifier"], kind] = target["identifier"]
    for module, arguments in tasks():
        if module == "workflow_job_template_node":
            assert arguments["workflow_job_template"] in workflows
            nodes.add(arguments["identifier"])
            kinds = ("failure_nodes", "success_nodes")
            links.update({(arguments["identifier"], kind): arguments[kind][0] for kind in kinds if kind in arguments})
    assert set(links.values()) <= nodes
    assert links == {
        ("gate", "failure_nodes"): "approval",
        ("approval", "success_nodes"): "harden",
        ("harden", "success_nodes"): "gate-again",
        ("parts", "always_nodes"): "join",
    }


def test_surveys_ask_for_variables_that_the_playbooks_know():
    texts = "".join(
        path.read_text()
        for folder in ("playbooks", "roles")
        for path in (ROOT / folder).rglob("*.yml")
        if "awx" not in path.name
    )
    for survey in yaml.safe_load((ROOT / "playbooks/vars/awx_surveys.yml").read_text()).values():
        for question in survey["spec"]:
            about = question["variable"].removeprefix("survey_")
            assert question["variable"] in known()["survey_"] and about in texts
            if question["type"] == "multiplechoice":
                assert question["default"] in question["choices"]


def test_no_question_has_a_default_that_would_hide_what_the_inventory_says():
    """AWX hands out the default of a question that nobody answers, as an extra variable."""
    for survey in yaml.safe_load((ROOT / "playbooks/vars/awx_surveys.yml").read_text()).values():
        for question in survey["spec"]:
            assert question["default"] == "" and question["variable"].startswith("survey_")
            assert question["required"] is (question["variable"] == "survey_restart_match")


def test_no_secret_is_in_it():
    text = (ROOT / "playbooks/setup_awx.yml").read_text()
    assert not any(word in text.lower() for word in ("password", "oauthtoken:", "secret:"))


def test_every_variable_is_known_has_a_default_and_is_explained():
    play = yaml.safe_load((ROOT / "playbooks/setup_awx.yml").read_text())[0]
    fetch = yaml.safe_load((ROOT / "playbooks/fetch_report.yml").read_text())[0]
    have = {name for name in {**play["vars"], **fetch["vars"]} if name.startswith("awx_")}
    assert have == set(known()["awx_"])
    page = (ROOT / "docs/awx.md").read_text()
    assert [name for name in have if f"`{name}`" not in page and f"{name}=" not in page] == []


def test_a_credential_of_the_apis_token_becomes_two_variables():
    """Not io_hardening_api itself: an extra variable would be every host's."""
    (made,) = [arguments for module, arguments in tasks() if module == "credential_type"]
    assert made["injectors"]["extra_vars"] == {
        "pve_api_token_id": "{{ token_id }}",
        "pve_api_token_secret": "{{ token_secret }}",
    }
    hidden = {field["id"]: field.get("secret", False) for field in made["inputs"]["fields"]}
    assert hidden == {"token_id": False, "token_secret": True}
