# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Guests that are known from their process alone: what was not seen is not called compliant."""

from __future__ import annotations

import datetime

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.module_utils._qemu_process import proc
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._qemu_process.record import record
from ansible_collections.hypervisor.io_hardening.tests.unit.plugins.module_utils._qemu_process.fake_proc import (
    FakeProc,
)
from ansible_collections.hypervisor.io_hardening.tests.unit.plugins.plugin_utils._policy.fleet import assess

QEMU = [
    "/usr/bin/qemu-system-x86_64",
    "-name",
    "web07",
    "-object",
    "iothread,id=t",
    "-device",
    "virtio-scsi-pci,id=s,iothread=t",
]
NODE = '{"driver":"file","filename":"/images/a.raw","aio":"threads","node-name":"a","cache":{"direct":true}}'
GOOD = [*QEMU, "-blockdev", NODE, "-device", "scsi-hd,drive=a,id=sda,bus=s.0"]
IMAGE = ("/images/a.raw", "02140002")


@pytest.fixture
def judged(tmp_path):
    """(records, findings document) of the one process with these arguments and open files."""

    def judge(argv, files, qemu=b"10.0.13 (Debian 1:10.0.13+ds-0+deb13u1)"):
        host = FakeProc(tmp_path)
        host.binary("/usr/bin/qemu-system-x86_64", qemu)
        host.process(700, argv, files=files)
        guests, problems = proc.running_guests(str(tmp_path))
        records = [record(guest, "host1") for guest in guests]
        return records, assess(records, {}, datetime.date(2026, 11, 23), problems=problems)

    return judge


def told(document):
    return [(found["rule"], found["severity"], found["disk"]) for found in document["findings"]]


def test_a_compliant_guest(judged):
    _records, document = judged(GOOD, [IMAGE])
    assert told(document) == [] and document["guests"][0]["status"] == "compliant"


def test_an_iothread_on_virtio_scsi_is_a_known_defect_below_qemu_8(judged):
    _records, document = judged(GOOD, [IMAGE], b"7.2.22 (Debian 1:7.2+dfsg-7)")
    assert told(document) == [("IO401", "warning", None)] and document["guests"][0]["status"] == "unresolved"


def test_a_disk_that_was_plugged_in_is_an_error(judged):
    _records, document = judged(GOOD, [IMAGE, "/images/plugged.raw"])
    assert told(document) == [("IO100", "error", None)] and document["guests"][0]["status"] == "unresolved"
    assert document["findings"][0]["actual"] == ["/images/plugged.raw"]


def test_a_disk_that_was_mirrored_stays_and_is_not_known(judged):
    records, document = judged(GOOD, [("/elsewhere/a.raw", "02140002")])
    assert [(disk["key"], disk["runs"], disk["effective"]) for disk in records[0]["disks"]] == [("sda", None, None)]
    assert told(document) == [("IO100", "error", "sda"), ("IO100", "error", None), ("IO109", "warning", "sda")]
    assert document["guests"][0]["disks"] == [{"key": "sda", "storage": None, "compliant": False, "waived": False}]


def test_a_disk_whose_drive_is_not_on_the_command_line_is_an_error(judged):
    _records, document = judged([*GOOD, "-device", "virtio-blk-pci,drive=absent,id=vda"], [IMAGE])
    assert ("IO100", "error", "vda") in told(document) and document["guests"][0]["status"] == "unresolved"


def test_a_disk_on_a_controller_that_is_not_known_is_an_error(judged):
    _records, document = judged([part.replace("bus=s.0", "bus=other.0") for part in GOOD], [IMAGE])
    assert ("IO100", "error", "sda") in told(document)


WITHOUT = [part.replace(",iothread=t", "") for part in GOOD]
SECOND = [
    "-blockdev",
    NODE.replace("a.raw", "b.raw").replace('"a"', '"b"'),
    "-device",
    "scsi-hd,drive=b,id=sdb,bus=s.0",
]


def test_hints_name_no_command_and_no_setting_of_proxmox_ve(judged):
    _records, document = judged([*WITHOUT, *SECOND], [IMAGE, ("/images/b.raw", "02140002"), "/images/plugged.raw"])
    assert {found["rule"] for found in document["findings"]} == {"IO100", "IO101", "IO102"}
    assert not any(
        word in found["hint"] + found["message"]
        for found in document["findings"]
        for word in ("qm ", "scsihw", "guest_io_", "Proxmox", "storage.cfg")
    )


def test_a_disk_with_a_controller_of_its_own_lacks_the_iothread_alone(judged):
    _records, document = judged(WITHOUT, [IMAGE])
    assert told(document) == [("IO102", "warning", "sda")]
    assert document["unresolved"][0]["reason"] == "no_config" and not document["findings"][0]["fixable"]


def test_disks_that_share_a_controller_and_its_iothread_are_in_order(judged):
    _records, document = judged([*GOOD, *SECOND], [IMAGE, ("/images/b.raw", "02140002")])
    assert told(document) == []


def test_disks_that_share_a_controller_without_an_iothread_need_another(judged):
    _records, document = judged([*WITHOUT, *SECOND], [IMAGE, ("/images/b.raw", "02140002")])
    assert told(document) == [("IO101", "warning", None), ("IO102", "warning", "sda"), ("IO102", "warning", "sdb")]
