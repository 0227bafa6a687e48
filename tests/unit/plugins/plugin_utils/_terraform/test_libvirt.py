# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The resources of dmacvicar/libvirt: what becomes of a disk, what is not known, what is to be written there."""

from __future__ import annotations

import datetime

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.module_utils._plan import HYPERVISORS
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._policy.policy import parse
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._sources import plans
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._sources.gated import assess_root
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._terraform.providers import WORDS
from ansible_collections.hypervisor.io_hardening.tests.unit.domains import disk as xml_disk
from ansible_collections.hypervisor.io_hardening.tests.unit.domains import domain as xml_of
from ansible_collections.hypervisor.io_hardening.tests.unit.plans import (
    bpg_disk,
    bpg_vm,
    change,
    domain,
    domain_controller,
    domain_disk,
    old_domain,
    old_domain_disk,
    plan,
)

DAY = datetime.date(2026, 11, 28)
DOMAIN = "libvirt_domain"
XSLT = [{"xslt": "<xsl:stylesheet/>"}]
GOOD = xml_of("web", xml_disk(driver="cache='none' io='threads' iothread='1'"), iothreads=1)
BAD = xml_of("web")


@pytest.fixture
def gated(tmp_path):
    """The findings document of a plan with these resources; ``policy`` is the policy."""

    def document(*changes, policy=None, **members):
        (tmp_path / "plan.json").write_text(plan(*changes, **members))
        return assess_root(str(tmp_path), parse(policy or {}), DAY)[-1]

    return document


@pytest.fixture
def guest(tmp_path):
    """The record of the guest of a plan."""

    def record(entry):
        (tmp_path / "plan.json").write_text(plan(entry))
        ((made,),) = plans.guests_of([plans.read_plan(str(tmp_path / "plan.json"), str(tmp_path))], [], {})
        return made

    return record


def new(*disks, **given):
    return change(DOMAIN, domain(*disks, **given))


def old(*disks, **given):
    return change(DOMAIN, old_domain(*disks, **given))


def of_host(number=0, **given):
    return old_domain_disk(block_device=f"/dev/disk/by-id/{number}", **given)


#: Blocks disk of 0.8, and the disks that they become: target, bus, kind.
PLACES = {
    "virtio by its place in the list": ([of_host(), of_host(1)], ["vda virtio disk", "vdb virtio disk"]),
    "scsi by its own count": (
        [of_host(), of_host(scsi=True), of_host(scsi=True)],
        ["sda scsi disk", "sdb scsi disk", "vda virtio disk"],
    ),
    "an image named iso is a cdrom": (
        [old_domain_disk(file="/a.iso"), of_host(), old_domain_disk(url="https://example.org/b.iso?x=1")],
        ["hda ide cdrom", "hdb ide cdrom", "vdb virtio disk"],
    ),
    "an image named otherwise is a disk": ([old_domain_disk(file="/iso/a.img")], ["vda virtio disk"]),
    "cloud-init has the last place": (([of_host()]), ["hdd ide cdrom", "vda virtio disk"]),
    "a volume wins over a file": ([old_domain_disk(volume_id="/v", file="/a.iso")], ["vda virtio disk"]),
    "the 27th": ([of_host(number) for number in range(27)], ["vdaa virtio disk"]),
}


@pytest.mark.parametrize(("disks", "found"), PLACES.values(), ids=PLACES)
def test_disks_of_0_8_are_named_as_the_provider_does(guest, disks, found):
    cloudinit = "/x.iso;id" if any("hdd" in place for place in found) else None
    listed = [
        f"{disk['key']} {disk['bus']} {disk['media']}" for disk in guest(old(*disks, cloudinit=cloudinit))["disks"]
    ]
    assert listed == found if len(disks) < 27 else set(found) < set(listed)


