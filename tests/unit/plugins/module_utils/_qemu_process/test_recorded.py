# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""QEMU processes that Proxmox VE's own qm started, as recorded: command lines and open files."""

from __future__ import annotations

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.module_utils._qemu_process import cmdline, evidence
from ansible_collections.hypervisor.io_hardening.tests.unit.facts import facts

PROCESSES = facts("qemu_processes")


@pytest.mark.parametrize("process", PROCESSES, ids=lambda process: process["name"])
def test_every_recorded_command_line_gives_what_its_config_means(process):
    parsed = cmdline.parse(process["cmdline"])
    assert (parsed["hypervisor"], parsed["problems"]) == ("pve", [])
    runs = {disk["key"]: disk["runs"] for disk in parsed["disks"]}
    found = {key: [values["aio"], values["cache"], values["iothread"]] for key, values in runs.items()}
    assert found == process["disks"]


def test_what_a_recorded_process_has_open_agrees_with_its_command_line():
    (process,) = [process for process in PROCESSES if "open" in process]
    files = [evidence.open_file(path, int(flags, 8), "x86_64") for path, flags in process["open"].items()]
    seen = {"native": False, "rings": 1, "files": files}
    disks = cmdline.parse(process["cmdline"])["disks"]
    assert [disk["runs"]["cache_direct"] for disk in disks] == [True, True, False, True]
    assert evidence.cross_check(disks, seen, "10.0.2-4", {}) == ([], set())
