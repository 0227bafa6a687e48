# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Domain XML as ``virsh dumpxml --inactive`` prints it, for tests."""

from __future__ import annotations


def disk(dev="vda", driver="", type="file", source=None, bus=None, device="disk", more=""):
    """A disk; ``driver`` are further attributes of its driver, ``source`` and ``more`` are elements."""
    where = source or f"<source file='/var/lib/libvirt/images/{dev}.qcow2'/>"
    named = bus or {"v": "virtio", "s": "scsi", "h": "ide", "f": "fdc"}[dev[0]]
    options = f" {driver}" if driver else ""
    return (
        f"    <disk type='{type}' device='{device}'>\n"
        f"      <driver name='qemu' type='qcow2'{options}/>\n"
        f"      {where}\n"
        f"      <target dev='{dev}' bus='{named}'/>\n"
        f"{more}"
        "    </disk>\n"
    )


def domain(name="web", *disks, type="kvm", iothreads=None, controllers="", machine="pc-q35-7.2"):
    """A domain with these disks, by default one on virtio; ``name`` is put in as it is."""
    threads = f"  <iothreads>{iothreads}</iothreads>\n" if iothreads else ""
    return (
        f"<domain type='{type}'>\n"
        f"  <name>{name}</name>\n"
        "  <uuid>11111111-2222-3333-4444-555555555555</uuid>\n"
        f"{threads}"
        "  <os>\n"
        f"    <type arch='x86_64' machine='{machine}'>hvm</type>\n"
        "  </os>\n"
        "  <devices>\n"
        f"{''.join(disks or (disk(),))}"
        f"{controllers}"
        "  </devices>\n"
        "</domain>\n"
    )
