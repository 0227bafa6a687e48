# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""What is to be written in a resource, in its provider's own words."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from ...module_utils._model.findings import Change
from ...module_utils._model.records import Guest

_KEY = re.compile(r"([a-z]+)(\d+)\Z")


class Words(NamedTuple):
    """A provider's words for one way to write a guest.

    ``hints``: cause of a finding to a sentence, see ``_policy/hypervisors.py``. ``controller``: the attribute of the
    SCSI controller, None where the resource has none. ``options``: an option of a disk to its attribute. ``disk``:
    the block of a disk, with {key}, {bus} and {index} for its place and a line {lines} for its attributes. ``on``:
    how true is written. ``paste`` makes the block in another way.
    """

    hints: Mapping[str, str]
    controller: str | None
    options: Mapping[str, str]
    disk: str
    on: str = "true"
    paste: Callable[[Guest, Sequence[Change]], str] | None = None


def block(words: Words, guest: Guest, changes: Sequence[Change]) -> str:
    """The changes as a block to paste into the guest's resource, its lines as ``terraform fmt`` has them."""
    if words.paste is not None:
        return words.paste(guest, changes)
    lines = []
    disks: dict[str, list[tuple[str, str]]] = {}
    for change in changes:
        if change["key"] != "controller":
            attribute = words.options.get(change["option"], change["option"])
            disks.setdefault(change["key"], []).append((attribute, _value(change["after"], words.on)))
        elif words.controller:
            lines.append(f"{words.controller} = {_value(change['after'], words.on)}")
    for key, attributes in disks.items():
        lines += ["", *_disk(words.disk, key, attributes)] if lines else _disk(words.disk, key, attributes)
    return "\n".join(lines)


def _disk(template: str, key: str, attributes: list[tuple[str, str]]) -> list[str]:
    place = _KEY.match(key)
    bus, index = place.groups() if place else (key, "0")
    lines: list[str] = []
    for line in template.format(key=key, bus=bus, index=index, lines="{lines}").split("\n"):
        indent = line[: len(line) - len(line.lstrip())]
        inner = [f"{indent}{name} = {value}" for name, value in attributes]
        lines += inner if line.strip() == "{lines}" else [line]
    # A line that opens a block stands for itself.
    width = max(len(line.partition(" = ")[0]) for line in lines if " = " in line and not line.endswith("{"))
    return [_aligned(line, width) for line in lines]


def _aligned(line: str, width: int) -> str:
    name, equals, value = line.partition(" = ")
    return f"{name:{width}} = {value}" if equals and value != "{" else line


def _value(value: object, on: str) -> str:
    return on if value is True else json.dumps(value)


def text(value: str) -> str:
    """A string of HCL, in which nothing begins a template."""
    return json.dumps(value, ensure_ascii=False).replace("${", "$${").replace("%{", "%%{")
