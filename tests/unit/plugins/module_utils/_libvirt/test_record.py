# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Domain XML in, guest records out: the two sides of a guest, what a record says besides its disks, and bad input."""

from __future__ import annotations

import hashlib
import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.hypervisor.io_hardening.plugins.module_utils._libvirt.record import record
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._libvirt.xml import XmlError
from ansible_collections.hypervisor.io_hardening.tests.unit.facts import facts

DRIVER = "<driver name='qemu' type='raw'{}/>"


def disk(target="vda", bus="virtio", said="", more="", source="<source file='/images/a.raw'/>", kind="file"):
    return f"<disk type='{kind}' device='disk'>{DRIVER.format(said)}{source}<target dev='{target}' bus='{bus}'/>{more}</disk>"


def domain(devices="", more="", name="web01", machine="pc-q35-7.2"):
    return (
        f"<domain type='kvm'><name>{name}</name>{more}<os><type arch='x86_64' machine='{machine}'>hvm</type></os>"
        f"<devices>{devices}</devices></domain>"
    ).encode()


def of(raw, **more):
    return record(raw, id="web01", **more)


def only(guest):
    (found,) = guest["disks"]
    return found


class TestAGuestThatDoesNotRun:
    def test_its_record_is_that_of_its_definition(self):
        raw = domain(disk(said=" cache='none' io='native' iothread='1'"), "<iothreads>2</iothreads>")
        guest = of(raw, node="host1", path="/etc/libvirt/qemu/web01.xml", running=False)
        assert (guest["id"], guest["name"], guest["hypervisor"], guest["node"]) == (
            "web01",
            "web01",
            "libvirt",
            "host1",
        )
        assert (guest["config"], guest["running"]) == ("/etc/libvirt/qemu/web01.xml", False)
        assert guest["digest"] == hashlib.sha256(raw).hexdigest()
        assert (guest["machine"], guest["qemu"]["proven"], guest["iothreads"]) == ("pc-q35-7.2", "7.2", 2)
        found = only(guest)
        assert found["configured"] == {"aio": "native", "cache": "none", "iothread": True}
        assert (found["key"], found["bus"], found["media"], found["format"]) == ("vda", "virtio", "disk", "raw")
        assert (found["volume"], found["storage"], found["line"]) == ("/images/a.raw", None, None)
        assert (found["pending"], found["next"], found["pending_delete"]) == (None, None, False)
        assert found["aio_default"] == {"direct": "threads", "cached": "threads"}

    def test_the_word_default_sets_no_cache(self):
        assert only(of(domain(disk(said=" cache='default'"))))["configured"]["cache"] is None

    def test_a_digest_from_elsewhere_counts(self):
        assert of(domain(), digest="abc")["digest"] == "abc"

    def test_a_scsi_disk_is_configured_with_the_iothread_of_its_controller(self):
        controller = "<controller type='scsi' index='0' model='virtio-scsi'><driver iothread='1'/></controller>"
        guest = of(domain(controller + disk("sda", "scsi") + disk("sdb", "scsi"), "<iothreads>1</iothreads>"))
        assert [one["configured"]["iothread"] for one in guest["disks"]] == [True, True]
        assert guest["controller"] == {
            "configured": "virtio-scsi",
            "pending": None,
            "effective": "virtio-scsi",
            "line": None,
        }

    def test_libvirt_takes_an_iothread_of_0_as_none_on_a_controller(self):
        controller = "<controller type='scsi' index='0' model='virtio-scsi'><driver iothread='0'/></controller>"
        found = only(of(domain(controller + disk("sda", "scsi"))))
        assert (found["effective"]["iothread"], found["configured"]["iothread"]) == (False, None)

    @pytest.mark.parametrize(
        ("iothreads", "id"),
        [
            ("<iothreads>2</iothreads>", "2"),
            ("<iothreads>2</iothreads>", " 2"),
            ("<iothreads>1</iothreads><iothreadids><iothread id='7'/></iothreadids>", "7"),
            ("<iothreadids><iothread id='7'/></iothreadids>", "7"),
            ("<iothreads>3</iothreads><iothreadids><iothread id='2'/></iothreadids>", "3"),
            ("<iothreads>2</iothreads><iothreadids><iothread id='7'/></iothreadids>", "1"),
        ],
    )
    def test_an_iothread_is_one_that_libvirt_gives_the_guest(self, iothreads, id):
        """Each is taken by virsh define of libvirt 9.0."""
        assert only(of(domain(disk(said=f" iothread='{id}'"), iothreads)))["effective"]["iothread"] is True

    @pytest.mark.parametrize(
        ("devices", "models"),
        [
            (disk(), "none"),
            (disk("sda", "scsi"), "lsilogic"),
            ("<controller type='scsi' index='0' model='virtio-scsi'/>" + disk(), "none"),
            (
                "<controller type='scsi' index='0' model='virtio-scsi'/>"
                + disk("sda", "scsi", more="<address type='drive' controller='0'/>")
                + disk("sdb", "scsi", more="<address type='drive' controller='1'/>"),
                "lsilogic, virtio-scsi",
            ),
            ("<controller type='scsi' index='0' model='auto'/>" + disk("sda", "scsi"), "lsilogic"),
        ],
    )
    def test_its_controllers_are_those_that_have_disks(self, devices, models):
        assert of(domain(devices))["controller"]["effective"] == models

    def test_an_architecture_has_its_own_default_controller(self):
        raw = domain(disk("sda", "scsi")).replace(b"x86_64", b"aarch64")
        assert of(raw)["controller"]["effective"] == "virtio-scsi"

    def test_lines_are_those_of_its_text(self):
        raw = domain("\n<controller type='scsi' model='lsilogic'/>\n" + disk("sda", "scsi") + "\n" + disk())
        guest = of(raw, lines=True)
        assert ([one["line"] for one in guest["disks"]], guest["controller"]["line"]) == ([3, 4], 2)

    @pytest.mark.parametrize(
        ("pools", "kind", "driver"),
        [({"p": "dir"}, "dir", "file"), ({"p": "logical"}, "logical", "host_device"), ({}, None, None)],
    )
    def test_a_volume_is_what_its_pool_is(self, pools, kind, driver):
        raw = domain(disk(source="<source pool='p' volume='v'/>", kind="volume"))
        found = only(of(raw, pools=pools))
        assert (found["volume"], found["storage"]["id"], found["storage"]["type"]) == ("p/v", "p", kind)
        assert (found["effective"]["driver"], found["effective"]["aio"]) == (driver, "threads")

    def test_a_volume_of_an_iscsi_pool_may_be_opened_by_qemu_itself(self):
        source = "<source pool='p' volume='v' mode='{}'/>"
        direct, host = (
            only(of(domain(disk(source=source.format(mode), kind="volume")), pools={"p": "iscsi"}))["effective"]
            for mode in ("direct", "host")
        )
        assert (direct["driver"], direct["aio"]) == ("iscsi", None)
        assert (host["driver"], host["aio"]) == ("host_device", "threads")

    def test_a_drive_of_the_hosts_is_a_cdrom(self):
        raw = domain(disk("sda", "sata", source="<source dev='/dev/sr0'/>", kind="block"))
        assert only(of(raw.replace(b"device='disk'", b"device='cdrom'")))["effective"]["driver"] == "host_cdrom"

    def test_a_disk_of_another_process_is_not_judged(self):
        found = only(of(domain(disk(source="<source type='unix' path='/run/blk.sock'/>", kind="vhostuser"))))
        assert (found["media"], found["effective"]) == ("vhostuser", None)

    @pytest.mark.parametrize(
        ("machine", "proven"),
        [("pc-i440fx-10.0", "10.0"), ("virt-9.2", "9.2"), ("pc", None), ("pc-i440fx-rhel7.6.0", None), ("", None)],
    )
    def test_a_versioned_machine_proves_the_qemu_that_made_it(self, machine, proven):
        assert of(domain(machine=machine))["qemu"]["proven"] == proven


