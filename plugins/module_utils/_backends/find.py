# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Which backends a host has, or a tree of files. A new backend is a line here."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from .. import _shown
from . import layout
from .backend import Backend
from .hypervisors import AUTO, LIBVIRT, NEITHER, PVE, here
from .libvirt_connection import SYSTEM
from .processes import Processes
from .reading import Reading, joined

# A module is compiled again on each run, with all that it imports: each hypervisor's room is loaded where it is needed.
# pylint: disable=import-outside-toplevel


def is_this_host(root: str) -> bool:
    """Whether ``root`` is this host itself, not a tree of files."""
    return os.path.realpath(root) == "/"


def backends(
    root: str = "/",
    node: str | None = None,
    run: Any = None,
    timeout: int = 300,
    apply_foreign_pending: bool = False,
    api: Mapping[str, Any] | None = None,
    writes: Collection[str] = (),
    hypervisor: str = AUTO,
    libvirt_uris: Sequence[str] = (SYSTEM,),
    processes: Processes | None = None,
) -> list[Backend[Any]]:
    """The backends of this host, or of the tree below ``root``; none on a host without a known hypervisor.

    ``api`` is how an API is reached (a module's option of that name), in place of a root. ``writes`` are the ids of the
    guests that are to be written.

    ``node`` is the node whose guests are meant, ``all`` every node; without it a host's own, or all of a tree.
    ``run`` runs the hypervisor's commands; without it none is asked, and a host's guests cannot be written.
    ``timeout`` is in seconds: for one command, and for another run that writes the same tree.
    ``hypervisor`` is the one whose guests are meant, or ``auto``, all that the host has. ``libvirt_uris`` are the
    connections whose guests are meant. The ``processes`` of the backends' guests are taken.
    Raises layout.LayoutError on a node whose guests this user may not read, a token not read or write, or where the
    hypervisor that is named is not there.
    """
    if api is not None:
        if root != "/":
            raise layout.LayoutError(f"root is {root}, and an API is named too: these are two ways to guests; name one")
        if hypervisor == LIBVIRT:
            raise layout.LayoutError("hypervisor is libvirt, and an API is named too, which is Proxmox VE's; name one")
        # What it imports takes longer than all else that reads a node.
        from .api import Api, connected

        return [Api(connected(api), node, apply_foreign_pending, writes)]
    if not is_this_host(root):
        from .trees import backends as of_tree

        found = of_tree(root, node, timeout, hypervisor)
        if not found:
            raise layout.LayoutError(f"hypervisor is {hypervisor}, and there are no guests of it in {root}")
        return found
    found = []
    kinds = here(root, hypervisor, libvirt_uris)
    if PVE in kinds:
        from .qm import Qm

        found.append(Qm(root, node, run, timeout, apply_foreign_pending, processes))
    if LIBVIRT in kinds and node in (None, "all", layout.own_node(root)):
        from .virsh import Virsh

        found.append(Virsh(root, libvirt_uris, run, timeout, processes))
    return found


def read(
    root: str = "/",
    node: str | None = None,
    only: Collection[str] | None = None,
    run: Any = None,
    api: Mapping[str, Any] | None = None,
    hypervisor: str = AUTO,
    libvirt_uris: Sequence[str] = (SYSTEM,),
) -> Reading:
    """All guests, or those with the ids ``only``; raises layout.LayoutError where there is nothing to read from.

    The guests of a host that run and that no backend knows come last. A backend that cannot read is a problem, and
    hides no other's guests.
    """
    processes = Processes(root)
    found = backends(root, node, run, api=api, hypervisor=hypervisor, libvirt_uris=libvirt_uris, processes=processes)
    if api is not None or not is_this_host(root):
        return joined(backend.read(only) for backend in found)
    readings: list[Reading] = []
    faults: list[layout.LayoutError] = []
    for backend in found:
        try:
            readings.append(backend.read(only))
        except layout.LayoutError as exc:
            faults.append(exc)
    if not found and node not in (None, "all", layout.own_node(root)):
        raise layout.LayoutError(f"no node {_shown.shown(node)} here: this host is {layout.own_node(root)}")
    if len(faults) == len(found):
        _refuse_nothing(processes, faults)
    if node in (None, "all", layout.own_node(root)):
        readings.append(processes.others(only, None if hypervisor == AUTO else hypervisor))
    # It misses no guest that is asked for: it does not know.
    for fault in faults:
        readings.append(Reading())
        readings[-1].problem("", str(fault))
    return joined(readings)


def _refuse_nothing(processes: Processes, faults: list[layout.LayoutError]) -> None:
    """Raise LayoutError where no backend reads, and no process is a guest either."""
    if processes.all:
        return
    hidden = "; ".join(problem["reason"] for problem in processes.problems)
    said = "; ".join(map(str, faults)) or NEITHER
    raise layout.LayoutError(f"{said} No QEMU process can be seen either: {hidden}" if hidden else said)
