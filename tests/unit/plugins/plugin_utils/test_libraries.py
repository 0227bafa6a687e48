# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""A Python library that is missing on the controller."""

from __future__ import annotations

import subprocess
import sys

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.hypervisor.io_hardening.plugins.action import guest_io_assess, refuse_mistakes, report
from ansible_collections.hypervisor.io_hardening.plugins.filter.guest_io import assess
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils import _libraries
from ansible_collections.hypervisor.io_hardening.tests.playbooks import COLLECTIONS, ROOT
from ansible_collections.hypervisor.io_hardening.tests.unit.in_process import run_action

LACKS = "The Python on the controller that runs Ansible lacks {}. Install what is missing there: "


@pytest.mark.parametrize(
    ("prefix", "debian", "way"),
    [
        ("/opt/venv", False, "/opt/bin/python3 -m pip install jmespath netaddr"),
        ("/usr", True, "apt install python3-jmespath python3-netaddr"),
        ("/root/.local/share/pipx/venvs/ansible-core", False, "pipx inject ansible-core jmespath netaddr"),
    ],
)
def test_both_are_named_at_once_with_the_way_that_works_there(prefix, debian, way):
    said = _libraries.sentence(_libraries.LIBRARIES, "/opt/bin/python3", prefix, debian)
    assert said == LACKS.format("jmespath and netaddr") + way


def test_a_path_with_a_blank_is_quoted_and_one_library_is_named_alone():
    said = _libraries.sentence(["netaddr"], "/a b/python", "/a b", False)
    assert said == LACKS.format("netaddr") + "'/a b/python' -m pip install netaddr"


def test_they_are_those_of_the_requirements():
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    assert [line.split(">")[0] for line in lines if ">=" in line] == list(_libraries.LIBRARIES)


@pytest.mark.parametrize("action", [refuse_mistakes, guest_io_assess, report])
def test_each_door_says_it_before_anything_else(monkeypatch, action):
    monkeypatch.setattr(_libraries, "find_spec", lambda name: None)
    assert run_action(action)["msg"].startswith(LACKS.format("jmespath and netaddr"))
    with pytest.raises(AnsibleFilterError, match="lacks jmespath and netaddr"):
        assess([], {})


def test_the_code_loads_without_them():
    """As in the first task of a run."""
    doors = "guest_io_assess, guest_io_restart, host_writeback_limits, refuse_mistakes, report"
    code = f"""if True:
        import sys
        sys.modules.update(jmespath=None, netaddr=None)
        from ansible_collections.hypervisor.io_hardening.plugins.action import {doors}
        from ansible_collections.hypervisor.io_hardening.plugins.filter import guest_io"""
    subprocess.run([sys.executable, "-c", code], env={"PYTHONPATH": str(COLLECTIONS)}, check=True)
