# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Plans as a gate meets them: bad ones, several, beside configs, with their source, with secrets."""

from __future__ import annotations

import datetime
import json

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.module_utils._backends.layout import LayoutError
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._fleet.failures import unread
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._fleet.gate import judge
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._fleet.join import join_documents
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._policy.policy import parse
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._sources.gated import assess_root
from ansible_collections.hypervisor.io_hardening.tests.unit.plans import (
    GOOD,
    SINGLE,
    bpg_clone,
    bpg_cloned,
    bpg_disk,
    bpg_vm,
    change,
    old_disk,
    old_vm,
    plan,
    telmate_disk,
    telmate_flat,
    telmate_slots,
    telmate_vm,
)

DAY = datetime.date(2026, 11, 28)
VM, QEMU = "proxmox_virtual_environment_vm", "proxmox_vm_qemu"
CLONED = "proxmox_virtual_environment_cloned_vm"
ADDRESS = f"{VM}.this"


def good(**more):
    return change(VM, bpg_vm(bpg_disk(**GOOD), **SINGLE), **more)


def bad(**more):
    return change(VM, bpg_vm(bpg_disk()), **more)


def found(root, policy=None, **how):
    """All findings of all documents."""
    return [
        finding
        for document in assess_root(str(root), parse(policy or {}), DAY, **how)
        for finding in document["findings"]
    ]


def written(tmp_path, text, name="plan.json"):
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def sorted_latin_1():
    """A plan that another program wrote anew, with what tells a plan far behind its beginning."""
    whole = json.loads(plan(bad(), configuration={"description": "\xe9" * 5000}))
    return json.dumps(whole, sort_keys=True, ensure_ascii=False).encode("latin-1")


def one(findings):
    (finding,) = findings
    return finding


def test_a_plan_is_a_file_or_in_a_directory_and_known_by_its_content(tmp_path):
    path = written(tmp_path, plan(good()), "nobody knows this name")
    assert found(path) == []
    assert found(tmp_path) == []
    path.write_text(plan(bad()))
    assert [finding["rule"] for finding in found(path)] == ["IO101", "IO102", "IO103"]
    assert {finding["host"] for finding in found(tmp_path)} == {"nobody knows this name"}


def test_plans_lie_in_folders_and_hidden_ones_are_left_out(tmp_path):
    for folder in ("prod", "test", ".terraform"):
        (tmp_path / folder).mkdir()
        written(tmp_path / folder, plan(bad()))
    assert {finding["host"] for finding in found(tmp_path)} == {"prod/plan.json", "test/plan.json"}


def test_a_folder_is_not_read_where_it_has_no_plan(tmp_path):
    for folder in ("prod", "notes"):
        (tmp_path / folder).mkdir()
        written(tmp_path / folder, "no plan", "README")
    written(tmp_path / "prod", plan(good()))
    (document,) = assess_root(str(tmp_path), parse({}), DAY)
    assert document["not_read"] == [f"{tmp_path}/notes/"]


def test_several_plans_beside_configs_in_one_run(tmp_path):
    written(tmp_path, plan(bad()), "a.json")
    written(tmp_path, plan(bad()), "b.json")
    (tmp_path / "storage.cfg").write_text("dir: local\n\tpath /var/lib/vz\n")
    (tmp_path / "100.conf").write_text("scsi0: local:100/vm-100-disk-0.qcow2\n")
    documents = assess_root(str(tmp_path), parse({}), DAY)
    assert [[guest["guest"] for guest in document["guests"]] for document in documents] == [
        ["100"],
        [ADDRESS],
        [ADDRESS],
    ]
    assert [guest["host"] for document in documents for guest in document["guests"]] == [None, "a.json", "b.json"]


