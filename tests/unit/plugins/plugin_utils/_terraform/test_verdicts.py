# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""What a guest of a plan comes to, provider by provider: docs/gate.md has the same table."""

from __future__ import annotations

import datetime
import re
from pathlib import Path

import pytest

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
    domain,
    domain_controller,
    domain_disk,
    old_disk,
    old_domain,
    old_domain_disk,
    old_vm,
    plan,
    telmate_disk,
    telmate_flat,
    telmate_slots,
    telmate_vm,
)

DAY = datetime.date(2026, 11, 28)
DOMAIN = "libvirt_domain"
VM, CLONED, QEMU = (
    "proxmox_virtual_environment_vm",
    "proxmox_virtual_environment_cloned_vm",
    "proxmox_vm_qemu",
)
STORAGES = "lvmthin: local-lvm\n\tvgname pve\n\tthinpool data\n\nlvm: thick\n\tvgname v1\n\nrbd: ceph\n\tpool p\n\nrbd: krbd\n\tpool p\n\tkrbd 1\n"
TEMPLATE = "scsihw: virtio-scsi-single\nscsi0: local-lvm:base-9000-disk-0,aio=threads,iothread=1\ntemplate: 1\n"
TELMATE_GOOD = {"asyncio": "threads", "iothread": True}
WITH_ONE = {"io": "threads", "cache": "none", "io_thread": 1}
ON_SINGLE = {"scsihw": "virtio-scsi-single"}


def rules(tmp_path, *changes, storages=STORAGES, template=None):
    """The rules of the findings that count, of each guest and disk of the plan."""
    (tmp_path / "plan").write_text(plan(*changes))
    if storages:
        (tmp_path / "storage.cfg").write_text(storages)
    if template:
        (tmp_path / "9000.conf").write_text(template)
    document = assess_root(str(tmp_path), parse({}), DAY)[-1]
    return [
        (finding["disk"] or "guest", finding["rule"])
        for finding in document["findings"]
        if finding["severity"] != "note"
    ]


def bpg(*disks, **given):
    return change(VM, bpg_vm(*disks, **given))


def nested(bus="scsi", slot="scsi0", kind="disk", vm=None, **given):
    disk = telmate_disk(**given)
    if kind == "passthrough":
        disk = {**{key: value for key, value in disk.items() if key not in ("storage", "format")}, "file": "/dev/sdb"}
    return change(QEMU, telmate_vm(disks=telmate_slots(bus, **{slot: {kind: [disk]}}), **(vm or {})))


def flat(vm=None, **given):
    return change(QEMU, telmate_vm(disk=[telmate_flat(**given)], **(vm or {})))


def old(vm=None, **given):
    return change(QEMU, old_vm(old_disk(**given), **(vm or {})))


def libvirt(*disks, **given):
    return change(DOMAIN, domain(*disks, **given))


def old_libvirt(*disks, **given):
    return change(DOMAIN, old_domain(*disks, **given))


