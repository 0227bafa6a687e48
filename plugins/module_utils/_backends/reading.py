# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""What a read of guests collects."""

from __future__ import annotations

from collections.abc import Iterable

from .._model import records
from .._model.records import NOT_THERE, Guest, Node, Problem, Storage


class Reading:
    """``guests``, ``storages``, ``nodes`` and ``problems`` as in docs/data.md, and the paths of ``containers``.

    ``texts`` are the configs of a live node by path, for what else is read of them in the same call.
    """

    def __init__(self) -> None:
        self.guests: list[Guest] = []
        self.storages: list[Storage] = []
        self.nodes: list[Node] = []
        self.problems: list[Problem] = []
        self.containers: list[str] = []
        self.texts: dict[str, str] = {}

    def problem(
        self, path: str, text: str, guest: str | None = None, line: int | None = None, node: str | None = None
    ) -> None:
        """Note what could not be read."""
        self.problems.append(records.problem(path, text, line=line, guest=guest, node=node))

    def unreadable(self, directory: str, why: str) -> None:
        """Note a directory whose guests could not be read."""
        self.problem(directory, f"{why}; no guest of it was read")


def joined(readings: Iterable[Reading]) -> Reading:
    """One reading of several: a guest is missing that each of them misses, and of a node the first record counts."""
    whole = Reading()
    missed: set[str | None] | None = None
    for reading in readings:
        misses = {problem["guest"] for problem in reading.problems if problem["reason"] == NOT_THERE}
        missed = misses if missed is None else missed & misses
        whole.guests += reading.guests
        whole.storages += reading.storages
        names = {node["name"] for node in whole.nodes}
        whole.nodes += [node for node in reading.nodes if node["name"] not in names]
        whole.problems += [problem for problem in reading.problems if problem not in whole.problems]
        whole.containers += reading.containers
        whole.texts.update(reading.texts)
    whole.problems = [
        problem for problem in whole.problems if problem["reason"] != NOT_THERE or problem["guest"] in (missed or ())
    ]
    return whole
