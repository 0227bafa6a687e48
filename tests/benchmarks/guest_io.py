# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""What hardening costs, as ratios in one run: reading, a second run, and applying beside its qm calls.

    make benchmark                      all of them
    make benchmark ARGS='read second'   these

read    1,000 guests of 4 disks, read and assessed: CPU seconds, and as a multiple of reading the files alone
second  a second run of the playbook on 200 compliant guests, next to a playbook with a single ping task
apply   200 guests through a qm stand-in that takes its time, beside the bare calls
"""

from __future__ import annotations

import datetime
import json
import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from ansible_collections.hypervisor.io_hardening.plugins.module_utils._backends import apply as _apply
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._backends import find
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._policy.assess import assess
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._policy.policy import parse
from ansible_collections.hypervisor.io_hardening.tests.unit.plugins.module_utils._queues.machine import Machine

PROJECT = Path(__file__).resolve().parents[2]
STORAGE = (
    "dir: local\n\tpath /var/lib/vz\n\nlvmthin: thin\n\tvgname pve\n\tthinpool data\n\nnfs: nas\n\tserver"
    " 192.0.2.40\n\texport /srv\n"
)
VOLUMES = ("thin:vm-%(guest)d-disk-%(disk)d",) * 2 + (
    "nas:%(guest)d/vm-%(guest)d-disk-%(disk)d.qcow2",
    "local:%(guest)d/vm-%(guest)d-disk-%(disk)d.qcow2",
)
POLICY = {"overrides": [{"match": "storage.type == 'btrfs' && !storage.nocow", "disk": {"cache": "keep"}}]}
HARD = ",aio=threads,iothread=1"


def make(root: Path, count: int, hardened: bool) -> None:
    """A tree of one node with so many guests of 4 disks each."""
    folder = root / "etc/pve/nodes/pve1/qemu-server"
    folder.mkdir(parents=True)
    (root / "etc/pve/storage.cfg").write_text(STORAGE)
    (root / "etc/pve/local").symlink_to("nodes/pve1")
    more = HARD if hardened else ""
    for guest in range(100, 100 + count):
        disks = "".join(
            f"scsi{disk}: {volume % {'guest': guest, 'disk': disk}},discard=on{more},size=32G,ssd=1\n"
            for disk, volume in enumerate(VOLUMES)
        )
        controller = "single" if hardened else "pci"
        (folder / f"{guest}.conf").write_text(
            f"agent: 1\nboot: order=scsi0\ncores: 4\nmemory: 8192\nname: guest{guest}\nnet0:"
            f" virtio=02:00:00:00:00:01,bridge=vmbr0\nostype: l26\n{disks}scsihw: virtio-scsi-{controller}\nsockets:"
            " 1\ntags: prod;web\nvmgenid: 7e1b9947-312b-51ef-b04a-0016d339daef\n"
        )


def bench_read(folder: Path) -> bool:
    """Reading and assessing 1,000 guests of 4 disks."""
    make(folder, 1000, hardened=False)
    paths = sorted((folder / "etc/pve/nodes/pve1/qemu-server").iterdir())
    start = time.process_time()
    for path in paths:
        path.read_bytes()
    bare = time.process_time() - start
    start = time.process_time()
    reading = find.read(str(folder))
    middle = time.process_time()
    document = assess(
        {"guests": reading.guests, "nodes": reading.nodes, "problems": []}, parse(POLICY), datetime.date(2026, 11, 23)
    )
    end = time.process_time()
    assert len(document["plan"]) == 1000
    print(f"read: 1,000 guests of 4 disks: read {middle - start:.2f} s, assess {end - middle:.2f} s, together {end - start:.2f} s of CPU; "
          f"{(end - start) / max(bare, 1e-9):.0f} times the files' bare reading; wanted: under 1 s")  # fmt: skip
    return end - start < 1


def playbook(path: str, inventory: Path) -> float:
    """CPU seconds of a playbook run and all its children: on a busy machine the clock says little."""
    before = os.times()
    subprocess.run(
        [str(Path(sys.executable).parent / "ansible-playbook"), "-i", str(inventory), path],
        check=True,
        capture_output=True,
        cwd=PROJECT,
    )
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


def bench_second(folder: Path) -> bool:
    """A second run on 200 compliant guests and the write-back limits next to a single ping, both interleaved five times."""
    make(folder, 200, hardened=True)
    (folder / "etc/sysctl.d").mkdir()
    inventory, ping = folder / "inventory.yml", folder / "ping.yml"
    inventory.write_text(json.dumps({"hypervisors": {"hosts": {"pve1": {
        "ansible_connection": "local", "ansible_python_interpreter": sys.executable,
        "harden_io_parts": ["guests", "limits"],
        "guest_io_root": str(folder), "host_writeback_root": str(folder)}}}}))  # fmt: skip
    ping.write_text("- hosts: hypervisors\n  gather_facts: false\n  tasks:\n    - ansible.builtin.ping:\n")
    playbook("playbooks/harden_io.yml", inventory)
    pairs = [(playbook("playbooks/harden_io.yml", inventory), playbook(str(ping), inventory)) for _run in range(5)]
    ratios = sorted(second / one for second, one in pairs)
    print(
        f"second: {', '.join(f'{second:.2f}/{one:.2f}' for second, one in pairs)} s of CPU: {ratios[2]:.2f} times a"
        " ping; wanted: at most 2.2"
    )
    return ratios[2] <= 2.2


def bench_hosts(folder: Path) -> bool:
    """The same with all parts: 200 guests, 20 jobs, 12 disks, and policies that are met already."""
    make(folder, 200, hardened=True)
    (folder / "etc/sysctl.d").mkdir()
    (folder / "etc/hostname").write_text("pve1\n")
    (folder / "etc/vzdump.conf").write_text("performance: max-workers=1\nionice: 8\n")
    (folder / "etc/pve/datacenter.cfg").write_text("bwlimit: clone=81920,migration=81920,move=81920,restore=81920\n")
    (folder / "etc/pve/jobs.cfg").write_text(
        "".join(
            f"vzdump: backup-{job}\n\tschedule mon {job}:30\n\tvmid {100 + job},{150 + job}\n\tstorage nas\n\tenabled 1\n\n"
            for job in range(20)
        )
    )
    machine = Machine(folder)
    machine.put("/proc/sys/vm/swappiness", "10")
    for disk in range(12):
        name = f"sd{'abcdefghijkl'[disk]}"
        place = f"pci0000:00/0000:00:04.0/host0/target0:0:{disk}/0:0:{disk}:0/block/{name}"
        machine.disk(name, f"8:{disk * 16}", f"wwn-0x5000c500a1b2c3{disk:02x}", at=place, nr_requests=64)
    inventory, ping = folder / "inventory.yml", folder / "ping.yml"
    inventory.write_text(json.dumps({"hypervisors": {"hosts": {"pve1": {
        "ansible_connection": "local", "ansible_python_interpreter": sys.executable,
        "guest_io_root": str(folder), "host_writeback_root": str(folder),
        "io_load_policy": {"backup": {"max_workers": 1, "ionice": 8}, "limits": {"restore": "80 MiB/s"}},
        "io_host_policy": {"swappiness": 10, "disks": {"wwn-0x5000c500a1b2c3*": {"nr_requests": 64}}}}}}}))  # fmt: skip
    ping.write_text("- hosts: hypervisors\n  gather_facts: false\n  tasks:\n    - ansible.builtin.ping:\n")
    playbook("playbooks/harden_io.yml", inventory)
    pairs = [(playbook("playbooks/harden_io.yml", inventory), playbook(str(ping), inventory)) for _run in range(5)]
    ratios = sorted(second / one for second, one in pairs)
    print(
        f"hosts: {', '.join(f'{second:.2f}/{one:.2f}' for second, one in pairs)} s of CPU: {ratios[2]:.2f} times a"
        " ping; wanted: at most 2.6"
    )
    return ratios[2] <= 2.6


def bench_apply(folder: Path) -> bool:
    """Applying to 200 guests beside the bare qm calls, two at once both, each call 0.05 s of waiting."""
    make(folder, 200, hardened=False)
    find.is_this_host = lambda root: True
    reading = find.read(str(folder))
    plan = assess(
        {"guests": reading.guests, "nodes": reading.nodes, "problems": []}, parse(POLICY), datetime.date(2026, 11, 23)
    )["plan"]

    def run(arguments):
        done = subprocess.run(["sleep", "0.3"], check=True)
        words = arguments[4:]
        if words == ["qm", "list"]:
            return 0, "".join(f"{entry['guest']:>10} stopped\n" for entry in plan), ""
        if words[0] == "pvesm":
            return 0, "Name Type Status\nlocal dir active\nnas nfs active\nthin lvmthin active\n", ""
        if words[:2] == ["qm", "set"]:
            path = folder / f"etc/pve/nodes/pve1/qemu-server/{words[2]}.conf"
            text = path.read_text()
            for key, value in zip(words[3::2], words[4::2]):
                old = next((line for line in text.split("\n") if line.startswith(f"{key[2:]}: ")), None)
                text = text.replace(old, f"{key[2:]}: {value}") if old else text
            path.write_text(text)
        return done.returncode, "", ""

    start = time.monotonic()
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda _entry: subprocess.run(["sleep", "0.3"], check=True), plan))
    bare = time.monotonic() - start
    start = time.monotonic()
    outcomes = _apply.apply(plan, find.backends(str(folder), run=run))
    took = time.monotonic() - start
    assert all(outcome.result["status"] == "changed" for outcome in outcomes), outcomes[0].result
    print(
        f"apply: 200 guests: {took:.2f} s, the bare calls {bare:.2f} s: {took / bare:.3f} times; wanted: at most 1.05"
        " (real calls take twice as long)"
    )
    return took / bare <= 1.05


BENCHMARKS = {"read": bench_read, "second": bench_second, "hosts": bench_hosts, "apply": bench_apply}


def main(names: list[str]) -> int:
    """Run those named, all without a name; 1 where one is not as wanted."""
    good = True
    for name in names or BENCHMARKS:
        with tempfile.TemporaryDirectory() as folder:
            good &= BENCHMARKS[name](Path(folder))
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
