# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""What a definition does past libvirt: found, and not written over."""

from __future__ import annotations

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.module_utils._libvirt.record import record

NAMESPACE = "http://libvirt.org/schemas/domain/qemu/1.0"
DISKS = (
    "<disk><source file='/a'/><target dev='vda' bus='virtio'/></disk>"
    "<disk><source file='/b'/><target dev='vdb' bus='virtio'/><alias name='ua-b'/></disk>"
)
CHANGES_VDA = "changes vda after its line is read: what is judged here is not what QEMU gets"
CHANGES_CONTROLLER = "changes a disk or its controller after the guest's lines are read"
IOTHREAD = "gives the guest an iothread that libvirt does not know"


def of(more, prefix="qemu"):
    raw = (
        f"<domain xmlns:{prefix}='{NAMESPACE}'>\n<name>a</name><devices>{DISKS}"
        f"<controller type='scsi' index='0'><alias name='ua-c'/></controller></devices>\n{more}</domain>"
    )
    return record(raw.encode(), id="a", lines=True)


def commandline(*words, prefix="qemu"):
    args = "".join(f"<{prefix}:arg value='{word}'/>" for word in words)
    return of(f"<{prefix}:commandline>{args}<{prefix}:env name='A' value='-drive'/></{prefix}:commandline>", prefix)


@pytest.mark.parametrize("prefix", ["qemu", "q"])
@pytest.mark.parametrize(
    ("words", "does", "disk", "held"),
    [
        (("-set", "device.virtio-disk0.iothread=mine"), CHANGES_VDA, "vda", True),
        (("-set", "device.ua-b.iothread=mine"), CHANGES_VDA.replace("vda", "vdb"), "vdb", True),
        (("-set", "device.scsi0.iothread=mine"), CHANGES_CONTROLLER, None, True),
        (("-set", "device.ua-c.iothread=mine"), CHANGES_CONTROLLER, None, True),
        (("-object", "iothread,id=mine"), IOTHREAD, None, True),
        (("-object", "qom-type=iothread,id=mine"), IOTHREAD, None, True),
        (("-object", '{"qom-type": "iothread", "id": "mine"}'), IOTHREAD, None, True),
        (("-global", "virtio-blk-pci.iothread=mine"), "changes what all disks or controllers of a kind run with", None, True),
        (("-snapshot",), "sends the guest&apos;s writes to temporary files, which are lost when it stops".replace("&apos;", "'"), None, True),
        (("-drive", "file=/c,if=none,id=c"), "gives QEMU a disk that is not judged", None, False),
    ],
)  # fmt: skip
def test_an_argument_that_concerns_disks_is_named(words, does, disk, held, prefix):
    guest = commandline(*words, prefix=prefix)
    assert guest["args_disks"] == [{"line": 3, "args": " ".join(words), "does": does, "disk": disk}]
    assert bool(guest["held"]) is held
    if held:
        assert guest["held"]["reason"] == "by_hand"


@pytest.mark.parametrize(
    "words",
    [(), ("-cpu", "host"), ("-device", "vfio-pci,host=01:00.0"), ("-object", "memory-backend-file,id=m"), ("-set", "device.net0.x=1")],
)  # fmt: skip
def test_other_arguments_say_nothing_of_disks(words):
    guest = commandline(*words)
    assert (guest["args_disks"], guest["held"]) == ([], None)


@pytest.mark.parametrize(
    ("alias", "does", "disk"),
    [
        ("virtio-disk0", "overrides what vda is given: what is judged here is not what QEMU gets", "vda"),
        ("scsi0", "overrides what a controller of disks is given", None),
        ("net0", None, None),
    ],
)
def test_an_override_of_a_disk_is_named(alias, does, disk):
    properties = "<qemu:frontend><qemu:property name='iothread' type='string' value='mine'/></qemu:frontend>"
    guest = of(f"<qemu:override><qemu:device alias='{alias}'>{properties}</qemu:device></qemu:override>")
    expected = [{"line": 3, "args": f"{alias}: iothread", "does": does, "disk": disk}] if does else []
    assert guest["args_disks"] == expected
    assert bool(guest["held"]) is bool(does)


def test_what_the_caller_knows_holds_first():
    held = {"reason": "read_only", "detail": "only to be read"}
    raw = b"<domain><name>a</name></domain>"
    assert record(raw, id="a", held=held)["held"] == held
