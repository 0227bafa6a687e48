#!/usr/bin/env python
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Run the unit tests, measure lines and branches, and fail where a room is below its floor in tests/coverage.toml.

tools/in-venv 2.21 tests/tools/room_coverage.py
"""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

import tomllib

ROOT = Path(__file__).resolve().parents[2]
FLOORS = ROOT / "tests/coverage.toml"
REPORT = ROOT / "build/coverage.json"

#: Path below the checkout to coverage.py's entry for that file, as in its JSON report.
Files = dict[str, dict[str, Any]]


def room_of(path: str) -> str:
    """The room of a file: plugins/module_utils/_pve/drive.py is in module_utils/_pve, plugins/modules/guest_io.py in
    modules.
    """
    parts = path.split("/")[1:-1]
    return "/".join(parts[:2])


def by_room(files: Files) -> dict[str, Files]:
    """The measured files of each room. A file without a line of code (an empty __init__.py) is in none."""
    rooms: dict[str, Files] = defaultdict(dict)
    for path, entry in sorted(files.items()):
        if entry["summary"]["num_statements"]:
            rooms[room_of(path)][path] = entry
    return rooms


def share(files: Files) -> float:
    """How many of the lines and branches of these files have been run, in percent."""
    summaries = [entry["summary"] for entry in files.values()]
    run = sum(one["covered_lines"] + one["covered_branches"] for one in summaries)
    there = sum(one["num_statements"] + one["num_branches"] for one in summaries)
    return 100 * run / there


def uncovered(files: Files) -> str:
    """The lines, and the branches as FROM->TO, that no test runs, by file."""
    found = []
    for path, entry in files.items():
        lines = set(entry["missing_lines"])
        branches = [f"{one}->{other if other > 0 else 'exit'}" for one, other in entry["missing_branches"]
                    if one not in lines and other not in lines]  # fmt: skip
        if lines or branches:
            found.append(f"{path.rpartition('/')[2]} {', '.join([*ranges(sorted(lines)), *branches])}")
    return "; ".join(found)


def ranges(lines: list[int]) -> list[str]:
    """Sorted numbers, those next to each other as FIRST-LAST."""
    groups: list[list[int]] = []
    for line in lines:
        if groups and line == groups[-1][-1] + 1:
            groups[-1].append(line)
        else:
            groups.append([line])
    return [str(group[0]) if len(group) == 1 else f"{group[0]}-{group[-1]}" for group in groups]


def faults(files: Files, floors: dict[str, float]) -> list[str]:
    """A sentence for each room that is below its floor or has none, and for each floor that has no room."""
    rooms = by_room(files)
    found = []
    for room, members in sorted(rooms.items()):
        if room not in floors:
            found.append(
                f"{room}: the room has no floor. The tests cover {share(members):.1f} % of it; add it to tests/coverage.toml."
            )
        elif share(members) < floors[room]:
            found.append(
                f"{room}: the tests cover {share(members):.1f} % of its lines and branches, below its floor of"
                f" {floors[room]:g} %. Not covered: {uncovered(members)}."
            )
    gone = [
        f"{room}: there is no such room. Remove its floor from tests/coverage.toml."
        for room in sorted(set(floors) - set(rooms))
    ]
    return found + gone


def read_floors() -> dict[str, float]:
    """Room to floor, of all tables of the file."""
    tables = tomllib.loads(FLOORS.read_text(encoding="utf-8"))
    return {room: floor for table in tables.values() for room, floor in table.items()}


def measure(arguments: list[str]) -> tuple[int, Files]:
    """Run pytest in this process: its exit status, and what coverage.py measured."""
    # Not at the top: the tests of the functions above run in environments without it.
    import coverage
    import pytest

    measured = coverage.Coverage(data_file=None, config_file=False, branch=True, source=[str(ROOT / "plugins")])
    measured.set_option("run:omit", [str(ROOT / "plugins/doc_fragments/*")])
    # Also the files that no test imports, in folders without __init__.py.
    measured.set_option("report:include_namespace_packages", True)
    measured.set_option("report:exclude_lines", ["if TYPE_CHECKING:", r"^\s+\.\.\.$", 'if __name__ == "__main__":'])
    measured.start()
    try:
        status = pytest.main(arguments)
    finally:
        measured.stop()
    measured.json_report(outfile=str(REPORT), pretty_print=False)
    return int(status), json.loads(REPORT.read_text(encoding="utf-8"))["files"]


def main() -> int:
    """Print each room's figure, then what is wrong."""
    status, files = measure(sys.argv[1:])
    floors = read_floors()
    for room, members in sorted(by_room(files).items()):
        print(f"coverage: {room:28} {share(members):5.1f} %  floor {floors.get(room, 0):g} %")
    found = faults(files, floors)
    for fault in found:
        print(f"coverage: {fault}", file=sys.stderr)
    return status or (1 if found else 0)


if __name__ == "__main__":
    sys.exit(main())
