# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Where guest configs of Proxmox VE are: on a live node, in a tree of a whole cluster, in a flat directory."""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

from .. import _shown
from .._host import user, whole_file

#: The largest file pmxcfs stores (its MEMDB_MAX_FILE_SIZE).
MAX_CONFIG_BYTES = 1024 * 1024

# A guest's id is from 100 to 999999999 (pve-common JSONSchema, pve-vmid).
_VMID = re.compile(r"[1-9]\d{2,8}\Z", re.ASCII)
_CONFIG = re.compile(r"^([1-9]\d{2,8})\.conf\Z", re.ASCII)
#: What a guest config is called in a flat directory.
FLAT = re.compile(r"^([1-9]\d{2,8})\.(conf|json)\Z", re.ASCII)
#: Folders of /etc/pve without guests of QEMU: those of containers, and those that only root may read.
NO_GUESTS = ("lxc", "openvz", "priv")
#: The message for a host without a node of Proxmox VE.
NO_NODES = (
    "no guests to read: /etc/pve/nodes is not there or empty; is this a Proxmox VE node, and is pve-cluster running?"
)
_NODE = re.compile(r"^[a-zA-Z0-9](?:[a-zA-Z0-9\-]*[a-zA-Z0-9])?\Z", re.ASCII)


class LayoutError(OSError):
    """There is nothing to read guests from; the message says what was looked for and what to do."""


class Source(NamedTuple):
    """One guest config: the guest's id, its node (None in a flat directory), and its path on the host."""

    guest: str
    node: str | None
    path: str


def is_vmid(guest: str) -> bool:
    """Whether a text is the id of a guest of Proxmox VE."""
    return bool(_VMID.match(guest))


def inside(root: str, path: str) -> str:
    """An absolute path of the host, below ``root``."""
    return os.path.join(root, path.lstrip("/"))


def etc_pve(root: str) -> str:
    """Where the files of /etc/pve are below ``root``: there, or at the top where ``root`` is a copy of /etc/pve."""
    if os.path.isdir(inside(root, "/etc/pve")):
        return "/etc/pve"
    try:
        nodes = os.listdir(inside(root, "/nodes"))
    except OSError:
        return "/etc/pve"
    return "" if any(os.path.isdir(inside(root, f"/nodes/{name}/qemu-server")) for name in nodes) else "/etc/pve"


def flat_folder(root: str) -> str:
    """The folder with the guest configs of a root without nodes, as a path on the host: a qemu-server, or the root."""
    return next((path for path in ("/etc/pve/qemu-server", "/qemu-server") if os.path.isdir(inside(root, path))), "/")


def own_node(root: str) -> str:
    """The name of this host's node: what /etc/pve/local points to, else the host's name (PVE::INotify nodename)."""
    try:
        return os.path.basename(os.readlink(inside(root, "/etc/pve/local")))
    except OSError:
        return socket.gethostname().split(".", 1)[0]


def node_names(root: str) -> list[str]:
    """All nodes below ``root``, sorted; empty where there is no /etc/pve/nodes.

    Links do not count: a link would be a second node with the guests of the first.
    """
    directory = inside(root, etc_pve(root) + "/nodes")
    try:
        return sorted(
            name
            for name in os.listdir(directory)
            if _NODE.match(name) and not os.path.islink(os.path.join(directory, name))
        )
    except FileNotFoundError:
        return []
    except OSError as exc:
        raise LayoutError(f"cannot read directory {_shown.path(directory)}: {exc.strerror}") from exc


def has_nodes(root: str) -> bool:
    """Whether there is a node in /etc/pve/nodes."""
    return os.path.isdir(inside(root, "/etc/pve")) and bool(node_names(root))


def is_node(root: str) -> bool:
    """Whether a host is a node of Proxmox VE. Raises LayoutError where it is one, and the user is not root.

    The files of /etc/pve are root's, readable by the group www-data; qm and pvesm refuse everybody but root.
    """
    if not has_nodes(root):
        return False
    if not user.may_act_for(inside(root, "/etc/pve")):
        raise LayoutError(
            f"only root can read and change the guests of a Proxmox VE node, and this is user {user.name()}:"
            f" {user.BECOME}"
        )
    return True


def sources(root: str, node: str | None, unreadable: Callable[[str, str], None] | None = None) -> list[Source]:
    """The guest configs of a tree, by node and id; of all nodes where ``node`` is None or ``all``.

    As ``node_sources`` for ``unreadable`` and errors.
    """
    return node_sources(root, node or "all", unreadable) if node_names(root) else _flat(root)


