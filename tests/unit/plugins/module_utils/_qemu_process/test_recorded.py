# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""QEMU processes that Proxmox VE's own qm started, as recorded: command lines, /proc, threads."""

from __future__ import annotations

import json

from ansible_collections.hypervisor.io_hardening.plugins.module_utils._qemu_process import cmdline, evidence
from ansible_collections.hypervisor.io_hardening.tests.unit.shared_data import requires_shared_pve, shared_pve

pytestmark = requires_shared_pve

# What each recorded start gave its disks: aio, cache, iothread. From the configs of the same scenarios
# and the reading of them in DOMAIN: a default is io_uring and direct, aio=, cache=, iothread= as written.
EXPECTED = {
    "running-harden": [
        {"scsi0": ("io_uring", "none", False)},
        {"scsi0": ("threads", "none", True)},
    ],
    "running-virtio-blk": [
        {"virtio0": ("io_uring", "none", False), "virtio1": ("io_uring", "writeback", False)},
        {"virtio0": ("threads", "none", True), "virtio1": ("threads", "none", True)},
    ],
    "machine-9.0-drive-form": [
        {
            "scsi0": ("native", "none", False),
            "scsi1": ("io_uring", "writeback", False),
            "virtio0": ("threads", "none", True),
        },
    ],
    "aio-kinds-running": [
        {
            "scsi0": ("native", "none", True),
            "scsi1": ("io_uring", "none", False),
            "scsi2": ("threads", "writeback", True),
            "sata0": ("io_uring", "none", False),
        },
    ],
}


def recorded(key):
    """[(scenario, the step's value)] of every recorded step that has one."""
    scenarios = json.loads((shared_pve() / "qm-transcripts.json").read_text())
    return [(scenario["name"], step[key]) for scenario in scenarios for step in scenario["steps"] if key in step]


def test_every_recorded_command_line_gives_what_its_config_means():
    found = {}
    for name, argv in recorded("cmdline"):
        parsed = cmdline.parse(argv)
        assert parsed["hypervisor"] == "pve"
        assert parsed["problems"] == []
        runs = {disk["key"]: disk["runs"] for disk in parsed["disks"]}
        found.setdefault(name, []).append(
            {key: (values["aio"], values["cache"], values["iothread"]) for key, values in runs.items()}
        )
    assert found == EXPECTED


def test_what_a_recorded_process_has_open_agrees_with_its_command_line():
    argv = dict(recorded("cmdline"))["aio-kinds-running"]
    files = [
        evidence.open_file(opened["target"], int(opened["flags"], 8), "x86_64")
        for name, fds in recorded("fds")
        if name == "aio-kinds-running"
        for opened in fds.values()
    ]
    seen = {"native": False, "rings": 1, "files": files}
    disks = cmdline.parse(argv)["disks"]
    assert [disk["runs"]["cache_direct"] for disk in disks] == [True, True, False, True]
    assert evidence.cross_check(disks, seen, "10.0.2-4", {}) == ([], set())
