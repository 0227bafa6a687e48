# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The project's playbooks on a copy of the sample fleet, as a newcomer runs them."""

from __future__ import annotations

from pathlib import Path

from ansible_collections.hypervisor.io_hardening.tests.playbooks import ROOT, Run, run_playbook


def play(tree: Path, name: str, *arguments: str) -> Run:
    """Run a playbook on the fleet in ``tree``."""
    fleet = ("--inventory", "sample_fleet/inventory.yml", "--extra-vars", f"sample_fleet_build={tree}")
    return run_playbook(f"playbooks/{name}.yml", *fleet, *arguments, folder=ROOT)
