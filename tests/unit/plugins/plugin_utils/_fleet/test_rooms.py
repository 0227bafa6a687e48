# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""What the rooms of fleet and reports must not know."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOMS = Path(__file__).parents[5] / "plugins" / "plugin_utils"
# A hypervisor's commands, config keys and name, a role's variables, and a subject of a host.
FOREIGN = re.compile(
    r"proxmox|\bpve|\bqm\b|virsh|libvirt|scsihw|storage\.cfg|\bvmid|guest_io_\w|host_writeback|writeback|dirty_", re.I
)


def lines(*patterns):
    files = [path for pattern in patterns for path in sorted(ROOMS.glob(pattern))]
    assert len(files) > 5
    return [
        (f"{path.name}:{number}", line)
        for path in files
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
    ]


def test_the_fleet_imports_no_report_and_nothing_that_renders():
    bad = re.compile(r"^\s*(from|import)\s.*(_render|jinja2|xml|html|ansible\.)")
    assert [where for where, line in lines("_fleet/*.py") if bad.search(line)] == []


@pytest.mark.parametrize("room", ["_fleet", "_render"])
def test_no_hypervisor_role_variable_or_host_subject_is_named(room):
    allowed = "hypervisor.io_hardening|guest_io_assess|guest_io_info"
    found = [
        (where, line.strip())
        for where, line in lines(f"{room}/*.py", f"{room}/page/*")
        if FOREIGN.search(re.sub(allowed, "", line))
    ]
    assert found == []
