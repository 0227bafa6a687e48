# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

from __future__ import annotations

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.module_utils._prove import setting
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._prove.errors import ProveError

HARDENED = {"name": "x", "controller": "virtio-scsi-single", "iothread": True, "aio": "threads"}


def record(effective=None, runs=None, controller="lsi", **disk):
    values = {"driver": "file", "aio": "io_uring", "cache": "none", "iothread": False}
    return {
        "id": "101",
        "controller": {"effective": controller},
        "disks": [
            {"key": "ide2", "bus": "ide", "media": "cdrom", "effective": values, "runs": None},
            dict(
                {
                    "key": "scsi0",
                    "bus": "scsi",
                    "media": "disk",
                    "effective": dict(values, **effective or {}),
                    "runs": runs,
                },
                **disk,
            ),
        ],
    }


def test_what_is_missing_is_as_in_a_guest_with_nothing_set():
    assert setting.check({"name": "x"}) == dict(setting.TODAY, name="x")


def test_other_buses_have_no_controller():
    assert setting.check({"name": "x", "bus": "virtio", "iothread": True})["controller"] is None


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({}, "give it a name"),
        ({"name": "x", "aio": "posix"}, "allowed: threads, io_uring, native"),
        ({"name": "x", "cache": "on"}, "cache is 'on'"),
        ({"name": "x", "bus": "usb"}, "allowed: scsi, virtio, ide, sata"),
        ({"name": "x", "controller": "lsi9"}, "controller is 'lsi9'"),
        ({"name": "x", "during": "sleep"}, "during is 'sleep'"),
        ({"name": "x", "bus": "virtio", "during": "disk_reset"}, "during disk_reset needs bus scsi"),
        ({"name": "x", "backup": {"max_workers": 1}}, "it needs during: backup"),
        ({"name": "x", "during": "backup", "backup": {"max_workers": 0}}, "max_workers of the backup is 0"),
        ({"name": "x", "iothread": 1}, "allowed: true, false"),
        ({"name": "x", "iotread": True}, "unknown iotread"),
        ({"name": "x", "iothread": True}, "not possible with virtio-scsi-pci; Proxmox VE ignores it"),
        (
            {"name": "x", "bus": "sata", "iothread": True},
            "not possible with sata. Use virtio-scsi-single or virtio-scsi",
        ),
        ({"name": "x", "aio": "native", "cache": "writeback"}, "QEMU does not start"),
    ],
)
def test_impossible_settings_are_refused(given, says):
    with pytest.raises(ProveError, match=says):
        setting.check(given)


def test_names_are_unique():
    with pytest.raises(ProveError, match="same name: x"):
        setting.check_all([{"name": "x"}, {"name": "x"}])
    with pytest.raises(ProveError, match="no setting"):
        setting.check_all([])


def test_every_controller_and_bus_has_its_drivers():
    for controller in setting.CONTROLLERS:
        assert setting.modules(setting.check({"name": "x", "controller": controller}))[-1] == "sd_mod"
    for bus in ("virtio", "ide", "sata"):
        assert setting.modules(setting.check({"name": "x", "bus": bus}))


def test_today_is_what_the_record_says_is_in_effect():
    found = setting.from_record(record({"aio": "native", "cache": "directsync"}), "scsi0")
    assert found == dict(setting.TODAY, controller="lsi", aio="native", cache="directsync")


def test_the_values_of_the_process_take_precedence():
    runs = {"driver": "file", "aio": "threads", "cache": "none", "iothread": True}
    found = setting.from_record(record(runs=runs, controller="virtio-scsi-single"), "scsi0")
    assert (found["aio"], found["iothread"]) == ("threads", True)


@pytest.mark.parametrize(
    ("guest", "key", "says"),
    [
        (record(), "scsi9", "has no scsi9; it has: ide2, scsi0"),
        (record(), "ide2", "not a disk that can be measured"),
        (record({"driver": "rbd"}), "scsi0", "served by rbd"),
        (record(effective=None, media="efi"), "scsi0", "not a disk"),
    ],
)
def test_a_disk_that_cannot_be_measured_is_refused(guest, key, says):
    with pytest.raises(ProveError, match=says):
        setting.from_record(guest, key)


def test_the_first_disk_is_not_a_cdrom():
    assert setting.first_disk(record()) == "scsi0"
    with pytest.raises(ProveError, match="has no disk"):
        setting.first_disk({"id": "7", "disks": []})


def test_a_plan_hardens_the_setting_of_its_disk():
    changes = [
        {"key": "controller", "option": None, "before": "lsi", "after": "virtio-scsi-single"},
        {"key": "scsi0", "option": "iothread", "before": None, "after": True},
        {"key": "scsi0", "option": "aio", "before": None, "after": "threads"},
        {"key": "scsi1", "option": "cache", "before": None, "after": "writeback"},
    ]
    found = setting.with_changes(setting.from_record(record(), "scsi0"), changes, "scsi0")
    assert found == setting.HARDENED


def libvirt(model, effective):
    """The record of a guest of libvirt: its controllers' models, and that of its disk."""
    controller = {"model": model, "dedicated": False, "gives_iothread": model == "virtio-scsi"}
    return record({"aio": "native", "controller": controller}, controller=effective)


def test_a_guest_of_libvirt_gets_its_iothread_on_the_controller_that_it_has():
    today = setting.from_record(libvirt("virtio-scsi", "virtio-scsi"), "scsi0")
    assert (today["controller"], today["iothread"]) == ("virtio-scsi", False)
    changes = [
        {"key": "guest", "option": "iothreads", "before": None, "after": 1},
        {"key": "scsi0", "option": "iothread", "before": None, "after": True},
        {"key": "scsi0", "option": "aio", "before": "native", "after": "threads"},
    ]
    hardened = setting.with_changes(today, changes, "scsi0")
    assert (hardened["controller"], hardened["iothread"], hardened["aio"]) == ("virtio-scsi", True, "threads")


@pytest.mark.parametrize(
    ("model", "effective", "controller"),
    [
        ("lsilogic", "lsilogic", "lsi"),
        ("lsisas1078", "lsisas1078, virtio-scsi", "megasas"),
        ("virtio-scsi", "lsilogic, virtio-scsi", "virtio-scsi"),
    ],
)
def test_a_controller_of_libvirt_is_the_device_that_qemu_makes_of_it(model, effective, controller):
    assert setting.from_record(libvirt(model, effective), "scsi0")["controller"] == controller


def test_a_controller_that_is_not_measured_is_named():
    with pytest.raises(ProveError, match="controller is 'lsisas1068'"):
        setting.from_record(libvirt("lsisas1068", "lsisas1068"), "scsi0")


def test_a_description_names_what_differs():
    assert setting.describe(setting.check(HARDENED)) == "virtio-scsi-single, iothread, threads, none"
    resized = setting.check({"name": "x", "bus": "ide", "during": "block_resize"})
    assert setting.describe(resized) == "ide, no iothread, io_uring, none + block_resize"
    saved = setting.check({"name": "x", "bus": "ide", "during": "backup"})
    assert setting.describe(saved) == "ide, no iothread, io_uring, none + backup: 16 workers to nowhere"
