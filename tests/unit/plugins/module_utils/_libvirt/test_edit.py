# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Definitions as they are edited: what real libvirt prints of the same edit, and each kind of disk in a table."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.module_utils._libvirt import edit
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._libvirt.definition import Definition
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._libvirt.splice import EditError

FIXTURES = Path(__file__).absolute().parents[4] / "fixtures" / "libvirt_edits"
RECORDED = {
    f"{file.stem}-{name}": domain
    for file in sorted(FIXTURES.glob("*.json"))
    for name, domain in json.loads(file.read_text("utf-8"))["domains"].items()
}

HEAD = "<domain type='qemu'>\n  <name>web</name>\n  <vcpu>2</vcpu>\n"
VDA = "    <disk type='file'>\n      {}<target dev='vda' bus='virtio'/>\n    </disk>\n"
SDA = "    <disk type='file'>\n      <target dev='sda' bus='scsi'/>\n    </disk>\n"
SDB = "    <disk type='file'>\n      <target dev='sdb' bus='scsi'/>\n    </disk>\n"


def definition(text):
    return Definition("web", None, "/web.xml", text.encode(), lambda raw: {"id": "web", "raw": raw})


def domain(devices, head=""):
    return f"{HEAD}{head}  <devices>\n{devices}  </devices>\n</domain>\n"


def driver(attributes):
    """A domain with one disk whose driver is so."""
    return domain(VDA.format(f"<driver{attributes}\n      " if attributes else ""))


def edited(text, asked):
    """The text of an edit, which changes nothing the second time and whose rollback gives the first text again."""
    before = definition(text)
    after = before.edited(asked)
    assert after.edited(asked) is after
    back = {key: {option: before.value(key, option) for option in options} for key, options in asked.items()}
    for change in after.also:
        back.setdefault(change["key"], {})[change["option"]] = change["before"]
    assert after.edited(back).raw.decode() == text
    return after.raw.decode()


def refusal(text, asked):
    with pytest.raises(EditError) as error:
        definition(text).edited(asked)
    return str(error.value)


def test_there_are_recordings_of_two_libvirts():
    assert len(RECORDED) == 32


@pytest.mark.parametrize("name", RECORDED)
def test_an_edit_is_what_libvirt_prints_of_it(name):
    recorded = RECORDED[name]
    assert edited(recorded["before"], recorded["asked"]) == recorded["after"]


@pytest.mark.parametrize(
    ("before", "options", "after"),
    [
        (" name='qemu' type='raw'/>", {"cache": "none"}, " name='qemu' type='raw' cache='none'/>"),
        (" name='qemu' type='raw'/>", {"aio": "native"}, " name='qemu' type='raw' io='native'/>"),
        (" name='qemu' io='native'/>", {"cache": "none"}, " name='qemu' cache='none' io='native'/>"),
        (" name='qemu' io='native'/>", {"aio": "threads"}, " name='qemu' io='threads'/>"),
        (" cache='none'/>", {"cache": "writeback"}, " cache='writeback'/>"),
        (" discard='unmap'/>", {"cache": "none", "aio": "threads"}, " cache='none' io='threads' discard='unmap'/>"),
        (' name="qemu"/>', {"aio": "native"}, ' name="qemu" io="native"/>'),
        (' name=\'qemu\' type="raw"/>', {"aio": "native"}, " name='qemu' type=\"raw\" io='native'/>"),
        (" name = 'qemu' />", {"aio": "native"}, " name = 'qemu' io='native' />"),
        (" io\n = 'native'/>", {"aio": "threads"}, " io\n = 'threads'/>"),
        ("\n        name='qemu'\n        type='raw'/>", {"cache": "none"}, "\n        name='qemu'\n        type='raw' cache='none'/>"),
        (" name='io=&apos;x&apos; cache=\"y\"'/>", {"aio": "native"}, " name='io=&apos;x&apos; cache=\"y\"' io='native'/>"),
        (" name='qemu'></driver>", {"aio": "native"}, " name='qemu' io='native'></driver>"),
        (" name='qemu'><!-- io='x' --></driver>", {"aio": "native"}, " name='qemu' io='native'><!-- io='x' --></driver>"),
        ("><!-- kept --></driver>", {"aio": "native"}, " io='native'><!-- kept --></driver>"),
        (" queues='2'><metadata_cache/></driver>", {"cache": "none"}, " cache='none' queues='2'><metadata_cache/></driver>"),
        (" x:io='1'/>", {"aio": "native"}, " io='native' x:io='1'/>"),
    ],
)  # fmt: skip
def test_a_driver_gets_attributes_where_libvirt_has_them(before, options, after):
    assert edited(driver(before), {"vda": options}) == driver(after)


