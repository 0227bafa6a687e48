# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""docs/rules.md says what the rules say."""

from __future__ import annotations

from pathlib import Path

from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._policy.rules import RULES
from ansible_collections.hypervisor.io_hardening.tools import rules_doc

PROJECT = Path(__file__).resolve().parents[2]


def test_the_rule_reference_is_the_rules():
    how = "tools/in-venv run env PYTHONPATH=build/collections python tools/rules_doc.py > docs/rules.md"
    assert (PROJECT / "docs/rules.md").read_text() == rules_doc.document(), f"run {how}"


def test_the_rules_that_freeze_carry_their_measurement():
    assert all(RULES[rule].evidence for rule in ("IO101", "IO102", "IO103", "IO104", "IO105", "IO106"))
