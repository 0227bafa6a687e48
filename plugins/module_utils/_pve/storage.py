# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""storage.cfg of Proxmox VE: text in, storages and problems out.

Follows pve-common's SectionConfig.pm and pve-storage's Plugin.pm, 9.1.7: a section starts with ``type: id`` in
column 0, its properties follow, and an empty line ends it (a line of blanks does not). A section that lacks a required
property is skipped. ``local`` always exists.
"""

from __future__ import annotations

import posixpath
import re
from typing import NamedTuple

from .._model.records import Problem, Storage, problem
from .._model.records import storage as _storage_record
from . import storage_types as _types
from .drive_options import shown

_BLANKS = " \t\r\f\v"
_PROPERTY = re.compile(r"^\s+(\S+)(?:\s+(.*\S))?\s*$", re.ASCII)
_COMMENT = re.compile(r"^\s*#", re.ASCII)
_STORAGE_ID = re.compile(r"^[a-z][a-z0-9\-_.]*[a-z0-9]$", re.ASCII | re.IGNORECASE)
_MON_HOST = re.compile(r"^[ \t]*mon[_ ]host[ \t]*=[ \t]*(\S.*)$", re.ASCII | re.MULTILINE)
_BRACKETED = re.compile(r"\[([^\[\]]*)\]", re.ASCII)
_PATH = re.compile(r"/[-/a-zA-Z0-9_.@]+", re.ASCII)
_SERVER_KEYS = ("server", "portal", "monhost")
_BOOLEANS = ("disable", "krbd", "nocow", "shared")
# The local of a storage.cfg that has none that counts (Plugin.pm parse_config).
_LOCAL = {"type": "dir", "path": "/var/lib/vz", "content": "backup,images,iso,rootdir,snippets,vztmpl"}


def parse(
    text: str, ceph_conf: str | None = None, path: str = "/etc/pve/storage.cfg"
) -> tuple[list[Storage], list[Problem]]:
    """Read storage.cfg: ``(storages, problems)``, both as in docs/data.md; ``path`` is the problems' file.

    ``ceph_conf`` is the text of /etc/pve/ceph.conf: an rbd storage without a ``monhost`` is the cluster's own Ceph,
    whose monitors that file lists.
    """
    found, problems = sections(text, path)
    return records(found, ceph_conf), problems


class Section(NamedTuple):
    """A section and its properties. ``name`` is None for one that is skipped: its lines are read and dropped. ``line``
    is 0 for the ``local`` of a file that has none.
    """

    line: int
    name: str | None
    properties: dict[str, str]


def sections(text: str, path: str = "/etc/pve/storage.cfg") -> tuple[dict[str, Section], list[Problem]]:
    """The sections of storage.cfg that count, by id, and the problems of the file, as :func:`parse`."""
    parser = _Parser(path)
    for number, line in enumerate(text.split("\n"), 1):
        if not _COMMENT.match(line):
            parser.line(number, line)
    parser.close()
    found = parser.storages
    local = found.get("local")
    properties = {} if local is None else local.properties
    if properties.get("type") != "dir" or posixpath.normpath(properties["path"]) != _LOCAL["path"]:
        found["local"] = Section(0, "local", dict(_LOCAL))
    found["local"].properties.pop("nodes", None)
    return found, parser.problems


def records(found: dict[str, Section], ceph_conf: str | None = None) -> list[Storage]:
    """The records of sections."""
    return [_storage(name, section.properties, ceph_conf) for name, section in found.items()]


class _Parser:
    def __init__(self, path: str) -> None:
        self.storages: dict[str, Section] = {}
        self.problems: list[Problem] = []
        self._path = path
        self._section: Section | None = None

    def line(self, number: int, line: str) -> None:
        if line in ("", "0"):
            self.close()
        elif self._section is None:
            self._open(number, line)
        else:
            self._add(self._section, number, line)

    def _problem(self, line: int, reason: str) -> None:
        self.problems.append(problem(self._path, reason, line=line))

    def _open(self, number: int, line: str) -> None:
        header = _header(line)
        if header is None:
            if line.strip(_BLANKS):
                self._problem(number, f"line ignored: it is not of the form 'type: id': {shown(line.strip())!r}")
            return
        kind, name = header
        why = _types.gone(kind) or (None if _STORAGE_ID.match(name) else f"'{shown(name)}' is not a storage id")
        if why:
            self._problem(number, f"storage '{shown(name)}' is skipped: {why}")
        self._section = Section(number, None if why else name, {"type": kind})

    def _add(self, section: Section, number: int, line: str) -> None:
        match = _PROPERTY.match(line)
        if not match:
            if line.strip(_BLANKS):
                self._problem(
                    number,
                    "line ignored: it is not an indented 'property value', and no empty line ends the section of line"
                    f" {section.line}: {shown(line.strip())!r}",
                )
            return
        key, value = match[1], match[2]
        if value is None and key in _BOOLEANS:
            value = "1"
        takes = _types.value_fault(section.properties["type"], key, value)
        if key in _BOOLEANS and value not in ("0", "1"):
            takes = "1 or 0"
        if takes:
            self._problem(number, f"'{key} {shown(value or '')}' is ignored: Proxmox VE takes {takes} here")
        elif key in section.properties:
            self._problem(number, f"duplicate property '{shown(key)}': the first one is used")
        elif value is not None:
            section.properties[key] = value

    def close(self) -> None:
        """End the section that is open, if any."""
        section, self._section = self._section, None
        if section is None or section.name is None:
            return
        name = section.name
        if name in self.storages:
            self._problem(section.line, f"duplicate storage '{name}': the second replaces the first")
            del self.storages[name]
        fault = _section_fault(section.properties)
        if fault:
            self._problem(section.line, f"storage '{name}' is skipped: {fault}")
        else:
            self.storages[name] = section


def _header(line: str) -> tuple[str, str] | None:
    """Type and id of ``type: id`` and ``type:id``. By words: a pattern takes time that grows with the square of a
    line's length.
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