def test_a_disk_without_a_driver_gets_one_in_front():
    assert edited(driver(""), {"vda": {"cache": "none", "aio": "native"}}) == driver(" cache='none' io='native'/>")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("<disk type='file'><target dev='vda'/></disk>", "<disk type='file'><driver io='native'/><target dev='vda'/></disk>"),
        ('<disk type="file"><target dev="vda"/></disk>', '<disk type="file"><driver io="native"/><target dev="vda"/></disk>'),
        ("<disk>\r\n\t<target dev='vda'/></disk>", "<disk>\r\n\t<driver io='native'/>\r\n\t<target dev='vda'/></disk>"),
        ("<disk>\n <!-- a -->\n <target dev='vda'/></disk>", "<disk>\n <driver io='native'/>\n <!-- a -->\n <target dev='vda'/></disk>"),
        ("<disk><target dev='vda'/><driver name='q'/></disk>", "<disk><target dev='vda'/><driver name='q' io='native'/></disk>"),
        ("<disk >\n\n\n  <target dev='vda'/></disk>", "<disk >\n  <driver io='native'/>\n\n\n  <target dev='vda'/></disk>"),
    ],
)  # fmt: skip
def test_what_is_added_has_the_form_of_what_is_there(before, after):
    assert edited(domain(before), {"vda": {"aio": "native"}}) == domain(after)


def test_no_value_and_the_default_are_the_same():
    text = driver(" name='qemu' cache='default'/>")
    now = definition(text)
    assert now.value("vda", "cache") is None
    assert now.edited({"vda": {"cache": None, "aio": None, "iothread": False}}) is now
    assert edited(text, {"vda": {"aio": "native"}}) == driver(" name='qemu' cache='default' io='native'/>")


NOTHING = ", which sets nothing, and which a rollback could not give back; take it out of the definition"


@pytest.mark.parametrize(
    ("text", "asked", "said"),
    [
        (
            driver(" name='qemu' cache='default'/>"),
            {"cache": "none"},
            "vda has cache='default' in its <driver>" + NOTHING,
        ),
        (driver("/>"), {"aio": "native"}, "vda has a <driver> without attributes" + NOTHING),
        (driver(" ></driver>"), {"aio": "native"}, "vda has a <driver> without attributes" + NOTHING),
        (
            driver(" name='qemu' io='&#x6e;ative'/>"),
            {"aio": "threads"},
            "a <driver> has io='&#x6e;ative', with a character reference that a rollback could not give back; write the"
            " letter itself",
        ),
    ],
)
def test_what_a_rollback_could_not_give_back_is_refused(text, asked, said):
    """libvirt prints none of it: it is in files alone."""
    assert refusal(text, {"vda": asked}) == said


def test_a_controller_with_an_iothread_of_0_is_refused():
    controller = "<controller type='scsi' model='virtio-scsi'><driver iothread='0'/></controller>"
    assert refusal(domain(SDA + controller), {"sda": {"iothread": True}}) == (
        "scsi controller has iothread='0' in its <driver>" + NOTHING
    )


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("<controller type='scsi' model='virtio-scsi'></controller>",
         "<controller type='scsi' model='virtio-scsi'> <driver iothread='1'/></controller>"),
        ("<controller type='scsi' model='virtio-scsi'> </controller>",
         "<controller type='scsi' model='virtio-scsi'> <driver iothread='1'/> </controller>"),
        ("<controller type='scsi' model='virtio-scsi'/>",
         "<controller type='scsi' model='virtio-scsi'><driver iothread='1'/></controller>"),
    ],
)  # fmt: skip
def test_an_end_tag_on_a_line_with_others_is_given_back(before, after):
    text = domain(SDA.strip() + before, "<iothreads>1</iothreads>")
    assert edited(text, {"sda": {"iothread": True}}) == text.replace(before, after)


@pytest.mark.parametrize("ids", ["<iothreadids/>", "<iothreadids></iothreadids>", "<iothreadids>\n  </iothreadids>"])
@pytest.mark.parametrize("count", ["", "<iothreads>0</iothreads>\n  "])
def test_an_empty_list_of_ids_stays(ids, count):
    assert ids in edited(domain(VDA.format(""), f"  {count}{ids}\n"), {"vda": {"iothread": True}})