def test_a_disk_has_what_libvirt_gets_and_the_place_of_its_resource(guest):
    record = guest(
        new(
            domain_disk(driver={"type": "qcow2", "io": "threads", "cache": "none", "io_thread": 2}, read_only=True),
            domain_disk(
                "vdb", source={"volume": {"pool": "default", "volume": "db"}}, transient={"share_backing": None}
            ),
            io_threads=2,
        )
    )
    assert (record["id"], record["name"], record["hypervisor"]) == ("libvirt_domain.this", "web", "libvirt")
    assert record["config"].endswith("/plan.json") and record["digest"] is None and record["iothreads"] == 2
    first, second = record["disks"]
    assert (first["key"], first["format"], first["read_only"]) == ("vda", "qcow2", True)
    assert first["volume"] == "/var/lib/libvirt/images/web.qcow2"
    assert first["configured"] == {"aio": "threads", "cache": "none", "iothread": True}
    assert (second["volume"], second["overlay"]) == ("default/db", True)
    assert second["configured"] == {"aio": None, "cache": None, "iothread": None}


#: A resource with something that is known only after apply: the marks, and what is said.
NOT_KNOWN = {
    "all devices": (new(devices=None), {"devices": True}, {"guest": "devices is known only after apply"}),
    "all disks": (new(), {"devices": {"disks": True}}, {"guest": "devices.disks is known only after apply"}),
    "controllers": (
        new(domain_disk(driver={"cache": "none", "io_thread": 1}), io_threads=1),
        {"devices": {"controllers": True}},
        {"guest": "devices.controllers is known only after apply"},
    ),
    "how many iothreads": (new(), {"io_threads": True}, {"guest": "io_threads is known only after apply"}),
    "how many iothreads, of which one is used": (
        new(domain_disk(driver={"cache": "none", "io_thread": 2})),
        {"io_threads": True},
        {"guest": "io_threads is known only after apply"},
    ),
    "which iothreads": (
        new(domain_disk(driver={"cache": "none", "io_thread": 7}), io_threads=1, io_thread_i_ds={"io_threads": [{}]}),
        {"io_thread_i_ds": {"io_threads": [{"id": True}]}},
        {"guest": "io_thread_i_ds.id is known only after apply"},
    ),
    "a driver": (
        new(domain_disk()),
        {"devices": {"disks": [{"driver": True}]}},
        {"vda": "driver is known only after apply"},
    ),
    "io and cache": (
        new(domain_disk(driver={})),
        {"devices": {"disks": [{"driver": {"io": True, "cache": True}}]}},
        {"vda": "driver.cache and driver.io are known only after apply"},
    ),
    "a target": (
        new(domain_disk(target=None)),
        {"devices": {"disks": [{"target": True}]}},
        {"devices.disks[0]": "target is known only after apply"},
    ),
    "a whole disk": (
        new(None),
        {"devices": {"disks": [True]}},
        {"devices.disks[0]": "all of it is known only after apply"},
    ),
    "the model of a controller": (
        new(domain_disk("sda"), controllers=[domain_controller(model=None)]),
        {"devices": {"controllers": [{"model": True}]}},
        {"guest": "devices.controllers[0].model is known only after apply"},
    ),
    "whether a disk of 0.8 is scsi": (
        old(of_host(scsi=None)),
        {"disk": [{"scsi": True}]},
        {"disk[0]": "scsi is known only after apply"},
    ),
    "the image of a disk of 0.8, which may be a cdrom's": (
        old(old_domain_disk(file=None)),
        {"disk": [{"file": True}]},
        {"disk[0]": "file is known only after apply"},
    ),
    "all disks of 0.8": (old(), {"disk": True}, {"guest": "disk is known only after apply"}),
    "an xslt": (
        old(of_host(), xml=[{"xslt": None}]),
        {"xml": [{"xslt": True}]},
        {"guest": "its xslt may change its disks, and what comes out of it is not in the plan"},
    ),
}


@pytest.mark.parametrize(("entry", "unknown", "said"), NOT_KNOWN.values(), ids=NOT_KNOWN)
def test_what_decides_and_is_not_known_fails_the_gate(gated, entry, unknown, said):
    entry["change"]["after_unknown"] = unknown
    found = [finding for finding in gated(entry)["findings"] if finding["rule"] == "IO100"]
    assert {finding["disk"] or "guest": finding["message"] for finding in found} == said
    assert {finding["severity"] for finding in found} == {"error"}


