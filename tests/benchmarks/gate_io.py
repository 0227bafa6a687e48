# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""What gating thousands of guest configs costs, all reports included, as a pipeline runs it.

    tools/in-venv 2.21 python tests/benchmarks/gate_io.py [guests]

Prints seconds of the processor, which another load on the machine changes less than those of the clock, and what they
are to a run of ansible-playbook that gates one guest. Fails where the guests cost more than LIMIT of those runs, or
where ten times the guests cost more than fifteen times as much.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).absolute().parents[2]
sys.path.insert(0, str(Path(__file__).parent))

from many_guests import make  # noqa: E402

#: Runs of the same playbook with one guest that 5,000 guests may cost.
LIMIT = 8
REPORTS = 8


def gate(folder: Path, guests: int) -> tuple[float, float]:
    """Seconds of the processor and of the clock that a gate of so many guests takes."""
    tree, reports = folder / f"tree{guests}", folder / f"reports{guests}"
    make(guests, tree)
    before, began = os.times(), time.monotonic()
    done = subprocess.run(
        [str(Path(sys.executable).with_name("ansible-playbook")), "playbooks/gate_io.yml"]
        + ["-e", f"gate_root={tree}", "-e", f"report_dir={reports}"],
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
        one, _wall = gate(folder, 1)
        tenth, _wall = gate(folder, guests // 10)
        all_of_them, wall = gate(folder, guests)
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
    return 0 if all_of_them / one <= limit and growth <= 15 else 1


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