def test_a_place_without_a_line_has_none(tmp_path):
    args = "-drive file=/x,if=virtio"
    assert {one["line"] for one in found(written(tmp_path, plan(change(VM, bpg_vm(kvm_arguments=args)))))} == {None}


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_what_powershell_writes_is_read(tmp_path, encoding):
    assert len(found(written(tmp_path, plan(bad()).encode(encoding)))) == 3


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (plan(good())[:-40], "is not whole: "),
        (plan(good())[: len(plan(good())) // 2], "is not whole: "),
        (plan(good()) + "{}", "more text after the end in line 1"),
        (plan(good()).replace("web", "w\xe9b").encode("latin-1"), "is not text in UTF-8: byte "),
        (plan(good(), format_version="2.0"), "has format_version '2.0'"),
        (plan(good(), format_version=None), "has format_version null"),
        (plan(good(), errored=True), "ended with an error"),
        (plan(good(), complete=False), "is not complete"),
        (plan(good(), resource_changes={}), "a list is expected"),
        (plan(good(), resource_changes=[7]), "which is not a resource"),
        (plan(good(), resource_changes=[{"address": "x"}]), "without address, type and change"),
        (plan({**good(), "change": {"actions": []}}), "does not say what is done"),
        ('{"format_version": "1.0", "terraform_version": "1.9", "values": {}}', "is a state and not a plan"),
        ('{"version": 4, "terraform_version": "1.9", "lineage": "x"}', "is a state and not a plan"),
        ('{"format_version": "1.0", "terraform_version": "1.9"}', "so it is no plan"),
        (b"PK\x03\x04" + bytes(26) + b"tfplan", "is a saved plan"),
        (
            '{"steps": [{"op": "create", "urn": "urn:pulumi:dev::x::proxmoxve:index/vmLegacy:VmLegacy::web"}]}',
            "is of Pulumi",
        ),
        (
            '{"@level":"info","type":"version"}\n{"@level":"info","type":"planned_change"}\n',
            "is the log of terraform plan",
        ),
        (plan(good())[:-1] + ', "errored": false}', "has two members errored"),
        ("[command]/opt/terraform-bin show -json plan.out\n" + plan(bad()), "has other text before the plan"),
        (("tofu\n" + plan(bad())).encode("utf-16"), "has other text before the plan"),
        (json.dumps({"plan_format_version": "1.2", "resource_changes": [good()]}), "has format_version null"),
        (sorted_latin_1(), "is not text in UTF-8: byte "),
    ],
)
def test_a_bad_plan_is_a_finding_with_its_place(tmp_path, text, says):
    path = written(tmp_path, text)
    wrong = found(tmp_path)
    assert one(wrong)["rule"] == "IO100" and one(wrong)["severity"] == "error"
    assert says in one(wrong)["message"] and one(wrong)["file"] == str(path)


@pytest.mark.parametrize("fail_on", ["error", "IO104", "warning,IO104", "IO100"])
@pytest.mark.parametrize("entry", [good(), good(provider_name="x")])
def test_rules_that_fail_the_gate_do_not_let_pass_what_is_not_judged(tmp_path, fail_on, entry):
    text = plan(entry, errored=entry["provider_name"] != "x")
    document = join_documents(assess_root(str(written(tmp_path, text)), parse({}), DAY))
    assert not judge(document, fail_on)["passed"]


def test_a_later_minor_of_the_format_is_read(tmp_path):
    assert len(found(written(tmp_path, plan(bad(), format_version="1.9", hitherto="unknown")))) == 3


def test_other_json_of_terraform_is_no_plan(tmp_path):
    written(tmp_path, plan(good()))
    written(tmp_path, '{"format_version": "1.0", "valid": true}', "validate.txt")
    written(
        tmp_path, 'A plan has `"resource_changes"`:\n\n    {"x": "format_version", "planned_values": 1}\n', "README.md"
    )
    assert found(tmp_path) == []


def test_modules_ten_thousand_deep(tmp_path):
    deep = '{"child_modules": [' * 10_000 + "]}" * 10_000
    address = ".".join(["module.a"] * 10_000)
    text = plan(bad(module_address=address)).replace(
        '"planned_values": {', f'"prior_state": {deep}, "planned_values": {{'
    )
    assert [finding["rule"] for finding in found(written(tmp_path, text))] == ["IO101", "IO102", "IO103"]


