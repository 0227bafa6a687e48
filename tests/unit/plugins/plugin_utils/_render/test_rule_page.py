# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._policy.rules import RULES
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._render.rule_page import anchor, rule_address

RULES_MD = Path(__file__).resolve().parents[5] / "docs" / "rules.md"


@pytest.mark.parametrize("rule", RULES)
def test_every_rule_leads_to_a_heading_that_is_there(rule):
    headings = re.findall("^## (.*)$", RULES_MD.read_text("utf-8"), re.MULTILINE)
    assert rule_address(RULES[rule]).split("#")[1] in [anchor(heading) for heading in headings]


@pytest.mark.parametrize(
    ("heading", "is_anchor"),
    [
        ("IO104 Cache mode", "io104-cache-mode"),
        (
            "IO105 aio=native with a cached mode: the guest does not start",
            "io105-aionative-with-a-cached-mode-the-guest-does-not-start",
        ),
        ("Two  blanks, a_line-and é", "two--blanks-a_line-and-%C3%A9"),
    ],
)
def test_anchors_are_those_of_github(heading, is_anchor):
    assert anchor(heading) == is_anchor