def node_sources(
    root: str, node: str, unreadable: Callable[[str, str], None] | None = None, whole: bool = False
) -> list[Source]:
    """The guest configs of a node, or of ``all`` nodes, by node and id.

    A node's directory that cannot be read goes to ``unreadable`` with the reason, and hides no other node's. Without
    it, or where no node can be read, LayoutError is raised. With ``whole`` every node must have its directory, as
    Proxmox VE makes it; a tree from Git has no empty ones.
    """
    names = node_names(root)
    if not names:
        raise LayoutError(NO_NODES)
    if node != "all":
        if node not in names:
            raise LayoutError(
                f"no node {_shown.shown(node)} in {_shown.path(inside(root, etc_pve(root) + '/nodes'))}; there are:"
                f" {', '.join(names)}"
            )
        names = [node]
    found: list[Source] = []
    faults: list[tuple[str, LayoutError]] = []
    for name in names:
        directory = f"{etc_pve(root)}/nodes/{name}/qemu-server"
        if whole and not os.path.isdir(inside(root, directory)):
            raise LayoutError(f"no directory {directory}: is pve-cluster running?")
        try:
            found += [
                Source(match[1], name, f"{directory}/{match[0]}")
                for match in _matches(inside(root, directory), _CONFIG)
            ]
        except LayoutError as exc:
            faults.append((directory, exc))
    if faults and (unreadable is None or len(faults) == len(names)):
        raise faults[0][1]
    for directory, fault in faults:
        if unreadable:
            unreadable(directory, str(fault))
    return found


def _flat(root: str) -> list[Source]:
    if not os.path.isdir(root):
        raise LayoutError(f"no directory {_shown.path(root)}")
    folder = flat_folder(root)
    pattern = _CONFIG if folder.startswith("/etc") else FLAT
    matches = _matches(inside(root, folder), pattern)
    # Where a guest has two files, the JSON is not read: it tells less.
    files = {match[1]: match[0] for match in sorted(matches, key=lambda match: match[0], reverse=True)}
    return [Source(guest, None, os.path.join(folder, files[guest])) for guest in sorted(files, key=int)]


def _matches(directory: str, pattern: re.Pattern[str]) -> list[re.Match[str]]:
    try:
        names = os.listdir(directory)
    except FileNotFoundError:
        return []
    except OSError as exc:
        raise LayoutError(f"cannot read directory {_shown.path(directory)}: {exc.strerror}") from exc
    return sorted((match for match in map(pattern.match, names) if match), key=lambda match: int(match[1]))


def read(root: str, path: str, limit: int = MAX_CONFIG_BYTES) -> bytes:
    """The bytes of a host's file below ``root``.

    Raises OSError where it cannot be read, is not a regular file, is larger than ``limit`` bytes (what Proxmox VE
    stores), or is a link that leads out of the root.
    """
    full = inside(root, path)
    if not stays_inside(root, full):
        raise OSError(0, f"is a link that leads out of {root}")
    return whole_file.read(full, limit)


def read_config(root: str, path: str, limit: int = MAX_CONFIG_BYTES) -> bytes:
    """The bytes of a guest's config; raises OSError as :func:`read`, and for a link.

    Through a link the same file would be a second guest, and be written twice. Directories may be links, as Proxmox
    VE's own /etc/pve/qemu-server is.
    """
    if os.path.islink(inside(root, path)):
        raise OSError(0, "is a link; a guest's config is a file of its own")
    return read(root, path, limit)


def text(root: str, path: str) -> str:
    """A host's text file, with U+FFFD for what is not UTF-8; raises OSError as ``read``."""
    return read(root, path).decode("utf-8", "replace")


def optional_text(root: str, path: str) -> str | None:
    """The same; None where it cannot be read."""
    try:
        return text(root, path)
    except OSError:
        return None


def stays_inside(root: str, full: str) -> bool:
    """Whether a path leads to a place below ``root``, links followed.

    Links are not led back into the root as in :class:`.._host.tree.Tree`: a folder of guests behind a link that leads
    out would be an empty one, and be passed over in silence.
    """
    top = _real_directory(root)
    real = os.path.realpath(full) if os.path.islink(full) else _real_directory(os.path.dirname(full))
    return os.path.commonpath([real, top]) == top


# Thousands of configs are in a few directories.
@lru_cache(maxsize=256)
def _real_directory(path: str) -> str:
    return os.path.realpath(path)


def reason(exc: OSError) -> str:
    """An OSError in words, without numbers and paths."""
    return exc.strerror or str(exc)
