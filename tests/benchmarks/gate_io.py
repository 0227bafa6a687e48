# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""What gating thousands of guest configs, and a plan of as many guests, costs, all reports included, as a pipeline runs it.

    tools/in-venv 2.21 python tests/benchmarks/gate_io.py [guests]

Prints seconds of the processor, which another load on the machine changes less than those of the clock, and what they
are to a run of ansible-playbook that gates one guest. Fails where the guests cost more than LIMIT of those runs, or
where ten times the guests cost more than fifteen times as much. The plan's guests have four disks each, all of them
noncompliant; they fail the run where they cost more than PLAN_LIMIT runs, or PLAN_MB of memory.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).absolute().parents[2]
sys.path.insert(0, str(Path(__file__).parent))

sys.path.insert(0, str(ROOT / "tests/unit"))

from many_guests import make  # noqa: E402
from plans import bpg_disk, bpg_vm, change, plan  # noqa: E402

#: Runs of the same playbook with one guest that 5,000 guests may cost.
LIMIT = 8
#: The same for a plan of 5,000 guests, which have 20,000 disks and 45,000 findings, and its megabytes of memory.
PLAN_LIMIT = 12
PLAN_MB = 500
REPORTS = 8


def make_plan(guests: int, path: Path) -> None:
    """Write a plan of so many guests with four disks each."""
    disks = [bpg_disk(f"scsi{number}", datastore_id="local") for number in range(4)]
    path.write_text(
        plan(
            *(
                change(
                    "proxmox_virtual_environment_vm",
                    bpg_vm(*disks, name=f"vm{number}", vm_id=1000 + number),
                    index=number,
                    module_address="module.fleet",
                )
                for number in range(guests)
            )
        )
    )


def gate(root: Path) -> tuple[float, float]:
    """Seconds of the processor and of the clock that a gate takes."""
    reports = root.with_name(f"reports of {root.name}")
    before, began = os.times(), time.monotonic()
    done = subprocess.run(
        [str(Path(sys.executable).with_name("ansible-playbook")), "playbooks/gate_io.yml"]
        + ["-e", json.dumps({"gate_root": str(root), "report_dir": str(reports)})],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    after, wall = os.times(), time.monotonic() - began
    if "GATE FAILED" not in done.stdout or len(list(reports.iterdir())) != REPORTS:
        raise SystemExit(done.stdout + done.stderr)
    return after.children_user + after.children_system - before.children_user - before.children_system, wall


def main(guests: int = 5000) -> int:
    """Measure once and print."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for number in (1, guests // 10, guests):
            make(number, folder / str(number))
        make_plan(guests, folder / "plan")
        one, _wall = gate(folder / "1")
        tenth, _wall = gate(folder / str(guests // 10))
        all_of_them, wall = gate(folder / str(guests))
        of_plan, plan_wall = gate(folder / "plan")
    # Of the largest process of all runs, in KiB.
    memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    limit = 1 + (LIMIT - 1) * guests / 5000
    growth = (all_of_them - one) / max(tenth - one, 0.01)
    print(
        f"1 guest {one:.2f} s, {guests // 10} guests {tenth:.2f} s, {guests} guests {all_of_them:.2f} s of the"
        f" processor, {wall:.2f} s of the clock"
    )
    print(
        f"{guests} guests cost {all_of_them / one:.1f} runs with one (limit {limit:.1f}); ten times the guests cost"
        f" {growth:.1f} times as much (limit 15)"
    )
    plan_limit = 1 + (PLAN_LIMIT - 1) * guests / 5000
    print(
        f"a plan of {guests} guests and {4 * guests} disks costs {of_plan:.2f} s of the processor, {plan_wall:.2f} s of the"
        f" clock, {of_plan / one:.1f} runs with one guest (limit {plan_limit:.1f}), {memory:.0f} MB (limit {PLAN_MB})"
    )
    costs = (all_of_them / one <= limit, growth <= 15, of_plan / one <= plan_limit, memory <= PLAN_MB)
    return 0 if all(costs) else 1


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
