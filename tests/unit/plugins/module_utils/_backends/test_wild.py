# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Configs that people posted, hardened: nothing but policy keys changes, and a second run finds nothing to do."""

from __future__ import annotations

import datetime
import re
import shutil

from ansible_collections.hypervisor.io_hardening.plugins.module_utils._backends import find
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._policy.assess import assess
from ansible_collections.hypervisor.io_hardening.tests.unit.plugins.module_utils._backends.doors import apply_below
from ansible_collections.hypervisor.io_hardening.tests.unit.shared_data import requires_shared_pve, shared_pve

pytestmark = requires_shared_pve

DRIVE = re.compile(r"((?:ide|sata|scsi|virtio)\d+): (.*)")
DAY = datetime.date(2026, 11, 28)


def plan_of(root):
    reading = find.read(str(root))
    return assess(reading.guests, {}, DAY, reading.nodes, reading.problems, migrate_controllers="guest.id != ''")[
        "plan"
    ]


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


def test_nothing_but_policy_keys_changes_and_the_second_run_is_silent(tmp_path):
    root = tmp_path / "wild"
    shutil.copytree(shared_pve().parent / "wild", root, copy_function=shutil.copyfile)
    for folder in [root, *(path for path in root.rglob("*") if path.is_dir())]:
        folder.chmod(0o755)
    before = configs(root)
    outcomes = apply_below(str(root), plan_of(root))
    assert {outcome.result["status"] for outcome in outcomes} == {"changed"} and len(outcomes) >= 25
    after = configs(root)
    for name, lines in before.items():
        kept, now = ([line for line in map(without_ours, text) if line is not None] for text in (lines, after[name]))
        assert kept == now, name
    assert plan_of(root) == []
