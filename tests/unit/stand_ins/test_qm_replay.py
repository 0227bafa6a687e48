# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors
"""The stand-in answers every recorded call as the real ``qm`` 9.2.6 did: exit status, both outputs, the file."""

from __future__ import annotations

import json

import pytest

from ansible_collections.hypervisor.io_hardening.tests.unit.shared_data import requires_shared_pve, shared_pve
from ansible_collections.hypervisor.io_hardening.tests.unit.stand_ins.qm_host import QmHost

SHARED = shared_pve()
SCENARIOS = json.loads((SHARED / "qm-transcripts.json").read_text()) if SHARED else []

# What asks a real QEMU, or needs its whole command line. Everything else is replayed.
NOT_REPLAYED = {
    "storages-aio-defaults": ["0 qm showcmd", "2 qm showcmd"],
    "iothread-on-virtio-scsi-pci": ["0 qm showcmd"],
    "running-harden": ["6 @cmdline", "7 @qmp", "12 @cmdline", "13 @qmp", "14 @qmp"],
    "running-virtio-blk": ["2 @cmdline", "5 @cmdline", "6 @qmp"],
    "machine-9.0-drive-form": ["0 qm showcmd", "1 @cmdline"],
    "aio-kinds-running": ["0 @cmdline", "1 @proc", "2 @qmp"],
}

# What was true of the recorded host and no config tells.
MISSING = {"bad-values": ["local:209/vm-209-disk-9.qcow2"]}
REMOVED = {"volume-missing-and-storage-unknown": ["local:255/vm-255-disk-7.qcow2"]}
OFFLINE = {"storage-offline": ["nfs1"]}
UNRESPONSIVE = {"restart-commands-guest-without-os": ["250"]}

pytestmark = requires_shared_pve


def name_of(number: int, step: dict) -> str:
    return " ".join([str(number), *step["command"][: 1 if step["command"][0].startswith("@") else 2]])


@pytest.fixture
def host(tmp_path):
    host = QmHost(tmp_path, second=0.02)
    yield host
    host.close()


def answer(host, command):
    result = host.run(*command)
    return {"rc": result.returncode, "stdout": result.stdout, "stderr": result.stderr}


def recorded(step):
    return {key: step[key] for key in ("rc", "stdout", "stderr")}


@pytest.mark.parametrize("scenario", SCENARIOS or [None], ids=lambda scenario: scenario["name"] if scenario else "absent")
def test_every_step_as_recorded(host, scenario):
    name, config = scenario["name"], host.config(scenario["vmid"])
    config.write_text(scenario["config"])
    host.declare("volumes-missing", *MISSING.get(name, []))
    host.declare("storages-offline", *OFFLINE.get(name, []))
    host.declare("unresponsive", *UNRESPONSIVE.get(name, []))
    if "start" in scenario:
        assert answer(host, ["qm", "start", str(scenario["vmid"])]) == recorded(scenario["start"])
    for number, step in enumerate(scenario["steps"]):
        if name_of(number, step) in NOT_REPLAYED.get(name, []):
            continue
        before = config.read_bytes()
        if step["command"] == ["@rm"]:
            host.declare("volumes-missing", *REMOVED[name])
            continue
        got, want = answer(host, step["command"]), recorded(step)
        if step["command"][0] == "pvesh":  # a list in the order of a Perl hash
            for reply in (got, want):
                reply["stdout"] = sorted(json.loads(reply["stdout"]), key=lambda item: item["key"])
        assert got == want, name_of(number, step)
        after = before if step["config_after"] == "unchanged" else step["config_after"].encode()
        assert config.read_bytes() == after, name_of(number, step)


def test_what_is_not_replayed_is_what_the_list_says():
    left_out = {}
    for scenario in SCENARIOS:
        steps = [name_of(number, step) for number, step in enumerate(scenario["steps"])]
        unable = [step for step in steps if step.split()[1:] == ["qm", "showcmd"] or step.split()[1] in ("@cmdline", "@qmp", "@proc")]
        if unable:
            left_out[scenario["name"]] = unable
    assert left_out == NOT_REPLAYED
    assert len(SCENARIOS) == 26
