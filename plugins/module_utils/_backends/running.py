# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""What the guests of a live Proxmox VE node run with."""

from __future__ import annotations

from collections.abc import Collection
from functools import cached_property

from .._model.records import Guest, RunningGuest
from .._pve.image import image_path
from .._qemu_process import proc as _proc
from .._qemu_process.record import add_running_state
from . import layout
from .filesystems import FileSystems
from .processes import Processes


class Running:
    """The guests that run on this host, a node."""

    def __init__(self, root: str, processes: Processes) -> None:
        self._root = root
        self._all = processes
        self._file_systems = FileSystems(root)

    @cached_property
    def _processes(self) -> dict[str, RunningGuest]:
        return _proc.by_pve_id(self._all.all)

    def add(self, guest: Guest) -> None:
        """Complete the record of a guest of this node."""
        guest["running"] = is_running(self._root, guest["id"])
        add_running_state(guest, self._processes.get(guest["id"]) if guest["running"] else None, self._all.installed)
        for disk in guest["disks"]:
            path = image_path(disk["volume"], disk["storage"]) if disk["media"] == "disk" else None
            disk["filesystem"] = self._file_systems.of(path) if path else None

    def take(self, known: Collection[str]) -> None:
        """Take the processes of the guests ``known``, and those of guests with a config on another node of the cluster:
        while a guest migrates to this node it runs here, and its config is still there.
        """
        if set(self._processes) - set(known):
            known = {*known, *(source.guest for source in layout.node_sources(self._root, "all"))}
        self._all.take({vmid: process for vmid, process in self._processes.items() if vmid in known})


def is_running(root: str, guest: str) -> bool:
    """Whether the guest has a live process."""
    return pid(root, guest) is not None


def pid(root: str, guest: str) -> int | None:
    """The guest's live process, None where there is none.

    It is root's, the guest's pid file names it, and it names that file itself: after a guest was killed, its number may
    be anybody's (qemu-server, vm_running_locally).
    """
    try:
        number = _proc.pid_in_file(root, guest)
    except PermissionError:
        return None
    return number if number is not None and _proc.is_process_of(number, guest) else None
