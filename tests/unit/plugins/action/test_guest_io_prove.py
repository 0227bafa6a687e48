# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The action guest_io_prove: what it has io_prove compare."""

from __future__ import annotations

import json

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.action import guest_io_prove
from ansible_collections.hypervisor.io_hardening.plugins.filter.guest_io import from_qemu_server
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils import _terminal
from ansible_collections.hypervisor.io_hardening.tests.unit.in_process import run_action

CONFIG = "name: web\nscsihw: lsi\nscsi0: local:101/vm-101-disk-0.raw,size=1G\n"


LONGEST = {"today": 3000.0, "hardened": 10.0}


def measured(setting):
    """One run, as io_prove returns it."""
    return {
        "setting": setting["name"],
        "round": 1,
        "longest_gap_ms": LONGEST[setting["name"]],
        "host_longest_gap_ms": LONGEST[setting["name"]],
        "longest_write_ms": 20.0,
        "backup_mb_per_s": None,
        "stalled_s": 1.0,
        "reads": 1,
        "writes": 1,
        "window_s": 1.0,
        "main_blocked_percent": 1,
        "complete": True,
        "died": None,
        "load": {"mb": 1, "ended_early": False, "felt_ms": 900.0},
    }


@pytest.fixture
def prove(monkeypatch):
    """Run the action; ``run.asked`` are the options of each call of io_prove, ``run.shown`` the lines."""

    def io_prove(**given):
        run.asked.append(given)
        if len(run.asked) == run.breaks_at:
            return {"failed": True, "msg": "QEMU is gone"}
        runs = [measured(given["settings"][0])] if given.get("runs") == 1 else []
        settings = [{"during": None, "backup": None, **setting} for setting in given["settings"]]
        accelerator = {"name": run.accelerator, "reason": "it works"}
        return {"changed": False, "lines": ["ready"], "settings": settings, "runs": runs, "accelerator": accelerator}

    def run(check=False, **options):
        run.asked, run.shown = [], []
        monkeypatch.setattr(_terminal.display, "display", lambda line, color=None: run.shown.append(line))
        guests = [from_qemu_server(CONFIG, "101", "dir: local\n\tpath /var/lib/vz\n")]
        read = {"guests": guests, "nodes": [], "problems": []}
        modules = {
            "guest_io_info": lambda as_text=False, **_options: {"reading": json.dumps(read)} if as_text else read,
            "io_prove": io_prove,
        }
        options = {"measure": {"path": "/x", "runs": 2}, **options}
        return run_action(guest_io_prove, {"inventory_hostname": "pve1"}, check, modules=modules, **options)

    run.breaks_at, run.accelerator = None, "kvm"
    return run


def test_without_a_guest_the_defaults_are_compared_and_the_options_are_passed_on(prove):
    prove(check=True)
    (given,) = prove.asked
    assert [setting["name"] for setting in given["settings"]] == ["today", "hardened"]
    assert given["path"] == "/x" and given["runs"] == 2
    assert prove.shown == ["pve1: ready"]


def test_a_guest_is_compared_with_what_the_policy_would_make_of_it_whatever_its_driver(prove):
    prove(check=True, guest="101")
    today, hardened = prove.asked[0]["settings"]
    assert today["controller"] == "lsi" and hardened["controller"] == "virtio-scsi-single"


def test_everything_is_checked_first_and_then_the_settings_take_turns_round_by_round(prove):
    returned = prove()
    assert [[setting["name"] for setting in given["settings"]] for given in prove.asked] == [
        ["today", "hardened"],
        *[["today"], ["hardened"]] * 2,
    ]
    assert [(run["round"], run["setting"]) for run in returned["runs"]] == [
        (1, "today"),
        (1, "hardened"),
        (2, "today"),
        (2, "hardened"),
    ]
    assert returned["ratios"] == [300.0, 300.0]


def test_each_setting_of_each_round_is_shown_before_it_is_measured_and_after(prove):
    prove()
    assert prove.shown[:4] == [
        "pve1: round 1 of 2, today ...",
        "pve1: round 1 of 2, today: longest gap 3000 ms",
        "pve1: round 1 of 2, hardened ...",
        "pve1: round 1 of 2, hardened: longest gap 10 ms",
    ]
    assert "today: frozen for 3000 ms; hardened: 10 ms, 300 times less (medians)." in "\n".join(prove.shown)


def test_a_kvm_that_does_not_work_is_tried_once(prove):
    prove.accelerator = "tcg"
    prove()
    assert [given.get("accelerator") for given in prove.asked] == [None, None, "tcg", "tcg", "tcg"]


def test_what_was_measured_is_shown_where_a_later_run_cannot_be_made(prove):
    prove.breaks_at = 4
    returned = prove()
    assert returned["failed"] and returned["msg"] == "QEMU is gone"
    assert any("frozen for 3000 ms" in line for line in prove.shown)


def test_what_cannot_be_compared_is_said(prove):
    returned = prove(guest="101", disk="scsi7")
    assert returned["failed"] and "guest 101 has no scsi7" in returned["msg"]
