# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Guests of libvirt under the same policy: controllers that many disks share, and how many iothreads a guest has."""

from __future__ import annotations

import pytest
import yaml

from ansible_collections.hypervisor.io_hardening.plugins.module_utils._libvirt.record import record
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._model import records
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._policy import assess as _assess
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._policy import policy as _policy
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._policy.errors import PolicyError
from ansible_collections.hypervisor.io_hardening.tests.unit.facts import facts

from .fleet import DAY

QEMU = {"running": None, "installed": "10.0.2", "proven": None}


def disk(key, bus="virtio", model=None, dedicated=False, aio=None, cache="none", iothread=None):
    controller = None
    if model:
        controller = {"model": model, "dedicated": dedicated, "gives_iothread": model == "virtio-scsi"}
    return records.disk(
        key=key,
        bus=bus,
        volume="/dev/vg/web",
        configured=records.configured(aio=aio, cache=cache, iothread=iothread),
        aio_default={"direct": "threads", "cached": "threads"},
        effective=records.values(
            driver="host_device",
            aio=aio or "threads",
            cache=cache,
            cache_direct=cache == "none",
            iothread=bool(iothread),
            controller=controller,
        ),
    )


def judged(*disks, document=None, controller="none", name="web", **facts):
    known = {"config": "/etc/libvirt/qemu/web.xml", "running": False, "qemu": QEMU, **facts}
    guest = records.guest(
        id=name,
        name=name,
        hypervisor="libvirt",
        digest="d0",
        controller=records.controller(effective=controller),
        disks=list(disks),
        **known,
    )
    read = {"guests": [guest], "nodes": [], "problems": []}
    return _assess.assess(read, _policy.parse(document or {}), DAY)


def changes(found):
    return [
        (change["key"], change["option"], change["after"]) for entry in found["plan"] for change in entry["changes"]
    ]


@pytest.mark.parametrize("dedicated", [True, False])
def test_a_disk_on_virtio_scsi_gets_an_iothread_and_its_controller_stays(dedicated):
    found = judged(disk("sda", "scsi", "virtio-scsi", dedicated), controller="virtio-scsi")
    assert [one["rule"] for one in found["findings"]] == ["IO102"]
    assert changes(found) == [("sda", "iothread", True)]


def test_the_hint_is_right_whatever_iothreads_a_guest_has():
    """libvirt 9.0 gives a guest with the iothreads 2, 7 and 9 no iothread 1, and takes a fourth by its number."""
    (about,) = judged(disk("vda"), iothreads=3)["findings"]
    assert about["hint"] == (
        "Add an iothread with a number that is free (virsh iothreadadd GUEST NUMBER --config), and write"
        " iothread='NUMBER' into the <driver> of vda (virsh edit); for a disk on virtio-scsi, into the <driver> of its"
        " controller."
    )


def test_another_controller_is_another_driver_which_no_run_changes():
    document = {"controller": "virtio-scsi-single"}
    found = judged(disk("sda", "scsi", "lsilogic"), disk("vda"), controller="lsilogic", document=document)
    (about,) = [one for one in found["findings"] if one["rule"] == "IO101"]
    assert about["message"].startswith("SCSI controller lsilogic (unset), the policy wants virtio-scsi")
    assert about["cure"] == [] and "virtio-scsi-single" not in about["hint"]
    assert changes(found) == [("vda", "iothread", True)]
    # No variable allows it, so the report must not ask for one.
    (left,) = found["unresolved"]
    assert left["reason"] == "not_fixable" and "virsh edit" in left["detail"]


def test_a_block_device_as_virt_install_makes_it_freezes_and_is_cured():
    found = judged(disk("vda", aio="native"))
    assert [(one["rule"], one["severity"]) for one in found["findings"]] == [("IO102", "error"), ("IO103", "error")]
    assert changes(found) == [("vda", "iothread", True), ("vda", "aio", "threads")]


@pytest.mark.parametrize(
    ("most", "has", "wanted"),
    [
        (None, None, []),
        (1, None, [("guest", "iothreads", 1)]),
        (2, 4, [("guest", "iothreads", 4)]),
        (5, None, [("guest", "iothreads", 2)]),
    ],
)
def test_the_policy_says_how_many_iothreads_a_guests_disks_share(most, has, wanted):
    document = {} if most is None else {"iothreads_per_guest": most}
    found = judged(disk("vda"), disk("vdb"), document=document, iothreads=has)
    assert changes(found) == [*wanted, ("vda", "iothread", True), ("vdb", "iothread", True)]


def test_disks_of_one_controller_need_one_iothread():
    disks = [disk(key, "scsi", "virtio-scsi") for key in ("sda", "sdb")]
    found = judged(*disks, document={"iothreads_per_guest": 2}, controller="virtio-scsi")
    assert changes(found)[0] == ("guest", "iothreads", 1)


