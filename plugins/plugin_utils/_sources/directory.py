# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""A directory of guest configs on the controller: read and assess in one call, for configs in Git and the like."""

from __future__ import annotations

import datetime
import os
from collections.abc import Mapping
from typing import Any

from ...module_utils._backends import find, layout
from ...module_utils._backends.reading import Reading
from ...module_utils._backends.unread import Unread, unread
from ...module_utils._host.run import command
from ...module_utils._model.findings import host_entry
from ...module_utils._text import plural
from .._policy.assess import assess_nodes
from .._policy.policy import Policy


def assess_directory(root: str, policy: Policy, date: datetime.date) -> dict[str, Any]:
    """The findings document of the guests below ``root``; its files are paths on this machine.

    ``not_read`` in it lists the files that are not guest configs, containers first. In a tree of a cluster each node is
    the host of its guests, and the document has them as ``hosts``.

    Raises layout.LayoutError where there is no guest, or a directory cannot be read; PolicyError.
    """
    if not root.strip():
        raise layout.LayoutError("no directory is named to read guest configs from")
    if not os.path.isdir(root):
        raise layout.LayoutError(f"no directory {root}")
    try:
        os.listdir(root)
    except OSError as exc:
        raise layout.LayoutError(f"cannot read directory {root}: {exc.strerror}") from exc
    reading = find.read(root, run=command)
    if not reading.guests and not any(problem["guest"] for problem in reading.problems):
        raise layout.LayoutError(_nothing(root, reading))
    others = Unread([], [])
    if not find.is_this_host(root):
        read = [guest["config"] for guest in reading.guests] + [problem["file"] for problem in reading.problems]
        others = unread(root, {path for path in (*read, *reading.containers) if path})
    for path, reason in others.guests:
        reading.problem(path, reason)
    records: Any = {
        "guests": [_placed(root, guest, "config") for guest in reading.guests],
        "nodes": reading.nodes,
        "problems": [_placed(root, problem, "file") for problem in reading.problems],
    }
    document: dict[str, Any] = dict(assess_nodes(records, policy, date))
    document["not_read"] = [f"{layout.inside(root, path)} (container)" for path in reading.containers]
    document["not_read"] += [layout.inside(root, path) for path in others.others]
    nodes = {guest["node"] for guest in reading.guests} if find.is_this_host(root) else layout.node_names(root)
    named = sorted(node for node in nodes if node)
    if named:
        document["hosts"] = [host_entry(node) for node in named]
    return document


def _placed(root: str, item: Mapping[str, Any], key: str) -> dict[str, Any]:
    """The item with its path below ``root`` as a path on this machine."""
    return {**item, key: layout.inside(root, item[key]) if item[key] else item[key]}


def _nothing(root: str, reading: Reading) -> str:
    """Why there is no guest to read, and what to name instead where that can be seen."""
    folders = layout.folders_with_guests(root)
    if folders:
        more = f" and {len(folders) - 5} more" if len(folders) > 5 else ""
        return (
            f"no guest config in {root} itself, but in folders of it: {', '.join(folders[:5])}{more}; name one of them,"
            " and run once for each"
        )
    if reading.containers:
        return (
            f"no guest config in {root}, only those of {plural(len(reading.containers), 'container')}, which QEMU does"
            " not run"
        )
    return (
        f"no guest config in {root}: it takes VMID.conf or VMID.json and storage.cfg, or a copy of /etc/pve, "
        "or etc/pve/nodes/NODE/qemu-server/VMID.conf and etc/pve/storage.cfg"
    )
