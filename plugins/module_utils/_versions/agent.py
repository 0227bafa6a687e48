# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Asks the guest agents of many guests for one thing, all at once and within a bound.

Proxmox VE's API and ``qm`` do not offer ``guest-get-devices`` (qemu-server, API2/Qemu/Agent.pm), so this speaks to
the socket that QEMU gives the agent, as qemu-server does (QMPClient.pm): first ``guest-sync-delimited``, so that only
a live agent gets the question and no old answer is taken for ours. QEMU serves one client at a time. A client of
Proxmox VE that comes meanwhile waits. It gives a ping 3 seconds, and a backup that gets no answer to it does not
freeze the guest's file systems. So a socket is held for less than that.
"""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import socket
import time
from collections.abc import Mapping
from typing import Any, NamedTuple

#: Seconds for all guests together.
SECONDS = 2.0
#: The most bytes that are read from one guest.
LARGEST = 1024 * 1024

_START = b"\xff"


class Answer(NamedTuple):
    """What an agent returned, or why there is no answer, in a few words."""

    value: Any
    unknown: str | None


def ask(sockets: Mapping[str, str], command: str, seconds: float = SECONDS) -> dict[str, Answer]:
    """The answers to a command without arguments, by the keys of ``sockets``, whose values are the sockets' paths.

    A socket that nobody listens on has no answer and no entry: its guest does not run.
    """
    deadline = time.monotonic() + seconds
    answers: dict[str, Answer] = {}
    with selectors.DefaultSelector() as selector, contextlib.ExitStack() as stack:
        for key, path in sockets.items():
            try:
                agent = stack.enter_context(_Agent(path, command))
            except BlockingIOError:
                answers[key] = Answer(None, "somebody else is asking the agent")
            except OSError:
                continue
            else:
                selector.register(agent, selectors.EVENT_READ, key)
                answers[key] = Answer(None, "the agent gave no answer in time")
        while selector.get_map() and (left := deadline - time.monotonic()) > 0:
            for ready, _events in selector.select(left):
                answer = ready.fileobj.receive()  # type: ignore[union-attr]
                if answer is not None:
                    answers[ready.data] = answer
                    selector.unregister(ready.fileobj)
                    ready.fileobj.close()  # type: ignore[union-attr]
    return answers


class _Agent:
    """One conversation; raises OSError where it cannot begin, BlockingIOError where too many wait already."""

    def __init__(self, path: str, command: str) -> None:
        self._id = int.from_bytes(os.urandom(4), "big")
        self._command = command
        self._received = b""
        self._synchronized = False
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self._socket.setblocking(False)
            self._socket.connect(path)
            sync = {"execute": "guest-sync-delimited", "arguments": {"id": self._id}}
            self._socket.send(_START + json.dumps(sync).encode("ascii") + b"\n")
        except OSError:
            self._socket.close()
            raise

    def __enter__(self) -> _Agent:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    def fileno(self) -> int:
        return self._socket.fileno()

    def close(self) -> None:
        self._socket.close()

    def receive(self) -> Answer | None:
        """Read what is there; None until the conversation is over."""
        try:
            raw = self._socket.recv(65536)
        except OSError as error:
            return Answer(None, f"the agent's socket failed: {error.strerror}")
        self._received += raw
        if not raw:
            return Answer(None, "the agent hung up")
        if len(self._received) > LARGEST:
            return Answer(None, f"the agent's answer is larger than {LARGEST // 1024} KiB")
        while b"\n" in self._received:
            line, _newline, self._received = self._received.partition(b"\n")
            if self._synchronized:
                return _answer(line)
            self._synchronize(line)
        return None

    def _synchronize(self, line: bytes) -> None:
        """Ask once our own answer to the sync is there; what comes before it is for somebody else."""
        _before, start, text = line.rpartition(_START)
        if start and _parsed(text).get("return") == self._id:
            self._synchronized = True
            with contextlib.suppress(OSError):  # the next read tells
                self._socket.send(json.dumps({"execute": self._command}).encode("ascii") + b"\n")


def _answer(line: bytes) -> Answer:
    said = _parsed(line)
    return Answer(said["return"], None) if "return" in said else Answer(None, "the agent does not tell")


def _parsed(text: bytes) -> dict[str, Any]:
    """The object of a line; {} where it is none."""
    try:
        found = json.loads(text.decode("utf-8"))
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
