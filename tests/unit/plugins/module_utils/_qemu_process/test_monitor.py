# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""What QEMU's monitor tells of disks, as a real QEMU said it, next to the command line that it was started with."""

from __future__ import annotations

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.module_utils._qemu_process import cmdline, monitor
from ansible_collections.hypervisor.io_hardening.tests.unit.facts import facts

RECORDED = {one["name"]: one for one in facts("qemu_monitor")}


def told(name, **changed):
    answers = {**RECORDED[name]["answers"], **changed}
    devices, nodes = answers[monitor.DEVICES], answers[monitor.NODES]
    drives = answers[monitor.DRIVES] if monitor.needs_drives(devices, nodes) else ""
    return monitor.runs(devices, answers[monitor.IOTHREADS], nodes, drives)


def changed(name, command, *pairs):
    text = RECORDED[name]["answers"][command]
    for old, new in pairs:
        assert old in text
        text = text.replace(old, new)
    return {command: text}


@pytest.mark.parametrize("name", RECORDED)
def test_it_tells_what_the_command_line_says_but_for_aio(name):
    parsed = cmdline.parse(["kvm", *RECORDED[name]["cmdline"]])
    assert parsed["problems"] == []
    assert told(name) == {disk["key"]: {**disk["runs"], "aio": None} for disk in parsed["disks"]}


@pytest.mark.parametrize("name", RECORDED)
def test_drives_are_asked_for_where_no_node_has_their_name(name):
    answers = RECORDED[name]["answers"]
    assert monitor.needs_drives(answers[monitor.DEVICES], answers[monitor.NODES]) == name.startswith("drive-")


def test_a_disk_without_its_iothread_is_told_from_one_with_it():
    assert {key: values["iothread"] for key, values in told("blockdev-single").items()} == {
        "scsi0": True,
        "scsi1": False,
        "scsi2": False,
    }
    assert {key: values["iothread"] for key, values in told("blockdev-virtio").items()} == {
        "virtio0": True,
        "virtio1": False,
        "virtio2": False,
    }


def test_the_cache_is_that_of_the_image_and_not_of_the_throttle_node_above():
    answers = RECORDED["blockdev-pci"]["answers"]
    assert "direct" not in answers[monitor.DRIVES]
    assert told("blockdev-pci")["scsi0"]["cache"] == "none"


def test_an_iothread_of_another_name_may_be_of_any_disk():
    found = told(
        "blockdev-single", **{monitor.IOTHREADS: "mine:\n  thread_id=1\niothread-virtioscsi0:\n  thread_id=2\n"}
    )
    assert [values["iothread"] for _key, values in sorted(found.items())] == [True, None, None]


@pytest.mark.parametrize(
    "changes",
    [
        changed("blockdev-device", monitor.NODES, ("    Cache mode:       writeback, direct\n", "")),
        changed("blockdev-device", monitor.NODES, ("/dev/loop0 (host_device)", "/dev/loop1 (host_device)")),
        changed("blockdev-device", monitor.NODES, ('"filename": "/dev/loop0"}}}', '"filename": "/dev/lo')),
        changed("blockdev-device", monitor.NODES, ("drive-scsi3:", "drive-scsi4:")),
        {monitor.NODES: ""},
        {monitor.NODES: "unknown command: 'info block -n'\n"},
    ],
    ids=["no cache", "no such image", "cut off", "another name", "nothing", "not an answer"],
)
def test_a_cache_that_is_not_told_is_not_known(changes):
    values = told("blockdev-device", **changes)["scsi3"]
    assert (values["cache"], values["cache_direct"], values["iothread"]) == (None, None, True)


def test_one_image_that_is_opened_in_two_ways_is_not_known():
    text = RECORDED["blockdev-device"]["answers"][monitor.NODES]
    twice = f"{text}\nother: /dev/loop0 (host_device)\n    Cache mode:       writeback\n"
    assert told("blockdev-device", **{monitor.NODES: twice})["scsi3"]["cache"] is None


def test_the_ends_of_lines_do_not_matter():
    answers = RECORDED["drive-lsi"]["answers"]
    texts = [answers[one] for one in (monitor.DEVICES, monitor.IOTHREADS, monitor.NODES, monitor.DRIVES)]
    assert monitor.runs(*[text.replace("\n", "\r\n") for text in texts]) == monitor.runs(*texts)


@pytest.mark.parametrize("text", ["", "unknown command: 'info qtree'\n", "<html>", "dev: x"])
def test_what_is_no_tree_of_devices_is_an_error(text):
    with pytest.raises(ValueError, match="info qtree gave no tree of devices"):
        monitor.runs(text, "", "", "")
