# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Runs ansible-playbook the way a user does. Every test that needs a whole run starts it here."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).absolute().parents[1]
COLLECTIONS = ROOT.parents[2] if ROOT.parents[1].name == "ansible_collections" else ROOT / "build/collections"


class Run(NamedTuple):
    """How a run ended, and what it printed on both outputs."""

    status: int
    output: str


def run_playbook(
    playbook: str | Path,
    *arguments: str | Path,
    folder: Path | None = None,
    variables: dict[str, Any] | None = None,
    collections: str | Path = COLLECTIONS,
) -> Run:
    """Run a playbook file, or a playbook of this collection by its name, with extra variables. A traceback in its
    output fails the test.
    """
    name = str(playbook) if "." in str(playbook) else f"hypervisor.io_hardening.{playbook}"
    extra = ["--extra-vars", json.dumps(variables)] if variables else []
    done = subprocess.run(
        [str(Path(sys.executable).with_name("ansible-playbook")), name, *map(str, arguments), *extra],
        cwd=folder,
        env={
            **os.environ,
            "ANSIBLE_COLLECTIONS_PATH": str(collections),
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_LOCALHOST_WARNING": "false",
            "LC_ALL": "C.UTF-8",
        },
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert "Traceback (most recent call last)" not in done.stdout, done.stdout
    return Run(done.returncode, done.stdout)
