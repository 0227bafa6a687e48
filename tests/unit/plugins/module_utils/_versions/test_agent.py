# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Agents that answer, that do not, and that answer something else: all within one bound."""

from __future__ import annotations

import json
import socket
import threading
import time

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.module_utils._versions import agent

COMMAND = "guest-get-devices"
IN_TIME = 5.0


class Guest:
    """A socket as QEMU gives one to a guest's agent, and an agent that says what ``says`` returns."""

    def __init__(self, path, says, stale=b""):
        self.path, self.says, self.stale = str(path), says, stale
        self.asked = []
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(self.path)
        self._listener.listen(1)
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self):
        with self._listener:
            client, _address = self._listener.accept()
        with client, client.makefile("rb") as lines:
            try:
                for line in lines:
                    sent = self._reply(json.loads(line.lstrip(b"\xff")))
                    if sent is None:
                        break
                    client.sendall(sent)
            except OSError:
                pass  # the client left

    def _reply(self, message):
        self.asked.append(message["execute"])
        if message["execute"] == "guest-sync-delimited" and self.says is not None:
            return self.stale + b"\xff" + json.dumps({"return": message["arguments"]["id"]}).encode() + b"\n"
        return b"" if self.says is None else self.says(message)

    def close(self):
        self._listener.close()


@pytest.fixture
def guests(tmp_path):
    made = []

    def make(says, stale=b""):
        made.append(Guest(tmp_path / f"{100 + len(made)}.qga", says, stale))
        return made[-1]

    yield make
    for one in made:
        one.close()


def says(value):
    return lambda message: json.dumps(value).encode() + b"\n"


def ask(guest, seconds=IN_TIME):
    return agent.ask({"100": guest.path}, COMMAND, seconds)["100"]


def test_an_agent_is_asked_after_it_has_synchronized(guests):
    guest = guests(says({"return": [1, 2]}))
    assert ask(guest) == ([1, 2], None)
    assert guest.asked == ["guest-sync-delimited", COMMAND]


def test_an_old_answer_is_not_taken_for_ours(guests):
    guest = guests(says({"return": "ours"}), stale=b'{"return": "old"}\n\xff{"return": 7}\n{"return": ')
    assert ask(guest).value == "ours"


@pytest.mark.parametrize(
    ("answer", "unknown"),
    [
        (says({"error": {"class": "CommandNotFound", "desc": "no such command"}}), "the agent does not tell"),
        (says(["return"]), "the agent does not tell"),
        (lambda message: b"\xfe\xff{]\n", "the agent does not tell"),
        (lambda message: b"[" * 100_000 + b"\n", "the agent does not tell"),
        (lambda message: b"x" * (agent.LARGEST + 70_000), "the agent's answer is larger than 1024 KiB"),
        (lambda message: None, "the agent hung up"),
    ],
)
def test_what_is_no_answer_is_said(guests, answer, unknown):
    assert ask(guests(answer)) == (None, unknown)


def test_many_silent_agents_cost_the_bound_once(guests):
    """A guest that hangs does not make the others unknown, nor the run slow."""
    silent = {str(number): guests(None).path for number in range(30)}
    good = guests(says({"return": []})).path
    begun = time.monotonic()
    found = agent.ask({**silent, "good": good}, COMMAND, 0.5)
    assert time.monotonic() - begun < 2
    assert found.pop("good") == ([], None)
    assert set(found.values()) == {(None, "the agent gave no answer in time")} and len(found) == 30


def test_an_agent_that_does_not_synchronize_is_not_asked(guests):
    silent = guests(None)
    assert ask(silent, 0.3).unknown == "the agent gave no answer in time"
    assert silent.asked == ["guest-sync-delimited"]


def test_a_socket_that_nobody_listens_on_is_no_guest(tmp_path):
    left = socket.socket(socket.AF_UNIX)
    left.bind(str(tmp_path / "100.qga"))
    left.close()
    sockets = {
        "100": str(tmp_path / "100.qga"),
        "101": str(tmp_path / "101.qga"),
        "102": str(tmp_path),
        "103": "x" * 200,
    }
    assert agent.ask(sockets, COMMAND) == {}


def test_a_socket_that_others_wait_for_is_left_to_them(tmp_path):
    path = str(tmp_path / "100.qga")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen(0)
        waiting = []
        for _number in range(5):
            other = socket.socket(socket.AF_UNIX)
            other.setblocking(False)
            waiting.append(other)
            try:
                other.connect(path)
            except BlockingIOError:
                break
        begun = time.monotonic()
        found = agent.ask({"100": path}, COMMAND)
        assert found == {"100": (None, "somebody else is asking the agent")} and time.monotonic() - begun < 1
        for other in waiting:
            other.close()


def test_the_bound_is_below_what_proxmox_ve_gives_a_ping():
    """qemu-server, Agent.pm: a backup whose ping gets no answer in 3 s leaves the file systems unfrozen."""
    assert agent.SECONDS < 3