def test_a_file_that_is_no_plan_is_refused(tmp_path):
    with pytest.raises(LayoutError, match="is a file and not a plan"):
        found(written(tmp_path, "hello"))


def test_a_plan_without_guests_is_refused_and_one_that_deletes_them_is_not(tmp_path):
    with pytest.raises(LayoutError, match="no guest in .*plan.json"):
        found(written(tmp_path, plan(change("proxmox_virtual_environment_pool", {}))))
    deleted = change(VM, None, actions=["delete"])
    (document,) = assess_root(str(written(tmp_path, plan(deleted, {**deleted, "address": "x"}))), parse({}), DAY)
    assert document["guests"] == [] and document["findings"] == []
    assert document["not_read"] == [f"{tmp_path}/plan.json (2 guests that it deletes or forgets)"]


@pytest.mark.parametrize("actions", [["create"], ["update"], ["no-op"], ["delete", "create"], ["create", "forget"]])
def test_what_stays_is_judged_whatever_is_done_to_it(tmp_path, actions):
    assert len(found(written(tmp_path, plan(bad(actions=actions))))) == 3


def test_what_was_deposed_or_is_only_read_is_not_judged(tmp_path):
    path = written(tmp_path, plan(good(), bad(name="old", deposed="1234"), {**bad(name="read"), "mode": "data"}))
    assert found(path) == []


@pytest.mark.parametrize(
    "provider_name", ["registry.terraform.io/someone/proxmox", "registry.terraform.io/telmate/other", "", None]
)
def test_the_same_type_of_another_provider_is_said(tmp_path, provider_name):
    finding = one(found(written(tmp_path, plan(bad(provider_name=provider_name)))))
    assert finding["rule"] == "IO100" and finding["guest"] == ADDRESS


def test_a_provider_from_a_mirror_is_known(tmp_path):
    assert found(written(tmp_path, plan(good(provider_name="mirror.example.com/bpg/Proxmox")))) == []


@pytest.mark.parametrize(
    "type",
    ["proxmox_vm", "proxmox_virtual_environment_vm2", "proxmox_virtual_machine", "libvirt_domain", "proxmoxve_vm"],
)
def test_what_looks_like_a_guest_and_is_not_known_is_said(tmp_path, type):
    assert one(found(written(tmp_path, plan({**bad(), "type": type}))))["rule"] == "IO100"


@pytest.mark.parametrize(
    "type", ["proxmox_virtual_environment_container", "proxmox_lxc", "proxmox_virtual_environment_pool", "aws_instance"]
)
def test_what_is_no_guest_is_passed_over(tmp_path, type):
    assert found(written(tmp_path, plan(good(), {**bad(name="other"), "type": type}))) == []


def test_a_change_that_is_put_off_is_said(tmp_path):
    deferred = [{"reason": "provider_config_unknown", "resource_change": bad()}]
    finding = one(found(written(tmp_path, plan(good(name="a"), deferred_changes=deferred))))
    assert "put off (provider_config_unknown)" in finding["message"]


UNKNOWN = {
    "the controller": ({"scsi_hardware": True}, "scsi_hardware is known only after apply"),
    "all disks": ({"disk": True}, "disk is known only after apply"),
    "a disk": ({"disk": [True]}, "all of it is known only after apply"),
    "a second disk that is null": ({"disk": [{}, True]}, "all of it is known only after apply"),
    "a part of a second disk": ({"disk": [{}, {"speed": [{"read": True}]}]}, "all of it is known only after apply"),
    "iothread and aio": ({"disk": [{"iothread": True, "aio": True}]}, "aio and iothread are known only after apply"),
    "the place": ({"disk": [{"interface": True}]}, "interface is known only after apply"),
    "arguments": ({"kvm_arguments": True}, "kvm_arguments is known only after apply"),
    "what is cloned": ({"clone": True}, "what a template that is known only after apply has"),
}


