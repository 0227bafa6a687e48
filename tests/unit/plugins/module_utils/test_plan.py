# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""A plan asks for what the closed sets have, and for the config of its guest; everything else is refused in words."""

from __future__ import annotations

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.module_utils import _plan
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._model.disk_io import (
    AIO_MODES,
    CACHE_MODES,
    CONTROLLERS,
)

AIO = {"key": "scsi0", "option": "aio", "before": None, "after": "threads"}
ENTRY = {
    "hypervisor": "pve",
    "guest": "100",
    "node": "pve1",
    "config": "/etc/pve/nodes/pve1/qemu-server/100.conf",
    "digest": "d0",
    "changes": [AIO],
}
DIGITS = "1" * 5000


@pytest.mark.parametrize("key", ["ide0", "ide3", "sata5", "scsi30", "virtio15"])
@pytest.mark.parametrize(
    "option, value", [("aio", mode) for mode in (*AIO_MODES, None)] + [("cache", mode) for mode in (*CACHE_MODES, None)]
)
def test_every_disk_takes_every_aio_and_cache(key, option, value):
    assert _plan.change({"key": key, "option": option, "after": value})["after"] == value


@pytest.mark.parametrize("value", [*CONTROLLERS, None])
def test_the_controller_takes_every_type(value):
    assert _plan.change({"key": "controller", "option": "type", "after": value})["after"] == value


@pytest.mark.parametrize("given, wanted", [(True, True), (1, True), ("1", True), ("True", True), ("on", True), (False, False), (0, False), ("0", False),
                                           ("False", False), (None, None)])  # fmt: skip
def test_an_iothread_is_true_or_false_however_ansible_hands_it_on(given, wanted):
    assert _plan.change({"key": "virtio0", "option": "iothread", "after": given})["after"] is wanted


@pytest.mark.parametrize(
    "change",
    [
        ("controller", "type", "virtig-scsi-pci"), ("controller", "type", "virtio-scsi-pci\nargs: -S"), ("controller", "type", ""),
        ("controller", "type", True),
        ("controller", "aio", "threads"), ("controller", "cache", "none"), ("scsi0", "type", "lsi"), ("scsi0", "aio", "Threads"),
        ("scsi0", "aio", "threads,ro=1"),
        ("scsi0", "aio", "threads\nargs: -S"), ("scsi0", "aio", ["threads"]), ("scsi0", "aio", True), ("scsi0", "cache", "fast"), ("scsi0", "cache", "none\n"),
        ("scsi0", "iothread", 2), ("scsi0", "iothread", "maybe"), ("scsi0", "iothread", ""), ("scsi0", "iothread", 1.0), ("scsi0", "iothread", 10**5000),
        ("scsi0", "ssd", True), ("scsi0", "", None), ("scsi0", None, None), ("sata0", "iothread", True), ("ide0", "iothread", None),
        ("scsi31", "aio", "threads"),
        ("scsi0\n", "aio", "threads"), ("scsi" + DIGITS, "aio", "threads"), ("scsi²", "aio", "threads"), ("efidisk0", "aio", "threads"),
        ("tpmstate0", "cache", "none"), ("net0", "aio", "threads"), ("unused0", "aio", "threads"), ("", "aio", "threads"), (7, "aio", "threads"),
    ],
)  # fmt: skip
def test_what_is_not_in_the_closed_sets_is_refused_on_one_short_line(change):
    key, option, after = change
    with pytest.raises(_plan.PlanError) as refused:
        _plan.change({"key": key, "option": option, "after": after})
    assert "\n" not in str(refused.value) and len(str(refused.value)) < 200


@pytest.mark.parametrize(
    "given",
    [
        {"guest": "99"}, {"guest": "0100"}, {"guest": "100\n"}, {"guest": DIGITS}, {"guest": 100}, {"guest": "../100"}, {"guest": "101"}, {"node": "pve2"},
        {"node": "../pve1"}, {"node": ""}, {"node": None}, {"node": "pve1/../../x"}, {"config": "/etc/pve/nodes/pve1/qemu-server/../qemu-server/100.conf"},
        {"config": "../../../etc/passwd"}, {"config": "/etc/pve/nodes/pve1/qemu-server/101.conf"}, {"config": "/etc/pve/nodes/pve1/lxc/100.conf"},
        {"config": "/100.conf"}, {"config": None}, {"config": "/etc/pve/nodes/pve1/qemu-server/100.conf\n"}, {"changes": [AIO, {**AIO, "after": "native"}]},
        {"changes": [AIO, AIO]},
    ],
)  # fmt: skip
def test_an_entry_that_is_not_of_its_guest_is_refused(given):
    with pytest.raises(_plan.PlanError) as refused:
        _plan.entry({**ENTRY, **given})
    assert "\n" not in str(refused.value) and len(str(refused.value)) < 300


@pytest.mark.parametrize("config", ["/etc/pve/qemu-server/100.conf", "/100.conf", "/100.json"])
def test_a_guest_without_a_node_lies_where_there_are_none(config):
    assert _plan.entry({**ENTRY, "node": None, "config": config})["config"] == config


def test_the_rest_of_an_entry_is_handed_on():
    entry = {
        **ENTRY,
        "name": "web",
        "running": True,
        "changes": [AIO, {"key": "scsi0", "option": "iothread", "before": None, "after": "True"}],
    }
    assert _plan.entry(entry) == {
        **entry,
        "changes": [AIO, {"key": "scsi0", "option": "iothread", "before": None, "after": True}],
    }


def test_both_sides_are_looked_at_where_both_are_to_be_relied_on():
    damaged = {**AIO, "before": "natife"}
    assert _plan.change(damaged)["before"] == "natife"
    with pytest.raises(_plan.PlanError, match="before is 'natife'"):
        _plan.change(damaged, sides=("before", "after"))


@pytest.mark.parametrize(("given", "wanted"), [(0, 0), (4, 4), ("4", 4), (None, None)])
def test_how_many_iothreads_a_guest_of_libvirt_has_is_a_number(given, wanted):
    change = {"key": "guest", "option": "iothreads", "after": given}
    assert _plan.change(change, "libvirt")["after"] == wanted


@pytest.mark.parametrize("given", [True, -1, 513, 1.5, "all", "", [1]])
def test_another_number_of_iothreads_is_refused(given):
    with pytest.raises(_plan.PlanError, match="guest iothreads: after is .*it takes a number from 0 to 512, or null"):
        _plan.change({"key": "guest", "option": "iothreads", "after": given}, "libvirt")


@pytest.mark.parametrize(("hypervisor", "key"), [("pve", "guest"), ("libvirt", "controller")])
def test_what_a_hypervisor_cannot_set_is_refused(hypervisor, key):
    with pytest.raises(_plan.PlanError, match=f"key is '{key}'; it takes "):
        _plan.change({"key": key, "option": "iothreads", "after": 1}, hypervisor)
