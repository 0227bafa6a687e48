# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Guest configs and storages of Proxmox VE, from files to records. Decides nothing and changes nothing."""

from __future__ import annotations

import os
from collections.abc import Collection

from .._model.records import NOT_THERE, Guest, Storage
from .._pve import config as _config
from .._pve import pending_config as _pending
from .._pve import storage as _storage
from .._pve.json_config import JsonConfigError, key_lines, to_text
from .._pve.not_a_guest import is_container, no_config
from .._pve.record import record
from .._text import natural_key
from . import layout
from .reading import Reading

#: Storages by id.
Storages = dict[str, Storage]


def chosen(reading: Reading, sources: list[layout.Source], only: Collection[str] | None) -> list[layout.Source]:
    """The sources of the guests that are wanted. Notes who is missing, and who has a config on two nodes."""
    wanted = None if only is None else {str(guest) for guest in only}
    for guest in sorted((wanted or set()) - {source.guest for source in sources}, key=natural_key):
        reading.problem("", NOT_THERE, guest=guest)
    found = [source for source in sources if wanted is None or source.guest in wanted]
    first: dict[str, layout.Source] = {}
    for source in found:
        other = first.setdefault(source.guest, source)
        if other is not source:
            # pmxcfs refuses a second file of a guest's id, so one of the two is out of date.
            reading.problem(
                source.path,
                f"guest {source.guest} is on node {other.node} as well ({other.path}): remove the file that is out of"
                " date",
                source.guest,
                node=source.node,
            )
    return found


def read_guest(
    reading: Reading, root: str, source: layout.Source, storages: Storages, printed: bool
) -> tuple[Guest, str] | None:
    """The record of a guest and the text of its config; None where it cannot be read or is not a guest, which is noted.

    ``printed``: the file may also be what ``qm pending`` prints.
    """
    lines: dict[str, int] | None = None
    try:
        raw = layout.read_config(root, source.path)
        if source.path.endswith(".json"):
            as_json = _config.decode(raw)
            raw, lines = to_text(as_json).encode("utf-8", "surrogatepass"), key_lines(as_json)
        elif printed and (found := _pending.read(_config.decode(raw))):
            raw, lines = _config.encode(found.text), found.lines
    except OSError as exc:
        reading.problem(source.path, f"cannot be read: {layout.reason(exc)}", source.guest, node=source.node)
        return None
    except JsonConfigError as exc:
        reading.problem(source.path, str(exc), source.guest, node=source.node)
        return None
    parsed = _config.parse(_config.decode(raw))
    if is_container(parsed):
        reading.containers.append(source.path)
        return None
    fault = no_config(raw, parsed)
    if fault:
        reading.problem(source.path, fault[0], source.guest, fault[1], source.node)
        return None
    guest = record(source.guest, raw, storages, source.node, source.path, parsed)
    return (guest if lines is None else _with_lines(guest, lines)), parsed.text


def _with_lines(guest: Guest, lines: dict[str, int]) -> Guest:
    """The record with the lines of the file itself, not of the config text that was made from it."""
    if guest["controller"]["line"] is not None:
        guest["controller"]["line"] = lines.get("scsihw")
    for disk in guest["disks"]:
        disk["line"] = lines.get(disk["key"])
    for unsafe in guest["unsafe_lines"]:
        unsafe["line"] = lines.get(unsafe["text"].split(":", 1)[0], 1)
    return guest


def read_storages(reading: Reading, root: str) -> Storages:
    """The storages, also put into the reading with the problems of storage.cfg."""
    place = layout.etc_pve(root)
    top = place if os.path.isdir(layout.inside(root, place)) else ""
    path = next(
        (path for path in (f"{top}/storage.cfg", "/storage.cfg") if os.path.exists(layout.inside(root, path))),
        f"{top}/storage.cfg",
    )
    try:
        text = layout.text(root, path)
    except OSError as exc:
        reading.problem(path, f"cannot be read: {layout.reason(exc)}; storages are not known{_storages_above(root)}")
        text = ""
    reading.storages, problems = _storage.parse(text, layout.optional_text(root, f"{place}/ceph.conf"), path)
    reading.problems += problems
    return {storage["id"]: storage for storage in reading.storages}


def _storages_above(root: str) -> str:
    """For a part of a tree, such as a node's folder: the directory to name instead."""
    above = os.path.realpath(root)
    for _level in range(3):
        above = os.path.dirname(above)
        if layout.etc_pve(above) == "" and os.path.isfile(os.path.join(above, "storage.cfg")):
            return f". This is a part of {above}, which has one: name that directory"
    return ""
