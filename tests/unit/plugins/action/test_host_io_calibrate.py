# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The action host_io_calibrate: what it has io_calibrate measure, and what it makes of it."""

from __future__ import annotations

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.action import host_io_calibrate
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._calibrate import candidates, policy
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils import _terminal
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._host_policy import host_policy, load_policy
from ansible_collections.hypervisor.io_hardening.tests.unit.in_process import run_action

DISK = {
    "device": {"name": "sda", "id": "wwn-1", "max_bytes": 4 << 30, "strict_limit": 0},
    "disks": [
        {"name": "sda", "id": "wwn-1", "scheduler": "none", "hw_queues": 1, "nr_requests": 128, "max_sectors_kb": 1280}
    ],
    "around": ["sda"],
}


class Machine:
    """A stand-in of io_calibrate: a short queue, few workers and a held restore cure; ``asked`` are its calls."""

    def __init__(self):
        self.asked, self.shown = [], []
        self.breaks_at = self.refuses = None
        self.clock = 0.0
        self.production = []

    def io_calibrate(self, **given):
        self.asked.append(given)
        if "path" not in given:
            return {"failed": True, "msg": "path is missing"}
        if self.checks:
            return {"changed": False, "disk": DISK, "production": self.production, "left_behind": ["/sys/x"]}
        self.clock += 25.0
        if given["measure"] == "rate":
            rates = {"write_mb_per_s": 40.0, "read_mb_per_s": 40.0, "target_mb_per_s": 5.0}
            return {"disk": DISK, "rate": rates, "put_back": ["/sys/x"], "run": None, "accelerator": None}
        if self.breaks_at and len(self.asked) >= self.breaks_at:
            return {"failed": True, "msg": "QEMU is gone"}
        if self.refuses and given.get(self.refuses):
            return {"failed": True, "msg": f"this kernel has no {self.refuses}", "cannot_set": True}
        short = len(given.get("queue") or {}) == 2
        gap = {"writer": 5.0 if short else 3000.0, "backup": 20.0, "restore": 2.0 if given["load_mb_per_s"] else 900.0}
        write = 5000.0 if given["measure"] == "backup" and given["backup"]["max_workers"] > 1 else 200.0
        run = {
            "longest_gap_ms": gap[given["measure"]],
            "longest_write_ms": write,
            "disk_mb_per_s": given["load_mb_per_s"] or 40.0,
            "backup_mb_per_s": 5.0,
            "died": None,
            "written_mb": 500,
            "load": {"mb": 400, "mb_per_s": 40.0, "ended_early": False, "felt_ms": 800.0},
        }
        return {"disk": DISK, "run": run, "put_back": [], "accelerator": {"name": "tcg", "reason": "no KVM"}}


@pytest.fixture(name="calibrate")
def fixture_calibrate(monkeypatch):
    machine = Machine()
    monkeypatch.setattr(host_io_calibrate.time, "monotonic", lambda: machine.clock)
    monkeypatch.setattr(_terminal.display, "display", lambda line, color=None: machine.shown.append(line))
    checked_first = host_io_calibrate.ActionModule._checked_first

    def checks(self, *given):
        machine.checks = True
        try:
            return checked_first(self, *given)
        finally:
            machine.checks = False

    monkeypatch.setattr(host_io_calibrate.ActionModule, "_checked_first", checks)

    def run(check=False, **options):
        options = {"measure": {"path": "/x"}, **options}
        modules = {"io_calibrate": machine.io_calibrate}
        return run_action(host_io_calibrate, {"inventory_hostname": "pve1"}, check, modules=modules, **options)

    run.machine = machine
    return run


def test_the_cheapest_values_become_the_policies(calibrate):
    returned = calibrate(fleecing="/f", fleecing_storage="fast")
    assert returned["policy"] == {
        "io_host_policy": {"disks": {"wwn-1": {"nr_requests": 16, "max_sectors_kb": 128}}},
        "io_load_policy": {"backup": {"max_workers": 1}, "limits": {"restore": "19 MiB/s"}},
    }
    assert host_policy.parse(returned["policy"]["io_host_policy"]).disks
    assert load_policy.parse(returned["policy"]["io_load_policy"]).backup.max_workers == 1
    assert returned["lines"][-4:] == calibrate.machine.shown[-4:]
    assert "    wwn-1: {nr_requests: 16, max_sectors_kb: 128}" in returned["lines"]
    assert "pve1: put back what a killed run had left changed: /sys/x" in calibrate.machine.shown
    assert returned["changed"] is False


