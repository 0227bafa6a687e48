# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""What running guests run with, asked of their QEMU through Proxmox VE's API, several guests at the same time.

Where a QEMU hangs, Proxmox VE waits 25 s for it, with one of the node's three workers. So a node where that happens is
not asked about further guests.
"""

from __future__ import annotations

from collections.abc import Iterable

from .._model import records
from .._model.records import Guest, Values
from .._pve_api.errors import NODE_SILENT, ApiError, NoAnswer, NotUsable
from .._qemu_process import monitor
from .api_cluster import Cluster

_ADVICE = "Look at the guest on its node, or run again when that is mended."


def ask(cluster: Cluster, guests: Iterable[Guest]) -> None:
    """Put into the records of running guests what their disks run with, or why it is not known. Raises NotUsable."""
    silent: dict[str, str] = {}
    running = [guest for guest in guests if guest["running"] and guest["disks"]]
    for guest, found in zip(running, cluster.each(lambda one: _ask(cluster, silent, one), running)):
        if isinstance(found, str):
            guest["unknown"].append(records.unknown(f"what it runs with is not known: {found}", _ADVICE, "warning"))
            continue
        for disk in guest["disks"]:
            disk["runs"] = found.get(disk["key"])


def _ask(cluster: Cluster, silent: dict[str, str], guest: Guest) -> dict[str, Values] | str:
    """Disk → its values, or why they are not known."""
    node, number = str(guest["node"]), guest["id"]
    if node in silent:
        return f"its node is not asked again, because the QEMU of guest {silent[node]} did not answer in time"

    def say(command: str) -> str:
        return cluster.monitor(node, number, command)

    try:
        devices, iothreads, nodes = (say(one) for one in (monitor.DEVICES, monitor.IOTHREADS, monitor.NODES))
        drives = say(monitor.DRIVES) if monitor.needs_drives(devices, nodes) else ""
        return monitor.runs(devices, iothreads, nodes, drives)
    except NotUsable:
        raise
    except ValueError as exc:
        return str(exc)
    except ApiError as exc:
        if isinstance(exc, NoAnswer) or exc.status in NODE_SILENT or "timeout" in exc.words:
            silent.setdefault(node, number)
        return f"the monitor of its QEMU gives no answer: {exc}"