@pytest.mark.parametrize(("unknown", "says"), UNKNOWN.values(), ids=UNKNOWN)
def test_what_is_known_only_after_apply_is_said_and_never_passed(tmp_path, unknown, says):
    after = bpg_vm(bpg_disk(**GOOD), **SINGLE)
    for key in unknown:
        if unknown[key] is True:
            del after[key]
    if unknown.get("clone"):
        after["scsi_hardware"] = "virtio-scsi-single"
    wrong = found(written(tmp_path, plan(change(VM, after, unknown=unknown))))
    assert [finding["rule"] for finding in wrong if says in finding["message"]] == ["IO100"], wrong


@pytest.mark.parametrize(
    "entry",
    [
        change(VM, bpg_vm(bpg_disk(**GOOD)), unknown={"scsi_hardware": True}),
        change(QEMU, telmate_vm(disk=[telmate_flat(asyncio="threads", iothread=True)]), unknown={"scsihw": True}),
    ],
)
def test_a_controller_that_is_not_known_is_not_taken_for_the_default(tmp_path, entry):
    finding = one(found(written(tmp_path, plan(entry))))
    assert finding["rule"] == "IO100" and "is known only after apply" in finding["message"]


def test_what_does_not_decide_may_be_unknown(tmp_path):
    unknown = {"id": True, "vm_id": True, "disk": [{"path_in_datastore": True, "file_format": True}]}
    (document,) = assess_root(
        str(written(tmp_path, plan(change(VM, bpg_vm(bpg_disk(**GOOD), vm_id=None, **SINGLE), unknown=unknown)))),
        parse({}),
        DAY,
    )
    assert document["findings"] == [] and document["guests"][0]["guest"] == ADDRESS


@pytest.mark.parametrize(
    ("after", "says"),
    [
        ({"disk": "scsi0"}, "disk is 'scsi0' and not a list of blocks"),
        ({"disk": ["scsi0"]}, "disk[0] is 'scsi0' and not a block"),
        ({"disk": [bpg_disk(iothread="yes")]}, "disk[0].iothread is 'yes' and not true or false"),
        ({"disk": [bpg_disk(aio=7)]}, "disk[0].aio is 7 and not text"),
        ({"scsi_hardware": ["x"]}, "scsi_hardware is ['x'] and not text"),
        ({"disk": [bpg_disk("scsi31")]}, "'scsi31' is not a place for a disk"),
        ({"disk": [bpg_disk("scsi0,aio=threads")]}, "is not a place for a disk"),
        ({"disk": [bpg_disk(aio="turbo")]}, "aio is 'turbo' that Proxmox VE does not have"),
        ({"disk": [bpg_disk(cache="unsafe,iothread=1")]}, "that Proxmox VE does not have"),
    ],
)
def test_an_attribute_against_the_schema_is_said(tmp_path, after, says):
    wrong = found(written(tmp_path, plan(change(VM, {**bpg_vm(), **SINGLE, **after}))))
    assert [finding["rule"] for finding in wrong if says in finding["message"]] == ["IO100"], wrong


@pytest.mark.parametrize(
    ("type", "names"), [(VM, "disk"), (CLONED, "disk"), ("proxmox_cloned_vm", "disk"), (QEMU, "disk or disks")]
)
def test_a_resource_without_what_tells_of_disks_is_said(tmp_path, type, names):
    finding = one(found(written(tmp_path, plan(change(type, {"name": "web"})))))
    assert finding["rule"] == "IO100" and f"it has no attribute {names}, so it is not judged" in finding["message"]


def test_a_mode_that_is_not_known_is_no_reason_to_pass(tmp_path):
    assert len(found(written(tmp_path, plan({**bad(), "mode": "later"})))) == 3


def test_null_where_a_list_was_is_no_disk(tmp_path):
    assert found(written(tmp_path, plan(change(VM, {**bpg_vm(), "disk": None, "clone": None})))) == []


def test_a_hostile_address_is_shown_and_nothing_else(tmp_path):
    hostile = bad(index='"; rm -rf /"{{ 7*7 }}')
    wrong = found(written(tmp_path, plan(hostile)))
    assert {finding["guest"] for finding in wrong} == {hostile["address"]}