class TestAGuestThatRuns:
    def test_what_it_started_with_is_effective_and_its_definition_waits(self):
        raw = domain(disk(said=" cache='none' io='threads' iothread='1'"), "<iothreads>1</iothreads>")
        guest = of(raw, live=domain(disk(said=" io='native' cache='none'")), running=True)
        found = only(guest)
        assert found["configured"] == {"aio": "native", "cache": "none", "iothread": None}
        assert found["pending"] == {"aio": "threads", "cache": "none", "iothread": True}
        assert [found[side]["aio"] for side in ("effective", "next")] == ["native", "threads"]
        assert [found[side]["iothread"] for side in ("effective", "next")] == [False, True]
        assert (guest["pending"], guest["iothreads"]) == (["vda"], 1)

    def test_what_libvirt_filled_in_at_the_start_does_not_wait_but_is_not_the_definitions(self):
        """A shared disk's unset cache is none in the running guest's XML."""
        guest = of(domain(disk(more="<shareable/>")), live=domain(disk(said=" cache='none'", more="<shareable/>")))
        found = only(guest)
        assert (found["next"], guest["pending"]) == (None, [])
        assert (found["configured"]["cache"], found["pending"]["cache"]) == ("none", None)

    def test_a_disk_that_only_runs_is_about_to_go_and_one_that_is_only_defined_to_come(self):
        guest = of(domain(disk("vdb")), live=domain(disk("vdc")))
        by_key = {one["key"]: one for one in guest["disks"]}
        assert list(by_key) == ["vdb", "vdc"]
        assert (by_key["vdb"]["effective"], by_key["vdb"]["next"]["driver"], by_key["vdb"]["pending_delete"]) == (
            None,
            "file",
            False,
        )
        assert (by_key["vdc"]["effective"]["driver"], by_key["vdc"]["next"], by_key["vdc"]["pending_delete"]) == (
            "file",
            None,
            True,
        )
        assert guest["pending"] == ["vdb", "vdc"]

    def test_the_next_start_is_its_definitions(self):
        guest = of(domain(machine="pc-q35-8.0"), live=domain(machine="pc-q35-7.2"))
        assert (guest["machine"], guest["next_start"]["machine"], guest["qemu"]["proven"]) == (
            "pc-q35-7.2",
            "pc-q35-8.0",
            "8.0",
        )

    def test_a_saved_guest_resumes_with_what_it_was_saved_with(self):
        found = only(of(domain(disk(said=" io='threads'")), saved=domain(disk(said=" io='io_uring'"))))
        assert [found[side]["aio"] for side in ("effective", "next")] == ["io_uring", "threads"]

    def test_a_faulty_text_is_said_to_be_that_of_the_running_guest(self):
        with pytest.raises(XmlError, match="the XML of the running guest: it is not well-formed"):
            of(domain(), live=b"<domain")