KNOWN = {
    "where an image is": (new(domain_disk()), {"devices": {"disks": [{"source": {"file": {"file": True}}}]}}),
    "a volume of 0.8": (old(old_domain_disk(volume_id="/x")), {"disk": [{"volume_id": True, "wwn": True}]}),
    "another device": (new(domain_disk()), {"id": True, "uuid": True, "devices": {"interfaces": [{"mac": True}]}}),
    "the machine of 0.8": (old(of_host()), {"machine": True, "arch": True, "emulator": True}),
}


@pytest.mark.parametrize(("entry", "unknown"), KNOWN.values(), ids=KNOWN)
def test_what_does_not_decide_may_be_known_after_apply(gated, entry, unknown):
    before = [finding["rule"] for finding in gated(entry)["findings"]]
    entry["change"]["after_unknown"] = unknown
    assert [finding["rule"] for finding in gated(entry)["findings"]] == before and "IO100" not in before


def test_a_controller_of_another_kind_does_not_decide(gated):
    entry = new(
        domain_disk(driver={"cache": "none", "io_thread": 1}), controllers=[domain_controller(type="pci")], io_threads=1
    )
    entry["change"]["after_unknown"] = {"devices": {"controllers": [{"model": True}]}}
    assert gated(entry)["findings"] == []


SHAPES = {
    "neither disks nor devices": ({"name": "web"}, "it has no attribute disk or devices, so it is not judged"),
    "devices is text": (domain(devices="x"), "devices is 'x' and not a list of blocks"),
    "disk is a number": (old_domain() | {"disk": 3}, "disk is 3 and not a list of blocks"),
    "a path that no XML can have": (
        old_domain(old_domain_disk(file="/a\x01b")),
        "libvirt would not take it: it is not well-formed XML: not well-formed (invalid token)",
    ),
    "no target": (domain(domain_disk(target={"dev": None, "bus": None})), "it has no target, which libvirt wants"),
    "an iothread without iothreads": (
        domain(domain_disk(driver={"io_thread": 1})),
        "libvirt would not take it: disk vda has iothread 1, and the guest has no iothread of that number",
    ),
    "an iothread that is not there": (
        domain(domain_disk(driver={"io_thread": 1}), io_threads=1, io_thread_i_ds={"io_threads": [{"id": 7}]}),
        "libvirt would not take it: disk vda has iothread 1, and the guest has no iothread of that number",
    ),
    "a mapping to an iothread that is not there": (
        domain(domain_disk(driver={"io_threads": {"io_thread": [{"id": 1}, {"id": 2}]}}), io_threads=1),
        "libvirt would not take it: disk vda has iothread 2, and the guest has no iothread of that number",
    ),
    "an iothread of a controller that is not there": (
        domain(domain_disk("sda"), controllers=[domain_controller({"io_thread": 2})], io_threads=1),
        "libvirt would not take it: SCSI controller 0 has iothread 2, and the guest has no iothread of that number",
    ),
    "the io that is libvirt's default": (
        domain(domain_disk(driver={"io": "default"})),
        "io is 'default' that libvirt does not have",
    ),
    "a cache that libvirt does not have": (
        domain(domain_disk(driver={"cache": "all"})),
        "cache is 'all' that libvirt does not have",
    ),
}


def test_an_iothread_is_known_by_the_id_that_the_guest_gives_it(gated):
    entry = new(
        domain_disk(driver={"cache": "none", "io_thread": 7}),
        domain_disk("vdb", driver={"cache": "none", "io_threads": {"io_thread": [{"id": 7}, {"id": 1}]}}),
        io_threads=2,
        io_thread_i_ds={"io_threads": [{"id": 7, "poll": None}]},
    )
    assert gated(entry)["findings"] == []


@pytest.mark.parametrize(("after", "said"), SHAPES.values(), ids=SHAPES)
def test_a_resource_of_another_shape_is_said_and_hides_no_other(gated, after, said):
    document = gated(change(DOMAIN, after), change(DOMAIN, domain(), name="other"))
    assert [finding["message"] for finding in document["findings"]] == [said]
    assert [entry["guest"] for entry in document["guests"]] == ["libvirt_domain.other", "libvirt_domain.this"]
    assert {entry["hypervisor"] for entry in document["guests"]} == {"libvirt"}


