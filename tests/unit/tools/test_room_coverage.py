# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""What the coverage tool makes of a measurement."""

from __future__ import annotations

import pytest

# Coverage is measured with the newest line, which has a newer Python.
pytest.importorskip("tomllib", reason="Python 3.10 has no tomllib")

from ansible_collections.hypervisor.io_hardening.tests.tools import room_coverage


def measured(lines, branches=(0, 0), missing=(), jumps=()):
    """A file's entry: (covered, all) lines and branches."""
    names = ("covered_lines", "num_statements", "covered_branches", "num_branches")
    return {
        "summary": dict(zip(names, (*lines, *branches))),
        "missing_lines": list(missing),
        "missing_branches": [list(jump) for jump in jumps],
    }


DRIVE = "plugins/module_utils/_pve/drive.py"
CONFIG = "plugins/module_utils/_pve/config.py"


@pytest.mark.parametrize(
    ("path", "room"),
    [
        (DRIVE, "module_utils/_pve"),
        ("plugins/plugin_utils/_render/page/build.py", "plugin_utils/_render"),
        ("plugins/module_utils/_text.py", "module_utils"),
        ("plugins/modules/guest_io.py", "modules"),
    ],
)
def test_the_room_of_a_file(path, room):
    assert room_coverage.room_of(path) == room


def test_a_room_below_its_floor_is_named_with_its_figure_its_floor_and_what_no_test_runs():
    files = {
        DRIVE: measured((90, 93), (5, 7), [12, 13, 40], [(11, 12), (70, 80), (90, -3)]),
        CONFIG: measured((50, 50), (0, 0)),
    }
    assert room_coverage.faults(files, {"module_utils/_pve": 97}) == [
        "module_utils/_pve: the tests cover 96.7 % of its lines and branches, below its floor of 97 %."
        " Not covered: drive.py 12-13, 40, 70->80, 90->exit."
    ]
    assert room_coverage.faults(files, {"module_utils/_pve": 96}) == []


def test_a_room_without_a_floor_and_a_floor_without_a_room_are_faults():
    files = {DRIVE: measured((1, 1)), "plugins/module_utils/_model/__init__.py": measured((0, 0))}
    assert room_coverage.faults(files, {"modules": 80}) == [
        "module_utils/_pve: the room has no floor. The tests cover 100.0 % of it; add it to tests/coverage.toml.",
        "modules: there is no such room. Remove its floor from tests/coverage.toml.",
    ]
