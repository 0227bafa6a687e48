# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors
"""The stand-in answers every recorded call as the real ``qm`` 9.2.6 did: exit status, both outputs, the file.

Of ``showcmd`` the command line itself is not compared: the stand-in has none. Process ids and run times differ."""

from __future__ import annotations

import json
import re

import pytest

from ansible_collections.hypervisor.io_hardening.tests.unit.shared_data import requires_shared_pve, shared_pve
from ansible_collections.hypervisor.io_hardening.tests.unit.stand_ins.qm_host import QmHost

SHARED = shared_pve()
FILES = ("qm-transcripts.json", "qm-transcripts-2.json")
SCENARIOS = [scenario for name in FILES for scenario in json.loads((SHARED / name).read_text())] if SHARED else []

# What asks a real QEMU. Everything else is replayed.
NOT_REPLAYED = {
    "running-harden": ["6 @cmdline", "7 @qmp", "12 @cmdline", "13 @qmp", "14 @qmp"],
    "running-virtio-blk": ["2 @cmdline", "5 @cmdline", "6 @qmp"],
    "machine-9.0-drive-form": ["1 @cmdline"],
    "aio-kinds-running": ["0 @cmdline", "1 @proc", "2 @qmp"],
    "reboot-guest-that-answers": ["2 @cmdline", "6 @cmdline"],
    "protection-onboot-hookscript-tags": ["3 @cmdline"],
    "ha-managed-guest": ["9 @cmdline"],
}

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

pytestmark = requires_shared_pve


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


@pytest.mark.parametrize(
    "scenario", SCENARIOS or [None], ids=lambda scenario: scenario["name"] if scenario else "absent"
)
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
        if name_of(number, step) in NOT_REPLAYED.get(name, []):
            continue
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


def test_what_is_not_replayed_is_what_the_list_says():
    left_out = {}
    for scenario in SCENARIOS:
        steps = [name_of(number, step) for number, step in enumerate(scenario["steps"])]
        unable = [step for step in steps if step.split()[1] in ("@cmdline", "@qmp", "@proc")]
        if unable:
            left_out[scenario["name"]] = unable
    assert left_out == NOT_REPLAYED
    assert len(SCENARIOS) == 26 + 23


@pytest.mark.parametrize("name", ["setting-lines.json", "drive-lines.json"])
def test_every_line_that_was_dropped_is_named_by_qm_list(host, name):
    lines = json.loads((SHARED / name).read_text())
    for vmid, entry in enumerate(lines, 1000):
        host.config(vmid).write_text(f"kvm: 0\n{entry['line']}\n")
    result = host.run("qm", "list")
    assert result.returncode == 0 and len(result.stdout.splitlines()) == len(lines) + 1
    # The old key smp is no line that qm complains of: its value becomes that of sockets.
    expected = "".join(
        f"vm {vmid} - {entry['warning'].strip()}\n" for vmid, entry in enumerate(lines, 1000) if entry["warning"]
    )
    assert re.sub(r"\n+", "\n", result.stderr) == expected
    assert [entry["line"] for entry in lines if (entry["verdict"] == "dropped") != bool(entry["warning"])] == [
        "smp: 2"
    ] * (name[0] == "s")


def test_pvesm_status_as_recorded(host):
    """What is not online, by the table; the sizes and the plugins' own words are the recorded host's."""

    def find(value):
        if isinstance(value, dict) and value.get("command") == ["pvesm", "status"]:
            yield value
        for part in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
            yield from find(part)

    def table(text):
        return [line[: line.rindex("active") + 6] if "active" in line else line for line in text.splitlines()]

    (want,) = find(json.loads((SHARED / "load-transcripts.json").read_text()))
    rows = [line.split()[:3] for line in want["stdout"].splitlines()[1:]]
    (host.root / "etc/pve/storage.cfg").write_text(
        "".join(f"{kind}: {storage}\n\tcontent images\n\n" for storage, kind, _status in rows)
    )
    host.declare("storages-offline", *(storage for storage, _kind, status in rows if status == "inactive"))
    got = host.run("pvesm", "status")
    assert table(got.stdout) == table(want["stdout"]) and "storage 'nfsoff' is not online\n" in got.stderr
