# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The gate of plans through ansible-playbook."""

from __future__ import annotations

import json
import re

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._render.reports import REPORTS
from ansible_collections.hypervisor.io_hardening.tests.playbooks import run_playbook
from ansible_collections.hypervisor.io_hardening.tests.unit.plans import (
    GOOD,
    SINGLE,
    bpg_disk,
    bpg_vm,
    change,
    plan,
    telmate_disk,
    telmate_slots,
    telmate_vm,
)

VM, QEMU = "proxmox_virtual_environment_vm", "proxmox_vm_qemu"
NFS = "nfs: nas\n\tserver 10.0.0.11\n\texport /x\n"
# An unset asyncio is what Proxmox VE does for the storage: only storage.cfg tells.
UNSET = change(
    QEMU,
    telmate_vm(
        scsihw="virtio-scsi-single",
        disks=telmate_slots("scsi", scsi0={"disk": [telmate_disk(iothread=True, storage="nas")]}),
    ),
)


def gate(folder, playbook="gate_io", **variables):
    return run_playbook(playbook, folder=folder, variables={"gate_root": "plan.json", **variables})


def write(folder, *changes, **members):
    (folder / "plan.json").write_text(plan(*changes, **members))


def good(*disks):
    return change(VM, bpg_vm(bpg_disk(**GOOD), *disks, **SINGLE))


def test_a_plan_in_order_passes_and_no_file_is_written(tmp_path):
    write(tmp_path, good())
    run = gate(tmp_path)
    assert run.status == 0 and "GATE PASSED" in run.output, run.output
    assert [path.name for path in tmp_path.iterdir()] == ["plan.json"]


def test_storages_come_from_the_file_that_is_named(tmp_path):
    write(tmp_path, UNSET)
    (tmp_path / "cluster.cfg").write_text(NFS)
    run = gate(tmp_path, gate_fail_on="IO103", gate_storage_cfg="cluster.cfg")
    assert run.status == 2 and "ERROR IO103" in run.output, run.output
    run = gate(tmp_path, gate_storage_cfg="gone.cfg")
    assert run.status == 2 and "cannot read the storages of gone.cfg" in run.output


def test_findings_point_at_the_source_and_give_what_to_write_there(tmp_path):
    write(tmp_path, change(VM, bpg_vm(bpg_disk()), name="web"))
    block = '\nresource "proxmox_virtual_environment_vm" "web" {\n}\n'
    (tmp_path / "main.tf").write_text(block)
    (tmp_path / "other").mkdir()
    (tmp_path / "other/vm.tf").write_text(f"\n{block}")
    run = gate(tmp_path, report_dir="reports")
    findings = json.loads((tmp_path / "reports/guest-io.json").read_text())["findings"]
    assert {(finding["file"], finding["line"]) for finding in findings} == {("main.tf", 2)}
    assert run.status == 2 and f"    main.tf:2: plan.json {VM}.web web scsi0" in run.output, run.output
    written = '    disk {\n      interface = "scsi0"\n      iothread  = true\n      aio       = "threads"\n    }\n'
    assert '    scsi_hardware = "virtio-scsi-single"\n\n' + written in run.output
    page = (tmp_path / "reports/guest-io.html").read_text()
    assert f"Set in {VM}.web (main.tf:2):" in page
    assert "interface = &#34;scsi0&#34;\n  iothread  = true\n" in page
    sarif = json.loads((tmp_path / "reports/guest-io.sarif").read_text())["runs"][0]["results"]
    assert {result["message"]["text"].split(": ")[0] for result in sarif} == {f"{VM}.web", f"{VM}.web scsi0"}
    assert 'interface = "scsi0"\n  iothread  = true\n' in (tmp_path / "reports/guest-io.md").read_text()
    run = gate(tmp_path, gate_source="other")
    assert f"    other/vm.tf:3: plan.json {VM}.web web scsi0" in run.output


