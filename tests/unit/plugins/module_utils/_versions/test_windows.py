# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Which guests of a node are asked for their drivers, and what becomes of their answers."""

from __future__ import annotations

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.module_utils._host.tree import Tree
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._versions import agent, windows


@pytest.fixture
def put(tmp_path):
    def write(path, text):
        file = tmp_path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    return write


@pytest.fixture
def node(tmp_path):
    """A tree that counts as the machine itself."""
    tree = Tree(str(tmp_path))
    tree.live = True
    return tree


@pytest.fixture
def asked(monkeypatch):
    """The sockets that were asked; each agent answers with one driver."""
    found = {}

    def ask(sockets, command):
        assert command == "guest-get-devices"
        found.update(sockets)
        ids = {"type": "pci", "vendor-id": 0x1AF4, "device-id": 0x1048}
        return {guest: agent.Answer([{"driver-version": "100.94.104.24800", "id": ids}], None) for guest in sockets}

    monkeypatch.setattr(agent, "ask", ask)
    return found


def test_the_agents_of_windows_guests_are_asked(node, put, asked, tmp_path):
    for guest, text in {
        "101": "ostype: win11\nagent: 1\n",
        "102": "ostype: l26\n",
        "103": "agent: 1\n",
        "1004": "ostype: w2k19\nlock: backup\n",
        "105": "ostype: l26\n[before]\nostype: win10\n",
        "106": "ostype: win10\n",
    }.items():
        put(f"etc/pve/qemu-server/{guest}.conf", text)
        if guest != "106":
            put(f"run/qemu-server/{guest}.qga", "")
    put("run/qemu-server/107.qga", "")
    put("run/qemu-server/101.qmp", "")
    facts = windows.read_facts(node)
    assert asked == {"101": f"{tmp_path}/run/qemu-server/101.qga"}
    assert facts["guests"] == [
        {"guest": "101", "drivers": {"vioscsi": "0.1.248"}, "unknown": None},
        {"guest": "1004", "drivers": {}, "unknown": "locked (backup)"},
    ]


def test_nobody_is_asked_below_another_root(node, put, asked):
    put("etc/pve/qemu-server/101.conf", "ostype: win11\n")
    put("run/qemu-server/101.qga", "")
    node.live = False
    assert windows.read_facts(node)["guests"] == [] and asked == {}


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (agent.Answer(None, "the agent hung up"), "the agent hung up"),
        (agent.Answer({"odd": 1}, None), "the agent's answer is not understood"),
    ],
)
def test_an_agent_that_tells_nothing_is_said(node, put, monkeypatch, answer, reason):
    put("etc/pve/qemu-server/101.conf", "ostype: win11\n")
    put("run/qemu-server/101.qga", "")
    monkeypatch.setattr(agent, "ask", lambda sockets, command: dict.fromkeys(sockets, answer))
    assert windows.read_facts(node)["guests"] == [{"guest": "101", "drivers": {}, "unknown": reason}]


def test_a_config_that_cannot_be_read_is_a_problem(node, put, asked, tmp_path):
    put("run/qemu-server/101.qga", "")
    (tmp_path / "etc/pve/qemu-server/101.conf").mkdir(parents=True)
    facts = windows.read_facts(node)
    assert facts["guests"] == [] and [one["file"] for one in facts["problems"]] == ["/etc/pve/qemu-server/101.conf"]


def test_the_machine_itself_can_be_read():
    assert windows.read_facts(Tree("/")) == {"root": "/", "guests": [], "problems": []}
