# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""What the guests of a live Proxmox VE node run with."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from .._model.records import Guest
from .._pve.image import image_path
from .._qemu_process import proc as _proc
from .._qemu_process.record import add_running_state
from .._qemu_process.record import record as _process_record
from . import layout
from .filesystems import FileSystems
from .reading import Reading


class Running:
    """The guests that run on the node ``own``, this host. Problems go to the reading."""

    def __init__(self, root: str, own: str, reading: Reading) -> None:
        self._root = root
        self._own = own
        running, problems = _proc.running_guests(root)
        reading.problems += problems
        self._processes = _proc.by_pve_id(running)
        self._others = [guest for guest in running if guest["hypervisor"] != "pve"]
        self._installed = _proc.installed_version(root)
        self._file_systems = FileSystems(root)

    def add(self, guest: Guest) -> None:
        """Complete the record of a guest of this node."""
        guest["running"] = is_running(self._root, guest["id"])
        add_running_state(guest, self._processes.get(guest["id"]) if guest["running"] else None, self._installed)
        for disk in guest["disks"]:
            path = image_path(disk["volume"], disk["storage"]) if disk["media"] == "disk" else None
            disk["filesystem"] = self._file_systems.of(path) if path else None

    def without_config(self, known: Collection[str]) -> Iterator[Guest]:
        """The guests that run here and are not among ``known``: those of another hypervisor, and those of Proxmox VE
        that have no config on any node of the cluster.
        """
        unknown = [guest for vmid, guest in self._processes.items() if vmid not in known]
        if unknown:
            # While a guest migrates to this node it runs here, and its config is still on the other node.
            known = {source.guest for source in layout.node_sources(self._root, "all")}
        for guest in [*(guest for guest in unknown if guest["id"] not in known), *self._others]:
            yield _process_record(guest, self._own)


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