IOTHREAD = {"vda": {"iothread": True}}


@pytest.mark.parametrize(
    ("before", "used", "asked", "after", "uses"),
    [
        ("", "", None, "<iothreads>1</iothreads>", "1"),
        ("", "", 4, "<iothreads>4</iothreads>", "1"),
        ("<iothreads>0</iothreads>", "", None, "<iothreads>1</iothreads>", "1"),
        ("<iothreads>2</iothreads>", "", None, "<iothreads>2</iothreads>", "1"),
        ("<iothreads>2</iothreads>", "1", None, "<iothreads>2</iothreads>", "2"),
        ("<iothreads>2</iothreads>", "1 2", None, "<iothreads>3</iothreads>", "3"),
        ("<iothreads>2</iothreads>", "1 2", 2, "<iothreads>2</iothreads>", "1"),
        ("<iothreads>2</iothreads>", "1 1 2", 2, "<iothreads>2</iothreads>", "2"),
        ("<iothreads>2</iothreads>", "1 2", 4, "<iothreads>4</iothreads>", "3"),
        ("<iothreads>\n 1</iothreads>", "1", None, "<iothreads>\n 2</iothreads>", "2"),
        # With ids: none is changed, the lowest free one is added at the end.
        ("<iothreads>2</iothreads><iothreadids><iothread id='3'/><iothread id='1'/></iothreadids>", "1 3", None,
         "<iothreads>3</iothreads><iothreadids><iothread id='3'/><iothread id='1'/><iothread id='2'/></iothreadids>", "2"),
        ("<iothreads>2</iothreads><iothreadids><iothread id='3'/><iothread id='1'/></iothreadids>", "", None,
         "<iothreads>2</iothreads><iothreadids><iothread id='3'/><iothread id='1'/></iothreadids>", "3"),
        ('<iothreads>1</iothreads><iothreadids>\n<iothread id="1" thread_pool_max="8"/>\n</iothreadids>', "1", None,
         '<iothreads>2</iothreads><iothreadids>\n<iothread id="1" thread_pool_max="8"/>\n<iothread id="2"/>\n</iothreadids>', "2"),
        # libvirt fills in the ids that are missing, and counts those that are too many.
        ("<iothreads>3</iothreads><iothreadids><iothread id='2'/></iothreadids>", "1 2 3", None,
         "<iothreads>4</iothreads><iothreadids><iothread id='2'/><iothread id='4'/></iothreadids>", "4"),
        ("<iothreads>1</iothreads><iothreadids><iothread id='1'/><iothread id='2'/></iothreadids>", "1 2", None,
         "<iothreads>1</iothreads><iothreadids><iothread id='1'/><iothread id='2'/><iothread id='3'/></iothreadids>", "3"),
        ("<iothreadids><iothread id='7'/></iothreadids>", "7", None,
         "<iothreadids><iothread id='7'/><iothread id='1'/></iothreadids>", "1"),
    ],
)  # fmt: skip
def test_a_disk_gets_an_iothread(before, used, asked, after, uses):
    others = "".join(
        f"<disk><driver iothread='{each}'/><target dev='vd{letter}'/></disk>"
        for each, letter in zip(used.split(), "bcdefg")
    )
    disk = VDA.format("<driver name='qemu'{}/>\n      ")
    wanted = IOTHREAD if asked is None else {**IOTHREAD, "guest": {"iothreads": asked}}
    head = before and f"  {before}\n"
    assert edited(domain(disk.format("") + others, head), wanted) == domain(
        disk.format(f" iothread='{uses}'") + others, f"  {after}\n"
    )


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("<vcpu>2</vcpu>\n <vcpus>\n  <vcpu id='0'/>\n </vcpus>\n <cputune/>", "</vcpus>\n <iothreads>1</iothreads>\n <cputune/>"),
        ("<memory>1</memory>\n <currentMemory>1</currentMemory>\n <os/>", "</currentMemory>\n <iothreads>1</iothreads>\n <os/>"),
        ("<uuid>1</uuid>\n <os/>", "</uuid>\n <iothreads>1</iothreads>\n <os/>"),
        ("<os/>\n <vcpu>1</vcpu><memory>1</memory>", "</vcpu>\n <iothreads>1</iothreads><memory>"),
    ],
)  # fmt: skip
def test_the_number_stands_where_libvirt_prints_it(before, after):
    text = f"<domain>\n <name>web</name>\n {before}\n <devices><disk><target dev='vda'/></disk></devices>\n</domain>"
    assert after in edited(text, IOTHREAD)