def test_a_waiver_names_a_guest_by_its_address(tmp_path):
    waiver = {"id": "W", "rules": ["IO101", "IO102", "IO103"], "until": "2027-01-01", "reason": "y"}
    path = written(
        tmp_path,
        plan(
            bad(module_address='module.vms["a"]', index="db"),
            bad(module_address='module.vms["b"]', index="web"),
            bad(name="root"),
        ),
    )
    for match, left in (
        (f"guest.address == '{ADDRESS.replace('this', 'root')}'", 6),
        ("starts_with(guest.address, 'module.vms[\"a\"]')", 6),
        ("starts_with(guest.module, 'module.vms')", 3),
        ("guest.module == ''", 6),
        ("contains(guest.address, '[\"web\"]') && key == 'scsi0'", 7),
        ("guest.id == '100'", 0),
    ):
        policy = {"waivers": [{**waiver, "match": match}]}
        assert len([finding for finding in found(path, policy) if not finding["waived"]]) == left, match


def test_an_id_is_null_where_the_plan_does_not_have_it(tmp_path):
    path = written(tmp_path, plan(change(VM, bpg_vm(bpg_disk(), vm_id=None))))
    waiver = {"id": "W", "rules": ["IO101"], "until": "2027-01-01", "reason": "y", "match": "guest.id == `null`"}
    assert [finding["rule"] for finding in found(path, {"waivers": [waiver]}) if finding["waived"]] == ["IO101"]


def test_findings_speak_the_providers_language(tmp_path):
    hints = {finding["rule"]: finding["hint"] for finding in found(written(tmp_path, plan(bad(actions=["update"]))))}
    assert 'Write scsi_hardware = "virtio-scsi-single".' in hints["IO101"]
    assert "Write iothread = true in the disk block of scsi0." in hints["IO102"]
    assert 'Write aio = "threads" in the disk block of scsi0.' in hints["IO103"]
    assert "The apply reboots the guest, unless reboot_after_update is false." in hints["IO103"]
    assert "reboots" not in "".join(finding["hint"] for finding in found(written(tmp_path, plan(bad()))))
    entry = change(QEMU, old_vm(old_disk(aio="native")))
    old = {finding["rule"]: finding["hint"] for finding in found(written(tmp_path, plan(entry)))}
    assert 'Write scsihw = "virtio-scsi-single".' in old["IO101"] and "virtio_scsi" in old["IO101"]
    assert "Write iothread = 1 in" in old["IO102"] and 'Write aio = "threads"' in old["IO103"]


def test_a_disk_of_telmate_3_has_asyncio(tmp_path):
    flat = {"slot": "scsi0", "type": "disk", "asyncio": "native", "cache": "", "storage": "s"}
    wrong = found(written(tmp_path, plan(change(QEMU, telmate_vm(disk=[flat])))))
    assert 'Write asyncio = "threads" in the disk block of scsi0.' in "".join(finding["hint"] for finding in wrong)


def test_findings_point_at_the_resource_where_its_source_is(tmp_path):
    (tmp_path / "main.tf").write_text(f'# guests\n\nresource "{VM}" "this" {{\n}}\n')
    (tmp_path / "modules/vm").mkdir(parents=True)
    (tmp_path / "modules/vm/vm.tf").write_text(f'  resource  "{VM}"  "this" {{\n')
    (tmp_path / ".terraform/modules").mkdir(parents=True)
    modules = {"Modules": [{"Key": "", "Dir": "."}, {"Key": "vms.disk", "Dir": "modules/vm"}]}
    (tmp_path / ".terraform/modules/modules.json").write_text(json.dumps(modules))
    entries = (
        bad(),
        bad(module_address='module.vms["a.b"].module.disk[0]'),
        bad(name="other"),
        bad(module_address="module.x"),
    )
    path = written(tmp_path, plan(*entries))
    places = {finding["guest"]: (finding["file"], finding["line"]) for finding in found(path)}
    assert [places[entry["address"]] for entry in entries] == [
        (f"{tmp_path}/main.tf", 3),
        (f"{tmp_path}/modules/vm/vm.tf", 1),
        (str(path), None),
        (str(path), None),
    ]
    (tmp_path / "elsewhere").mkdir()
    moved = written(tmp_path / "elsewhere", plan(bad()))
    assert {finding["file"] for finding in found(moved)} == {str(moved)}
    assert {finding["file"] for finding in found(moved, source=str(tmp_path))} == {f"{tmp_path}/main.tf"}