KEEP = {"overrides": [{"match": "key == 'sdb'", "disk": {"iothread": "keep"}}]}
WAIVED = {
    "waivers": [{"id": "W-1", "match": "key == 'sdb'", "rules": ["IO102"], "until": "2027-01-01", "reason": "old"}]
}


@pytest.mark.parametrize("document", [KEEP, WAIVED])
def test_what_one_disk_is_to_keep_its_whole_controller_keeps(document):
    """The controller's iothread is that of all its disks; a disk that has a controller to itself gets its own."""
    disks = [disk("sda", "scsi", "virtio-scsi", aio="native"), disk("sdb", "scsi", "virtio-scsi")]
    alone = disk("sdc", "scsi", "virtio-scsi", dedicated=True)
    found = judged(*disks, alone, document=document, controller="virtio-scsi")
    assert changes(found) == [("sda", "aio", "threads"), ("sdc", "iothread", True)]
    (left,) = found["unresolved"]
    assert left["reason"] == "not_fixable" and "sdb keeps none" in left["detail"]


def test_an_old_qemu_is_no_reason_where_the_controller_is_never_changed():
    """What it would do to an iothread does not matter to a guest that cannot get one."""
    found = judged(disk("sda", "scsi", "lsi"), controller="lsilogic", qemu={**QEMU, "installed": "7.2.22"})
    said = " ".join(f"{one['message']} {one['hint']}" for one in found["findings"])
    assert {one["rule"] for one in found["findings"]} == {"IO101", "IO102"}
    assert "7.2.22" not in said and "accept_defects" not in said


def test_a_transient_guest_is_called_so():
    found = judged(disk("vda"), config=None, running=True)
    assert found["unresolved"][0]["detail"] == "transient (libvirt); change it where it is defined"


def test_a_guest_whose_disks_have_theirs_gets_none():
    found = judged(disk("vda", aio="native", iothread=True), document={"iothreads_per_guest": 1}, iothreads=1)
    assert changes(found) == [("vda", "aio", "threads")]


@pytest.mark.parametrize("count", [0, -1, 513, 1.5, True, "many", [2]])
def test_how_many_iothreads_is_a_number(count):
    with pytest.raises(PolicyError, match="policy.iothreads_per_guest: is .*it takes a number from 1 to 512"):
        _policy.parse({"iothreads_per_guest": count})


def test_a_transient_disk_starts_with_every_machine_because_libvirt_makes_its_overlay():
    transient = {**disk("vda", iothread=True), "overlay": True}
    found = judged(transient, next_start={"machine": "pc-q35-10.1", "ostype": None})
    assert [finding["rule"] for finding in found["findings"] if finding["severity"] == "error"] == []


@pytest.mark.parametrize("suite", ["bookworm", "trixie"])
def test_every_recorded_domain_is_judged_and_planned(suite):
    rows = [row for row in facts(f"libvirt/{suite}")["domains"] if "defined" in row]
    pools = {"images": "dir", "recorded": "logical"}
    guests = [
        record(row["defined"].encode(), id=row["name"], path=f"/etc/libvirt/qemu/{row['name']}.xml", pools=pools)
        for row in rows
    ]
    found = _assess.assess({"guests": guests, "nodes": [], "problems": []}, _policy.parse({}), DAY)
    assert {entry["guest"] for entry in found["guests"]} == {row["name"] for row in rows}
    planned = {entry["guest"] for entry in found["plan"]}
    assert {"io-and-cache", "kinds", "scsi-one-iothread", "volumes", "block"} <= planned
    assert planned.isdisjoint({"no-disks", "command-line", "override"})
    assert {entry["guest"]: entry["reason"] for entry in found["unresolved"]}.items() >= {
        ("command-line", "by_hand"),
        ("override", "by_hand"),
    }


@pytest.mark.parametrize("name", ["it's", "x{{ lookup('pipe','id') }}", "\\{% x %} "])
def test_an_override_to_paste_is_for_that_guest_and_no_template(name):
    found = judged(disk("vda", cache="writethrough", iothread=True), name=name)
    (hint,) = [one["hint"] for one in found["findings"] if "loosen" in (one["hint"] or "")]
    (entry,) = yaml.safe_load(hint.split("the policy's overrides: ")[1])
    assert "{" not in entry["match"]
    again = judged(disk("vda", cache="writethrough", iothread=True), name=name, document={"overrides": [entry]})
    assert [one["option"] for one in again["plan"][0]["changes"]] == ["cache"]
    other = judged(disk("vda", cache="writethrough", iothread=True), document={"overrides": [entry]})
    assert other["plan"] == []
