# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The argument specs of roles and playbooks are the only list of variables."""

from __future__ import annotations

import re

import pytest
import yaml

from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._asked.specs import (
    OF_PLAYS,
    PREFIXES,
    SURVEY,
    files,
    specs,
)
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._asked.values import TAKES, value_refusal
from ansible_collections.hypervisor.io_hardening.tests.playbooks import ROOT

ROLES = sorted(path.name for path in (ROOT / "roles").iterdir())


def entries():
    for path in files():
        for name, entry in yaml.safe_load(path.read_text())["argument_specs"].items():
            yield f"{path.relative_to(ROOT)} {name}", entry


def options():
    return [(f"{where} {name}", name, spec) for where, entry in entries() for name, spec in entry["options"].items()]


def test_all_files_with_specs_are_read():
    there = {*ROOT.glob("roles/*/meta/argument_specs.yml"), *(ROOT / "playbooks").rglob("*.meta.yml")}
    assert {path.resolve() for path in files()} == {path.resolve() for path in there} and len(there) > len(ROLES)


@pytest.mark.parametrize(
    ("where", "name", "spec"), options(), ids=lambda value: value if isinstance(value, str) else ""
)
def test_a_variable_has_one_spec_with_a_description_and_a_type_that_is_known(where, name, spec):
    assert spec == specs()[name], "two entries tell two things"
    assert spec["description"] and spec["type"] in ("str", "int", "bool", "float", "list", "dict", "path")
    assert ("elements" in spec) == (spec["type"] == "list")
    assert len([prefix for prefix in PREFIXES if name.startswith(prefix)]) == 1


@pytest.mark.parametrize("role", ROLES)
def test_a_roles_defaults_are_those_of_its_specs_and_its_readme_has_each(role):
    text = (ROOT / f"roles/{role}/defaults/main.yml").read_text()
    defaults = yaml.safe_load(text)
    of_role = {name: spec for where, name, spec in options() if where.startswith(f"roles/{role}/")}
    assert set(defaults) <= set(of_role), "a default without a spec"
    told = {name: spec["default"] for name, spec in of_role.items() if "default" in spec}
    assert {name: defaults.get(name) for name in told} == told
    # A default that is a template or too long to tell is described in words.
    assert all(isinstance(defaults[name], dict) or "{{" in defaults[name] for name in defaults.keys() - told.keys())
    readme = (ROOT / f"roles/{role}/README.md").read_text()
    assert [name for name in of_role if f"`{name}`" not in readme] == []


def test_every_default_is_a_value_that_is_allowed():
    defaults = {name: spec["default"] for name, spec in specs().items() if "default" in spec and spec["default"] != ""}
    assert [said for name, value in defaults.items() if (said := value_refusal(name, value))] == []


def test_what_values_takes_and_plays_ask_for_are_variables_that_there_are():
    assert set(TAKES) <= set(specs()) and set(OF_PLAYS) <= set(specs())
    assert [name for name in OF_PLAYS if SURVEY + name in specs()] == [], "an answer would come too late for a play"


def test_each_variable_that_a_playbook_or_role_names_has_a_spec():
    """Names in their templates that begin like variables of the collection."""
    texts = [path for folder in ("playbooks", "roles") for path in sorted((ROOT / folder).rglob("*.yml"))]
    facts = {"guest_io_findings", "guest_io_results", "host_writeback_report", "io_host_report", "io_load_report"}
    modules = {path.stem for path in (ROOT / "plugins/modules").glob("*.py")}
    for path in texts:
        if path.name.endswith(".meta.yml") or path.parent.name == "meta":
            continue
        text = re.sub(
            r"^ *#.*| name: .*|playbook: .*|(?:tasks|vars)/\w+\.yml|survey_(?:enabled|spec):|io_hardening_part_|(?:awx|tower)_job_id",
            "",
            path.read_text(),
            flags=re.MULTILINE,
        )
        named = set(re.findall(r"(?<![\w.])(?:%s)\w+" % "|".join(PREFIXES), text))
        assert named - facts - modules <= set(specs()), path