def test_no_secret_is_in_a_document(tmp_path):
    sensitive = {"disk": [{"cache": True}], "scsi_hardware": True}
    after = bpg_vm(bpg_disk(cache="directsync"), scsi_hardware="megasas", name="hunter2-name")
    path = written(tmp_path, plan(change(VM, after, sensitive=sensitive), bad(name="open")))
    text = json.dumps(assess_root(str(path), parse({}), DAY))
    assert "hunter2" not in text.replace("hunter2-name", "") and "directsync" not in text and "megasas" not in text
    rules = [finding["rule"] for finding in found(path) if finding["guest"] == ADDRESS]
    assert rules == ["IO101", "IO102", "IO103", "IO104"]
    assert "virtio-scsi-pci" in text, "what is not sensitive is shown"


SECRET = "hunter2"


@pytest.mark.parametrize(
    ("given", "sensitive"),
    [
        ({"name": SECRET}, {"name": True}),
        ({"tags": [SECRET]}, {"tags": [True]}),
        ({"node_name": SECRET, "machine": SECRET}, {"node_name": True, "machine": True}),
        ({"operating_system": [{"type": SECRET}]}, True),
        ({"disk": [bpg_disk(aio={"x": SECRET})]}, {"disk": [{"aio": {"x": True}}]}),
    ],
)
def test_what_reports_call_a_guest_is_not_shown_where_it_is_sensitive(tmp_path, given, sensitive):
    after = {**bpg_vm(bpg_disk()), **given}
    (document,) = assess_root(str(written(tmp_path, plan(change(VM, after, sensitive=sensitive)))), parse({}), DAY)
    assert document["findings"] and SECRET not in json.dumps(document)


def test_a_clone_does_not_tell_what_is_sensitive_of_its_template(tmp_path):
    template = bpg_vm(bpg_disk(cache="directsync"), vm_id=9000, **SINGLE)
    entries = [
        change(VM, template, name="template", sensitive={"disk": [{"cache": True}]}),
        change(VM, bpg_vm(clone=[bpg_clone()])),
    ]
    (document,) = assess_root(str(written(tmp_path, plan(*entries))), parse({}), DAY)
    assert "directsync" not in json.dumps(document)
    assert [one["rule"] for one in document["findings"] if one["guest"] == ADDRESS] == ["IO100"]


def test_a_resource_that_is_not_whole_is_not_shown(tmp_path):
    finding = one(found(written(tmp_path, plan({"address": "a", "change": {"before": SECRET}}))))
    assert finding["message"] == "has a resource without address, type and change: a"


def test_a_storage_cfg_of_its_own(tmp_path):
    (tmp_path / "storages").write_text("rbd: ceph\n\tpool p\n")
    flat = {"slot": "scsi0", "type": "disk", "asyncio": None, "cache": "", "storage": "ceph", "iothread": True}
    path = written(tmp_path, plan(change(QEMU, telmate_vm(disk=[flat], scsihw="virtio-scsi-single"))))
    assert [finding["rule"] for finding in found(path)] == ["IO100"]
    assert [finding["rule"] for finding in found(path, storage_cfg=str(tmp_path / "storages"))] == ["IO107"]
    with pytest.raises(LayoutError, match="cannot read the storages of .*: No such file"):
        found(path, storage_cfg=str(tmp_path / "gone"))