@pytest.mark.parametrize("suite", ["bookworm", "trixie"])
def test_what_libvirt_kept_of_earlier_definitions_is_compared(suite):
    (row,) = [row for row in facts(f"libvirt/{suite}")["domains"] if row["name"] == "past"]
    snapshots = {name: text.encode() for name, text in row["snapshots"].items()}
    guest = of(row["after"].encode(), saved=row["saved"].encode(), snapshots=snapshots)
    assert (guest["snapshots"], guest["snapshots_differ"]) == (["running", "stopped"], ["running", "stopped"])
    found = only(guest)
    assert found["configured"] == {"aio": None, "cache": "none", "iothread": None}
    assert found["pending"] == {"aio": "threads", "cache": "none", "iothread": None}
    assert of(row["defined"].encode(), snapshots=snapshots)["snapshots_differ"] == ["running"]


def test_a_snapshot_of_a_running_guest_goes_back_to_its_definition():
    ran, defined = (domain(disk(said=f" io='{io}'")).decode() for io in ("native", "threads"))
    defined = defined.replace("<domain ", "<inactiveDomain ").replace("</domain>", "</inactiveDomain>")
    snapshots = {"a": f"<domainsnapshot><name>a</name>{ran}{defined}</domainsnapshot>".encode()}
    assert of(domain(disk(said=" io='threads'")), snapshots=snapshots)["snapshots_differ"] == []
    assert of(domain(disk(said=" io='native'")), snapshots=snapshots)["snapshots_differ"] == ["a"]


