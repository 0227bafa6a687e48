# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""host_writeback_info and host_writeback through their main(), on a host's tree."""

from __future__ import annotations

from ansible_collections.hypervisor.io_hardening.plugins.filter.assess_writeback import assess_writeback
from ansible_collections.hypervisor.io_hardening.plugins.modules import host_writeback, host_writeback_info
from ansible_collections.hypervisor.io_hardening.tests.unit.in_process import run_module
from ansible_collections.hypervisor.io_hardening.tests.unit.plugins.module_utils._writeback.host import (
    host_tree,
    kernel,
    snapshot,
)


def plan(root, **settings):
    facts = run_module(host_writeback_info, root=str(root))
    assert facts["changed"] is False
    return assess_writeback(facts, mode="ratio", host="pve1", **settings)["plan"]


def test_check_mode_returns_what_the_run_then_does(tmp_path):
    root = host_tree(tmp_path / "root")
    before, planned = snapshot(root), plan(root)
    checked = run_module(host_writeback, root=str(root), plan=planned, check=True)
    assert snapshot(root) == before
    done = run_module(host_writeback, root=str(root), plan=planned)
    assert checked == done and done["changed"] is True and done["changes"] == planned["changes"]
    assert (kernel(root)["dirty_ratio"], kernel(root)["dirty_background_ratio"]) == (2, 1)
    assert plan(root) is None
    again = run_module(host_writeback, root=str(root), plan=planned)
    assert (again["changed"], again["changes"]) == (False, [])


def test_a_file_that_changed_since_it_was_read_is_not_written(tmp_path):
    root = host_tree(tmp_path / "root", {"/etc/sysctl.d/99-zz.conf": "vm.dirty_ratio = 40\n"})
    planned = plan(root, take_over=True)
    (root / "etc/sysctl.d/99-zz.conf").write_text("vm.dirty_ratio = 50\n")
    before = snapshot(root)
    returned = run_module(host_writeback, root=str(root), plan=planned)
    assert returned["failed"] and "99-zz.conf" in returned["msg"] and snapshot(root) == before


def test_a_root_that_is_not_there_fails_both(tmp_path):
    for module, options in ((host_writeback_info, {}), (host_writeback, {"plan": {}})):
        returned = run_module(module, root=str(tmp_path / "gone"), **options)
        assert returned["failed"] and "gone" in returned["msg"]
