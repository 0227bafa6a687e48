# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""guest_io_info, guest_io and guest_io_journal_info, each through its main(): in a tree, and on a live node."""

from __future__ import annotations

import json

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.modules import (
    guest_io,
    guest_io_info,
    guest_io_journal_info,
    host_writeback_info,
)
from ansible_collections.hypervisor.io_hardening.tests.unit.in_process import run_module
from ansible_collections.hypervisor.io_hardening.tests.unit.plugins.module_utils._backends.live_node import GUEST, put

CHANGES = [
    {"key": "controller", "option": "type", "before": "virtio-scsi-pci", "after": "virtio-scsi-single"},
    {"key": "scsi0", "option": "iothread", "before": None, "after": True},
    {"key": "scsi0", "option": "aio", "before": None, "after": "threads"},
]
HARDENED = (
    "scsi0: local:{id}/vm-{id}-disk-0.qcow2,backup=0,discard=on,serial=a%20b,size=32G,ssd=1,iothread=1,aio=threads\n"
    "scsihw: virtio-scsi-single\n"
)


@pytest.fixture
def tree(tmp_path):
    """Two guests on one node, both on the default controller."""
    configs = tmp_path / "etc/pve/nodes/pve1/qemu-server"
    configs.mkdir(parents=True)
    (tmp_path / "etc/pve/storage.cfg").write_text("dir: local\n\tpath /var/lib/vz\n\tcontent images\n")
    for guest in (100, 101):
        (configs / f"{guest}.conf").write_text(GUEST.replace("{id}", str(guest)))
    return tmp_path


def read(root, **options):
    return run_module(guest_io_info, root=str(root), **options)


def plan(root, guests=None):
    """A plan of all guests or those named, as the policy would make it."""
    kept = ("hypervisor", "name", "node", "config", "digest", "running")
    records = read(root, guests=guests)["guests"]
    return [{"guest": guest["id"], **{key: guest[key] for key in kept}, "changes": CHANGES} for guest in records]


def apply(root, plan, **options):
    options = {"run": "r1", **options}
    return run_module(guest_io, root=str(root), plan=plan, **options)


def config(root, guest):
    return (root / f"etc/pve/nodes/pve1/qemu-server/{guest}.conf").read_text()


def test_reading_returns_records_and_what_is_not_there(tree):
    returned = read(tree, guests=["100", "999"])
    assert returned["changed"] is False
    assert [(guest["id"], guest["name"], guest["node"]) for guest in returned["guests"]] == [("100", "web100", "pve1")]
    assert returned["guests"][0]["disks"][0]["effective"]["iothread"] is False
    assert [(problem["guest"], problem["reason"]) for problem in returned["problems"]] == [("999", "is not there")]
    assert [storage["id"] for storage in returned["storages"]] == ["local"] and returned["nodes"][0]["name"] == "pve1"


def test_the_same_reading_as_one_text(tree):
    returned = read(tree)
    values = {key: returned[key] for key in ("guests", "storages", "nodes", "problems")}
    as_text = read(tree, as_text=True)
    assert json.loads(as_text.pop("reading")) == values and as_text.keys() == {"changed", "warnings"}


def test_what_decides_the_write_back_limits_is_read_in_the_same_call(tree, tmp_path):
    facts = run_module(host_writeback_info, root=str(tree))
    assert facts.items() >= read(tree, host_roots={"writeback": str(tree)})["host"]["writeback"].items()
    assert "host" not in read(tree)
    assert read(tree, host_roots={"writeback": str(tmp_path / "gone")})["host"] == {}


def test_a_container_in_a_flat_folder_is_a_warning(tmp_path):
    (tmp_path / "100.conf").write_text(GUEST.replace("{id}", "100"))
    (tmp_path / "102.conf").write_text("arch: amd64\nhostname: ct\nrootfs: local:102/d.raw\n")
    returned = read(tmp_path)
    assert [guest["id"] for guest in returned["guests"]] == ["100"]
    assert returned["warnings"] == ["/102.conf is the config of a container, not of a guest: it was not read"]


def test_a_root_that_is_not_there_is_a_failure(tmp_path):
    returned = read(tmp_path / "gone")
    assert returned["failed"] and "gone" in returned["msg"]