def _section_fault(properties: dict[str, str]) -> str | None:
    """Why Proxmox VE skips a section, None where it does not."""
    kind = properties["type"]
    missing = _types.missing(kind, properties)
    if missing:
        return f"a storage of type {kind} needs '{missing}'"
    path = properties["path"] if kind in ("dir", "btrfs") else "/x"
    if not _PATH.fullmatch(path):
        return f"it takes an absolute path of letters, digits and - / _ . @, not {shown(path)!r}"
    return _types.content_fault(kind, properties.get("content"))


def _storage(name: str, raw: dict[str, str], ceph_conf: str | None) -> Storage:
    kind = raw["type"]
    servers = [host for key in _SERVER_KEYS for host in split_hosts(raw.get(key, ""))]
    if kind in ("rbd", "cephfs") and not servers and ceph_conf:
        match = _MON_HOST.search(ceph_conf)
        servers = split_hosts(match[1]) if match else []
    on = {key for key in _BOOLEANS if raw.get(key) == "1"}
    return _storage_record(
        id=name,
        type=kind,
        krbd=kind == "rbd" and "krbd" in on,
        nocow=kind == "btrfs" and "nocow" in on,
        shared=_types.is_shared(kind, "shared" in on),
        servers=servers,
        disabled="disable" in on,
        nodes=sorted(set(_types.split_list(raw["nodes"]))) if "nodes" in raw else None,
        content=_types.content(kind, raw.get("content")),
        images=_images(raw),
    )


def _images(raw: dict[str, str]) -> str | None:
    """The directory of a plain directory storage's images (Plugin.pm ``get_subdir``), None for other types."""
    path = raw.get("path", "")
    if raw["type"] != "dir" or not path.startswith("/"):
        return None
    overrides = dict(pair.split("=", 1) for pair in _types.split_list(raw.get("content-dirs", "")) if "=" in pair)
    return f"{path.rstrip('/')}/{overrides.get('images', 'images').strip('/')}"


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
