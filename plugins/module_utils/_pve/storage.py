# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""storage.cfg of Proxmox VE: text in, storages and problems out.

Follows pve-common's SectionConfig.pm and pve-storage's Plugin.pm, 9.1.7: a section
starts with ``type: id`` in column 0, its properties follow, an empty line ends it (one of
blanks does not); a section that lacks a required property is skipped; ``local`` always exists.
"""

from __future__ import annotations

import ipaddress
import posixpath
import re
from collections.abc import Callable
from typing import Any, NamedTuple

from .drive_options import shown

_BLANKS = " \t\r\f\v"
_PROPERTY = re.compile(r"^\s+(\S+)(?:\s+(.*\S))?\s*$", re.ASCII)
_COMMENT = re.compile(r"^\s*#", re.ASCII)
_STORAGE_ID = re.compile(r"^[a-z][a-z0-9\-_.]*[a-z0-9]$", re.ASCII | re.IGNORECASE)
_MON_HOST = re.compile(r"^[ \t]*mon[_ ]host[ \t]*=[ \t]*(\S.*)$", re.ASCII | re.MULTILINE)
_BRACKETED = re.compile(r"\[([^\[\]]*)\]", re.ASCII)

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
_SERVER_KEYS = ("server", "portal", "monhost")
_BOOLEANS = ("disable", "krbd", "nocow", "shared")
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
_PATH = re.compile(r"/[-/a-zA-Z0-9_.@]+", re.ASCII)

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
# The local of a storage.cfg that has none that counts (Plugin.pm parse_config).
_LOCAL = {"type": "dir", "path": "/var/lib/vz", "content": "backup,images,iso,rootdir,snippets,vztmpl"}


def driver(storage: dict[str, Any]) -> str | None:
    """QEMU's block driver for a storage's images, None for a type this collection does not know."""
    if storage["type"] == "rbd":
        return "host_device" if storage["krbd"] else "rbd"
    return _DRIVERS.get(storage["type"])


def parse(text: str, ceph_conf: str | None = None) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Read storage.cfg: ``(storages, problems)``, both as in docs/data.md; a problem's ``file`` is left to the caller.

    ``ceph_conf`` is the text of /etc/pve/ceph.conf: an rbd storage without a
    ``monhost`` is the cluster's own Ceph, whose monitors that file names.
    """
    storages: dict[str, dict[str, str]] = {}
    problems: list[dict[str, Any]] = []
    section: _Section | None = None
    for number, line in enumerate(text.split("\n"), 1):
        if _COMMENT.match(line):
            continue
        if line in ("", "0"):
            _close(section, storages, problems)
            section = None
        elif section is None:
            section = _open(line, number, problems)
        else:
            _add(section, line, number, problems)
    _close(section, storages, problems)
    local = storages.get("local")
    if local is None or local["type"] != "dir" or posixpath.normpath(local["path"]) != _LOCAL["path"]:
        storages["local"] = dict(_LOCAL)
    storages["local"].pop("nodes", None)
    return [_storage(name, raw, ceph_conf) for name, raw in storages.items()], problems


class _Section(NamedTuple):
    """A section as far as it is read; of one without a name the lines are read and go nowhere."""

    line: int
    name: str | None
    properties: dict[str, str]


def _header(line: str) -> tuple[str, str] | None:
    """Type and id of ``type: id`` and ``type:id``. By words, not by a pattern: one takes the square of a line's
    length.
    """
    words = line.split()
    if len(words) == 1:
        words = list(words[0].rpartition(":")[::2])
    elif len(words) == 2 and words[0].endswith(":"):
        words[0] = words[0][:-1]
    else:
        return None
    kind, name = words
    return (kind.lower(), name) if kind and name and not line[0].isspace() else None


def _open(line: str, number: int, problems: list[dict[str, Any]]) -> _Section | None:
    header = _header(line)
    if not header:
        if line.strip(_BLANKS):
            problems.append(
                _problem(number, f"line ignored: it is not of the form 'type: id': {shown(line.strip())!r}")
            )
        return None
    kind, name = header
    why = _GONE.get(kind) or (None if _STORAGE_ID.match(name) else f"'{shown(name)}' is not a storage id")
    if why:
        problems.append(_problem(number, f"storage '{shown(name)}' is skipped: {why}"))
    return _Section(number, None if why else name, {"type": kind})


def _add(section: _Section, line: str, number: int, problems: list[dict[str, Any]]) -> None:
    prop = _PROPERTY.match(line)
    if not prop:
        if line.strip(_BLANKS):
            reason = (
                "line ignored: it is not an indented 'property value', and no empty line ends the section of line"
                f" {section.line}"
            )
            problems.append(_problem(number, f"{reason}: {shown(line.strip())!r}"))
        return
    key, value = prop[1], prop[2]
    if value is None and key in _BOOLEANS:
        value = "1"
    if key in _BOOLEANS and value not in ("0", "1"):
        problems.append(
            _problem(number, f"'{key} {shown(value or '')}' is ignored: Proxmox VE takes 1 or 0 here, no other word")
        )
    elif fault := _value_fault(section.properties["type"], key, value):
        problems.append(_problem(number, f"'{key} {shown(value or '')}' is ignored: Proxmox VE takes {fault} here"))
    elif key in section.properties:
        problems.append(_problem(number, f"duplicate property '{shown(key)}': the first is kept"))
    elif value is not None:
        section.properties[key] = value