def test_a_link_is_not_followed_to_a_plan_and_that_is_said(tmp_path):
    (tmp_path / "configs/within").mkdir(parents=True)
    (tmp_path / "folder").mkdir()
    for outside in ("outside", "folder/plan.json"):
        written(tmp_path, plan(bad()), outside)
    written(tmp_path, "no plan", "folder/else")
    written(tmp_path / "configs/within", plan(good()), "inside")
    links = {"plan": "outside", "prod": "folder", "loop": "configs", "up": ".", "to": "configs/within/inside"}
    for name, target in links.items():
        (tmp_path / "configs" / name).symlink_to(tmp_path / target)
    wrong = found(tmp_path / "configs")
    assert {finding["file"] for finding in wrong} == {
        f"{tmp_path}/configs/plan",
        f"{tmp_path}/configs/prod/plan.json",
    }
    assert {finding["message"] for finding in wrong} == {
        "is behind a link, which is not followed: put the plan itself there"
    }
    assert len(found(tmp_path / "configs/plan")) == 3, "a link that is named is meant"


def test_plans_beside_a_clusters_tree_are_judged_and_a_whole_host_is_not_searched(tmp_path):
    (tmp_path / "etc/pve/nodes/pve1/qemu-server").mkdir(parents=True)
    (tmp_path / "etc/pve/storage.cfg").write_text("dir: local\n\tpath /var/lib/vz\n")
    (tmp_path / "etc/pve/nodes/pve1/qemu-server/100.conf").write_text("cores: 1\n")
    (tmp_path / "terraform").mkdir()
    written(tmp_path / "terraform", plan(bad()))
    assert {finding["host"] for finding in found(tmp_path)} == {"terraform/plan.json"}
    (tmp_path / "usr/bin").mkdir(parents=True)
    assert found(tmp_path) == []


def test_a_clone_of_an_unknown_template_says_what_to_put_beside_it(tmp_path):
    finding = one(found(written(tmp_path, plan(change(VM, bpg_vm(clone=[bpg_clone()]))))))
    assert "template 9000" in finding["message"] and "qm config ID > ID.conf" in finding["hint"]


def test_what_is_to_be_written_is_there_to_paste(tmp_path):
    nested = telmate_vm(disks=telmate_slots("scsi", scsi2={"disk": [telmate_disk(asyncio="native", cache="unsafe")]}))
    entries = [
        change(VM, bpg_vm(bpg_disk(), bpg_disk("virtio1", aio="threads"))),
        change(CLONED, bpg_cloned({"virtio0": {"iothread": False, "aio": "native", "cache": "none"}}), name="cloned"),
        change(QEMU, nested, name="nested"),
        change(QEMU, telmate_vm(disk=[telmate_flat(asyncio="native")], scsihw="virtio-scsi-single"), name="flat"),
        change(QEMU, old_vm(old_disk(type="virtio", slot=3)), name="old"),
        good(name="good"),
    ]
    (document,) = assess_root(str(written(tmp_path, plan(*entries))), parse({}), DAY)
    pastes = {guest["address"].rpartition(".")[2]: guest["paste"] for guest in document["guests"]}
    assert pastes == {
        "cloned": 'disk = {\n  virtio0 = {\n    iothread = true\n    aio      = "threads"\n  }\n}',
        "nested": (
            'scsihw = "virtio-scsi-single"\n\ndisks {\n  scsi {\n    scsi2 {\n      disk {\n        iothread = true\n'
            '        aio_     = "threads"\n        cache    = "writeback"\n      }\n    }\n  }\n}'
        ).replace("aio_     =", "asyncio  ="),
        "flat": 'disk {\n  slot     = "scsi0"\n  iothread = true\n  asyncio  = "threads"\n}',
        "old": 'disk {\n  type     = "virtio"\n  slot     = 3\n  iothread = 1\n}',
        "good": None,
        "this": (
            'scsi_hardware = "virtio-scsi-single"\n\ndisk {\n  interface = "scsi0"\n  iothread  = true\n'
            '  aio       = "threads"\n}\n\ndisk {\n  interface = "virtio1"\n  iothread  = true\n}'
        ),
    }


def test_what_a_plan_leaves_unknown_is_no_failure_to_read(tmp_path):
    (document,) = assess_root(str(written(tmp_path, plan(change(VM, bpg_vm(clone=[bpg_clone()]))))), parse({}), DAY)
    assert document["findings"] and unread(document) == []


