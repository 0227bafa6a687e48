# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Files next to guest configs that were not read: those that may be guests, and the others."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from typing import NamedTuple

from . import domain_layout
from .layout import FLAT, NO_GUESTS, LayoutError, etc_pve, flat_folder, inside

# What belongs next to guest configs in a flat directory: files of /etc/pve, folders of /etc/libvirt/qemu, and a gate's
# own report.
_OURS = ("autostart", "ceph.conf", "corosync.conf", "guest-io.json", "networks", "storage.cfg")

# Where guest configs are in a copy of /etc/pve and of a node's folder; next to an etc/pve they are not read.
_ALSO = ("/nodes", "/qemu-server")


class Unread(NamedTuple):
    """Paths on the host: of ``guests``, each with the reason why it was not read, and of ``others``."""

    guests: list[tuple[str, str]]
    others: list[str]


def unread(root: str, read: Collection[str]) -> Unread:
    """The files below ``root`` that are not among those that were ``read``. Hidden names are left out.

    In a tree with an etc/pve or an etc/libvirt/qemu, only these, the top, and nodes and qemu-server at the top are
    searched: the rest may be a whole host. Raises LayoutError where a directory cannot be read.
    """
    top = etc_pve(root)
    tree = next(
        (path for path in (f"{top}/nodes", flat_folder(root)) if path != "/" and os.path.isdir(inside(root, path))),
        None,
    )
    domains = domain_layout.folder(root)
    tops = [*(["/etc/pve"] if tree and tree.startswith("/etc/") else []), *([domains] if domains != "/" else [])]
    flat = domains == "/" or any(os.path.dirname(path) == "/" for path in read)
    known = {os.path.realpath(inside(root, path)) for path in read}
    found = Unread([], [])
    for here, folders, files in _folders(root, tops or ["/"]):
        home = (here.startswith(tree) and os.path.basename(here) == "qemu-server") if tree else flat and here == "/"
        listed = home or here == domains != "/"
        for name in sorted(folders + files):
            path = os.path.join(here, name)
            if path in read or name.startswith(".") or (listed and name in _OURS):
                continue
            if domain_layout.is_xml(name) and name in files:
                reason = _reason_of_xml(root, path, domains, read)
            else:
                reason = _reason(name, files, home, tree)
            if reason and os.path.realpath(inside(root, path)) not in known:
                found.guests.append((path, reason))
            elif listed and not reason:
                found.others.append(path + "/" * (name in folders))
    return found


def _folders(root: str, tops: list[str]) -> Iterator[tuple[str, list[str], list[str]]]:
    """Each folder once, as a path on the host, with the folders and files in it; folders behind links come last."""
    waiting: list[str] = [*tops]
    links: list[str] = []
    seen: set[str] = set()
    if tops != ["/"]:
        yield from _listed(root, "/", [], [])
        waiting += [path for path in _ALSO if os.path.isdir(inside(root, path))]
    while waiting or links:
        here = (waiting or links).pop(0)
        real = os.path.realpath(inside(root, here))
        if real not in seen:
            seen.add(real)
            yield from _listed(root, here, waiting, links)


def _listed(
    root: str, here: str, folders_to: list[str], links_to: list[str]
) -> Iterator[tuple[str, list[str], list[str]]]:
    folders: list[str] = []
    files: list[str] = []
    try:
        with os.scandir(inside(root, here)) as entries:
            for entry in sorted(entries, key=lambda entry: entry.name):
                is_folder = entry.is_dir()
                (folders if is_folder else files).append(entry.name)
                if is_folder and not entry.name.startswith(".") and entry.name not in NO_GUESTS:
                    (links_to if entry.is_symlink() else folders_to).append(os.path.join(here, entry.name))
    except OSError as exc:
        raise LayoutError(f"cannot read directory {inside(root, here)}: {exc.strerror}") from exc
    yield here, folders, files


def _reason_of_xml(root: str, path: str, domains: str, read: Collection[str]) -> str | None:
    """Why XML that may be a domain's was not read; None where it is not one, or what starts one at boot."""
    folder, name = os.path.split(path)
    above, last = os.path.split(folder)
    starts = last == "autostart" and os.path.join(above, name) in read
    if starts or not os.path.exists(inside(root, path)) or not domain_layout.may_be_domain(root, path):
        return None
    where = "the directory itself, not in folders below it" if domains == "/" else domains[1:]
    return f"was not read: the XML of domains lies in {where}"


def _reason(name: str, siblings: Collection[str], home: bool, tree: str | None) -> str | None:
    """Why a file that may be a guest was not read; None where it is not one."""
    match = FLAT.match(name)
    if match and home and match[2] == "json" and f"{match[1]}.conf" in siblings:
        return f"is a second config of guest {match[1]}, next to {match[1]}.conf: keep one of them"
    if match and not home:
        return f"was not read: guest configs lie in {_place(tree)}"
    if match and tree and match[2] == "conf":
        return "was not read: the name of its folder is not that of a node"
    if home and (name.isdigit() or name.lower().endswith((".conf", ".json"))):
        return (
            f"was not read: a guest config is named VMID.conf{'' if tree else ' or VMID.json'}, with a VMID from 100 to"
            " 999999999"
        )
    return None


def _place(tree: str | None) -> str:
    """Where guest configs lie in this directory."""
    if tree is None:
        return "the directory itself, not in folders below it"
    return f"{tree[1:]}/NODE/qemu-server" if tree.endswith("/nodes") else tree[1:]
