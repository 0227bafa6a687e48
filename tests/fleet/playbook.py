# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The project's playbooks on a copy of the sample fleet, as a newcomer runs them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def play(tree: Path, name: str, *arguments: str) -> tuple[int, str]:
    """Run a playbook on the fleet in ``tree``: (its exit status, its output)."""
    done = subprocess.run(
        [Path(sys.executable).with_name("ansible-playbook"), "--inventory", "sample_fleet/inventory.yml"]
        + ["--extra-vars", f"sample_fleet_build={tree}", f"playbooks/{name}.yml", *arguments],
        cwd=ROOT,
        env={**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "build/collections"), "ANSIBLE_NOCOLOR": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout
