# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Runs that edit one of our files at the same time wait for each other, and none loses what another wrote."""

from __future__ import annotations

import threading

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.module_utils._causes import at_boot
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._causes.settings import CausesSettings
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._host.lock import alone
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._host.tree import Tree
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._model.findings import change
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._queues import udev_rules
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._queues.settings import QueueSettings
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._settings import own_file
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._settings.seam import Refused

RULES = [
    (QueueSettings, change(f"udev rule of wwn-0x{number}", "nr_requests", None, "16"), udev_rules.PATH)
    for number in range(2)
]
SYSCTLS = [
    (CausesSettings, change("sysctl.d", "vm.swappiness", None, "10"), at_boot.SYSCTL_FILE),
    (CausesSettings, change("sysctl.d", "dev.raid.speed_limit_max", None, "51200"), at_boot.SYSCTL_FILE),
]


@pytest.mark.parametrize("writers", [RULES, SYSCTLS])
def test_two_runs_at_once_lose_nothing(tmp_path, monkeypatch, writers):
    in_the_middle, second_began = threading.Event(), threading.Event()
    replace = Tree.replace

    def slow(tree, path, raw, like=None):
        if not in_the_middle.is_set():
            in_the_middle.set()
            second_began.wait(10)
            # The second run has all the time that it needs to read the file as it was, if nothing holds it.
            threading.Event().wait(0.3)
        replace(tree, path, raw, like)

    monkeypatch.setattr(Tree, "replace", slow)

    def write(settings, asked):
        settings(Tree(str(tmp_path))).write(asked["key"], [asked])

    threads = [threading.Thread(target=write, args=one[:2]) for one in writers]
    threads[0].start()
    assert in_the_middle.wait(10)
    threads[1].start()
    second_began.set()
    for thread in threads:
        thread.join(20)
    for settings, asked, _path in writers:
        now = settings(Tree(str(tmp_path))).now([asked["key"]])
        assert now[asked["key"], asked["option"]] == asked["after"]


@pytest.mark.parametrize(("settings", "asked", "path"), [RULES[0], SYSCTLS[0]])
def test_a_run_that_takes_too_long_is_named(tmp_path, monkeypatch, settings, asked, path):
    monkeypatch.setattr(own_file, "BUSY", 0)
    with alone([str(tmp_path)], 0), pytest.raises(Refused, match="another run still writes in .* after 0 s; run again"):
        settings(Tree(str(tmp_path))).write(asked["key"], [asked])
    assert not (tmp_path / path[1:]).exists()
