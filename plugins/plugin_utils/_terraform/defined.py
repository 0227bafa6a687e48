# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""A guest as a resource defines it: what every provider's file returns, in the terms of Proxmox VE or as domain XML."""

from __future__ import annotations

from typing import NamedTuple

from ...module_utils._model.records import Resource
from ...module_utils._shown import piece


class Place(NamedTuple):
    """Where a resource is: in a file, at a line of it (None: not known), and in its plan."""

    file: str
    line: int | None
    resource: Resource


class Template(NamedTuple):
    """The guest that a resource clones, by its id or by its name; neither where that is known only after apply.

    ``storage`` is where the clone's drives go, None: where the template's are. ``itself``: the resource exists. What it
    once cloned may have changed since, so the guest's own config tells what it inherits.
    """

    id: str | None = None
    name: str | None = None
    storage: str | None = None
    itself: bool = False

    @property
    def label(self) -> str:
        """What a sentence calls it."""
        if self.itself:
            return f"guest {self.id} itself" if self.id else "the guest itself"
        named = self.id or self.name
        return f"template {piece(named)}" if named else "a template that is known only after apply"


class Drive(NamedTuple):
    """A drive that a resource names.

    ``key`` is its place on Proxmox VE, such as scsi0, or its target on libvirt; ``path`` its place in the resource.
    ``volume`` is a path or a volume that exists, None for a new one on ``storage``. ``unknown`` are the attributes that
    decide and are known only after apply. ``inherits``: its volume is the template's where that has a drive in its
    place. ``fault`` is why libvirt refuses it.
    """

    key: str
    path: str
    aio: str | None = None
    cache: str | None = None
    iothread: bool | None = None
    storage: str | None = None
    volume: str | None = None
    format: str | None = None
    media: str = "disk"
    read_only: bool = False
    unknown: tuple[str, ...] = ()
    sensitive: bool = False
    inherits: bool = False
    fault: str | None = None


def not_known(key: str, path: str) -> Drive:
    """A drive of which nothing is known before apply."""
    return Drive(key, path, unknown=("all of it",))


class Defined(NamedTuple):
    """A guest. ``words`` names those of ``words.py`` for it, "" for none.

    ``controller`` is None where it is the template's, or known only after apply; ``rest``: the drives that are not
    named are the template's. ``fault`` is why nothing of it can be judged.

    A guest of libvirt is ``xml``, without the drives of which too little is known; ``cloned`` is the guest itself where
    its own XML says more than the plan, and ``rest`` that without it nothing of its disks is known.

    ``unknown`` are the attributes that decide and are known only after apply. ``restarts`` says what the provider does
    with a running guest, "" where nothing is to be said.
    """

    words: str = ""
    hypervisor: str = "pve"
    fault: str | None = None
    name: str = ""
    id: str | None = None
    node: str | None = None
    tags: tuple[str, ...] = ()
    template: bool = False
    machine: str | None = None
    ostype: str | None = None
    args: str | None = None
    controller: str | None = None
    xml: str | None = None
    drives: tuple[Drive, ...] = ()
    cloned: Template | None = None
    rest: bool = False
    unknown: tuple[str, ...] = ()
    sensitive: bool = False
    restarts: str = ""