def test_new_users_take_unused_iothreads_and_then_new_ones_in_the_order_of_the_text():
    disks = "".join(f"<disk><target dev='vd{letter}'/></disk>" for letter in "abcd")
    text = domain(disks, "  <iothreads>2</iothreads>\n")
    found = edited(text, {f"vd{letter}": {"iothread": True} for letter in "dcba"})
    assert "<iothreads>4</iothreads>" in found
    assert [found.index(f"iothread='{number}'") for number in (1, 2, 3, 4)] == sorted(
        found.index(f"iothread='{number}'") for number in (1, 2, 3, 4)
    )


def test_what_a_second_list_of_devices_uses_counts():
    text = domain(VDA.format(""), "  <iothreads>2</iothreads>\n").replace(
        "</domain>", f"<devices>{USED.replace('vda', 'vdb')}</devices></domain>"
    )
    assert "<driver iothread='2'/>" in edited(text, IOTHREAD)


def test_all_disks_of_a_controller_share_its_iothread_and_the_other_is_told():
    text = domain(SDA + SDB + "    <controller type='scsi' model='virtio-scsi'/>\n")
    after = definition(text).edited({"sda": {"iothread": True}})
    assert after.also == [
        {"key": "guest", "option": "iothreads", "before": None, "after": 1},
        {"key": "sdb", "option": "iothread", "before": None, "after": True},
    ]
    assert edited(text, {"sda": {"iothread": True}, "sdb": {"iothread": True}}) == after.raw.decode()
    assert "\n  <iothreads>1</iothreads>\n" in after.raw.decode()
    assert after.lines()["SCSI controller 0"] == "<driver iothread='1'/>"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("<controller type='scsi' model='virtio-scsi'/>",
         "<controller type='scsi' model='virtio-scsi'>\n      <driver iothread='1'/>\n    </controller>"),
        ('<controller type="scsi" model="virtio-scsi" />',
         '<controller type="scsi" model="virtio-scsi" >\n      <driver iothread="1"/>\n    </controller>'),
        ("<controller type='scsi' model='virtio-scsi'>\n      <address type='pci'/>\n    </controller>",
         "<controller type='scsi' model='virtio-scsi'>\n      <driver iothread='1'/>\n      <address type='pci'/>\n    </controller>"),
        ("<controller type='scsi' model='virtio-scsi'>\n      <driver queues='4' ats='on'/>\n    </controller>",
         "<controller type='scsi' model='virtio-scsi'>\n      <driver queues='4' iothread='1' ats='on'/>\n    </controller>"),
        ("<controller type='scsi' model='virtio-scsi'></controller>",
         "<controller type='scsi' model='virtio-scsi'><driver iothread='1'/></controller>"),
        ("<controller type='scsi' model='virtio-scsi'>\n    </controller>",
         "<controller type='scsi' model='virtio-scsi'><driver iothread='1'/>\n    </controller>"),
        ("<controller type='scsi' index='0' model='virtio-non-transitional'/>",
         "<controller type='scsi' index='0' model='virtio-non-transitional'>\n      <driver iothread='1'/>\n    </controller>"),
        ("<controller type='usb'/><controller type='scsi' index='1' model='lsilogic'/><controller type='scsi' model='virtio-scsi'/>",
         "<controller type='usb'/><controller type='scsi' index='1' model='lsilogic'/><controller type='scsi' model='virtio-scsi'>"
         "<driver iothread='1'/></controller>"),
    ],
)  # fmt: skip
def test_a_controller_gets_an_iothread(before, after):
    assert edited(domain(f"{SDA}    {before}\n"), {"sda": {"iothread": True}}) == domain(
        f"{SDA}    {after}\n", "  <iothreads>1</iothreads>\n"
    )


def test_a_mapping_of_queues_is_an_iothread_and_is_left_alone():
    mapping = "<driver queues='2'><iothreads><iothread id='1'/><iothread id='2'/></iothreads></driver>"
    text = domain(VDA.format(mapping) + "<disk><target dev='vdb'/></disk>", "  <iothreads>2</iothreads>\n")
    now = definition(text)
    assert now.value("vda", "iothread") is True
    assert now.edited(IOTHREAD) is now
    assert edited(text, {"vda": {"aio": "native"}}) == text.replace("<driver ", "<driver io='native' ")
    assert "<driver iothread='3'/>" in edited(text, {"vdb": {"iothread": True}})
    assert refusal(text, {"vda": {"iothread": None}}) == (
        "vda has its queues mapped to iothreads in its driver; that is left alone"
    )


