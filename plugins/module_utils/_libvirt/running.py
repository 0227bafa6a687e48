# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The process of a libvirt guest, joined with what libvirt says of it. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from .._model.records import Disagreement, RunningGuest
from . import aliases as _aliases
from . import domain as _domain
from .xml import Element


def with_targets(running: RunningGuest, live: bytes) -> RunningGuest:
    """A running guest with its disks under their targets, as its record has them, in place of QEMU's ids.

    ``live`` is its XML. A disk that this does not name keeps its id. What was moved since the start, as a snapshot or a
    block job does it, is no disagreement where libvirt names the new image: ``effective`` is of it. Raises XmlError.
    """
    domain = _domain.read(live)
    targets = _aliases.targets(domain)
    now = {disk.target: set(_images(disk.element)) for disk in domain.disks}
    said = [_with_key(one, targets) for one in running["disagreements"]]
    return {
        **running,
        "disks": [{**disk, "key": targets.get(disk["key"], disk["key"])} for disk in running["disks"]],
        "disagreements": [one for one in said if not _is_known(one, now)],
    }


def _with_key(said: Disagreement, targets: dict[str, str]) -> Disagreement:
    renamed = said.copy()
    renamed["key"] = targets.get(said["key"] or "", said["key"])
    return renamed


def _images(disk: Element) -> Iterator[str]:
    """The files and devices of a disk: its image, those below it, and the one that it is copied to."""
    for element in disk.children:
        if element.name == "source":
            yield from (element.attributes[name] for name in ("file", "dev") if name in element.attributes)
        elif element.name in ("backingStore", "mirror"):
            yield from _images(element)


def _is_known(said: Disagreement, now: dict[str, set[str]]) -> bool:
    """Whether libvirt's own XML explains that another file is open than on the command line."""
    if said["option"] != "file":
        return False
    if said["key"] is None:
        return set(said["seen"]) <= set().union(*now.values())
    images = now.get(said["key"]) or {said["cmdline"]}
    return said["cmdline"] not in images
