# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The rooms of plugin_utils and module_utils import each other as CONTRIBUTING.md draws them."""

from __future__ import annotations

import ast
import graphlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
PLUGINS = PROJECT / "plugins"
#: The rooms in the order of the drawing.
DRAWN = re.findall(r"^ {4}(_\w+)(?:/|\.py) ", (PROJECT / "CONTRIBUTING.md").read_text("utf-8"), re.MULTILINE)
ROOMS = {
    path.stem: path
    for half in ("plugin_utils", "module_utils")
    for path in (PLUGINS / half).iterdir()
    if path.stem[0] == "_"
}
HYPERVISORS = ("_pve", "_libvirt")
NEUTRAL = [
    *(
        path
        for room in ("_policy", "_fleet", "_render")
        for path in ROOMS[room].rglob("*.py")
        if path.stem != "hypervisors"
    ),
    *(ROOMS["_backends"] / f"{name}.py" for name in ("backend", "apply", "restart")),
]


def modules(path: Path) -> Iterator[str]:
    """What a file imports, as dotted names below plugins: packages and modules, and the names in them."""
    package = path.relative_to(PLUGINS).parts[:-1]
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = [*package[: len(package) - node.level + 1], *(node.module.split(".") if node.module else ())]
            yield ".".join(base)
            yield from (".".join([*base, name.name]) for name in node.names)


def imported(path: Path) -> set[str]:
    """The rooms that a file imports."""
    return {name.split(".")[1] for name in modules(path) if "." in name}


def name_of(path: Path) -> str:
    return path.relative_to(PLUGINS).as_posix()


def test_the_drawing_has_every_room_once():
    assert sorted(DRAWN) == sorted(name for name in ROOMS if not name.startswith("__"))


@pytest.mark.parametrize("room", DRAWN)
def test_a_room_imports_only_rooms_below_it(room):
    files = [ROOMS[room]] if ROOMS[room].is_file() else ROOMS[room].rglob("*.py")
    allowed = DRAWN[DRAWN.index(room) :]
    assert [(name_of(path), other) for path in files for other in imported(path) if other not in allowed] == []


@pytest.mark.parametrize("path", NEUTRAL, ids=name_of)
def test_a_neutral_file_imports_no_room_of_a_hypervisor(path):
    assert imported(path).isdisjoint(HYPERVISORS)


def test_no_file_imports_itself_by_a_detour():
    known = {".".join(path.relative_to(PLUGINS).with_suffix("").parts): path for path in PLUGINS.rglob("*.py")}
    graph = {name: set(modules(path)) & set(known) for name, path in known.items()}
    assert len(graph) > 150
    tuple(graphlib.TopologicalSorter(graph).static_order())


def test_imports_within_the_collection_are_relative():
    absolute = re.compile(r"^\s*(from|import) ansible_collections\.hypervisor", re.MULTILINE)
    assert [name_of(path) for path in PLUGINS.rglob("*.py") if absolute.search(path.read_text("utf-8"))] == []