def test_the_block_to_paste_numbers_iothreads_and_gives_disks_of_virtio_scsi_that_of_their_controller(gated):
    entry = new(
        domain_disk("sda", driver={"cache": "none"}),
        domain_disk("sdb", driver={"cache": "none"}),
        domain_disk("vda", driver={"io": "io_uring", "cache": "none"}),
        domain_disk("vdb", driver={"cache": "none", "io_thread": 1}),
        controllers=[domain_controller()],
        io_threads=1,
    )
    (found,) = gated(entry)["guests"]
    assert found["paste"] == (
        "io_threads = 3\n"
        "\n"
        "devices = {\n"
        "  controllers = [\n"
        "    {\n"
        '      type  = "scsi"\n'
        '      model = "virtio-scsi"\n'
        "      driver = {\n"
        "        io_thread = 2\n"
        "      }\n"
        "    },\n"
        "  ]\n"
        "  disks = [\n"
        "    {\n"
        "      target = {\n"
        '        dev = "vda"\n'
        "      }\n"
        "      driver = {\n"
        '        io        = "threads"\n'
        "        io_thread = 3\n"
        "      }\n"
        "    },\n"
        "  ]\n"
        "}"
    )


def test_where_disks_share_iothreads_the_block_spreads_them(gated):
    disks = [domain_disk(f"vd{letter}", driver={"cache": "none"}) for letter in "abc"]
    (found,) = gated(new(*disks), policy={"iothreads_per_guest": 2})["guests"]
    lines = [line.strip() for line in found["paste"].splitlines() if "io_thread" in line]
    assert lines == ["io_threads = 2", "io_thread = 1", "io_thread = 2", "io_thread = 1"]


def test_the_name_of_a_disk_begins_no_template_in_the_block_to_paste(gated):
    name = 'vd${file("/x")}%{ if true }"'
    (found,) = gated(new(domain_disk(name, driver={"io": "io_uring", "cache": "none"})))["guests"]
    assert r'dev = "vd$${file(\"/x\")}%%{ if true }\""' in found["paste"]


def test_what_is_in_order_and_0_8_have_nothing_to_paste(gated):
    good = new(domain_disk(driver={"io": "threads", "cache": "none", "io_thread": 1}), io_threads=1)
    assert [entry["paste"] for entry in gated(good, old(of_host(), name="web"))["guests"]] == [None, None]


ASKS = "The apply asks the guest to shut down, powers it off after"
ANEW = "defines it anew and"
#: How a guest changes, what else its resource has, and what the hint says of the apply.
APPLIES = {
    "made": (["create"], {}, "of its controller."),
    "changed": (["update"], {}, f"{ASKS} 5 s, {ANEW} starts it again."),
    "changed while it is not to run": (
        ["update"],
        {"running": None},
        f"{ASKS} 5 s, {ANEW} leaves it off, unless running is true.",
    ),
    "changed by 0.9.6": (
        ["update"],
        {"update": None},
        f"{ASKS} 30 s (update.shutdown.timeout), {ANEW} starts it again.",
    ),
    "changed by 0.9.6 with patience": (
        ["update"],
        {"update": {"shutdown": {"timeout": 300}}},
        f"{ASKS} 300 s (update.shutdown.timeout), {ANEW} starts it again.",
    ),
    "changed by 0.9.6 without a time": (
        ["update"],
        {"update": {"shutdown": {"timeout": None}}},
        f"{ASKS} 30 s (update.shutdown.timeout), {ANEW} starts it again.",
    ),
}


@pytest.mark.parametrize(("actions", "more", "said"), APPLIES.values(), ids=APPLIES)
def test_what_an_apply_does_with_a_guest_is_said(gated, actions, more, said):
    document = gated(change(DOMAIN, domain(domain_disk(driver={"cache": "none"}), **more), actions=actions))
    (finding,) = document["findings"]
    written = "Write io_threads, and the number of one as io_thread in the driver of vda"
    assert finding["hint"].startswith(written) and finding["hint"].endswith(said)


