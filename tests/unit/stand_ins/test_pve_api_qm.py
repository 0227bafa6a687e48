# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors
"""What the real ``qm set`` was recorded to make of a config, the API's PUT makes of it as well: it is the same code in
Proxmox VE. But for what root alone may, which a token never is."""

from __future__ import annotations

import pytest

from ansible_collections.hypervisor.io_hardening.tests.stand_ins.pve_api import ApiStandIn
from ansible_collections.hypervisor.io_hardening.tests.unit.stand_ins import test_qm_replay as recorded
from ansible_collections.hypervisor.io_hardening.tests.unit.stand_ins.api_client import Client

#: Guests with a step that a token is refused; the steps after it are left out.
ROOT_ALONE = ("passthrough-path-with-blank", "passthrough-gone")

host = recorded.host


def parameters(words):
    """``--key value …`` of a call of qm as parameters."""
    return {key.lstrip("-"): value for key, value in zip(words[::2], words[1::2], strict=True)}


@pytest.mark.parametrize("scenario", recorded.SCENARIOS, ids=lambda scenario: scenario["name"])
def test_a_put_leaves_what_qm_set_left(host, tmp_path, scenario):
    vmid, config = scenario["vmid"], host.config(scenario["vmid"])
    config.write_bytes(scenario["config"].encode())
    for fact, entries in recorded.DECLARED.get(scenario["name"], {}).items():
        host.declare(fact, *entries)
    if "start" in scenario:
        host.run("qm", "start", str(vmid))
    if "config_when_running" in scenario:
        config.write_text(scenario["config_when_running"])
    with ApiStandIn(host.root, folder=tmp_path, second=0.02) as api:
        for step in scenario["steps"]:
            command, before = step["command"], config.read_bytes()
            if command[0] == "@rm":
                host.declare("volumes-missing", *recorded.REMOVED[scenario["name"]])
            elif command[0] == "ha-manager":
                recorded.ask_ha(host, vmid, command[1:])
            elif command[:2] == ["qm", "set"]:
                answer = Client(api).call("PUT", f"/nodes/pve1/qemu/{command[2]}/config", parameters(command[3:]))
                said = str(answer.body)
                if "Only root" in said or "only root" in said:
                    assert scenario["name"] in ROOT_ALONE and config.read_bytes() == before
                    return
                assert (answer.status == 200) is (step["rc"] == 0), said
            elif command[1] in ("start", "stop", "shutdown", "reboot", "unlock"):
                host.run(*command)
            after = before if step["config_after"] == "unchanged" else step["config_after"].encode()
            assert config.read_bytes() == after, command
    assert scenario["name"] not in ROOT_ALONE
