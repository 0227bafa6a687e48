# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""axe-core finds no barrier in the page: WCAG 2.2 A and AA, and its best practices."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._fleet.join import join_documents
from ansible_collections.hypervisor.io_hardening.tests.unit.plugins.plugin_utils._render.sample import (
    HOSTILE,
    document,
    fleet,
    guest,
    hostile,
)

AXE = Path(__file__).resolve().parents[2] / "build" / "axe.min.js"
pytestmark = pytest.mark.skipif(not AXE.exists(), reason="axe-core is absent: tests/tools/axe-core brings it")

RUN = """
const done = arguments[0];
axe.run(document, { resultTypes: ['violations'] }).then((found) =>
  done(found.violations.map((one) => [one.id, one.help, one.nodes.slice(0, 3).map((node) => node.html + ' ' + node.failureSummary)])));
"""


def barriers(page):
    page.execute_script(AXE.read_text("utf-8"))
    return page.execute_async_script(RUN)


def in_trouble():
    joined = join_documents({"pve1": fleet(20, hosts=1), "pve9": None})
    return {**joined, "gate": {"fail_on": "error", "passed": False, "reason": "no report from pve9"}}


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390], ids=["desktop", "phone"])
def test_a_fleet_in_trouble_has_no_barrier(see, width, dark):
    page = see(in_trouble(), width, dark)
    page.execute_script("for (const one of document.querySelectorAll('details')) one.open = true")
    assert barriers(page) == []


@pytest.mark.parametrize(
    "doc",
    [document(), document([guest()]), join_documents({HOSTILE[0]: hostile()})],
    ids=["empty", "in order", "hostile"],
)
def test_other_fleets_have_none(see, doc):
    assert barriers(see(doc)) == []


def test_a_filtered_page_and_a_mark_of_the_map_have_none(see):
    page = see(fleet(20), at="#guests&guests.search=nothing-like-it&findings.sort=-rule")
    page.execute_script("document.querySelector('#map .scroll').focus()")
    assert barriers(page) == []
