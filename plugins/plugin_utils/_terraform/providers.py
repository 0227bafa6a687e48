# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The providers that are known, each with its ways to write a guest: one line each."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

from ...module_utils._pve import hints as _pve
from . import bpg, libvirt, telmate
from .attributes import Block
from .defined import Defined
from .words import Words


class Provider(NamedTuple):
    """Where a provider comes from, and which of its resources are guests."""

    namespace: str
    types: Mapping[str, Callable[[Block], Defined]]


_PROVIDERS = (
    Provider("bpg/proxmox", bpg.TYPES),
    Provider("dmacvicar/libvirt", libvirt.TYPES),
    Provider("telmate/proxmox", telmate.TYPES),
)

_SHARED = {
    "storage_unknown": "Name a storage.cfg that has the storage: gate_storage_cfg.",
    "no_aio": _pve.HINTS["no_aio"],
}

#: How a guest is written, as its record says, to the words for it.
WORDS: dict[str, Words] = {
    name: words._replace(hints={**_SHARED, **words.hints})
    for name, words in {**bpg.WORDS, **libvirt.WORDS, **telmate.WORDS}.items()
}

# A guest of Proxmox VE or libvirt by the name of its type, whoever's it is. "virtual_environment" is not one.
_A_GUEST = re.compile(
    r"(proxmox|pve)\w*_(vms?\d*|qemu|kvm|virtual_?machine|cloned_vm)(_|\Z)|libvirt_domain\Z", re.IGNORECASE
)


def reader(source: str, type: str) -> Callable[[Block], Defined] | None:
    """What reads a resource of a type; None where it is not known.

    ``source`` is ``provider_name`` of the plan: ``registry.terraform.io/bpg/proxmox``, from a mirror with another host.
    """
    namespace = "/".join(source.lower().split("/")[-2:])
    return next((one.types[type] for one in _PROVIDERS if one.namespace == namespace and type in one.types), None)


def hypervisor(type: str) -> str:
    """Whose guest a resource of this type is."""
    return "libvirt" if type.lower().startswith("libvirt_") else "pve"


def looks_like_a_guest(type: str) -> bool:
    """Whether a resource of this type is probably a guest, so that its silence would be a wrong pass."""
    return bool(_A_GUEST.match(type)) or any(type in one.types for one in _PROVIDERS)