CASES = {
    "bpg, nothing set": (bpg(bpg_disk()), ["IO101 guest", "IO102 scsi0", "IO103 scsi0"]),
    "bpg, iothread on the controller that ignores it": (
        bpg(bpg_disk(iothread=True)),
        ["IO101 guest", "IO102 scsi0", "IO103 scsi0"],
    ),
    "bpg, single and iothread, aio not set": (bpg(bpg_disk(iothread=True), **SINGLE), ["IO103 scsi0"]),
    "bpg, all right": (bpg(bpg_disk(**GOOD), **SINGLE), []),
    "bpg, virtio without an iothread": (bpg(bpg_disk("virtio0")), ["IO102 virtio0", "IO103 virtio0"]),
    "bpg, virtio, all right": (bpg(bpg_disk("virtio0", **GOOD)), []),
    "bpg, sata": (bpg(bpg_disk("sata0")), ["IO106 sata0", "IO103 sata0"]),
    "bpg, sata with threads": (bpg(bpg_disk("sata0", aio="threads")), ["IO106 sata0"]),
    "bpg, cache unsafe": (bpg(bpg_disk(cache="unsafe", **GOOD), **SINGLE), ["IO104 scsi0"]),
    "bpg, cache writeback": (bpg(bpg_disk(cache="writeback", **GOOD), **SINGLE), ["IO104 scsi0"]),
    "bpg, native and cached": (
        bpg(bpg_disk(aio="native", cache="writeback", iothread=True), **SINGLE),
        ["IO105 scsi0", "IO104 scsi0"],
    ),
    "bpg, thick LVM, aio not set": (bpg(bpg_disk(datastore_id="thick")), ["IO101 guest", "IO102 scsi0", "IO103 scsi0"]),
    "bpg, two disks, one wrong": (
        bpg(bpg_disk(**GOOD), bpg_disk("scsi1"), **SINGLE),
        ["IO102 scsi1", "IO103 scsi1"],
    ),
    "bpg, no disk": (bpg(), []),
    "bpg, a disk of the host": (
        bpg(bpg_disk(datastore_id="", path_in_datastore="/dev/disk/by-id/x"), **SINGLE),
        ["IO102 scsi0", "IO103 scsi0"],
    ),
    "bpg, arguments for QEMU": (bpg(kvm_arguments="-drive file=/x,if=virtio"), ["IO100 guest"]),
    "bpg, clone, nothing of it known": (bpg(clone=[bpg_clone()]), ["IO100 guest"]),
    "bpg, clone with its own controller and a disk that is right": (
        bpg(bpg_disk(**GOOD), clone=[bpg_clone()], **SINGLE),
        ["IO100 guest"],
    ),
    "bpg, clone with a disk that is wrong": (
        bpg(bpg_disk(), clone=[bpg_clone()]),
        ["IO102 scsi0", "IO103 scsi0", "IO100 guest"],
    ),
    "bpg, cloned_vm, nothing of it known": (change(CLONED, bpg_cloned({})), ["IO100 guest"]),
    "bpg, cloned_vm, a slot in part": (
        change(CLONED, bpg_cloned({"scsi0": {"iothread": True}})),
        ["IO100 scsi0", "IO100 guest"],
    ),
    "bpg, cloned_vm, a slot in full": (
        change(CLONED, bpg_cloned({"virtio0": {"iothread": False, "aio": "io_uring", "cache": "none"}})),
        ["IO102 virtio0", "IO103 virtio0", "IO100 guest"],
    ),
    "bpg, the experimental resource": (change("proxmox_vm", {"name": "x"}), ["IO100 guest"]),
    "Telmate 3, nested, nothing set": (nested(), ["IO101 guest", "IO102 scsi0", "IO103 scsi0"]),
    "Telmate 3, nested, iothread on lsi": (nested(iothread=True), ["IO101 guest", "IO102 scsi0", "IO103 scsi0"]),
    "Telmate 3, nested, all right": (nested(vm=ON_SINGLE, **TELMATE_GOOD), []),
    "Telmate 3, nested, single and iothread, asyncio not set": (
        nested(vm=ON_SINGLE, iothread=True),
        ["IO103 scsi0"],
    ),
    "Telmate 3, nested, virtio, nothing set": (
        nested("virtio", "virtio0"),
        ["IO102 virtio0", "IO103 virtio0"],
    ),
    "Telmate 3, nested, a disk of the host": (
        nested(kind="passthrough", vm=ON_SINGLE),
        ["IO102 scsi0", "IO103 scsi0"],
    ),
    "Telmate 3, nested, librbd": (nested(vm=ON_SINGLE, storage="ceph", iothread=True), []),
    "Telmate 3, nested, ide": (nested("ide", "ide0", asyncio="threads"), ["IO106 ide0"]),
    "Telmate 3, a slot that it ignores": (
        change(QEMU, telmate_vm(disks=telmate_slots("scsi", scsi0={"ignore": True}))),
        ["IO100 scsi0"],
    ),
    "Telmate 3, a cdrom alone": (
        change(QEMU, telmate_vm(disks=telmate_slots("ide", ide2={"cdrom": [{"iso": "local:iso/x.iso"}]}))),
        [],
    ),
    "Telmate 3, flat, nothing set": (flat(), ["IO101 guest", "IO102 scsi0", "IO103 scsi0"]),
    "Telmate 3, flat, all right": (flat(vm=ON_SINGLE, **TELMATE_GOOD), []),
    "Telmate 3, flat, a slot that it ignores": (flat(type="ignore"), ["IO100 scsi0"]),
    "Telmate 3, flat, a disk of the host": (
        flat(vm=ON_SINGLE, passthrough=True, disk_file="/dev/sdb", storage=None),
        ["IO102 scsi0", "IO103 scsi0"],
    ),
    "Telmate 3, clone without scsihw": (
        flat(vm={"clone": "debian", "scsihw": "lsi"}, **TELMATE_GOOD),
        ["IO101 guest", "IO102 scsi0"],
    ),
    "Telmate 2.9, nothing set": (old(), ["IO101 guest", "IO102 scsi0", "IO103 scsi0"]),
    "Telmate 2.9, all right": (old(vm=ON_SINGLE, aio="threads", iothread=1), []),
    "Telmate 2.9, virtio": (old(type="virtio", aio="threads", iothread=1), []),
    "Telmate 2.9, clone, disks of the template": (
        change(QEMU, old_vm(clone="debian", scsihw="virtio-scsi-single")),
        ["IO100 guest"],
    ),
    "dmacvicar 0.9, nothing set": (libvirt(domain_disk()), ["IO102 vda", "IO104 vda"]),
    "dmacvicar 0.9, all right": (libvirt(domain_disk(driver=WITH_ONE), io_threads=1), []),
    "dmacvicar 0.9, io_threads that no disk uses": (
        libvirt(domain_disk(driver={"cache": "none"}), io_threads=1),
        ["IO102 vda"],
    ),
    "dmacvicar 0.9, io_uring": (
        libvirt(domain_disk(driver={"io": "io_uring", "cache": "none", "io_thread": 1}), io_threads=1),
        ["IO103 vda"],
    ),
    "dmacvicar 0.9, native and cached": (
        libvirt(domain_disk(driver={"io": "native", "io_thread": 1}), io_threads=1),
        ["IO105 vda", "IO104 vda"],
    ),
    "dmacvicar 0.9, cache unsafe": (
        libvirt(domain_disk(driver={"cache": "unsafe", "io_thread": 1}), io_threads=1),
        ["IO104 vda"],
    ),
    "dmacvicar 0.9, scsi without a controller": (
        libvirt(domain_disk("sda", driver={"cache": "none"})),
        ["IO101 guest", "IO102 sda"],
    ),
    "dmacvicar 0.9, virtio-scsi": (
        libvirt(domain_disk("sda", driver={"cache": "none"}), controllers=[domain_controller()]),
        ["IO102 sda"],
    ),
    "dmacvicar 0.9, virtio-scsi with an iothread, two disks": (
        libvirt(
            domain_disk("sda", driver={"cache": "none"}),
            domain_disk("sdb", driver={"cache": "none"}),
            controllers=[domain_controller({"io_thread": 1})],
            io_threads=1,
        ),
        [],
    ),
    "dmacvicar 0.9, sata": (
        libvirt(domain_disk(target={"dev": "sda", "bus": "sata"}, driver={"cache": "none"})),
        ["IO106 sda"],
    ),
    "dmacvicar 0.9, a disk of the host": (
        libvirt(domain_disk(source={"block": {"dev": "/dev/disk/by-id/x"}})),
        ["IO102 vda", "IO104 vda"],
    ),
    "dmacvicar 0.9, a cdrom alone": (libvirt(domain_disk("sda", device="cdrom")), []),
    "dmacvicar 0.9, no disk": (libvirt(), []),
    "dmacvicar 0.9, a value that libvirt does not have": (libvirt(domain_disk(driver={"io": "uring"})), ["IO100 vda"]),
    "dmacvicar 0.9.0": (change(DOMAIN, {"name": "web", "iothreads": 1, "devices": {"disks": None}}), ["IO100 guest"]),
    "dmacvicar 0.8, nothing set": (
        old_libvirt(old_domain_disk(volume_id="/var/lib/libvirt/images/web")),
        ["IO102 vda", "IO104 vda"],
    ),
    "dmacvicar 0.8, scsi": (
        old_libvirt(old_domain_disk(scsi=True, block_device="/dev/sdb")),
        ["IO102 sda", "IO104 sda"],
    ),
    "dmacvicar 0.8, a cdrom alone": (old_libvirt(old_domain_disk(file="/iso/debian.iso"), cloudinit="x;1"), []),
    "dmacvicar 0.8, an xslt": (
        old_libvirt(old_domain_disk(file="/images/web.raw"), xml=[{"xslt": "<xsl:stylesheet/>"}]),
        ["IO100 guest"],
    ),
}