def test_every_key_of_the_policies_is_one_that_the_roles_take():
    queue = {"nr_requests": 16, "max_sectors_kb": 128}
    saved = {"max_workers": 1, "rate_mb_per_s": 20, "fleecing": "/f"}
    whole = candidates.made("x", queue=queue, dirty={"max_bytes": 8 << 20, "strict_limit": 1}, backup=saved)
    chosen = {"writer": whole, "backup": whole, "restore": {**whole, "load_mb_per_s": 20}}
    found = policy.policies(chosen, DISK, "local-lvm")
    assert [one.name for one in host_policy.parse(found["io_host_policy"]).disks] == ["wwn-1"]
    wanted = load_policy.parse(found["io_load_policy"])
    assert wanted.backup == load_policy.BackupPolicy(1, 19 << 10, None, "local-lvm")
    assert wanted.limits == {"restore": 19 << 10}


def test_what_is_chosen_for_a_load_is_set_under_those_after_it_and_measured_in_every_round(calibrate):
    returned = calibrate(loads=["restore", "writer", "backup"], rounds=2)
    runs = [(run["load"], run["name"]) for run in returned["runs"]]
    assert runs[0] == ("backup", "today") and runs.count(("writer", "16 requests of 128 KiB")) == 2
    asked = [one for one in calibrate.machine.asked if "load_total_mb" in one]
    writers = [one["backup"]["max_workers"] for one in asked if one["measure"] == "writer"]
    assert (writers[0], set(writers[1:])) == (16, {1})
    queues = [one.get("queue") for one in asked if one["measure"] == "restore"]
    assert queues[0] is None and queues[1] == {"nr_requests": 16, "max_sectors_kb": 128}
    assert ("restore", "as chosen above") in runs


def test_everything_is_checked_before_anything_is_measured(calibrate):
    returned = calibrate(check=True, fleecing="/f", fleecing_storage="fast", backup={"target": "/b"})
    asked = calibrate.machine.asked
    assert [one["measure"] for one in asked] == ["backup", "writer", "restore"]
    assert asked[0]["backup"]["fleecing"] == "/f" and "fleecing" not in asked[1]["backup"]
    assert returned["runs"] == [] and returned["lines"][0] == "pve1 has everything that the calibration needs."
    assert "A killed run left /sys/x changed; the next run puts it back." in calibrate.machine.shown


def test_a_value_that_cannot_be_set_is_left_out_and_said(calibrate):
    calibrate.machine.refuses = "dirty"
    returned = calibrate(loads=["writer"])
    text = " ".join("\n".join(returned["lines"]).split())
    assert "32 MiB dirty is left out: this kernel has no dirty" in text
    assert returned["policy"]["io_host_policy"]
    assert all("dirty" not in one["name"] for one in returned["candidates"]["writer"])


def test_what_was_measured_is_shown_where_a_later_run_cannot_be_made(calibrate):
    calibrate.machine.breaks_at = 7
    returned = calibrate()
    assert returned["failed"] and returned["msg"] == "QEMU is gone"
    assert "The calibration did not come to its end: there is no policy." in calibrate.machine.shown


@pytest.mark.parametrize("bound", [{"minutes": 2}, {"total_mb": 2400}])
def test_no_run_is_begun_that_would_end_too_late_or_write_too_much(calibrate, bound):
    returned = calibrate(**bound)
    assert calibrate.machine.clock <= 120
    assert sum(run["written_mb"] for run in returned["runs"]) <= 2400
    text = " ".join("\n".join(returned["lines"]).split())
    assert "Not measured, because the minutes or bytes were used up:" in text and "today (restore)" in text
    assert returned["chosen"]["restore"] is None and "Nothing was measured." in text


def test_a_kvm_that_does_not_work_is_tried_once(calibrate):
    calibrate(loads=["backup"], measure={"path": "/x", "accelerator": "auto"})
    runs = [one for one in calibrate.machine.asked if "load_total_mb" in one]
    assert [one["accelerator"] for one in runs][:2] == ["auto", "tcg"]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"bound_ms": 0}, "bound_ms is 0; it must be more than 0"),
        ({"minutes": -1}, "minutes is -1"),
        ({"loads": ["reader"]}, "value of loads must be one or more of"),
        ({"fleecing": "/f"}, "name its storage for the policy too (fleecing_storage)"),
        ({"backup": {"workers": 4}}, "the backup of today: unknown workers in backup"),
    ],
)
def test_what_cannot_be_meant_is_refused_before_anything_is_asked(calibrate, options, says):
    returned = calibrate(**options)
    assert returned["failed"] and says in returned["msg"]
    assert calibrate.machine.asked == []