def test_a_snapshot_that_cannot_be_read_may_differ():
    assert of(domain(disk()), snapshots={"a": b"<domainsnapshot/>", "b": domain(disk())})["snapshots_differ"] == ["a"]


ONE = "<iothreads>1</iothreads>"
MAPPED = disk().replace("/><source", "><iothreads><iothread{}/></iothreads></driver><source")
CONTROLLER = "<controller type='scsi' index='0' model='{}'><driver iothread='{}'/></controller>" + disk("sda", "scsi")


class TestWhatLibvirtRefuses:
    """Each is refused by virsh define of libvirt 9.0; the mappings, which that does not know, by later ones."""

    @pytest.mark.parametrize(
        ("devices", "more", "said"),
        [
            (disk(said=" iothread='1'"), "", "disk vda has iothread 1, and the guest has no iothread of that number"),
            (disk(said=" iothread='5'"), ONE, "disk vda has iothread 5, and the guest has no iothread of that number"),
            (disk(said=" iothread='1'"), "<iothreads>0</iothreads>", "disk vda has iothread 1, and the guest has no iothread of that number"),
            (disk(said=" iothread='1'"), ONE + "<iothreadids><iothread id='7'/></iothreadids>",
             "disk vda has iothread 1, and the guest has no iothread of that number"),
            (disk(said=" iothread='2'"), "<iothreads>2</iothreads><iothreadids><iothread id='7'/></iothreadids>",
             "disk vda has iothread 2, and the guest has no iothread of that number"),
            *((disk(said=f" iothread='{word}'"), ONE, f"disk vda has iothread='{word}'; libvirt takes a number from 1 on")
              for word in ("0", "x", "", "-1", "1 ", "0x1")),
            (disk("sda", "sata", " iothread='1'"), ONE, "disk sda has an iothread in its <driver>; on sata libvirt takes none"),
            (disk("sda", "scsi", " iothread='1'"), ONE, "disk sda has an iothread in its <driver>; on scsi libvirt takes none"),
            (MAPPED.format(" id='5'"), ONE, "disk vda has iothread 5, and the guest has no iothread of that number"),
            (MAPPED.format(""), ONE, "disk vda has iothread=''; libvirt takes a number from 1 on"),
            (CONTROLLER.format("virtio-scsi", 1), "", "SCSI controller 0 has iothread 1, and the guest has no iothread of that number"),
            (CONTROLLER.format("virtio-scsi", 5), ONE, "SCSI controller 0 has iothread 5, and the guest has no iothread of that number"),
            (CONTROLLER.format("virtio-scsi", "x"), ONE, "SCSI controller 0 has iothread='x'; libvirt takes a number from 1 on"),
            (CONTROLLER.format("lsilogic", 1), ONE, "SCSI controller 0 has an iothread; with the model lsilogic libvirt takes none"),
            (disk(said=" io='default'"), "", "a disk has io='default'; libvirt takes threads, io_uring, native"),
            (disk(said=" io=''"), "", "a disk has io=''; libvirt takes threads, io_uring, native"),
            ("", "<iothreads> 1 </iothreads>", "<iothreads> is ' 1 ', which is no number"),
            ("", "<iothreadids><iothread id='0'/></iothreadids>", "<iothreadids> has an id twice, or 0; each takes another number from 1 on"),
            ("", "<iothreadids><iothread id='7'/><iothread id='7'/></iothreadids>",
             "<iothreadids> has an id twice, or 0; each takes another number from 1 on"),
            ("", "<iothreadids><iothread/></iothreadids>", "an id in <iothreadids> is empty; write a number, or take it out"),
        ],
    )  # fmt: skip
    def test_a_guest_that_is_refused_is_not_read(self, devices, more, said):
        with pytest.raises(XmlError) as caught:
            of(domain(devices, more))
        assert str(caught.value) == said

    @pytest.mark.parametrize("count", ["<iothreads/>", "<iothreads></iothreads>"])
    def test_an_empty_number_of_iothreads_is_not_read(self, count):
        """libvirt takes it as none; nothing can tell it from a 0 after an edit and a rollback."""
        with pytest.raises(XmlError, match="^<iothreads> is empty; write a number, or take it out$"):
            of(domain(more=count))