def test_a_guest_that_a_plan_defines_is_told_of_in_its_config(tmp_path):
    (tmp_path / "storage.cfg").write_text("dir: local\n\tpath /var/lib/vz\n")
    (tmp_path / "100.conf").write_text("scsi0: local:100/vm-100-disk-0.qcow2\n")
    (tmp_path / "101.conf").write_text("tags: web;terraform\nscsi0: local:101/vm-101-disk-0.qcow2\n")
    (tmp_path / "102.conf").write_text("#Managed by Terraform.\nscsi0: local:102/vm-102-disk-0.qcow2\n")
    (tmp_path / "103.conf").write_text("#We left terraform last year\nscsi0: local:103/vm-103-disk-0.qcow2\n")
    written(tmp_path, plan(good()))
    said = {finding["guest"]: finding["message"] for finding in found(tmp_path) if finding["rule"] == "IO114"}
    assert said == {
        "100": f"the guest is defined by {ADDRESS} in {tmp_path}/plan.json: its next apply may take the change back",
        "101": "the guest is defined by Terraform, by its tag: its next apply may take the change back",
        "102": "the guest is defined by Terraform, by its description: its next apply may take the change back",
    }


def state(*addresses, mode="managed", type=VM, module=None):
    """A plan's prior_state with these resources, in a module below the root where it is named."""
    resources = [
        {"address": address, "mode": mode, "type": type, "values": {"password": "hunter2"}} for address in addresses
    ]
    own = {"resources": resources}
    return {"format_version": "1.0", "values": {"root_module": {"child_modules": [own]} if module else own}}


@pytest.mark.parametrize("module", [None, "module.vms"])
def test_a_guest_that_the_plan_leaves_out_is_said(tmp_path, module):
    path = written(tmp_path, plan(good(), prior_state=state(ADDRESS, f"{VM}.other", module=module)))
    finding = one(found(path))
    assert finding["guest"] == f"{VM}.other" and "leaves it out" in finding["message"]
    assert "hunter2" not in json.dumps(assess_root(str(path), parse({}), DAY))


def test_a_plan_of_a_refresh_alone_judges_nothing_and_says_so(tmp_path):
    path = written(tmp_path, plan(resource_changes=[], prior_state=state(ADDRESS)))
    assert one(found(path))["guest"] == ADDRESS


def test_what_was_moved_or_is_no_guest_is_not_left_out(tmp_path):
    moved = good(name="new", previous_address=f"{VM}.old")
    assert found(written(tmp_path, plan(moved, prior_state=state(f"{VM}.old")))) == []
    pool = state("proxmox_virtual_environment_pool.x", type="proxmox_virtual_environment_pool")
    assert found(written(tmp_path, plan(good(), prior_state=pool))) == []
    assert found(written(tmp_path, plan(good(), prior_state=state(f"{VM}.data", mode="data")))) == []
    for odd in ({"values": []}, {"values": {"root_module": {"resources": [7], "child_modules": "x"}}}, 7):
        assert found(written(tmp_path, plan(good(), prior_state=odd))) == []


@pytest.mark.parametrize(
    ("spelled", "name"),
    [
        (r"\ud800", "\ufffd"),
        (r"\uDFFFx", "\ufffdx"),
        (r"\ud83d\ude00", "\U0001f600"),
        (r"\ud83d\\ude00", "\ufffd\\ude00"),
        (r"\\ud800", r"\ud800"),
    ],
)
def test_half_a_pair_of_surrogates_is_no_traceback(tmp_path, spelled, name):
    """JSON may say it, and no report can hold it."""
    text = plan(change(VM, bpg_vm(bpg_disk(), name="NAME"))).replace("NAME", spelled)
    (tmp_path / "plan.json").write_text(text)
    (document,) = assess_root(str(tmp_path / "plan.json"), parse({}), DAY)
    assert {entry["name"] for entry in document["guests"]} == {name}
    assert json.dumps(document, ensure_ascii=False).encode()
