# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The guests of a host without a known hypervisor, read from their QEMU processes. They cannot be written."""

from __future__ import annotations

from collections.abc import Collection

from .._model import records
from .._model.records import NOT_THERE
from .._qemu_process import proc as _proc
from .._qemu_process.record import record
from .._text import natural_key
from . import layout, nodes
from .reading import Reading


def read(root: str, node: str | None, only: Collection[str] | None) -> Reading:
    """The guests that run, or ``only`` those with these ids or names. Raises LayoutError where none can be seen."""
    reading = Reading()
    running, reading.problems = _proc.running_guests(root) if node is None else ([], [])
    if not running:
        hidden = "; ".join(problem["reason"] for problem in reading.problems)
        raise layout.LayoutError(
            f"{layout.NO_NODES} No QEMU process can be seen either: {hidden}" if hidden else layout.NO_NODES
        )
    own = layout.own_node(root)
    known = {name for guest in running for name in (guest["id"], guest["name"])}
    for name in sorted(set(only or ()) - known, key=natural_key):
        reading.problem("", NOT_THERE, guest=name)
    reading.guests = [
        record(guest, own) for guest in running if only is None or guest["id"] in only or guest["name"] in only
    ]
    reading.nodes = [records.node(name=own, addresses=nodes.kernel_addresses())]
    return reading
