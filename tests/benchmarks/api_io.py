# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""What the way through the API costs, against its stand-in in a process of its own: applying, a second run, a large fleet.

    python tests/benchmarks/api_io.py               all of them
    python tests/benchmarks/api_io.py apply second  these

apply   20 guests with 60 disks, each call with the time it took when it was recorded, next to the same through qm
second  a second run of the playbook on 200 compliant guests, next to a playbook with a single ping task
fleet   5,000 guests on 50 nodes read, each call 20 ms
"""

from __future__ import annotations

import contextlib
import datetime
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ansible_collections.hypervisor.io_hardening.plugins.module_utils._backends import apply as _apply
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._backends import find
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._host.run import command
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._policy.assess import assess
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._policy.policy import parse

PROJECT = Path(__file__).resolve().parents[2]
STAND_IN = "ansible_collections.hypervisor.io_hardening.tests.stand_ins.pve_api"
#: Seconds that a real ``qm`` takes; 0.53 of them it starts Perl.
QM_SECONDS = 0.65
STORAGE = "dir: local\n\tpath /var/lib/vz\n\tcontent images\n\nlvmthin: thin\n\tvgname pve\n\tthinpool data\n\tcontent images\n"


def make(root: Path, count: int, nodes: int = 1, hardened: bool = False, disks: int = 3) -> None:
    """A tree of so many guests on so many nodes."""
    folders = [root / f"etc/pve/nodes/pve{number}/qemu-server" for number in range(1, nodes + 1)]
    for folder in folders:
        folder.mkdir(parents=True)
    (root / "etc/pve/storage.cfg").write_text(STORAGE)
    (root / "etc/pve/local").symlink_to("nodes/pve1")
    aio, thread, controller = (",aio=threads", ",iothread=1", "single") if hardened else ("", "", "pci")
    for guest in range(1000, 1000 + count):
        drives = "".join(
            f"scsi{disk}: thin:vm-{guest}-disk-{disk}{aio},discard=on{thread},size=32G\n" for disk in range(disks)
        )
        text = (
            f"agent: 1\nboot: order=scsi0\ncores: 4\nmemory: 8192\nmeta: creation-qemu=10.1.2,ctime=1760000000\nname: guest{guest}\n"
            f"ostype: l26\n{drives}scsihw: virtio-scsi-{controller}\nsockets: 1\n"
        )
        (folders[guest % nodes] / f"{guest}.conf").write_text(text)


class Server:
    """The stand-in in a process of its own."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        said = json.loads(self._said())
        self.api = {
            "url": said["url"], "ca_path": said["ca_path"], "token_id": "root@pam!full", "token_secret": "secret",
            "validate_certs": True, "timeout": 60, "write_unseen": False, "monitor": False,
        }  # fmt: skip

    def _said(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline()

    def counted(self) -> dict[str, int]:
        """What it counted since the last time."""
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        found: dict[str, int] = json.loads(self._said())
        return found


@contextlib.contextmanager
def serving(root: Path, delay: str) -> Iterator[Server]:
    """The API of a tree; ``delay`` is in seconds for each call, or ``recorded``."""
    folder = root.parent / "tls"
    folder.mkdir(exist_ok=True)
    with subprocess.Popen(
        [sys.executable, "-m", STAND_IN, str(root), str(folder), delay],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield Server(process)
        finally:
            process.communicate()


def plan_of(reading: Any) -> list[dict[str, Any]]:
    """The plan for the guests of a reading, with the default policy."""
    document = {"guests": reading.guests, "nodes": reading.nodes, "problems": []}
    plan: list[dict[str, Any]] = assess(document, parse({}), datetime.date(2026, 11, 28))["plan"]
    return plan


def applied(plan: list[dict[str, Any]], backends: list[Any]) -> float:
    """Seconds of carrying out a plan that changes every guest."""
    start = time.monotonic()
    outcomes = _apply.apply(plan, backends)
    took = time.monotonic() - start
    assert all(outcome.result["status"] == "changed" for outcome in outcomes), outcomes[0].result
    return took


def through_qm(root: Path) -> float:
    """The same through the stand-in for qm, each call with the time of a real one."""
    programs = root / "programs"
    programs.mkdir()
    stand_ins = PROJECT / "tests/stand_ins"
    for name in ("qm", "pvesm", "pvesh"):
        source = (
            stand_ins / name
            if (stand_ins / name).exists()
            else stand_ins / ("pvesh" if (stand_ins / "pvesh").exists() else "qm")
        )
        (programs / name).write_bytes(source.read_bytes())
        (programs / name).chmod(0o755)
    os.environ.update(
        {
            "QM_ROOT": str(root),
            "QM_NODE": "pve1",
            "QM_DELAY": str(QM_SECONDS),
            "PATH": f"{programs}:{os.environ['PATH']}",
        }
    )
    find.is_this_host = lambda root: True
    return applied(plan_of(find.read(str(root), run=command)), list(find.backends(str(root), run=command)))


def bench_apply(folder: Path) -> bool:
    """Applying to 20 guests with 60 disks, with the recorded time of each call, next to qm."""
    make(folder / "root", 20)
    with serving(folder / "root", "recorded") as server:
        plan = plan_of(find.read(api=server.api))
        assert len(plan) == 20
        server.counted()
        took = applied(plan, list(find.backends(api=server.api, writes=[entry["guest"] for entry in plan])))
        counted = server.counted()
    make(folder / "other", 20)
    qm = through_qm(folder / "other")
    print(
        f"apply: 20 guests with 60 disks: {took:.2f} s in {counted['calls']} calls on {counted['connections']} connections, through"
        f" qm {qm:.2f} s: {took / qm:.3f} of it; wanted: under 0.25"
    )
    return took / qm < 0.25


def playbook(path: str, inventory: Path) -> float:
    """CPU seconds of a playbook run and all its children: on a busy machine the clock says little."""
    before = os.times()
    ansible = str(Path(sys.executable).parent / "ansible-playbook")
    call = [ansible, "-i", str(inventory), path]
    run = subprocess.run(call, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=PROJECT)
    assert run.returncode == 0, run.stdout
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


def bench_second(folder: Path) -> bool:
    """A second run on 200 compliant guests next to a single ping, both interleaved five times."""
    make(folder / "root", 200, hardened=True)
    inventory, ping = folder / "inventory.yml", folder / "ping.yml"
    (folder / "journal").mkdir()
    ping.write_text("- hosts: hypervisors\n  gather_facts: false\n  tasks:\n    - ansible.builtin.ping:\n")
    with serving(folder / "root", "recorded") as server:
        host = {
            "ansible_connection": "local",
            "ansible_python_interpreter": sys.executable,
            "io_hardening_api": server.api,
            "io_hardening_journal": str(folder / "journal"),
        }
        inventory.write_text(json.dumps({"hypervisors": {"hosts": {"cluster": host}}}))
        playbook("playbooks/harden_io.yml", inventory)
        server.counted()
        second = playbook("playbooks/harden_io.yml", inventory)
        counted = server.counted()
        pairs = [(second, playbook(str(ping), inventory))]
        pairs += [(playbook("playbooks/harden_io.yml", inventory), playbook(str(ping), inventory)) for _run in range(4)]
    ratio, calls = sorted(second / one for second, one in pairs)[2], counted["calls"] / 200
    print(
        f"second: {', '.join(f'{second:.2f}/{one:.2f}' for second, one in pairs)} s of CPU: {ratio:.2f} times a ping; wanted: under 3."
        f" {calls:.2f} requests a guest, at most {counted['most_at_once']} at once, {counted['writes']} writes; wanted: 2 and a few"
        " for the cluster, 8, none"
    )
    return ratio < 3 and counted["calls"] <= 2 * 200 + 10 and counted["most_at_once"] <= 8 and not counted["writes"]


def bench_fleet(folder: Path) -> bool:
    """Reading 5,000 guests on 50 nodes, each call 20 ms."""
    make(folder / "root", 5000, nodes=50, hardened=True, disks=2)
    with serving(folder / "root", "0.02") as server:
        start, before = time.monotonic(), time.process_time()
        reading = find.read(node="all", api=server.api)
        took, cpu = time.monotonic() - start, time.process_time() - before
        counted = server.counted()
    assert len(reading.guests) == 5000, reading.problems[:3]
    print(
        f"fleet: 5,000 guests on 50 nodes in {took:.1f} s ({cpu:.1f} s of CPU): {counted['calls']} calls, at most {counted['most_at_once']} at once; wanted:"
        " under 60 s"
    )
    return took < 60 and counted["most_at_once"] <= 8


BENCHMARKS = {"apply": bench_apply, "second": bench_second, "fleet": bench_fleet}


def main(names: list[str]) -> int:
    """Run those named, all without a name; 1 where one is not as wanted."""
    good = True
    for name in names or BENCHMARKS:
        with tempfile.TemporaryDirectory() as folder:
            good &= BENCHMARKS[name](Path(folder))
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
