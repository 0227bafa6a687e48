# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""guest_restart through its main(), on a live node."""

from __future__ import annotations

import pytest
import yaml

from ansible_collections.hypervisor.io_hardening.plugins.modules import guest_restart
from ansible_collections.hypervisor.io_hardening.tests.unit.in_process import run_module
from ansible_collections.hypervisor.io_hardening.tests.unit.plugins.module_utils._backends.live_node import put


@pytest.fixture
def node(host, monkeypatch):
    """Guest 100 runs, and a controller with an iothread waits for its cold start."""
    host.on_path(monkeypatch)
    put(host, 100, running=True)
    assert host.run("qm", "set", "100", "--scsihw", "virtio-scsi-single").returncode == 0
    host.log.unlink()
    return host


def restart(node, **options):
    return run_module(guest_restart, root=str(node.root), guest="100", **options)


def verbs(node):
    return [
        call["argv"][0] for call in node.calls() if call["argv"][0] in ("reboot", "shutdown", "stop", "start", "set")
    ]


def test_check_mode_says_what_the_run_then_does(node):
    checked = restart(node, check=True)
    assert (checked["changed"], checked["result"]["status"]) == (True, "restarted") and verbs(node) == []
    done = restart(node, timeout=20)
    assert (done["changed"], done["result"]["status"], done["result"]["name"]) == (True, "restarted", "web100")
    assert done["result"]["in_force"] == checked["result"]["in_force"] != []
    assert verbs(node)[0] == "reboot" and "[PENDING]" not in node.config(100).read_text()
    again = restart(node)
    assert (again["changed"], again["result"]["reason"]) == (False, "nothing_pending")


def test_a_guest_that_does_not_shut_down_is_a_failure_and_runs_on(node):
    node.declare("unresponsive", "100")
    returned = restart(node, timeout=1)
    assert returned["failed"] and returned["msg"].startswith("guest 100: ")
    assert (returned["result"]["status"], returned["result"]["reason"]) == ("failed", "no_shutdown")
    assert "[PENDING]" in node.config(100).read_text()


def test_a_root_that_is_no_node_is_a_failure(tmp_path):
    returned = run_module(guest_restart, root=str(tmp_path), guest="100")
    assert returned["failed"] and returned["msg"]


def test_the_example_of_the_documentation_restarts_its_guest(host, monkeypatch):
    host.on_path(monkeypatch)
    put(host, 105, running=True)
    assert host.run("qm", "set", "105", "--scsihw", "virtio-scsi-single").returncode == 0
    (example,) = yaml.safe_load(guest_restart.EXAMPLES)
    returned = run_module(guest_restart, root=str(host.root), **example["hypervisor.io_hardening.guest_restart"])
    assert (returned["result"]["guest"], returned["result"]["status"]) == ("105", "restarted")
