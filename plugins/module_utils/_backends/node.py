# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""What a live Proxmox VE node says of itself: which config lines its ``qm`` would drop, and which storages it can use.

Two questions, asked at most once a module call, both at the same time, for all guests of the node.
"""

from __future__ import annotations

import concurrent.futures
import re
import threading
from typing import NamedTuple

from .._host import run as _run
from . import qm_command

#: Seconds to wait for either answer. ``pvesm status`` tries one storage after the other, a dead NFS server for about
#: 7 s (recorded).
SECONDS = 120

# parse_vm_config warns on stderr: "vm 500 - unable to parse value of 'net0' - format error", and more lines with the
# reason.
_COMPLAINT = re.compile(r"^vm ([1-9]\d{2,8}) - (.*)$", re.ASCII)
_VALUE = re.compile(r"^unable to parse value of '([a-z][a-z_\-]*\d*)'(?: - (.*))?$", re.ASCII | re.DOTALL)
_LISTED = re.compile(r"^ *([1-9]\d{2,8}) ", re.ASCII | re.MULTILINE)


class Complaint(NamedTuple):
    """A line of a guest's config that ``qm`` drops on its next write: its key, and qm's words.

    The key is None where the line is not a ``key: value``.
    """

    key: str | None
    words: str

    def __str__(self) -> str:
        return f"{self.key}: {self.words}" if self.key else self.words


class _Answers(NamedTuple):
    complaints: concurrent.futures.Future[dict[str, list[Complaint]]]
    storages: concurrent.futures.Future[dict[str, str | None]]


class Unanswered(Exception):
    """The node did not answer; the message says what was asked, and why there is no answer."""


class Node:
    """The node that this runs on. It is asked when the first answer is wanted, or when ``ask`` is called."""

    def __init__(self, run: qm_command.Run, timeout: int = SECONDS) -> None:
        self._run = run
        self._timeout = min(timeout, SECONDS)
        self._lock = threading.Lock()
        self._answers: _Answers | None = None

    def ask(self) -> _Answers:
        """Ask both questions without waiting for the answers."""
        with self._lock:
            if self._answers is None:
                pool = concurrent.futures.ThreadPoolExecutor(max_workers=2)
                self._answers = _Answers(
                    pool.submit(self._ask_for_complaints),
                    pool.submit(self._ask_for_storages),
                )
                pool.shutdown(wait=False)
            return self._answers

    def complaints(self) -> dict[str, list[Complaint]]:
        """Guest → its lines that a write would drop, [] where there is none; raises Unanswered.

        A guest that is missing was not on this node when it was asked.
        """
        return self.ask().complaints.result()

    def storages(self) -> dict[str, str | None]:
        """Storage → why this node cannot use it, None where it can; raises Unanswered."""
        return self.ask().storages.result()

    def _ask_for_complaints(self) -> dict[str, list[Complaint]]:
        out, words = self._answer("qm", "list")
        found: dict[str, list[Complaint]] = {guest: [] for guest in _LISTED.findall(out)}
        for guest, text in _complaints(words):
            match = _VALUE.match(text)
            found.setdefault(guest, []).append(
                Complaint(match[1], match[2] or "not a valid value") if match else Complaint(None, text)
            )
        return found

    def _ask_for_storages(self) -> dict[str, str | None]:
        out, words = self._answer("pvesm", "status")
        rows = [line.split() for line in out.split("\n")[1:]]
        return {row[0]: _unusable(row[0], row[2], words) for row in rows if len(row) > 2}

    def _answer(self, *command: str) -> tuple[str, str]:
        status, out, words = self._run(_run.bounded(self._timeout, *command))
        asked = " ".join(command)
        if _run.timed_out(status):
            raise Unanswered(f"{asked} gave no answer within {self._timeout} s and was ended")
        if status == 127:
            raise Unanswered(f"there is no command {command[0]}; is this a Proxmox VE node?")
        if status:
            raise Unanswered(f"{asked} exited with status {status}: {_run.shortened(words) or 'it printed nothing'}")
        if _run.is_cut(out) or _run.is_cut(words):
            raise Unanswered(f"{asked} printed more than the {_run.KEPT // 1024} KiB that are read")
        return out, words


def _complaints(words: str) -> list[tuple[str, str]]:
    """(guest, text) of each complaint, with its further lines joined to it."""
    found: list[tuple[str, list[str]]] = []
    for line in words.split("\n"):
        match = _COMPLAINT.match(line)
        if match:
            found.append((match[1], [match[2]]))
        elif found and line.strip():
            found[-1][1].append(line)
    return [(guest, "; ".join(line.strip() for line in lines)) for guest, lines in found]


def _unusable(storage: str, status: str, words: str) -> str | None:
    if status == "active":
        return None
    if status == "disabled":
        return f"storage '{storage}' is disabled, or not for this node"
    said = next((line.strip() for line in words.split("\n") if f"'{storage}'" in line), "")
    return said or f"storage '{storage}' is not online"