def test_check_mode_returns_what_the_run_then_does(tree):
    before = config(tree, 100)
    planned = plan(tree)
    checked = apply(tree, planned, check=True, diff=True)
    assert config(tree, 100) == before and not (tree / "var").exists()
    done = apply(tree, planned, diff=True)
    assert checked["changed"] is done["changed"] is True
    assert checked["diff"] == done["diff"] and done["diff"][0]["before_header"].startswith("guest 100 ")
    assert "scsihw: virtio-scsi-single" in done["diff"][0]["after"]
    assert [(one["guest"], one["status"], one["restart_pending"]) for one in checked["results"]] == [
        (one["guest"], one["status"], one["restart_pending"]) for one in done["results"]
    ]
    assert config(tree, 100).endswith(HARDENED.format(id=100))
    again = apply(tree, plan(tree))
    assert again["changed"] is False and {one["status"] for one in again["results"]} == {"unchanged"}


def test_one_guest_that_fails_fails_the_module_and_the_others_are_changed(tree):
    planned = plan(tree)
    planned[0]["changes"] = [{"key": "scsi0", "option": "aio", "before": None, "after": "fast"}]
    returned = apply(tree, planned)
    assert returned["failed"] and "refused: 100" in returned["msg"]
    assert [(one["status"], one["reason"]) for one in returned["results"]] == [("failed", "refused"), ("changed", None)]
    assert config(tree, 100) == GUEST.replace("{id}", "100") and config(tree, 101).endswith(HARDENED.format(id=101))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"max_parallel": 0}, "max_parallel is 0"),
        ({"run": "my run"}, "my run"),
        ({"plan": [{"guest": "100"}]}, "missing required arguments"),
    ],
)
def test_options_that_cannot_be_meant_fail_before_anything_is_read(tmp_path, options, words):
    returned = run_module(guest_io, **{"root": str(tmp_path / "gone"), "plan": [], **options})
    assert returned["failed"] and words in returned["msg"]


def test_the_journal_has_the_run_and_its_entries(tree):
    apply(tree, plan(tree, ["100"]), policy="sha256:1")
    returned = run_module(guest_io_journal_info, root=str(tree))
    assert (returned["changed"], returned["run"], returned["problems"]) == (False, "r1", [])
    (run,) = returned["runs"]
    assert (run["run"], run["policies"], run["guests"], run["stands"]) == ("r1", ["sha256:1"], 1, ["100"])
    (entry,) = returned["entries"]
    assert (entry["guest"], entry["written"], entry["status"]) == ("100", True, "changed")
    assert entry["changes"] == CHANGES
    assert run_module(guest_io_journal_info, root=str(tree), run="other")["entries"] == []


def test_a_journal_that_is_not_there_is_no_run(tmp_path):
    returned = run_module(guest_io_journal_info, root=str(tmp_path))
    assert (returned["runs"], returned["run"], returned["entries"]) == ([], None, [])


def test_on_a_live_node_each_guest_is_written_by_one_qm_set(host, monkeypatch):
    host.on_path(monkeypatch)
    put(host, 100)
    put(host, 101, running=True)
    planned = plan(host.root)
    assert [entry["running"] for entry in planned] == [False, True]
    host.log.unlink()
    checked = apply(host.root, planned, check=True)
    assert not [call for call in host.calls() if call["argv"][0] == "set"]
    returned = apply(host.root, planned)
    assert [(one["status"], one["restart_pending"]) for one in returned["results"]] == [
        ("changed", False),
        ("changed", True),
    ]
    assert checked["results"] == [
        {**one, "digest": was["digest"]} for one, was in zip(returned["results"], checked["results"])
    ]
    assert sorted(call["argv"][1] for call in host.calls() if call["argv"][0] == "set") == ["100", "101"]
    assert "[PENDING]" in host.config(101).read_text() and "[PENDING]" not in host.config(100).read_text()


def test_a_guest_that_somebody_changed_since_it_was_read_is_not_written(host, monkeypatch):
    host.on_path(monkeypatch)
    put(host, 100)
    planned = plan(host.root)
    put(host, 100, GUEST.replace("memory: 512", "memory: 1024"))
    returned = apply(host.root, planned)
    assert [(one["status"], one["reason"]) for one in returned["results"]] == [("failed", "digest_moved")]
    assert returned["failed"] and returned["changed"] is False
    assert "aio=" not in host.config(100).read_text()
