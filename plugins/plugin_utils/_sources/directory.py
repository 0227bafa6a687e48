# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""A directory of guest configs on the controller, for configs in Git and the like: read, then assessed."""

from __future__ import annotations

import datetime
import os
from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

from ...module_utils._backends import domain_layout, find, layout, trees
from ...module_utils._backends.reading import Reading
from ...module_utils._backends.unread import Unread, unread
from ...module_utils._host.run import command
from ...module_utils._model.findings import host_entry
from ...module_utils._model.records import Guest, Storage
from ...module_utils._text import plural
from .._policy.assess import assess_nodes
from .._policy.policy import Policy


class Configs(NamedTuple):
    """What was read of a directory: paths are paths on this machine. ``nothing`` is why there is no guest, None where
    there is one; ``not_read`` the files that are not guest configs, containers first.
    """

    guests: list[Guest]
    storages: dict[str, Storage]
    records: Any
    not_read: list[str]
    nodes: list[str]
    nothing: str | None


def read_directory(root: str, plans: Collection[str] = ()) -> Configs:
    """The guests below ``root``; ``plans`` are the files in it that are read in another way.

    Raises layout.LayoutError where a directory cannot be read.
    """
    reading = find.read(root, run=command)
    empty = not reading.guests and not any(problem["guest"] for problem in reading.problems)
    others = Unread([], [])
    if not find.is_this_host(root):
        read = [guest["config"] for guest in reading.guests] + [problem["file"] for problem in reading.problems]
        read += ["/" + os.path.relpath(path, root) for path in plans]
        others = unread(root, {path for path in (*read, *reading.containers) if path})
    for path, reason in others.guests:
        reading.problem(path, reason)
    guests = [_placed(root, guest, "config") for guest in reading.guests]
    problems = [_placed(root, problem, "file") for problem in reading.problems]
    if empty and plans:
        # Where there are only plans, a storage.cfg that is not there is no problem.
        problems = [one for one in problems if os.path.lexists(one["file"] or root)]
    not_read = [f"{layout.inside(root, path)} (container)" for path in reading.containers]
    listed = [(path, layout.inside(root, path)) for path in others.others]
    # A folder with a plan was read.
    not_read += [
        f"{place}{_kind(root, path)}"
        for path, place in listed
        if not any(plan.startswith(place) for plan in plans if place.endswith("/"))
    ]
    nodes = {guest["node"] for guest in reading.guests} if find.is_this_host(root) else layout.node_names(root)
    return Configs(
        guests=reading.guests,
        storages={storage["id"]: storage for storage in reading.storages},
        records={"guests": guests, "nodes": reading.nodes, "problems": problems},
        not_read=not_read,
        nodes=sorted(node for node in nodes if node),
        nothing=_nothing(root, reading) if empty else None,
    )


def assess_directory(configs: Configs, policy: Policy, date: datetime.date) -> dict[str, Any]:
    """The findings document of a directory.

    In a tree of a cluster each node is the host of its guests, and the document has them as ``hosts``. Raises
    PolicyError.
    """
    document: dict[str, Any] = dict(assess_nodes(configs.records, policy, date))
    document["not_read"] = configs.not_read
    if configs.nodes:
        document["hosts"] = [host_entry(node) for node in configs.nodes]
    return document


def _kind(root: str, path: str) -> str:
    """What else a file of libvirt is, to be said after its path."""
    kind = domain_layout.kind(root, path) if domain_layout.is_xml(path) else None
    return f" ({kind})" if kind else ""


def _placed(root: str, item: Mapping[str, Any], key: str) -> dict[str, Any]:
    """The item with its path below ``root`` as a path on this machine."""
    return {**item, key: layout.inside(root, item[key]) if item[key] else item[key]}


def _nothing(root: str, reading: Reading) -> str:
    """Why there is no guest to read, and what to name instead where that can be seen."""
    folders = trees.folders_with_guests(root)
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
        "or etc/pve/nodes/NODE/qemu-server/VMID.conf and etc/pve/storage.cfg; of libvirt the XML of domains, or "
        "etc/libvirt/qemu/NAME.xml"
    )
