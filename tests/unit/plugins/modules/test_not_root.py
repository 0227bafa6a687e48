# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""What a run without become is told: one sentence, and not that a file or a command is missing."""

from __future__ import annotations

import errno
import os
import pwd

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.filter.assess_writeback import assess_writeback
from ansible_collections.hypervisor.io_hardening.plugins.modules import (
    guest_io,
    guest_io_info,
    guest_io_journal_info,
    guest_restart,
    host_writeback,
    host_writeback_info,
)
from ansible_collections.hypervisor.io_hardening.tests.unit.in_process import run_module
from ansible_collections.hypervisor.io_hardening.tests.unit.plugins.module_utils._backends.live_node import put
from ansible_collections.hypervisor.io_hardening.tests.unit.plugins.module_utils._writeback.host import host_tree

NOBODY = 65534
HOW = (
    "run again with --become (-b; add -K where sudo asks for a password), or set ansible_become: true in the inventory"
)
SENTENCE = (
    "only root can read and change the guests of a Proxmox VE node, and this is user"
    f" {pwd.getpwuid(NOBODY).pw_name}: {HOW}"
)


@pytest.mark.parametrize(
    ("module", "options"),
    [
        (guest_io_info, {}),
        (guest_io, {"plan": []}),
        (guest_io_journal_info, {}),
        (guest_restart, {"guest": "100"}),
    ],
)
def test_the_guests_of_a_node_are_roots(host, monkeypatch, module, options):
    host.on_path(monkeypatch)
    put(host, 100)
    monkeypatch.setattr(os, "geteuid", lambda: NOBODY)
    returned = run_module(module, root=str(host.root), **options)
    assert (returned["failed"], returned["msg"]) == (True, SENTENCE)
    assert host.calls() == []


def test_a_tree_of_configs_is_anybodys(tmp_path, monkeypatch):
    folder = tmp_path / "etc/pve/nodes/pve1/qemu-server"
    folder.mkdir(parents=True)
    (folder / "100.conf").write_text("name: web\n")
    monkeypatch.setattr(os, "geteuid", lambda: NOBODY)
    assert [guest["name"] for guest in run_module(guest_io_info, root=str(tmp_path))["guests"]] == ["web"]


def test_limits_that_only_root_may_write_say_so(tmp_path, monkeypatch):
    root = str(host_tree(tmp_path / "root"))
    planned = assess_writeback(run_module(host_writeback_info, root=root), mode="ratio", host="pve1")["plan"]

    def denied(_work, _tree):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), "/var/lib/hypervisor-io-hardening")

    monkeypatch.setattr(host_writeback, "carry_out", denied)
    monkeypatch.setattr(os, "geteuid", lambda: NOBODY)
    returned = run_module(host_writeback, root=root, plan=planned)
    assert returned["failed"] and returned["msg"].startswith("/var/lib/hypervisor-io-hardening: Permission denied; ")
    assert returned["msg"].endswith(HOW)
