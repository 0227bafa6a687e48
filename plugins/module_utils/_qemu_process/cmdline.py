# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""A QEMU command line in, what its disks run with out. No I/O.

Understands what Proxmox VE writes (both of its forms, below and from machine version 10.0), what libvirt writes, and
-drive, -blockdev, -device, -object and -set of anybody. What else gives a guest a disk, or changes one, is a problem.
A command line does not show what was plugged in, unplugged or moved by QMP after the start, nor what -readconfig files
add: evidence.py compares the values with what the process has open.
"""

from __future__ import annotations

from typing import TypedDict

from .._model.records import RunningDisk
from .collect import collect, cut
from .disks import disks


class CommandLine(TypedDict):
    """What a command line says about its guest.

    hypervisor   pve (it has Proxmox VE's own -id), libvirt (it has libvirt's master key), qemu (anything else)
    vmid         the value of Proxmox VE's own -id where it can be a guest's id; anybody can write one
    name         None where not given
    machine      the machine type, for example "pc-q35-9.0+pve0", None where not given
    iothreads    ids of the iothread objects, in the order they are created
    qmp          paths of the QMP sockets that it listens on
    paths        what options other than drives name (logs, memory, shared folders): a file that is open there is not a
                 disk's image
    disks        the key is the device's id ("scsi0" on Proxmox VE, "virtio-disk0" from libvirt), where it has none the
                 drive's or node's name; drives without a medium are left out
    problems     sentences about what was not understood
    """

    hypervisor: str
    vmid: str | None
    name: str | None
    machine: str | None
    iothreads: list[str]
    qmp: list[str]
    paths: set[str]
    disks: list[RunningDisk]
    problems: list[str]


def parse(argv: list[str]) -> CommandLine:
    """What a QEMU argument vector says about its guest; never fails."""
    found = collect(argv)
    sockets = [*found.qmp, *(found.chardevs.get(name) for name in found.monitors)]
    return {
        "hypervisor": "pve" if found.vmid else "libvirt" if found.by_libvirt else "qemu",
        "vmid": found.vmid,
        "name": cut(found.name.get("guest")),
        "machine": cut(found.machine.get("type")),
        "iothreads": found.iothreads,
        "qmp": [path for path in sockets if path],
        "paths": found.paths,
        "disks": disks(found),
        "problems": found.problems,
    }
