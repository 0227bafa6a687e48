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


def restart(tree, *arguments, **variables):
    return play(tree, "restart_pending", "--limit", "pve3", *arguments, "--extra-vars", json.dumps(variables))


def test_guests_are_chosen_by_tag_as_the_documentation_shows_and_a_tree_has_none_to_restart(tree):
    status, output = restart(tree, restart_match="contains(guest.tags, 'lab') || contains(guest.name, '-cam')")
    assert status == 0, output
    assert "Nothing pending (1)\n  pve3: 306" in output and "SKIPPED (1)" in output
    assert "    303 gate-cam: whether it runs is not known here" in output


def test_no_guest_is_restarted_that_nobody_named(tree):
    status, output = restart(tree)
    assert status != 0 and "restart_match is not set" in output


def test_a_selector_that_names_nobody_is_said(tree):
    status, output = restart(tree, "--check", restart_match="guest.id == 'none'")
    assert status == 0 and "The selector matches no guest on 1 host: pve3." in output


# As they come from a command line: text.
@pytest.mark.parametrize(
    "variables",
    [
        {"restart_max_failures": "0"},
        {"restart_max_failures": "x"},
        {"restart_timeout": "0"},
        {"restart_timeout": "-5"},
        {"restart_hosts_at_once": "0"},
        {"restart_hosts_at_once": "200%"},
        {"restart_hosts_at_once": None},
    ],
)
def test_limits_that_cannot_be_are_refused_before_anything(tree, variables):
    status, output = restart(tree, "--check", restart_match="guest.id != 'none'", **variables)
    assert status != 0 and "it takes a whole number, 1 or more" in output
    assert "Unknown error" not in output and "TASK [Restart the guests" not in output
