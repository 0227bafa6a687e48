# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""What restart_pending is told through ansible-playbook, where a record's values are Ansible's own types."""

from __future__ import annotations

import json
import subprocess

import pytest

from ansible_collections.hypervisor.io_hardening.tests.fleet.playbook import ROOT, play


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    tree = tmp_path_factory.mktemp("fleet") / "copy"
    subprocess.run([ROOT / "sample_fleet/copy", tree], check=True)
    return tree


def restart(tree, match):
    return play(tree, "restart_pending", "--limit", "pve3", "--check", "--extra-vars", json.dumps({"restart_match": match}))


def test_guests_are_chosen_by_tag_as_the_documentation_shows(tree):
    status, output = restart(tree, "contains(guest.tags, 'lab') || contains(guest.name, '-cam')")
    assert status == 0, output
    assert "nothing waits: 306" in output and "303 gate-cam: left alone" in output