@pytest.mark.parametrize("bus", ["sata", "ide", "usb", "fdc"])
def test_other_buses_take_aio_and_cache_alone(bus):
    text = domain(f"<disk><driver name='qemu'/><target dev='sda' bus='{bus}'/></disk>")
    assert "cache='none' io='native'" in edited(text, {"sda": {"aio": "native", "cache": "none", "iothread": None}})
    assert refusal(text, {"sda": {"iothread": True}}) == (
        f"sda is on {bus}, where a disk has no iothread; it takes virtio, or scsi on virtio-scsi"
    )


ON = {"sda": {"iothread": True}}
USED = "<disk><driver iothread='1'/><target dev='vda'/></disk>"


@pytest.mark.parametrize(
    ("text", "asked", "said"),
    [
        (domain(""), IOTHREAD, "the guest has no disk vda"),
        (domain("<disk><target dev='vda'/></disk>" * 2), IOTHREAD, "2 disks of the guest have the target vda; one alone may have it"),
        (domain(SDA), ON, "sda is on SCSI controller 0, which the definition leaves to libvirt; write it into the definition, with"
         " model='virtio-scsi'"),
        (domain(SDA + "<controller type='scsi'/>"), ON, "sda is on SCSI controller 0, whose model is not set; it takes an iothread as"
         " virtio-scsi"),
        (domain(SDA + "<controller type='scsi' model='lsilogic'/>"), ON, "sda is on SCSI controller 0, whose model is lsilogic; it takes"
         " an iothread as virtio-scsi"),
        (domain(SDA + SDB + "<controller type='scsi' model='virtio-scsi'/>"), {**ON, "sdb": {"iothread": False}},
         "sda is to have an iothread and sdb none, and they share that of their controller"),
        (domain(VDA.format(""), "<iothreads>many</iothreads>"), IOTHREAD, "<iothreads> is 'many', which is no number"),
        (domain(VDA.format(""), "<iothreads>1<!-- one --></iothreads>"), {"guest": {"iothreads": 2}},
         "its <iothreads> has more in it than a number: '1<!-- one -->'"),
        (domain(VDA.format(""), "<iothreadids><iothread id='x'/></iothreadids>"), IOTHREAD, "an id in <iothreadids> is 'x', which is no number"),
        (domain(VDA.format(""), "<iothreads>513</iothreads>"), IOTHREAD, "it would have 513 iothreads; 512 are the most"),
        (domain(VDA.format(""), "<iothreads>99999999999</iothreads>"), IOTHREAD, "it would have 99999999999 iothreads; 512 are the most"),
        (domain(VDA.format("")), {"guest": {"iothreads": 513}}, "it would have 513 iothreads; 512 are the most"),
        (domain(VDA.format(""), "<iothreads>1</iothreads>"), {**IOTHREAD, "guest": {"iothreads": None}},
         "vda is to have an iothread, and the guest is to have none"),
        (domain(USED, "<iothreads>1</iothreads>"), {"guest": {"iothreads": None}},
         "iothread 1 cannot be taken away, vda has it; give that another one, or none"),
        (domain("<controller type='scsi' index='2'><driver iothread='2'/></controller>", "<iothreads>2</iothreads>"),
         {"guest": {"iothreads": 1}}, "iothread 2 cannot be taken away, scsi controller 2 has it; give that another one, or none"),
        (domain("", "<iothreads>2</iothreads><cputune><iothreadpin iothread='2' cpuset='0'/></cputune>"), {"guest": {"iothreads": 1}},
         "iothread 2 cannot be taken away, <cputune> has settings for it; take those away first"),
        (domain("", "<iothreads>2</iothreads><cputune><iothreadsched iothreads='1-2'/></cputune>"), {"guest": {"iothreads": 1}},
         "iothread 2 cannot be taken away, <cputune> has settings for it; take those away first"),
        (domain("", "<iothreads>1</iothreads><iothreadids><iothread id='1' thread_pool_max='2'/></iothreadids>"), {"guest": {"iothreads": None}},
         "iothread 1 cannot be taken away, it has settings in <iothreadids>; take those away first"),
        (domain("", "<iothreads>1</iothreads><iothreadids><iothread id='1'><poll max='1'/></iothread></iothreadids>"), {"guest": {"iothreads": None}},
         "iothread 1 cannot be taken away, it has settings in <iothreadids>; take those away first"),
        (domain("", "<iothreads>2</iothreads><iothreadids><iothread id='1'/><iothread id='2'/><iothread id='3'/></iothreadids>"),
         {"guest": {"iothreads": 1}}, "guest iothreads cannot be set to 1"),
        ("<domain><devices><disk><target dev='vda'/></disk></devices></domain>", IOTHREAD, "it has no name, so it is no definition of libvirt"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_refused_in_a_sentence(text, asked, said):
    assert refusal(text, asked) == said


@pytest.mark.parametrize(
    ("before", "number", "after"),
    [
        ("<iothreads>3</iothreads>", 1, "<iothreads>1</iothreads>"),
        ("<iothreads>3</iothreads>", 0, "<iothreads>0</iothreads>"),
        ("<iothreads>2</iothreads>\n  <iothreadids>\n    <iothread id='1'/>\n    <iothread id='4'/>\n  </iothreadids>", 1,
         "<iothreads>1</iothreads>\n  <iothreadids>\n    <iothread id='1'/>\n  </iothreadids>"),
        ("<iothreads>1</iothreads><iothreadids><iothread id='4'/></iothreadids>", 0, "<iothreads>0</iothreads>"),
    ],
)  # fmt: skip
def test_fewer_iothreads_are_the_first_ones(before, number, after):
    now = definition(domain("", f"  {before}\n"))
    assert now.edited({"guest": {"iothreads": number}}).raw.decode() == domain("", f"  {after}\n")
    none = now.edited({"guest": {"iothreads": None}})
    assert none.raw.decode() == domain("")
    assert none.value("guest", "iothreads") is None


def test_a_rollback_keeps_what_somebody_else_uses_since():
    after = definition(domain(VDA.format(""))).edited(IOTHREAD)
    since = after.raw.replace(b"</devices>", USED.replace("vda", "vdb").encode() + b"</devices>")
    assert refusal(since.decode(), {"vda": {"iothread": None}, "guest": {"iothreads": None}}) == (
        "iothread 1 cannot be taken away, vdb has it; give that another one, or none"
    )


def test_the_definition_knows_its_lines_values_digest_and_record():
    text = domain(
        VDA.format("<driver name='qemu'\n io='native'/>") + SDA,
        "  <iothreads> 2</iothreads>\n  <iothreadids><iothread id='5'/></iothreadids>\n",
    )
    now = definition(text)
    assert now.lines() == {"vda": "<driver name='qemu'\n io='native'/>", "iothreads": "2", "iothreadids": "5"}
    assert (now.value("vda", "aio"), now.value("vda", "cache"), now.value("vda", "iothread")) == ("native", None, None)
    assert now.value("guest", "iothreads") == 2
    assert len(now.digest) == 64 and now.guest == {"id": "web", "raw": now.raw, "digest": now.digest}
    with pytest.raises(EditError, match="the guest has no disk vdz"):
        now.value("vdz", "aio")
    again = now.reread(now.raw, "d" * 64)
    assert (again.digest, again.guest["digest"], again.id, again.path, again.also) == (
        "d" * 64,
        "d" * 64,
        "web",
        "/web.xml",
        [],
    )


@pytest.mark.parametrize(
    ("what", "instead", "said"),
    [
        ("<target dev='sda' bus='scsi'/>", "<target dev='sda' bus='sata'/>", "devices/disk sda/target/@bus"),
        ("discard='unmap'", "", "devices/disk vda/driver/@discard"),
        ("<driver discard='unmap'/>", "", "devices/disk vda/driver"),
        ("<name>web</name>", "<name>db</name>", "name"),
        ("<domain type='qemu'>", "<domain type='kvm'>", "@type"),
    ],
)
def test_an_edit_that_would_change_anything_else_is_refused(monkeypatch, what, instead, said):
    text = domain(VDA.format("<driver discard='unmap'/>") + SDA)
    assert what in text
    monkeypatch.setattr(edit, "edited", lambda raw, *_others: raw.replace(what.encode(), instead.encode()))
    assert refusal(text, IOTHREAD) == f"{said} would change, which nobody asked for"