class TestWhatCannotBeRead:
    @pytest.mark.parametrize(
        ("raw", "said", "line"),
        [
            (b"<network><name>default</name></network>", "its root element is network, not domain", 1),
            (b"<domain><devices/></domain>", "it has no name", 1),
            (b"<domain><name></name></domain>", "it has no name", 1),
            (b"<domain>\n<name>a/b</name></domain>", "its name is a/b, which libvirt takes for no domain", 2),
            (b"<domain>\n<name>a\nb</name></domain>", r"its name is a\nb, which libvirt takes for no domain", 2),
            (domain("\n" + disk() + "\n" + disk()), "two disks have the target vda", 3),
            (domain("\n<disk type='file'/>"), "a disk has no target: <target dev='vda' bus='virtio'/>", 2),
            (domain(disk("sda", "scsi", more="<address type='drive' unit='x'/>")), "the unit of an address is x, which is no number", 1),
            (domain(disk(said=" io='fast'")), "a disk has io='fast'; libvirt takes threads, io_uring, native", 1),
            (
                domain(disk(said=" cache='all'")),
                "a disk has cache='all'; libvirt takes none, writeback, writethrough, directsync, unsafe",
                1,
            ),
            (b"<domain type='lxc'><name>a</name></domain>", "its type is lxc; only guests of QEMU are read", 1),
            (domain(more="<iothreads>many</iothreads>"), "<iothreads> is 'many', which is no number", 1),
            (b"<!DOCTYPE domain [<!ENTITY a 'b'>]><domain/>", "it has a DOCTYPE; libvirt writes none, and none is read", 1),
        ],
    )  # fmt: skip
    def test_an_error_says_what_is_wrong_and_where(self, raw, said, line):
        with pytest.raises(XmlError) as caught:
            of(raw)
        assert (str(caught.value), caught.value.line) == (said, line)

    @pytest.mark.parametrize("name", ["{{ 7*7 }}", 'it\'s "quoted"', "a b; $(id)", "ünï", "-rf"])
    def test_names_are_taken_as_they_are(self, name):
        written = name.replace("&", "&amp;").replace("<", "&lt;")
        assert of(domain(name=written))["name"] == name

    @given(
        st.recursive(
            st.just(""),
            lambda inner: st.builds(
                lambda name, key, value, text: f"<{name} {key}='{value}'>{text}</{name}>",
                st.sampled_from(["disk", "driver", "source", "target", "address", "alias", "controller", "iothreads", "iothread"]),
                st.sampled_from(["type", "dev", "bus", "io", "cache", "index", "controller", "unit", "model", "name", "file"]),
                st.sampled_from(["", "scsi", "drive", "-1", "999999999999", "vda", "vd1", "sdzzzzzzzzzz", "é", "network", "volume", "none"]),
                inner | st.lists(inner, max_size=3).map("".join),
            ),
            max_leaves=12,
        )
    )  # fmt: skip
    def test_nothing_but_its_own_error_is_raised(self, devices):
        try:
            json.dumps(of(domain(devices + disk())))
        except XmlError as error:
            assert str(error)


def test_devices_of_the_host_are_said_not_to_be_judged():
    hostdev = "<hostdev mode='subsystem' type='{}'/>"
    assert of(domain(hostdev.format("pci")))["unknown"] == []
    (said,) = of(domain(hostdev.format("scsi") + hostdev.format("scsi_host")))["unknown"]
    assert said["message"] == "2 SCSI devices of the host passed through (hostdev): that I/O is not judged"
    assert said["severity"] == "warning"


def test_a_domain_without_disks_has_a_record():
    guest = of(b"<domain><name>empty</name></domain>")
    assert (guest["disks"], guest["controller"]["effective"], guest["iothreads"]) == ([], "none", None)


def test_a_thousand_definitions_are_read_in_time():
    raw = next(row for row in facts("libvirt/bookworm")["domains"] if row["name"] == "iothreadids")["defined"].encode()
    began = time.process_time()
    for _number in range(200):
        of(raw)
    assert (time.process_time() - began) * 5 < 4.5  # 0.2 s on an idle machine; the rest is for a busy one
