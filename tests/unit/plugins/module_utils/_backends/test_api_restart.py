# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Guests restarted through the API, in tasks that are waited for."""

from __future__ import annotations

import json

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.module_utils._backends import restart as _restart
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._backends.find_restarter import restarter
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._backends.layout import LayoutError
from ansible_collections.hypervisor.io_hardening.tests.stand_ins.pve_api import Fault
from ansible_collections.hypervisor.io_hardening.tests.unit.plugins.module_utils._backends.api_stand_in import (
    GUEST,
    RESTART,
    WRITE,
    ClusterTree,
    options_of,
)

WAITS = GUEST + (
    "\n[PENDING]\nscsi0: local:{id}/vm-{id}-disk-0.qcow2,aio=threads,backup=0,discard=on,iothread=1,serial=a%20b,size=32G,ssd=1\n"
    "scsihw: virtio-scsi-single\n"
)


@pytest.fixture
def tree(tmp_path):
    return ClusterTree(tmp_path / "root")


@pytest.fixture
def api(tree, tmp_path):
    with tree.stand_in(tmp_path, RESTART, second=0.02) as api:
        yield api
        for path in tree.root.glob("etc/pve/nodes/*/qemu-server/100.conf"):
            api.cluster.node(path.parts[-3]).stop_now("100", {})


def started(tree, api, text=WAITS, node="pve1"):
    """A guest that runs and waits for a restart."""
    path = tree.put(100, text.partition("\n[PENDING]")[0], node)
    api.cluster.node(node).start_now("100", {})
    tree.put(100, text, node)
    return path


def restart(api, guest="100", **options):
    options = {"timeout": 5, "start_timeout": 5, **options}
    return _restart.restart(guest, restarter("/", None, options_of(api), guest), _restart.Options(**options))


def posts(api):
    return [call.path.rpartition("/")[2] for call in api.calls if call.method == "POST"]


def test_a_restart_brings_into_force_what_waits(tree, api):
    path = started(tree, api)
    result = restart(api)
    assert (result["status"], result["reason"], result["detail"]) == ("restarted", None, None)
    assert result["in_force"][0] == "controller virtio-scsi-pci → virtio-scsi-single"
    assert "[PENDING]" not in path.read_text() and posts(api) == ["reboot"]
    assert restart(api)["reason"] == "nothing_pending"


def test_check_mode_restarts_nothing(tree, api):
    path = started(tree, api)
    result = restart(api, check=True)
    assert result["status"] == "restarted" and "[PENDING]" in path.read_text() and posts(api) == []


def test_a_guest_on_any_node_is_restarted(tree, api):
    started(tree, api, node="pve2")
    assert restart(api)["status"] == "restarted"


@pytest.mark.parametrize(
    ("prepare", "status", "reason"),
    [
        (lambda tree, api: tree.put(100, "lock: backup\n" + tree.config(100).read_text()), "skipped", "locked"),
        (lambda tree, api: api.cluster.node("pve1").stop_now("100", {}), "unchanged", "nothing_pending"),
        (lambda tree, api: tree.declare("storages-offline", "local"), "failed", "would_not_start"),
        (lambda tree, api: tree.config(100).unlink(), "failed", "moved"),
    ],
    ids=["locked", "stopped", "offline", "gone"],
)
def test_a_guest_that_must_stay_as_it_is_does(tree, api, prepare, status, reason):
    started(tree, api)
    prepare(tree, api)
    result = restart(api)
    assert (result["status"], result["reason"]) == (status, reason) and posts(api) == []
    tree.put(100, GUEST)


def test_a_guest_that_ignores_the_shutdown_stays_up_unless_it_may_be_stopped(tree, api):
    started(tree, api)
    tree.declare("unresponsive", "100")
    result = restart(api, timeout=1)
    assert (result["status"], result["reason"]) == ("failed", "no_shutdown"), result
    assert result["detail"].endswith("start it: qm start 100 on node pve1, or in its web interface")
    result = restart(api, timeout=1, force_stop=True)
    assert result["status"] == "restarted" and posts(api)[-2:] == ["stop", "start"]


def test_a_guest_of_ha_is_restarted_where_that_is_allowed(tree, api):
    started(tree, api)
    folder = tree.root / "etc/pve/ha"
    folder.mkdir()
    (folder / "resources.cfg").write_text("vm: 100\n\tstate started\n")
    ha_says(folder, "started")
    result = restart(api)
    assert (result["status"], result["reason"]) == ("skipped", "ha_managed") and posts(api) == []
    assert result["detail"] == "managed by HA (state started); restart it by hand, or allow it: ha_managed: true"
    assert restart(api, ha_managed=True)["status"] == "restarted"
    api.cluster.node("pve1").stop_now("100", {})
    started(tree, api)
    ha_says(folder, "freeze")
    result = restart(api, ha_managed=True)
    assert (result["status"], result["reason"]) == ("skipped", "ha_state")
    assert result["detail"] == "HA's requested state is not known, its current state freeze"


def ha_says(folder, state):
    status = {"service_status": {"vm:100": {"node": "pve1", "state": state}}}
    (folder / "manager_status").write_text(json.dumps(status))


def test_a_task_that_cannot_be_followed_is_told(tree, api):
    started(tree, api)
    api.faults.append(Fault("status", "/tasks/", times=9, status=500, reason="no such task"))
    result = restart(api)
    assert result["status"] == "failed" and "cannot be followed" in result["detail"]


def test_a_token_that_may_not_restart_ends_the_run(tree, tmp_path):
    tree.put(100)
    with tree.stand_in(tmp_path, WRITE) as api, pytest.raises(LayoutError) as ended:
        restart(api)
    assert str(ended.value) == (
        "the token ops@pve!harden may not restart guest 100: it lacks VM.PowerMgmt on /vms/100. As root on a node: pveum"
        " role add GuestIORestart --privs VM.PowerMgmt; pveum acl modify /vms --roles GuestIORestart --users ops@pve"
        " --tokens 'ops@pve!harden'"
    )
