# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

from __future__ import annotations

import json

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.module_utils._prove import qemu_argv, setting

FDS = {"image": 3, "kernel": 4, "initrd": 5, "console": 6, "beat": 7, "monitor": 8}


def argv(accelerator="tcg", image_format="raw", **given):
    return qemu_argv.argv("/usr/bin/kvm", setting.check(dict({"name": "x"}, **given)), accelerator, FDS, image_format)


def after(command, flag):
    return [value for name, value in zip(command, command[1:]) if name == flag]


def node(**given):
    return json.loads(after(argv(**given), "-blockdev")[0])


def test_a_default_guest():
    command = argv()
    assert after(command, "-object") == []
    assert after(command, "-device") == [
        "virtio-scsi-pci,id=scsihw0",
        "scsi-hd,bus=scsihw0.0,id=disk0,drive=drive-prove,write-cache=on",
    ]


def test_a_hardened_guest():
    command = argv(controller="virtio-scsi-single", iothread=True, aio="threads")
    assert after(command, "-object") == ["iothread,id=iothread0"]
    assert after(command, "-device")[0] == "virtio-scsi-pci,id=scsihw0,iothread=iothread0"
    assert node(controller="virtio-scsi-single", iothread=True, aio="threads")["file"]["aio"] == "threads"


@pytest.mark.parametrize(
    ("given", "devices"),
    [
        (
            {"bus": "virtio", "iothread": True},
            ["virtio-blk-pci,id=disk0,drive=drive-prove,write-cache=on,iothread=iothread0"],
        ),
        ({"bus": "ide"}, ["ide-hd,bus=ide.0,id=disk0,drive=drive-prove,write-cache=on"]),
        ({"bus": "sata"}, ["ahci,id=ahci0", "ide-hd,bus=ahci0.0,id=disk0,drive=drive-prove,write-cache=on"]),
        ({"controller": "lsi"}, ["lsi,id=scsihw0", "scsi-hd,bus=scsihw0.0,id=disk0,drive=drive-prove,write-cache=on"]),
        (
            {"cache": "directsync"},
            ["virtio-scsi-pci,id=scsihw0", "scsi-hd,bus=scsihw0.0,id=disk0,drive=drive-prove,write-cache=off"],
        ),
    ],
)
def test_every_bus(given, devices):
    assert after(argv(**given), "-device") == devices


@pytest.mark.parametrize(
    ("cache", "direct", "no_flush"),
    [
        ("none", True, False),
        ("directsync", True, False),
        ("writeback", False, False),
        ("writethrough", False, False),
        ("unsafe", False, True),
    ],
)
def test_cache_modes_as_qemu_defines_them(cache, direct, no_flush):
    found = node(cache=cache, aio="threads")
    assert found["cache"] == found["file"]["cache"] == {"direct": direct, "no-flush": no_flush}


def test_qemu_gets_everything_as_open_files():
    command = argv()
    assert node()["file"]["filename"] == "/proc/self/fd/3"
    assert after(command, "-kernel") == ["/proc/self/fd/4"]
    assert after(command, "-initrd") == ["/proc/self/fd/5"]
    assert after(command, "-chardev") == ["socket,id=console,fd=6", "socket,id=beat,fd=7", "socket,id=monitor,fd=8"]


def test_image_format_and_accelerator():
    assert json.loads(after(argv(image_format="qcow2"), "-blockdev")[0])["driver"] == "qcow2"
    assert json.loads(after(argv(image_format="raw-sparse"), "-blockdev")[0])["driver"] == "raw"
    assert after(argv("kvm"), "-machine") == ["pc,accel=kvm"]
    assert "clocksource=hpet" in after(argv("tcg"), "-append")[0]
    assert "clocksource" not in after(argv("kvm"), "-append")[0]