@pytest.mark.parametrize(("entry", "found"), CASES.values(), ids=CASES)
def test_verdict(tmp_path, entry, found):
    assert [f"{rule} {where}" for where, rule in rules(tmp_path, entry)] == found


def test_the_table_of_the_page_has_these_cases_and_verdicts():
    page = (Path(__file__).resolve().parents[5] / "docs/gate.md").read_text("utf-8")
    rows = dict(re.findall(r"^\| ((?:bpg|dmacvicar|Telmate)[^|]*) \| ([^|]*) \|$", page, re.MULTILINE))
    wanted = {
        case: ", ".join(dict.fromkeys(one.split()[0] for one in found)) or "pass"
        for case, (_entry, found) in CASES.items()
    }
    assert rows == wanted


def test_what_cannot_be_judged_fails_the_gate(tmp_path):
    for entry in (
        bpg(bpg_disk(**GOOD), kvm_arguments="-drive file=/x,if=virtio -drive file=/y", **SINGLE),
        flat(vm={**ON_SINGLE, "args": "-set drive.drive-scsi0.aio=native"}, **TELMATE_GOOD),
        old(vm={**ON_SINGLE, "args": "-snapshot"}, aio="threads", iothread=1),
    ):
        (tmp_path / "plan").write_text(plan(entry))
        (document,) = assess_root(str(tmp_path / "plan"), parse({}), DAY)
        assert {(finding["rule"], finding["severity"]) for finding in document["findings"]} == {("IO100", "error")}


