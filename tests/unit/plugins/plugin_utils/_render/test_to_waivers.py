# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The waivers that a gate writes: they cover what failed it, and nothing new."""

from __future__ import annotations

import datetime

import pytest
import yaml

from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._fleet.gate import judge
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._fleet.join import join_documents
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._policy.errors import PolicyError
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._policy.policy import parse
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._policy.waivers_file import load
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._render.to_waivers import waivers_file
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._sources.gated import assess_root
from ansible_collections.hypervisor.io_hardening.tests.unit.plans import bpg_disk, bpg_vm, change, plan

DAY = datetime.date(2026, 11, 28)
VM = "proxmox_virtual_environment_vm"


def joined(root, waivers=None):
    return join_documents(assess_root(str(root), parse({}, waivers), DAY))


def written(document, path):
    """The waivers, as they are read from the file."""
    path.write_text(waivers_file(document, judge(document)["findings"], DAY))
    _place, waivers = load(str(path))
    return waivers


def test_they_cover_what_failed_the_gate_and_nothing_new(tmp_path):
    (tmp_path / "storage.cfg").write_text("dir: local\n\tpath /var/lib/vz\n")
    (tmp_path / "100.conf").write_text("scsi0: local:100/vm-100-disk-0.qcow2\n")
    (tmp_path / "plan").write_text(plan(change(VM, bpg_vm(bpg_disk()), index="it's \\ `{{ x }}`")))
    waivers = written(joined(tmp_path), tmp_path / ".waivers")
    assert {waiver["reason"] for waiver in waivers} == {"fill in why this is accepted"}
    assert {waiver["until"] for waiver in waivers} == {"2027-02-26"}
    covered = joined(tmp_path, waivers)
    assert judge(covered)["passed"] and not [one for one in covered["waivers"] if not one["matched"]]
    (tmp_path / "100.conf").write_text("scsi0: local:100/vm-100-disk-0.qcow2\nscsi1: local:100/vm-100-disk-1.qcow2\n")
    new = judge(joined(tmp_path, waivers))
    assert {finding["disk"] for finding in new["findings"]} == {"scsi1"}


def test_the_same_address_in_another_plan_is_not_waived(tmp_path):
    for name, node in (("prod", "pve1"), ("test", "pve2")):
        (tmp_path / name).write_text(plan(change(VM, bpg_vm(bpg_disk("virtio0"), node_name=node))))
    waivers = [one for one in written(joined(tmp_path), tmp_path / ".waivers") if "pve1" in one["match"]]
    assert {finding["host"] for finding in judge(joined(tmp_path, waivers))["findings"]} == {"test"}


@pytest.mark.parametrize("node", [None, "pve1"])
def test_a_waiver_names_the_node_where_it_is_known(tmp_path, node):
    folder = tmp_path / (f"etc/pve/nodes/{node}/qemu-server" if node else "")
    folder.mkdir(parents=True, exist_ok=True)
    (tmp_path / "etc/pve/storage.cfg" if node else tmp_path / "storage.cfg").write_text("dir: local\n\tpath /a\n")
    (folder / "100.conf").write_text("virtio0: local:100/vm-100-disk-0.qcow2\n")
    (waiver,) = written(joined(tmp_path), tmp_path / ".waivers")
    named = " && guest.node == 'pve1'" if node else ""
    assert waiver["match"] == f"guest.id == '100'{named} && key == 'virtio0'"
    assert waiver["rules"] == ["IO102", "IO103"]


def test_what_is_about_no_guest_is_a_comment(tmp_path):
    (tmp_path / "plan").write_text(
        plan(change(VM, bpg_vm(bpg_disk(aio="threads", iothread=True)), errored=True), errored=True)
    )
    document = joined(tmp_path)
    text = waivers_file(document, judge(document)["findings"], DAY)
    assert f"# Not waived, because no guest was read: IO100 'plan {tmp_path}/plan'" in text


def test_nothing_to_waive_is_an_empty_list():
    assert yaml.safe_load(waivers_file({"guests": []}, [], DAY)) == []


def test_a_waiver_of_a_guest_as_a_whole_covers_nothing_of_its_disks(tmp_path):
    clone = {"clone": [{"vm_id": 9000, "datastore_id": "", "node_name": ""}]}
    (tmp_path / "plan").write_text(plan(change(VM, bpg_vm(**clone))))
    waivers = written(joined(tmp_path), tmp_path / "waivers.yml")
    assert [waiver["guest_only"] for waiver in waivers] == ["true"] and judge(joined(tmp_path, waivers))["passed"]
    unknown = {"disk": [{"aio": True}]}
    (tmp_path / "plan").write_text(plan(change(VM, bpg_vm(bpg_disk(iothread=True), **clone), unknown=unknown)))
    (new,) = judge(joined(tmp_path, waivers))["findings"]
    assert (new["rule"], new["disk"]) == ("IO100", "scsi0")


@pytest.mark.parametrize("value", ["yes", 1, None, []])
def test_guest_only_is_true_or_false(value):
    waiver = {"id": "W", "match": "guest.id == '1'", "rules": ["IO101"], "until": "2027-01-01", "reason": "y"}
    with pytest.raises(PolicyError, match="guest_only: is .*, it takes true or false"):
        parse({}, [{**waiver, "guest_only": value}])
