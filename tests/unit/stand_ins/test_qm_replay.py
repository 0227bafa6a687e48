# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors
"""The stand-in answers every recorded call as the real ``qm`` 9.2.6 did: exit status, both outputs, the file.

Of ``showcmd`` the command line itself is not compared: the stand-in has none. Process ids and run times differ."""

from __future__ import annotations

import json
import re

import pytest

from ansible_collections.hypervisor.io_hardening.tests.unit.facts import facts, qm_answers
from ansible_collections.hypervisor.io_hardening.tests.unit.stand_ins.qm_host import QmHost

SCENARIOS = qm_answers()

# What was true of the recorded host and no config tells.
DECLARED = {
    "bad-values": {"volumes-missing": ["local:209/vm-209-disk-9.qcow2"]},
    "storage-offline": {"storages-offline": ["nfs1"]},
    "restart-commands-guest-without-os": {"unresponsive": ["250"]},
    "passthrough-gone": {"volumes-missing": ["/dev/disk/by-id/ata-GONE"], "order": ["scsi0"]},
    "storage-nfsoff-half-way": {"storages-offline": ["nfsoff 1"], "order": ["scsi1", "scsi0"]},
    "storage-offline-half-way-foreign-pending": {"storages-offline": ["nfsoff 1"], "order": ["scsi0"]},
    "qemu-powered-off-while-qmeventd-is-dead": {"qemu-stays": ["531"]},
    "showcmd-and-start-that-cannot": {
        "volumes-missing": ["local:532/vm-532-disk-9.raw"],
        "bridges-missing": ["vmbr77"],
    },
}
REMOVED = {"volume-missing-and-storage-unknown": ["local:255/vm-255-disk-7.qcow2"]}

VOLATILE = re.compile(r"^(pid|uptime): \d+$", re.MULTILINE)


def name_of(number: int, step: dict) -> str:
    return " ".join([str(number), *step["command"][: 1 if step["command"][0].startswith("@") else 2]])


@pytest.fixture
def host(tmp_path):
    host = QmHost(tmp_path, second=0.02)
    with (host.root / "etc/pve/storage.cfg").open("a") as stream:
        stream.write("\nnfs: nfsoff\n\tpath /mnt/pve/nfsoff\n\tserver 192.0.2.31\n\texport /srv/x\n\tcontent images\n")
    yield host
    host.close()


def answer(host, command):
    result = host.run(*command)
    return {"rc": result.returncode, "stdout": result.stdout, "stderr": result.stderr}


def recorded(step):
    return {key: step[key] for key in ("rc", "stdout", "stderr")}


def alike(command, reply):
    """A reply without what differs from host to host, and from call to call."""
    if command[0] == "pvesh":  # a list in the order of a Perl hash
        return {**reply, "stdout": sorted(json.loads(reply["stdout"]), key=lambda item: item["key"])}
    if command[1] == "showcmd":
        return {**reply, "stdout": bool(reply["stdout"])}
    return {**reply, "stdout": VOLATILE.sub(r"\1: N", reply["stdout"])}


def ask_ha(host, vmid, words):
    """What ha-manager and HA do with the guest; its own words are not the stand-in's."""
    resources = host.root / "etc/pve/ha/resources.cfg"
    resources.parent.mkdir(exist_ok=True)
    if words[0] == "add":
        resources.write_text(f"vm: {vmid}\n\tstate stopped\n")
        assert host.run("qm", "start", str(vmid)).stdout == f"Requesting HA start for VM {vmid}\n"
    elif words[0] == "remove":
        resources.unlink()


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario["name"])
def test_every_step_as_recorded(host, scenario):
    name, config = scenario["name"], host.config(scenario["vmid"])
    config.write_bytes(scenario["config"].encode())
    for fact, entries in DECLARED.get(name, {}).items():
        host.declare(fact, *entries)
    if "start" in scenario:
        assert answer(host, ["qm", "start", str(scenario["vmid"])]) == recorded(scenario["start"])
    if "config_when_running" in scenario:
        config.write_text(scenario["config_when_running"])
    for number, step in enumerate(scenario["steps"]):
        before = config.read_bytes()
        if step["command"] == ["@rm"]:
            host.declare("volumes-missing", *REMOVED[name])
            continue
        if step["command"][0] == "ha-manager":
            ask_ha(host, scenario["vmid"], step["command"][1:])
            continue
        got, want = (alike(step["command"], reply) for reply in (answer(host, step["command"]), recorded(step)))
        assert got == want, name_of(number, step)
        after = before if step["config_after"] == "unchanged" else step["config_after"].encode()
        assert config.read_bytes() == after, name_of(number, step)


def test_every_guest_is_there():
    assert len(SCENARIOS) == 26 + 23


def test_every_line_that_was_dropped_is_named_by_qm_list(host):
    lines = facts("config_lines")
    for vmid, entry in enumerate(lines, 1000):
        host.config(vmid).write_text(f"kvm: 0\n{entry['line']}\n")
    result = host.run("qm", "list")
    assert result.returncode == 0 and len(result.stdout.splitlines()) == len(lines) + 1
    # The old key smp is no line that qm complains of: its value becomes that of sockets.
    expected = "".join(f"vm {vmid} - {entry['says']}\n" for vmid, entry in enumerate(lines, 1000) if "says" in entry)
    assert re.sub(r"\n+", "\n", result.stderr) == expected
    silent = [entry["line"] for entry in lines if (entry["verdict"] == "dropped") != ("says" in entry)]
    assert silent == ["smp: 2"] and len(lines) == 97 + 117


#: What `pvesm status` said of each storage on a node where four could not be used.
STORAGES = {
    "ceph": "rbd   inactive",
    "dir2": "dir     active",
    "gone": "dir   inactive",
    "local": "dir     active",
    "local-lvm": "lvmthin     active",
    "nfsoff": "nfs   inactive",
    "tank": "zfspool   inactive",
}


def test_pvesm_status_as_recorded(host):
    """Type and status, with the width that each column had; the sizes are the recorded host's."""
    (host.root / "etc/pve/storage.cfg").write_text(
        "".join(f"{words.split()[0]}: {storage}\n\tcontent images\n\n" for storage, words in STORAGES.items())
    )
    host.declare("storages-offline", *(storage for storage, words in STORAGES.items() if words.endswith("inactive")))
    got = host.run("pvesm", "status")
    head, *rows = got.stdout.splitlines()
    assert head == "Name             Type     Status     Total (KiB)      Used (KiB) Available (KiB)        %"
    # The type ends where the heading does, and so does the status.
    wanted = [f"{storage:<10}{words:>22}" for storage, words in STORAGES.items()]
    assert [row[: len("Name             Type     Status")] for row in rows] == [row[:32] for row in wanted]
    assert "storage 'nfsoff' is not online\n" in got.stderr