TEMPLATED = {
    "a clone of what is right": (bpg(clone=[bpg_clone()]), TEMPLATE, []),
    "a clone of another controller": (
        bpg(clone=[bpg_clone()]),
        TEMPLATE.replace("single", "pci"),
        ["IO101 guest", "IO102 scsi0"],
    ),
    "a clone that sets its own controller": (
        bpg(clone=[bpg_clone()], **SINGLE),
        TEMPLATE.replace("single", "pci"),
        [],
    ),
    "a clone that overrides a disk": (
        bpg(bpg_disk(), clone=[bpg_clone()]),
        TEMPLATE,
        ["IO102 scsi0", "IO103 scsi0"],
    ),
    "a second disk of the template": (
        bpg(bpg_disk(**GOOD), clone=[bpg_clone()]),
        TEMPLATE + "scsi1: local-lvm:base-9000-disk-1\n",
        ["IO102 scsi1", "IO103 scsi1"],
    ),
    "a clone of what has arguments for QEMU": (
        bpg(clone=[bpg_clone()]),
        TEMPLATE + "args: -drive file=/x,if=virtio\n",
        ["IO100 guest"],
    ),
    "a clone onto another storage": (
        bpg(clone=[bpg_clone(datastore_id="thick")]),
        TEMPLATE.replace("aio=threads,iothread=1", "iothread=0"),
        ["IO102 scsi0", "IO103 scsi0"],
    ),
    "cloned_vm, a slot in full": (
        change(CLONED, bpg_cloned({"scsi0": {"aio": "threads", "iothread": True}})),
        TEMPLATE.replace("aio=threads,iothread=1", "cache=unsafe"),
        [],
    ),
    "cloned_vm, a slot whose options it does not keep": (
        change(CLONED, bpg_cloned({"scsi0": {"size_gb": 20}})),
        TEMPLATE,
        ["IO102 scsi0", "IO103 scsi0"],
    ),
    "cloned_vm, a slot on the template's storage": (
        change(CLONED, bpg_cloned({"scsi0": {"datastore_id": "ceph", "iothread": True}})),
        TEMPLATE,
        ["IO103 scsi0"],
    ),
    "cloned_vm, a slot with a volume of its own": (
        change(CLONED, bpg_cloned({"scsi0": {"file": "local-lvm:x", "datastore_id": "ceph", "iothread": True}})),
        TEMPLATE.replace("local-lvm", "ceph"),
        ["IO103 scsi0"],
    ),
    "2.9 by name": (
        change(QEMU, old_vm(clone="debian", scsihw="virtio-scsi-single")),
        TEMPLATE + "name: debian\n",
        [],
    ),
}


