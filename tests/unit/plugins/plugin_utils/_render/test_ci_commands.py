# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""What a guest is called is never a command to the CI that reads the output, however the lines are broken."""

from __future__ import annotations

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._fleet.gate import judge
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._render.failures import trouble
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._render.gate import gate_lines
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._render.table import table_lines
from ansible_collections.hypervisor.io_hardening.tests.unit.plugins.plugin_utils._render.sample import (
    COMMANDS,
    document,
    finding,
    guest,
    host,
    obeyed,
    result,
    waiver,
)


def named(name):
    about = {"name": name, "node": name, "host": name}
    detail = f"it said {name} and {name}"
    return document(
        [guest(name, "unresolved", **about), guest(name + "1", "restart_pending", **about), guest(name, host="pve2")],
        [
            finding(name, message=detail, hint=name, disk=name, file=name, **about),
            finding(name + "9", message=name, waived=waiver(id=name, reason=detail), **about),
            finding(None, message=name, hint=name, file=None, host=name, rule="IO201"),
            finding(name + "8", rule="IO100", message=detail, file=name, line=None, **about),
        ],
        [{"guest": name, **about, "reason": "locked", "detail": detail}],
        hosts=[host(name), host(name + "2", False), host(name + "3")],
        results=[result(name + "3", "failed", reason="refused", detail=detail, **about)],
        not_read=[name],
    )


def test_the_check_knows_a_command():
    assert all(map(obeyed, (one for one in COMMANDS if not one.startswith(("a ", ":::", "::group")))))


@pytest.mark.parametrize("name", COMMANDS)
def test_no_line_of_the_terminal_is_one(name):
    for width in (*range(20, 120, 7), 80):
        for line in [*table_lines(named(name), width=width), *gate_lines(named(name), "note", width=width)]:
            assert not obeyed(line)


@pytest.mark.parametrize("name", COMMANDS)
def test_no_message_that_ansible_prints_is_one(name):
    doc = named(name)
    told = [judge(doc)["reason"], *trouble({name: doc}, {name: doc["results"]}, {})["failures"][name]]
    for text in told:
        for at in range(len(text)):
            assert not obeyed(text[at:])