def _value_fault(kind: str, key: str, value: str | None) -> str | None:
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


def _close(section: _Section | None, storages: dict[str, dict[str, str]], problems: list[dict[str, Any]]) -> None:
    if section is None or section.name is None:
        return
    name, properties = section.name, section.properties
    if name in storages:
        problems.append(_problem(section.line, f"duplicate storage '{name}': the second replaces the first"))
        del storages[name]
    kind = properties["type"]
    missing = [key for key in _REQUIRED.get(kind, ()) if key not in properties]
    path = properties.get("path", "/x") if kind in ("dir", "btrfs") else "/x"
    if missing:
        problems.append(
            _problem(section.line, f"storage '{name}' is skipped: a storage of type {kind} needs '{missing[0]}'")
        )
    elif not _PATH.fullmatch(path):
        reason = f"it takes an absolute path of letters, digits and - / _ . @, not {shown(path)!r}"
        problems.append(_problem(section.line, f"storage '{name}' is skipped: {reason}"))
    elif fault := _content_fault(kind, properties.get("content")):
        problems.append(_problem(section.line, f"storage '{name}' is skipped: {fault}"))
    else:
        storages[name] = properties


def _problem(line: int, reason: str) -> dict[str, Any]:
    return {"file": None, "line": line, "guest": None, "reason": reason}


def _flag(raw: dict[str, str], key: str) -> bool:
    return raw.get(key) == "1"


def _storage(name: str, raw: dict[str, str], ceph_conf: str | None) -> dict[str, Any]:
    servers = [host for key in _SERVER_KEYS for host in split_hosts(raw.get(key, ""))]
    if raw["type"] in ("rbd", "cephfs") and not servers and ceph_conf:
        match = _MON_HOST.search(ceph_conf)
        servers = split_hosts(match[1]) if match else []
    return {
        "id": name,
        "type": raw["type"],
        "krbd": raw["type"] == "rbd" and _flag(raw, "krbd"),
        "nocow": raw["type"] == "btrfs" and _flag(raw, "nocow"),
        "shared": (
            raw["type"] in _SHARED
            or (_flag(raw, "shared") and (raw["type"] in _CAN_BE_SHARED or raw["type"] not in _REQUIRED))
        ),
        "servers": servers,
        "disabled": _flag(raw, "disable"),
        "nodes": sorted(set(split_list(raw["nodes"]))) if "nodes" in raw else None,
        "content": _content(raw["type"], raw.get("content")),
        "images": _images(raw),
        "active": None,
    }


def _content(kind: str, text: str | None) -> list[str] | None:
    """What a storage holds, sorted; None for a type this collection does not know."""
    if kind not in _CONTENT:
        return None
    possible, default = _CONTENT[kind]
    return sorted(default if text is None else {word for word in split_list(text) if word in possible})


def _content_fault(kind: str, text: str | None) -> str | None:
    """Why a content makes Proxmox VE skip the storage (Plugin.pm ``decode_value``), None where it does not."""
    content = _content(kind, text)
    if content is None or text is None:
        return None
    if "none" in content and len(content) > 1:
        return "its content is none and more"
    if not content and "none" not in _CONTENT[kind][0]:
        return f"a storage of type {kind} holds {', '.join(_CONTENT[kind][0])}, not {shown(text)!r}"
    return None


def _images(raw: dict[str, str]) -> str | None:
    """The directory of a plain directory storage's images (Plugin.pm ``get_subdir``), None for other types."""
    path = raw.get("path", "")
    if raw["type"] != "dir" or not path.startswith("/"):
        return None
    overrides = dict(pair.split("=", 1) for pair in split_list(raw.get("content-dirs", "")) if "=" in pair)
    return f"{path.rstrip('/')}/{overrides.get('images', 'images').strip('/')}"


def split_list(text: str) -> list[str]:
    """The words of a list as Proxmox VE splits it: at commas, semicolons and blanks (pve-common ``split_list``)."""
    return [word for word in re.split(r"[,;\s]+", text) if word]


def split_hosts(text: str) -> list[str]:
    """Hosts of a server, portal or monitor list, without their ports.

    Separators are commas, semicolons and blanks; Ceph's ``[v2:10.0.0.1:3300/0,v1:…]`` and
    ``[::1]:3260`` are understood.
    """
    hosts: dict[str, None] = {}
    flat = _BRACKETED.sub(lambda match: match[1] if "v1:" in match[1] or "v2:" in match[1] else match[0], text)
    for part in re.split(r"[,;\s]+", flat):
        host = re.sub(r"^v[12]:", "", part.strip()).split("/", 1)[0]
        if host.startswith("["):
            host = host[1:].split("]", 1)[0]
        elif host.count(":") == 1:
            host = host.split(":", 1)[0]
        if host:
            hosts[host] = None
    return list(hosts)