@pytest.mark.parametrize(("entry", "template", "found"), TEMPLATED.values(), ids=TEMPLATED)
def test_a_clone_is_judged_by_its_template(tmp_path, entry, template, found):
    assert [f"{rule} {where}" for where, rule in rules(tmp_path, entry, template=template)] == found


@pytest.mark.parametrize("actions", [["no-op"], ["update"]])
def test_a_clone_that_exists_is_judged_by_itself_and_not_by_its_template(tmp_path, actions):
    entry = change(VM, bpg_vm(clone=[bpg_clone()]), actions=actions)
    assert rules(tmp_path, entry, template=TEMPLATE) == [("guest", "IO100")]
    (tmp_path / "100.conf").write_text(TEMPLATE.replace("single", "pci"))
    assert rules(tmp_path, entry, template=TEMPLATE) == [("guest", "IO101"), ("scsi0", "IO102")]
    (tmp_path / "100.conf").write_text(TEMPLATE)
    assert rules(tmp_path, entry, template="scsi0: local-lvm:x\n") == []
    assert rules(tmp_path, change(VM, entry["change"]["after"], actions=["delete", "create"])) == [
        ("guest", "IO101"),
        ("scsi0", "IO102"),
        ("scsi0", "IO103"),
    ]


def test_a_clone_whose_controller_changes_gets_it(tmp_path):
    entry = change(VM, bpg_vm(clone=[bpg_clone()]), actions=["update"])
    (tmp_path / "100.conf").write_text(TEMPLATE)
    entry["change"]["before"] = {**entry["change"]["after"], **SINGLE}
    assert rules(tmp_path, entry) == [("guest", "IO101"), ("scsi0", "IO102")]


def test_a_template_in_a_plan_counts_as_well(tmp_path):
    template = change(VM, bpg_vm(bpg_disk(**GOOD), vm_id=9000, template=True, **SINGLE), name="template")
    assert rules(tmp_path, template, bpg(clone=[bpg_clone()])) == []
    bad = change(VM, bpg_vm(bpg_disk(), vm_id=9000, template=True), name="template")
    assert {where for where, _rule in rules(tmp_path, bad, bpg(clone=[bpg_clone()]))} == {"guest", "scsi0"}


def test_a_template_that_is_not_known_itself_is_said_of_its_clone(tmp_path):
    first = change(VM, bpg_vm(clone=[bpg_clone(8000)], vm_id=9000), name="first")
    assert rules(tmp_path, first, bpg(clone=[bpg_clone()])) == [("guest", "IO100"), ("guest", "IO100")]


def test_guests_that_clone_each_other_are_not_known(tmp_path):
    one = change(VM, bpg_vm(clone=[bpg_clone(101)], vm_id=100), name="one")
    other = change(VM, bpg_vm(clone=[bpg_clone(100)], vm_id=101), name="other")
    assert {rule for _where, rule in rules(tmp_path, one, other)} == {"IO100"}


def test_telmate_takes_a_disk_of_the_host_or_one_of_a_storage_and_not_both(tmp_path):
    both = {"disk_file": "local-lvm:x", "storage": "ceph", "iothread": True}
    assert rules(tmp_path, flat(vm=ON_SINGLE, passthrough=True, **both)) == [("scsi0", "IO103")]
    assert rules(tmp_path, flat(vm=ON_SINGLE, **both)) == []


def test_without_storage_cfg_what_is_certain_is_judged(tmp_path):
    assert rules(tmp_path, nested(), storages=None) == [("guest", "IO101"), ("scsi0", "IO102"), ("scsi0", "IO100")]
    assert rules(tmp_path, bpg(bpg_disk()), storages=None) == [
        ("guest", "IO101"),
        ("scsi0", "IO102"),
        ("scsi0", "IO103"),
    ]
    assert rules(tmp_path, nested(vm=ON_SINGLE, **TELMATE_GOOD), storages=None) == []
