# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Puts into the records of guests and storages what a live node says of them."""

from __future__ import annotations

import re
from typing import NamedTuple

from .._model.records import Guest
from .._pve import config as _config
from .._pve import drive as _drive
from .config_reader import Storages
from .node import Complaint, Node, Unanswered
from .reading import Reading

_NEW = "qm list does not have it: it came to this node, or left it, just now; run again"

_SECTION = re.compile(r"^\[([^\]]*)\]\s*$", re.ASCII)


class Asked:
    """What the node ``own``, this host, says of its guests. It is asked at once, and answers while files are read.

    Questions that it did not answer become problems of the reading.
    """

    def __init__(self, proxmox: Node, own: str, reading: Reading) -> None:
        self._own = own
        self._proxmox = proxmox
        self._reading = reading
        self._complaints: dict[str, list[Complaint]] = {}
        self._fault: str | None = None
        self._was_answered = False
        proxmox.ask()

    def storages(self, known: Storages) -> Storages:
        """The storages with ``active`` as it is on this node. A storage that the answer lacks is not active."""
        try:
            unusable = self._proxmox.storages()
        except Unanswered as exc:
            self._reading.problem("", f"which storages this node can use is not known: {exc}", node=self._own)
            return known
        return {
            name: {**storage, "active": name in unusable and unusable[name] is None} for name, storage in known.items()
        }

    def add(self, guest: Guest, text: str) -> None:
        """Complete the record of a guest of this node; ``text`` is its config."""
        if not self._was_answered:
            self._wait()
        complaints = self._complaints.get(guest["id"])
        if self._fault:
            unsaid: str | None = self._fault
        else:
            unsaid = _NEW if complaints is None else add_complaints(guest, text, complaints)
        guest["held"] = {"reason": "not_asked", "detail": unsaid} if unsaid else None

    def _wait(self) -> None:
        self._was_answered = True
        try:
            self._complaints = self._proxmox.complaints()
        except Unanswered as exc:
            self._fault = f"which lines Proxmox VE would drop on a write is not known: {exc}"
            self._reading.problem("", f"{self._fault}; no guest of this node is written", node=self._own)


def add_complaints(guest: Guest, text: str, complaints: list[Complaint]) -> str | None:
    """Add the lines that qm complains about to a record's ``unsafe_lines``; ``text`` is the guest's config.

    qm names a key, not its line or section. Returns a sentence where a complaint fits no line and the record has no
    unsafe line at all, so that the guest is not taken for safe.
    """
    known = {unsafe["line"] for unsafe in guest["unsafe_lines"]}
    for key in dict.fromkeys(complaint.key for complaint in complaints if complaint.key):
        words = [complaint.words for complaint in complaints if complaint.key == key]
        lines = [line for line in _lines(text) if line.text.startswith(f"{key}:")]
        left = [line for line in lines if line.number not in known]
        # qm also complains about the lines with this key that our own reading found.
        words = words[len(lines) - len(left) :]
        for index, line in enumerate(left if words else ()):
            reason = words[index] if len(words) == len(left) else _one_of(words, left)
            guest["unsafe_lines"].append(
                {
                    "line": line.number,
                    "text": _config.printable(line.text)[:200],
                    "reason": _config.printable(reason),
                    "drive": not line.in_snapshot and _drive.meant_for_a_drive(line.text),
                }
            )
    guest["unsafe_lines"].sort(key=lambda unsafe: unsafe["line"])
    if complaints and not guest["unsafe_lines"]:
        return (
            f"Proxmox VE would drop a line on a write: {complaints[0]}; which one is not known, the config may have"
            " changed just now"
        )
    return None


def _one_of(words: list[str], left: list[_Line]) -> str:
    numbers = ", ".join(str(line.number) for line in left)
    return f"{'; '.join(dict.fromkeys(words))} (qm names the key only: {len(words)} of the lines {numbers})"


class _Line(NamedTuple):
    number: int
    text: str
    in_snapshot: bool


def _lines(text: str) -> list[_Line]:
    """The lines whose values qm looks at: those of the main section, of [PENDING] and of snapshots."""
    found, section = [], ""
    for number, line in enumerate(text.split("\n"), 1):
        match = _SECTION.match(line)
        if match:
            section = match[1].lower()
        elif section != "special:cloudinit":
            found.append(_Line(number, line, section not in ("", "pending")))
    return found
