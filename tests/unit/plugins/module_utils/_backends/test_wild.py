# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Configs as people have them, hardened: nothing but policy keys changes, and a second run finds nothing to do."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.filter.guest_io import assess
from ansible_collections.hypervisor.io_hardening.plugins.modules import guest_io, guest_io_info
from ansible_collections.hypervisor.io_hardening.tests.unit.in_process import run_module
from ansible_collections.hypervisor.io_hardening.tests.unit.shared_data import requires_shared_pve, shared_pve

SAMPLE_FLEET = Path(__file__).resolve().parents[5] / "sample_fleet/root"
DRIVE = re.compile(r"((?:ide|sata|scsi|virtio)\d+): (.*)")


def plan_of(root):
    read = run_module(guest_io_info, root=str(root), node="all")
    return assess(read, {}, "2026-11-28", migrate_controllers="guest.id != ''")["plan"]


def without_ours(line):
    """A config line with what the policy sets taken away."""
    match = DRIVE.match(line)
    if match:
        return match[1], [
            part for part in match[2].split(",") if part.partition("=")[0] not in ("aio", "cache", "iothread")
        ]
    return None if line.startswith("scsihw:") else line


def configs(root):
    return {
        path.name: path.read_bytes().decode("utf-8", "surrogateescape").split("\n")
        for path in root.rglob("*.conf")
        if path.stem.isdigit()
    }


@pytest.fixture(params=["sample fleet", pytest.param("posted", marks=requires_shared_pve)])
def fleet(request, tmp_path):
    """A copy that can be written."""
    source = SAMPLE_FLEET if request.param == "sample fleet" else shared_pve().parent / "wild"
    root = tmp_path / "root"
    shutil.copytree(source, root, copy_function=shutil.copyfile, symlinks=True)
    for folder in [root, *(path for path in root.rglob("*") if path.is_dir())]:
        folder.chmod(0o755)
    return root


def test_nothing_but_policy_keys_changes_and_the_second_run_is_silent(fleet):
    root, before = fleet, configs(fleet)
    returned = run_module(guest_io, root=str(root), plan=plan_of(root), run="r1")
    assert {result["status"] for result in returned["results"]} == {"changed"} and len(returned["results"]) >= 25
    after = configs(root)
    assert after.keys() == before.keys()
    for name, lines in before.items():
        kept, now = ([line for line in map(without_ours, text) if line is not None] for text in (lines, after[name]))
        assert kept == now, name
    assert plan_of(root) == []
