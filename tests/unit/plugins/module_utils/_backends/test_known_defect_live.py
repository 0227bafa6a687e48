# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""On a live node the installed QEMU decides whether a guest is given an iothread."""

from __future__ import annotations

import datetime

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.module_utils._backends import find
from ansible_collections.hypervisor.io_hardening.tests.unit.plugins.module_utils._backends.doors import apply_below
from ansible_collections.hypervisor.io_hardening.tests.unit.plugins.module_utils._backends.live_node import (
    put,
    runner,
)
from ansible_collections.hypervisor.io_hardening.tests.unit.plugins.plugin_utils._policy.fleet import assess

THREADS = "scsi0: local:100/vm-100-disk-0.qcow2,aio=threads,backup=0,discard=on,serial=a%20b,size=32G,ssd=1\n"
WHOLE = "scsi0: local:100/vm-100-disk-0.qcow2,aio=threads,backup=0,discard=on,iothread=1,serial=a%20b,size=32G,ssd=1\n"


@pytest.mark.parametrize(
    ("version", "controller", "disk"),
    [
        ("7.2.0 (pve-qemu-kvm_7.2.0-8)", "virtio-scsi-pci", THREADS),
        ("8.0.2 (pve-qemu-kvm_8.0.2-7)", "virtio-scsi-single", WHOLE),
        ("8.1.5 (pve-qemu-kvm_8.1.5-1)", "virtio-scsi-pci", THREADS),
        ("8.1.5 (pve-qemu-kvm_8.1.5-3)", "virtio-scsi-single", WHOLE),
        (None, "virtio-scsi-pci", THREADS),
    ],
)
def test_the_installed_qemu_decides(host, version, controller, disk):
    put(host, 100)
    if version is None:
        (host.root / "usr/bin/kvm").unlink()
    else:
        host.install_qemu(version)
    reading = find.read(str(host.root))
    document = assess(reading.guests, {}, datetime.date(2026, 11, 23), reading.nodes, reading.problems)
    (outcome,) = apply_below(str(host.root), document["plan"], run=runner(host))
    assert outcome.result["status"] == "changed"
    text = host.config(100).read_text()
    assert f"scsihw: {controller}\n" in text and disk in text
    assert [left["reason"] for left in document["unresolved"]] == ([] if disk == WHOLE else ["known_defect"])
