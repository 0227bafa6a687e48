# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""After the rollback every definition is what it was, to the byte, whether its guest was restarted or not."""

from __future__ import annotations

import pytest
from conftest import GUESTS


@pytest.mark.parametrize("guest", GUESTS)
def test_definition(state, guest):
    file = f"{GUESTS[guest]}.xml"
    assert state("rolled-back")[file] == state("before")[file]


def test_the_rollback_restarted_nothing(state):
    restarted, after = state("restarted"), state("rolled-back")
    assert {name: text for name, text in after.items() if name.endswith(".process")} == {
        name: text for name, text in restarted.items() if name.endswith(".process")
    }


@pytest.mark.parametrize("guest", ["db", "desktop", "mail"])
def test_qemu_is_started_as_before(state, disks, guest):
    file = f"{GUESTS[guest]}.cmdline"
    assert disks(state("started-again")[file]) == disks(state("before")[file])
    assert "iothread" not in state("started-again")[file]


def test_autostart_and_snapshots_are_as_before(state):
    before, after = state("before"), state("rolled-back")
    assert after["autostart"] == before["autostart"] == "web\n"
    names = [name for name in before if ".snapshot." in name]
    assert names and [after[name] for name in names] == [before[name] for name in names]
