# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Running guests as guest records: the running state of known guests, and whole records of guests without a config."""

from __future__ import annotations

from .._model import records
from .._model.disk_io import VIRTIO_CONTROLLERS, VIRTIO_SCSI

_BUSES = {"virtio-blk": "virtio", "scsi": "scsi", "ide": "ide"}


def add_running_state(guest: records.Guest, running: records.RunningGuest | None, installed: str | None) -> None:
    """Put a running guest (docs/data.md, "Running guest") into its record; None where it has no process.

    A drive that only the process or only the config has is not compared.
    """
    guest["qemu"]["running"] = running["qemu"]["running"] if running else None
    guest["qemu"]["installed"] = installed
    if running is None:
        return
    guest["started"] = running["started"]
    runs = {disk["key"]: disk["runs"] for disk in running["disks"]}
    for disk in guest["disks"]:
        disk["runs"] = runs.get(disk["key"])
    guest["disagreements"] = running["disagreements"]


def record(running: records.RunningGuest, node: str) -> records.Guest:
    """The record of a guest that is known from its process alone (libvirt, or started by hand).

    ``effective`` is what it runs with, None where that is not known; there is no config, so nothing can be planned.
    """
    return records.guest(
        id=running["id"],
        name=running["name"],
        hypervisor=running["hypervisor"],
        node=node,
        machine=running["machine"],
        running=True,
        started=running["started"],
        qemu={**running["qemu"], "proven": None},
        controller=records.controller(effective=_controller(running["disks"])),
        disks=[_disk(disk) for disk in running["disks"]],
        disagreements=running["disagreements"],
    )


def _controller(disks: list[records.RunningDisk]) -> str:
    """The disks' controllers in Proxmox VE's words: virtio ones whose disks all have an iothread do what
    virtio-scsi-single does.
    """
    shared, single = VIRTIO_CONTROLLERS
    models = [disk["controller"]["model"] for disk in disks if disk["controller"]]
    if not models:
        return "lsi"
    if set(models) != {VIRTIO_SCSI}:
        return shared if models[0] == VIRTIO_SCSI else models[0]
    scsi = [disk["runs"] for disk in disks if disk["runs"] and disk["device"].startswith("scsi")]
    return single if all(values["iothread"] for values in scsi) else shared


def _disk(disk: records.RunningDisk) -> records.Disk:
    device = disk["device"]
    return records.disk(
        key=disk["key"],
        bus=next((bus for start, bus in _BUSES.items() if device.startswith(start)), device or "unknown"),
        media="cdrom" if device.endswith("-cd") else "disk",
        volume=disk["file"],
        format=disk["format"],
        overlay=disk["overlay"],
        effective=disk["runs"],
        runs=disk["runs"],
    )