def test_a_value_that_is_sensitive_is_judged_and_not_shown(gated):
    entry = new(domain_disk(driver={"cache": "unsafe", "io_thread": 1}), io_threads=1)
    entry["change"]["after_sensitive"] = {"devices": {"disks": [{"driver": {"cache": True}}]}}
    (finding,) = gated(entry)["findings"]
    assert finding["rule"] == "IO104" and "unsafe" not in str(gated(entry))


def test_a_guest_of_another_hypervisor_with_the_same_name_is_another_guest(gated, tmp_path):
    (tmp_path / "100.conf").write_text("name: web\n")
    (tmp_path / "storage.cfg").write_text("")
    clone = change("proxmox_virtual_environment_vm", bpg_vm(bpg_disk(), name="100"))
    entry = old(of_host(), name="100", xml=[{"xslt": "<x/>"}])
    assert [finding["rule"] for finding in gated(entry)["findings"]] == ["IO100"]
    assert {guest["hypervisor"] for guest in gated(entry, clone)["guests"]} == {"libvirt", "pve"}


def test_a_provider_of_another_name_is_not_known(gated):
    document = gated(change(DOMAIN, domain(), provider_name="registry.terraform.io/someone/libvirt"))
    (finding,) = document["findings"]
    assert finding["message"].startswith("resources libvirt_domain of registry.terraform.io/someone/libvirt are not")


def test_the_words_of_a_provider_are_not_those_of_a_hypervisor(gated, tmp_path):
    assert set(WORDS).isdisjoint(HYPERVISORS)
    (tmp_path / "db.xml").write_text(xml_of("db"))
    (tmp_path / "plan.json").write_text(plan(new(domain_disk())))
    configs, plans_ = assess_root(str(tmp_path), parse({}), DAY)
    assert not any("driver of vda" in finding["hint"] for finding in configs["findings"]) and configs["findings"]
    assert any("driver of vda" in finding["hint"] for finding in plans_["findings"])


#: A resource of 0.8, its actions, the XML beside the plan, and what is found.
ITS_OWN = {
    "an xslt of a guest that is made": (XSLT, ["create"], GOOD, []),
    "an xslt of a guest that exists": (XSLT, ["no-op"], GOOD, []),
    "an xslt that makes something else": (XSLT, ["create"], BAD, ["IO102 vda", "IO104 vda"]),
    "an xslt, and another guest's XML": (XSLT, ["create"], xml_of("other"), ["IO100 guest"]),
    "a guest that exists": ([], ["update"], GOOD, []),
    "a guest that exists, and another guest's XML": ([], ["no-op"], xml_of("other"), ["IO102 vda", "IO104 vda"]),
    "a guest that is made": ([], ["create"], GOOD, ["IO102 vda", "IO104 vda"]),
    "a guest that is made anew": ([], ["delete", "create"], GOOD, ["IO102 vda", "IO104 vda"]),
}


@pytest.mark.parametrize(("xslt", "actions", "xml", "found"), ITS_OWN.values(), ids=ITS_OWN)
def test_what_a_plan_of_0_8_does_not_say_is_in_the_xml_of_the_guest(gated, tmp_path, xslt, actions, xml, found):
    (tmp_path / "web.xml").write_text(xml)
    entry = change(DOMAIN, old_domain(of_host(), xml=xslt), actions=actions)
    entry["change"]["before"] = None if actions == ["create"] else entry["change"]["after"]
    findings = gated(entry)["findings"]
    assert [f"{one['rule']} {one['disk'] or 'guest'}" for one in findings] == found
    assert {one["file"] for one in findings} <= {str(tmp_path / "plan.json")}


def test_the_xml_of_a_guest_in_a_plan_says_which_resource_makes_it(tmp_path):
    (tmp_path / "web.xml").write_text(BAD)
    (tmp_path / "plan.json").write_text(plan(new(domain_disk())))
    configs = assess_root(str(tmp_path), parse({}), DAY)[0]
    assert any("libvirt_domain.this in" in str(finding) for finding in configs["findings"]), configs["findings"]


