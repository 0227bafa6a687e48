# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors
"""What the collection says about itself is true of its files."""

from __future__ import annotations

import ast
import importlib
import re
from pathlib import Path

import pytest
import yaml

from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._render import tool

ROOT = Path(__file__).resolve().parents[2]
PLUGINS = sorted((ROOT / "plugins").rglob("*.py"))
MODULES = sorted((ROOT / "plugins/modules").glob("*.py"))
FILTERS = sorted((ROOT / "plugins/filter").glob("*.py"))
SHAPE_OF_A_VERSION = re.compile(r"\d+\.\d+\.\d+")


def by_name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def load(name: str) -> dict:
    return yaml.safe_load((ROOT / name).read_text())


def test_the_collection_has_its_name_and_a_version():
    galaxy = load("galaxy.yml")
    assert (galaxy["namespace"], galaxy["name"]) == ("hypervisor", "io_hardening")
    assert SHAPE_OF_A_VERSION.fullmatch(galaxy["version"])
    assert (tool.NAME, tool.VERSION) == ("hypervisor.io_hardening", galaxy["version"])
    assert tool.HOME == galaxy["repository"]
    assert (ROOT / galaxy["readme"]).is_file()


def test_every_module_is_in_the_action_group():
    group = load("meta/runtime.yml")["action_groups"]["all"]
    assert {path.stem for path in MODULES} <= set(group)


@pytest.mark.parametrize("path", MODULES, ids=by_name)
def test_module_documents_itself(path):
    module = importlib.import_module(f"ansible_collections.hypervisor.io_hardening.plugins.modules.{path.stem}")
    assert yaml.safe_load(module.DOCUMENTATION)["module"] == path.stem
    assert yaml.safe_load(module.EXAMPLES)
    assert yaml.safe_load(module.RETURN)


@pytest.mark.parametrize("path", FILTERS, ids=by_name)
def test_every_filter_is_documented(path):
    plugin = importlib.import_module(f"ansible_collections.hypervisor.io_hardening.plugins.filter.{path.stem}")
    for name in plugin.FilterModule().filters():
        sidecar = path.with_name(f"{name}.yml")
        assert sidecar.is_file(), f"{name} is documented in {sidecar.name}"
        assert load(by_name(sidecar))["DOCUMENTATION"]["name"] == name


@pytest.mark.parametrize("path", PLUGINS, ids=by_name)
def test_source_file_has_the_annotations_of_new_pythons(path):
    text = path.read_text()
    assert "from __future__ import annotations" in text or not ast.parse(text).body
