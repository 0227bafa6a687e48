# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""What a definition gives QEMU past libvirt: ``<qemu:commandline>`` and ``<qemu:override>``. Pure.

Source: libvirt's "QEMU driver, pass-through of arbitrary qemu commands" and "Overriding properties of QEMU devices".
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from .. import _qemu_args
from .._model.records import ArgsDisk, Held
from . import aliases as _aliases
from .domain import Domain
from .xml import Element

_IOTHREAD = re.compile(r"(?:qom-type=)?iothread\b|\{.*\"qom-type\"\s*:\s*\"iothread\"", re.ASCII | re.DOTALL)
_SCSI_ALIAS = re.compile(r"scsi[0-9]+\Z", re.ASCII)
_HAS_IOTHREAD = "gives the guest an iothread that libvirt does not know"


def args_disks(domain: Domain, with_lines: bool = False) -> list[ArgsDisk]:
    """What the definition does past libvirt to disks and iothreads, in its order."""
    found: list[ArgsDisk] = []
    for element in domain.root.children:
        name = _local(element)
        said = _commandline(domain, element) if name == "commandline" else ()
        said = _override(domain, element) if name == "override" else said
        line = element.line if said and with_lines else None
        found += [{"line": line, "args": one.words, "does": one.does, "disk": one.disk} for one in said]
    return found


def held(said: list[ArgsDisk]) -> Held | None:
    """Why a definition with these must not be changed; None where they only give it more disks."""
    if all(one["does"].startswith("gives") and one["does"] != _HAS_IOTHREAD for one in said):
        return None
    detail = (
        "its XML sets disks or iothreads past libvirt, in qemu:commandline or qemu:override; write that into the disks'"
        " own elements"
    )
    return {"reason": "by_hand", "detail": detail}


def _local(element: Element) -> str:
    """The name without its prefix, which anybody may choose."""
    return element.name.rpartition(":")[2]


def _commandline(domain: Domain, element: Element) -> list[_qemu_args.Said]:
    words = [one.attributes.get("value", "") for one in element.children if _local(one) == "arg"]
    targets = _aliases.targets(domain)
    controllers = {one.alias for one in domain.scsi.values() if one.alias}
    found = _qemu_args.touching_disks(
        words, targets.get, lambda name: name in controllers or bool(_SCSI_ALIAS.match(name))
    )
    objects = (after for word, after in zip(words, words[1:]) if word in ("-object", "--object"))
    return found + [
        _qemu_args.Said(f"-object {value}"[:200], _HAS_IOTHREAD, None) for value in objects if _IOTHREAD.match(value)
    ]


def _override(domain: Domain, element: Element) -> list[_qemu_args.Said]:
    targets = _aliases.targets(domain)
    return [
        _qemu_args.Said(f"{alias}: {', '.join(names)}"[:200], *does)
        for alias, names in _overridden(element)
        if (does := _overrides(alias, targets))
    ]


def _overridden(element: Element) -> Iterator[tuple[str, list[str]]]:
    """The devices that are overridden, by their alias, with the properties that are set."""
    for device in element.children:
        alias = device.attributes.get("alias")
        if _local(device) == "device" and alias:
            properties = [one for frontend in device.children for one in frontend.children]
            yield alias, [one.attributes.get("name", "") for one in properties]


def _overrides(alias: str, targets: dict[str, str]) -> tuple[str, str | None] | None:
    disk = targets.get(alias)
    if disk is not None:
        return f"overrides what {disk} is given: what is judged here is not what QEMU gets", disk
    return ("overrides what a controller of disks is given", None) if _SCSI_ALIAS.match(alias) else None