def paths_of(value, at=()):
    """The paths of all values in a value."""
    yield at
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from paths_of(item, (*at, key))


def replaced(value, path, new):
    if not path:
        return new
    copy = value.copy()
    copy[path[0]] = replaced(value[path[0]], path[1:], new)
    return copy


WHOLE = domain(
    domain_disk("sda", driver={"io": "threads", "io_threads": {"io_thread": [{"id": 1}]}}),
    controllers=[domain_controller({"io_thread": 1})],
    io_threads=1,
)
OLD = old_domain(of_host(), old_domain_disk(url="https://example.org/a.iso"), xml=[{"xslt": "x"}], cloudinit="x")


@pytest.mark.parametrize("after", [WHOLE, OLD], ids=["0.9", "0.8"])
def test_no_shape_of_a_resource_is_a_traceback(gated, after):
    for path in paths_of(after):
        entries = [
            change(DOMAIN, replaced(after, path, new), name=f"n{number}")
            for number, new in enumerate((None, True, 7, -1, 1.5, "x", "\x00\ud800", [], [None], [1], {}, {"a": {}}))
        ]
        marked = [change(DOMAIN, after, name=f"m{number}") for number in range(2)]
        for entry, mark in zip(marked, ("after_unknown", "after_sensitive")):
            entry["change"][mark] = nested_mark(path)
        assert len(gated(*entries, *marked)["guests"]) == len(entries) + len(marked), path


def nested_mark(path):
    """The marks of one value."""
    if not path:
        return True
    inner = nested_mark(path[1:])
    return [*[False] * path[0], inner] if isinstance(path[0], int) else {path[0]: inner}


def test_a_disk_that_guests_share_is_uncached_by_libvirt_itself(guest):
    assert [
        guest(new(domain_disk(shareable=shared)))["disks"][0]["effective"]["cache"] for shared in (None, False, True)
    ] == ["writeback", "writeback", "none"]


@pytest.mark.parametrize(
    "marks",
    [{"devices": {"controllers": [{"model": True}]}}, {"devices": True}, {"io_threads": True}],
    ids=str,
)
def test_what_a_disk_has_of_sensitive_attributes_elsewhere_is_not_shown(gated, marks):
    entry = new(domain_disk("sda", driver={"cache": "none"}), controllers=[domain_controller(model="lsisas1068")])
    assert "mptsas1068" in str(gated(entry)["findings"]) or "lsisas1068" in str(gated(entry)["findings"])
    entry["change"]["after_sensitive"] = marks
    document = gated(entry)
    assert {finding["rule"] for finding in document["findings"]} == {"IO101", "IO102"}
    assert "sas1068" not in str(document["findings"])


def test_a_value_that_libvirt_refuses_is_not_shown_where_it_is_sensitive(gated):
    entry = new(domain_disk(driver={"cache": "hunter2"}), domain_disk("vdb", driver={"cache": "none"}))
    entry["change"]["after_sensitive"] = {"devices": {"disks": [{"driver": {"cache": True}}]}}
    document = gated(entry)
    assert {finding["disk"]: finding["rule"] for finding in document["findings"]} == {"vda": "IO100", "vdb": "IO102"}
    assert "hunter2" not in str(document)


def test_a_guest_that_the_plan_leaves_out_puts_off_or_deletes_is_one_of_libvirt(gated):
    left = {"address": "libvirt_domain.left", "mode": "managed", "type": DOMAIN, "values": {}}
    state = {"format_version": "1.0", "values": {"root_module": {"resources": [left]}}}
    gone = change(DOMAIN, None, name="gone", actions=["delete"])
    document = gated(
        gone, prior_state=state, deferred_changes=[{"reason": "provider_config_unknown", "resource_change": new()}]
    )
    assert {(one["guest"], one["rule"]) for one in document["findings"]} == {
        ("libvirt_domain.left", "IO100"),
        ("libvirt_domain.this", "IO100"),
    }
    assert {entry["hypervisor"] for entry in document["guests"]} == {"libvirt"}
    assert document["not_read"] == [f"{document['guests'][0]['config']} (1 guest that it deletes or forgets)"]
