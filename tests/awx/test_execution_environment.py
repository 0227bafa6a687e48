# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The definitions of the execution environment, as ansible-builder takes them."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]


def build(definition, context):
    builder = str(Path(sys.executable).with_name("ansible-builder"))
    return subprocess.run(
        [builder, "create", "--file", str(definition), "--context", str(context)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_environment_has_what_the_filters_need(tmp_path):
    done = build("execution-environment.yml", tmp_path / "context")
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "context/_build/requirements.txt").read_text() == (ROOT / "requirements.txt").read_text()
    assert "openssh-clients" in (tmp_path / "context/_build/bindep.txt").read_text()
    recipes = [path.read_text() for path in (tmp_path / "context").glob("*file")]
    assert len(recipes) == 1 and "ansible-core~=2.21.0" in recipes[0] and "quay.io/fedora/fedora:44" in recipes[0]


def test_the_definition_in_the_docs_leaves_ansible_core_to_the_base_image(tmp_path):
    """Of the Ansible Automation Platform: docs/awx.md prints it, to be saved beside execution-environment.yml."""
    blocks = re.findall(r"^```yaml\n(.*?)^```", (ROOT / "docs/awx.md").read_text(), re.MULTILINE | re.DOTALL)
    (text,) = [block for block in blocks if "base_image" in block]
    definition = yaml.safe_load(text)
    # Paths in a definition are relative to it.
    definition["dependencies"].update(python=str(ROOT / "requirements.txt"), system=str(ROOT / "bindep.txt"))
    (tmp_path / "aap.yml").write_text(yaml.safe_dump(definition))
    done = build(tmp_path / "aap.yml", tmp_path / "context")
    assert done.returncode == 0, done.stdout + done.stderr
    (recipe,) = [path.read_text() for path in (tmp_path / "context").glob("*file")]
    assert "ansible-automation-platform-25/ee-minimal-rhel9" in recipe and "/usr/bin/microdnf" in recipe
    assert "ansible-core" not in recipe


def test_builder_refuses_what_is_wrong(tmp_path):
    """Otherwise the test above could not fail."""
    wrong = yaml.safe_load((ROOT / "execution-environment.yml").read_text())
    wrong["dependencies"]["pythn"] = wrong["dependencies"].pop("python")
    (tmp_path / "wrong.yml").write_text(yaml.safe_dump(wrong))
    assert build(tmp_path / "wrong.yml", tmp_path / "context").returncode != 0


def test_an_environment_with_the_collection_finds_its_requirements():
    named = yaml.safe_load((ROOT / "meta/execution-environment.yml").read_text())["dependencies"]
    assert named == {"python": "requirements.txt", "system": "bindep.txt"}
    for file in named.values():
        assert (ROOT / file).is_file()
