# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""What is to be written in a ``libvirt_domain`` of 0.9: libvirt's own elements, with numbered iothreads."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence

from ...module_utils._model.findings import Change, Value
from ...module_utils._model.records import Guest
from .words import text

_OPTIONS = {"cache": "cache", "aio": "io"}


def paste(guest: Guest, changes: Sequence[Change]) -> str:
    """The changes as a block to paste, its lines as ``terraform fmt`` has them.

    A disk on virtio-blk gets an iothread itself, those on virtio-scsi get that of their controller. Each has one of its
    own, unless the changes say how many iothreads the guest has.
    """
    wanted: dict[str, dict[str, Value]] = {}
    for change in changes:
        wanted.setdefault(change["key"], {})[change["option"]] = change["after"]
    if not wanted:
        return ""
    most = wanted.pop("guest", {}).get("iothreads")
    users = _users(guest, wanted)
    count, threads = _numbered(users, guest["iothreads"] or 0, most if isinstance(most, int) else None)
    lines = [f"io_threads = {count}", ""] if users else []
    lines.append("devices = {")
    if "scsi" in threads:
        thread = [f"    io_thread = {threads['scsi']}"]
        lines += _list("controllers", [['  type  = "scsi"', '  model = "virtio-scsi"', "  driver = {", *thread, "  }"]])
    lines += _list("disks", [_disk(key, options, threads) for key, options in wanted.items()])
    return "\n".join([*lines, "}"])


def _users(guest: Guest, wanted: Mapping[str, Mapping[str, Value]]) -> list[str]:
    """What is to get an iothread: disks, and ``scsi`` for the controller of those on virtio-scsi."""
    buses = {disk["key"]: disk["bus"] for disk in guest["disks"]}
    keys = [key for key, options in wanted.items() if options.get("iothread") is True]
    return list(dict.fromkeys("scsi" if buses.get(key) == "scsi" else key for key in keys))


def _numbered(users: Sequence[str], now: int, most: int | None) -> tuple[int, dict[str, int]]:
    """How many iothreads the guest has then, and each user's."""
    if most is None:
        return now + len(users), {user: number for number, user in enumerate(users, now + 1)}
    return most, {user: number % most + 1 for number, user in enumerate(users)}


def _disk(key: str, options: Mapping[str, Value], threads: Mapping[str, int]) -> list[str]:
    driver = {_OPTIONS[name]: value for name, value in options.items() if name in _OPTIONS and value is not None}
    numbered: dict[str, Value] = {"io_thread": threads[key]} if key in threads else {}
    attributes = dict(sorted({**driver, **numbered}.items()))
    width = max(map(len, attributes), default=0)
    inner = [f"    {name:{width}} = {json.dumps(value)}" for name, value in attributes.items()]
    driver_lines = ["  driver = {", *inner, "  }"] if inner else []
    return ["  target = {", f"    dev = {text(key)}", "  }", *driver_lines] if inner else []


def _list(name: str, items: Sequence[list[str]]) -> Iterator[str]:
    """A list of objects in ``devices``; one without lines is left out."""
    filled = [lines for lines in items if lines]
    if filled:
        yield f"  {name} = ["
        for lines in filled:
            yield "    {"
            yield from (f"    {line}" for line in lines)
            yield "    },"
        yield "  ]"
