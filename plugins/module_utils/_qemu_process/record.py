# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Running guests as guest records: the running state of known guests, and whole records of guests without a config."""

from __future__ import annotations

from typing import Any

from .._model.disk_io import VIRTIO_CONTROLLERS

_BUSES = {"virtio-blk": "virtio", "scsi": "scsi", "ide": "ide"}


def add_running_state(guest: dict[str, Any], running: dict[str, Any] | None, installed: str | None) -> None:
    """Put a running guest (docs/data.md, "Running guest") into its record; None where it has no process.

    A drive that the process has and the config has not, or the other way round, is not compared.
    """
    guest["qemu"] = {
        **guest["qemu"],
        "running": running["qemu"]["running"] if running else None,
        "installed": installed,
    }
    if running is None:
        return
    runs = {disk["key"]: disk["runs"] for disk in running["disks"]}
    for disk in guest["disks"]:
        disk["runs"] = runs.get(disk["key"])
    guest["disagreements"] = running["disagreements"]


def record(running: dict[str, Any], node: str) -> dict[str, Any]:
    """The record of a guest of which nothing but its process is known (libvirt, or started by hand).

    ``effective`` is what it runs with, None where that is not known; there is no config, so nothing can be planned from
    it.
    """
    disks = [_disk(disk) for disk in running["disks"]]
    controllers = [disk["controller"] for disk in running["disks"] if disk["controller"]]
    return {
        "id": running["id"],
        "name": running["name"],
        "hypervisor": running["hypervisor"],
        "node": node,
        "config": None,
        "digest": None,
        "ostype": None,
        "machine": running["machine"],
        "next_start": {"machine": running["machine"], "ostype": None},
        "tags": [],
        "template": False,
        "lock": None,
        "running": True,
        "qemu": {**running["qemu"], "proven": None},
        "controller": {
            "configured": None,
            "pending": None,
            "effective": _controller(controllers, disks),
            "line": None,
        },
        "disks": disks,
        "pending": [],
        "foreign_pending": [],
        "snapshots": [],
        "snapshots_differ": [],
        "unsafe_lines": [],
        "unknown_keys": [],
        "not_asked": None,
        "args_disks": [],
        "disagreements": running["disagreements"],
    }


def _controller(controllers: list[str], disks: list[dict[str, Any]]) -> str:
    """QEMU's controller in Proxmox VE's words: a virtio one whose disks all have an iothread does what ``single``
    does.
    """
    if controllers and all(name in VIRTIO_CONTROLLERS for name in controllers):
        scsi = [disk for disk in disks if disk["bus"] == "scsi" and disk["effective"] is not None]
        return "virtio-scsi-single" if all(disk["effective"]["iothread"] for disk in scsi) else "virtio-scsi-pci"
    return controllers[0] if controllers else "lsi"


def _disk(disk: dict[str, Any]) -> dict[str, Any]:
    device = disk["device"] or ""
    return {
        "key": disk["key"],
        "bus": next((bus for start, bus in _BUSES.items() if device.startswith(start)), device or "unknown"),
        "media": "cdrom" if device.endswith("-cd") else "disk",
        "volume": disk["file"],
        "storage": None,
        "format": disk["format"],
        "line": None,
        "error": None,
        "start_fault": None,
        "overlay": disk["overlay"],
        "read_only": False,
        "configured": {"aio": None, "cache": None, "iothread": None},
        "aio_default": None,
        "pending": None,
        "pending_delete": False,
        "effective": disk["runs"],
        "next": None,
        "runs": disk["runs"],
        "filesystem": None,
    }