def test_waivers_that_a_run_writes_let_the_next_pass_until_something_is_new(tmp_path):
    wrong = [change(VM, bpg_vm(bpg_disk()), index=number) for number in (0, 1)]
    write(tmp_path, *wrong)
    run = gate(tmp_path, gate_write_waivers="waivers.yml")
    assert run.status == 2 and "Waivers: waivers.yml" in run.output, run.output
    waivers = (tmp_path / "waivers.yml").read_text()
    assert "fill in why this is accepted" in waivers
    run = gate(tmp_path, gate_write_waivers="waivers.yml")
    assert run.status == 2 and "waivers.yml: it is there already; name another file, or remove it" in run.output
    assert (tmp_path / "waivers.yml").read_text() == waivers
    run = gate(tmp_path, guest_io_waivers_file="waivers.yml")
    assert run.status == 0 and "GATE PASSED" in run.output, run.output
    write(tmp_path, wrong[0], change(VM, bpg_vm(bpg_disk(), bpg_disk("scsi1")), index=1))
    run = gate(tmp_path, guest_io_waivers_file="waivers.yml", report_json="out.json")
    found = json.loads((tmp_path / "out.json").read_text())["findings"]
    assert run.status == 2
    assert {(one["guest"], one["disk"]) for one in found if not one["waived"]} == {(f"{VM}.this[1]", "scsi1")}


def test_an_audit_has_nothing_to_waive(tmp_path):
    write(tmp_path, good(bpg_disk("scsi1")))
    run = gate(tmp_path, "audit_io", gate_write_waivers="waivers.yml", report_dir="reports")
    assert run.status == 2 and "waivers are written for what fails the gate, and this run has no gate" in run.output
    assert [path.name for path in tmp_path.iterdir()] == ["plan.json"]


@pytest.mark.parametrize(
    ("fail_on", "status"),
    [("IO104", 0), (["IO104", "IO103"], 2), ("note, IO104", 2), ("none", 0), ("none,IO104", 2)],
    ids=str,
)
def test_what_fails_is_named_by_rule_or_by_severity(tmp_path, fail_on, status):
    write(tmp_path, good(bpg_disk("scsi1", iothread=True)))
    run = gate(tmp_path, gate_fail_on=fail_on)
    assert run.status == status, run.output
    assert ("it takes none, one of error, warning, note, ids of rules such as IO104" in run.output) == (
        fail_on == "none,IO104"
    )


def test_no_report_has_what_is_secret(tmp_path):
    """Of a sensitive attribute, only what is to be written in its place is shown."""
    names = ("name", "node_name", "vm_id", "machine", "kvm_arguments", "tags", "scsi_hardware")
    after = bpg_vm(
        bpg_disk(datastore_id="secret-a", path_in_datastore="secret-b", cache="writeback", file_format="secret-c"),
        name="secret-d",
        node_name="secret-e",
        vm_id=987654321,
        machine="secret-f",
        kvm_arguments="-drive file=/secret-g,if=virtio",
        tags=["secret-h"],
        scsi_hardware="megasas",
    )
    sensitive = dict.fromkeys(names, True)
    sensitive["disk"] = [dict.fromkeys(bpg_disk(), True)]
    write(
        tmp_path,
        change(VM, after, sensitive=sensitive),
        change(VM, after, name="whole", sensitive=True),
        variables={"token": {"value": "secret-i"}},
        output_changes={"x": {"after": "secret-j", "after_sensitive": True}},
    )
    run = gate(tmp_path, report_dir="reports", gate_fail_on="note", gate_write_waivers="reports/waivers.yml")
    assert run.status == 2 and "the values are marked sensitive and not shown" in run.output, run.output
    texts = {path.name: path.read_text() for path in (tmp_path / "reports").iterdir()}
    assert len(texts) == len(REPORTS) + 1
    texts["output"] = run.output
    secrets = re.compile("secret-.|hunter2|987654321|megasas")
    assert {name: set(secrets.findall(text)) for name, text in texts.items() if secrets.search(text)} == {}
