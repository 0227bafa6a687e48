# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Proxmox VE's storage types: what each needs, may hold, and hands to QEMU.

From pve-storage 9.1.7 (``plugindata``, ``properties`` and ``options`` of each plugin) and pve-common's JSONSchema.pm.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable

from .drive_options import shown

# QEMU's block driver for a storage type's images (the plugins' qemu_blockdev_options and path).
_DRIVERS = {
    "dir": "file",
    "nfs": "file",
    "cifs": "file",
    "cephfs": "file",
    "btrfs": "file",
    "esxi": "file",
    "lvm": "host_device",
    "lvmthin": "host_device",
    "zfspool": "host_device",
    "iscsi": "host_device",
    "iscsidirect": "iscsi",
    "zfs": "iscsi",
}
_SHARED = ("nfs", "cifs", "cephfs", "rbd", "iscsi", "iscsidirect", "zfs", "pbs", "esxi")
# The only types with an option to share what is not shared by its nature.
_CAN_BE_SHARED = ("dir", "btrfs", "lvm", "esxi")
# What a section is skipped without. The path of nfs, cifs and cephfs is /mnt/pve/ID where it is not given. A zfs
# needs its blocksize as well, which changes nothing of what is read here.
_REQUIRED = {
    "dir": ("path",),
    "btrfs": ("path",),
    "nfs": ("server", "export"),
    "cifs": ("server", "share"),
    "lvm": ("vgname",),
    "lvmthin": ("vgname", "thinpool"),
    "zfspool": ("pool",),
    "zfs": ("iscsiprovider", "pool", "portal", "target"),
    "iscsi": ("portal", "target"),
    "iscsidirect": ("portal", "target"),
    "pbs": ("server", "datastore"),
    "esxi": ("server", "username"),
}
_GONE = {
    "glusterfs": "Proxmox VE 9 has no type glusterfs any more",
    "sheepdog": "Proxmox VE has no type sheepdog any more",
}
_LABEL = re.compile(r"[a-zA-Z0-9](?:[a-zA-Z0-9\-]*[a-zA-Z0-9])?", re.ASCII)
_LVM_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9\-_.]*[a-zA-Z0-9]", re.ASCII)
_PORTAL = re.compile(r"(?:[a-zA-Z0-9\-.]+|\[[a-zA-Z0-9\-.:]+\])(?::\d+)?", re.ASCII)

_FILES = ("backup", "images", "import", "iso", "rootdir", "snippets", "vztmpl")
_DISKS = ("images", "rootdir")
# What a storage of a type may hold, and what it holds where its section has no content (plugindata of each plugin).
_CONTENT: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "dir": ((*_FILES, "none"), _DISKS),
    "btrfs": ((*_FILES, "none"), _DISKS),
    "nfs": (_FILES, ("images",)),
    "cifs": (_FILES, ("images",)),
    "cephfs": (("backup", "import", "iso", "snippets", "vztmpl"), ("backup",)),
    "lvm": (_DISKS, ("images",)),
    "lvmthin": (_DISKS, _DISKS),
    "zfspool": (_DISKS, _DISKS),
    "rbd": (_DISKS, ("images",)),
    "zfs": (("images",), ("images",)),
    "iscsi": (("images", "none"), ("images",)),
    "iscsidirect": (("images", "none"), ("images",)),
    "pbs": (("backup", "none"), ("backup",)),
    "esxi": (("import",), ("import",)),
}


def driver(kind: str | None, krbd: bool = False) -> str | None:
    """QEMU's block driver for the images of a storage type, None for a type this collection does not know."""
    if kind == "rbd":
        return "host_device" if krbd else "rbd"
    return _DRIVERS.get(kind or "")


def missing(kind: str, properties: dict[str, str]) -> str | None:
    """A property that a section of this type lacks and needs, None where it lacks none."""
    return next((key for key in _REQUIRED.get(kind, ()) if key not in properties), None)


def gone(kind: str) -> str | None:
    """Why Proxmox VE has no such type any more, None where it has, or never had."""
    return _GONE.get(kind)


def is_shared(kind: str, flag: bool) -> bool:
    """Whether a storage is shared: by its type, or by its ``flag`` where its type has that option."""
    return kind in _SHARED or (flag and (kind in _CAN_BE_SHARED or kind not in _REQUIRED))


def value_fault(kind: str, key: str, value: str | None) -> str | None:
    """What Proxmox VE takes in place of a property's value that it rejects (SectionConfig.pm ``check_value``), None
    where it takes it.

    Checked is what decides whether a storage is there, where, and for what: the formats of what a type needs, nodes and
    content.
    """
    takes, is_taken = _VALUES.get(key, (None, None))
    concerns = key in _REQUIRED.get(kind, ()) or (key in ("content", "nodes") and kind in _CONTENT)
    return takes if is_taken and concerns and value is not None and not is_taken(value) else None


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _is_server(text: str) -> bool:
    return _is_address(text) or all(map(_LABEL.fullmatch, text.split(".")))


def _is_portal(text: str) -> bool:
    return bool(_PORTAL.fullmatch(text)) or _is_address(text) or _is_address(text.rpartition(".")[0])


# The formats of properties (Plugin.pm, JSONSchema.pm): what they take in words, and whether they take a value.
_VALUES: dict[str, tuple[str, Callable[[str], bool]]] = {
    "server": ("an IP address or a DNS name", _is_server),
    "portal": ("an IP address or a DNS name, and a port where it is another", _is_portal),
    "export": ("an absolute path", lambda text: len(text) > 1 and text[0] == "/" and text[1] not in ";()"),
    "vgname": ("letters, digits and - _ . of two characters at least", lambda text: bool(_LVM_NAME.fullmatch(text))),
    "thinpool": ("letters, digits and - _ . of two characters at least", lambda text: bool(_LVM_NAME.fullmatch(text))),
    "nodes": ("a list of node names", lambda text: all(map(_LABEL.fullmatch, split_list(text)))),
    "content": (f"a list of {', '.join(_FILES)} or none", lambda text: set(split_list(text)) <= {*_FILES, "none"}),
}


def content(kind: str, text: str | None) -> list[str] | None:
    """What a storage holds, sorted; None for a type this collection does not know."""
    if kind not in _CONTENT:
        return None
    possible, default = _CONTENT[kind]
    return sorted(default if text is None else {word for word in split_list(text) if word in possible})


def content_fault(kind: str, text: str | None) -> str | None:
    """Why a content makes Proxmox VE skip the storage (Plugin.pm ``decode_value``), None where it does not."""
    held = content(kind, text)
    if held is None or text is None:
        return None
    if "none" in held and len(held) > 1:
        return "its content is none and more"
    if not held and "none" not in _CONTENT[kind][0]:
        return f"a storage of type {kind} holds {', '.join(_CONTENT[kind][0])}, not {shown(text)!r}"
    return None


def split_list(text: str) -> list[str]:
    """The words of a list as Proxmox VE splits it: at commas, semicolons and blanks (pve-common ``split_list``)."""
    return [word for word in re.split(r"[,;\s]+", text) if word]
