# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The action host_writeback_limits: reads, assesses, and sets only what differs and only where it is to."""

from __future__ import annotations

from ansible_collections.hypervisor.io_hardening.plugins.action import host_writeback_limits
from ansible_collections.hypervisor.io_hardening.plugins.modules import host_writeback_info
from ansible_collections.hypervisor.io_hardening.tests.unit.in_process import run_action, run_module
from ansible_collections.hypervisor.io_hardening.tests.unit.plugins.module_utils._writeback.host import (
    host_tree,
    kernel,
    snapshot,
)


def limits(root, **options):
    return run_action(host_writeback_limits, {"inventory_hostname": "pve1"}, root=str(root), **options)


def test_limits_are_set_once_and_reported(tmp_path):
    root = host_tree(tmp_path / "root")
    assert {finding["host"] for finding in limits(root, set=False)["findings"]} == {"pve1"}
    returned = limits(root)
    assert (returned["status"], returned["changed"]) == ("changed", True) and kernel(root)["dirty_ratio"] == 2
    assert returned["findings"] == []
    before = snapshot(root)
    returned = limits(root)
    assert (returned["status"], returned["changed"], returned["plan"]) == ("compliant", False, None)
    assert snapshot(root) == before


def test_an_assessment_and_a_check_run_write_nothing(tmp_path):
    root = host_tree(tmp_path / "root")
    before = snapshot(root)
    for options, changed in (({"set": False}, False), ({"check": True}, True)):
        returned = limits(root, **options)
        assert (returned["status"], returned["changed"]) == ("to_change", changed), options
    assert snapshot(root) == before


def test_what_a_module_fails_with_is_what_the_task_fails_with(tmp_path):
    root = host_tree(tmp_path / "root")
    failed = {"failed": True, "msg": "the disk is full"}
    assert limits(root, modules={"host_writeback": lambda **_options: failed}) == {
        **failed,
        "msg": "the disk is full",
    }


def test_facts_that_are_given_are_not_read_again(tmp_path):
    root = host_tree(tmp_path / "root")
    facts = run_module(host_writeback_info, root=str(root))
    read = {"host_writeback_info": lambda **_options: {"failed": True, "msg": "was asked for"}}
    assert limits(root, set=False, modules=read)["msg"] == "was asked for"
    assert limits(root, set=False, facts=facts, modules=read) == limits(root, set=False)


def test_a_setting_that_cannot_be_meant_is_refused(tmp_path):
    returned = limits(host_tree(tmp_path / "root"), ratio="many")
    assert returned["failed"] and "ratio is 'many'" in returned["msg"]


def test_behind_an_api_nothing_is_read_or_set():
    """The files below the root are those of the machine that the playbook runs on."""

    def read(**_options):
        raise AssertionError

    returned = run_action(
        host_writeback_limits,
        {"inventory_hostname": "cluster1"},
        modules={"host_writeback_info": read, "host_writeback": read},
        api={"url": "https://pve1"},
    )
    assert (returned["status"], returned["changed"], returned["findings"]) == ("needs_ssh", False, [])
    assert returned["detail"].startswith("reached through the API, which tells nothing of a node's own settings")
