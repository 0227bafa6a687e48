# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The providers that are known: one line each."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

from ...module_utils._pve import hints as _pve
from . import bpg, telmate
from .attributes import Block
from .defined import Defined


class Provider(NamedTuple):
    """How a provider's resources are read, and what its attributes are called."""

    name: str
    namespace: str
    types: Mapping[str, Callable[[Block], Defined]]
    hints: Mapping[str, str]
    attributes: Mapping[str, str]


_HINTS = {
    "storage_unknown": "Name a storage.cfg that has the storage: gate_storage_cfg.",
    "no_aio": _pve.HINTS["no_aio"],
}

_BPG = Provider("bpg", "bpg/proxmox", bpg.TYPES, {**_HINTS, **bpg.HINTS}, bpg.ATTRIBUTES)
_TELMATE = Provider("telmate", "telmate/proxmox", telmate.TYPES, {**_HINTS, **telmate.HINTS}, telmate.ATTRIBUTES)
_TELMATE_2 = _TELMATE._replace(
    name="telmate2", hints={**_HINTS, **telmate.OLD_HINTS}, attributes=telmate.OLD_ATTRIBUTES
)

#: Provider's name in a record to the provider.
PROVIDERS = {provider.name: provider for provider in (_BPG, _TELMATE, _TELMATE_2)}

# A guest of Proxmox VE or libvirt by the name of its type, whoever's it is. "virtual_environment" is not one.
_A_GUEST = re.compile(
    r"(proxmox|pve)\w*_(vms?\d*|qemu|kvm|virtual_?machine|cloned_vm)(_|\Z)|libvirt_domain\Z", re.IGNORECASE
)


def provider_of(source: str, type: str, block: Block) -> Provider | None:
    """The provider of a resource of a type; None where it is not known. ``source`` is ``provider_name`` of the plan:
    ``registry.terraform.io/bpg/proxmox``, from a mirror with another host.
    """
    namespace = "/".join(source.lower().split("/")[-2:])
    known = next((one for one in (_BPG, _TELMATE) if one.namespace == namespace and type in one.types), None)
    return _TELMATE_2 if known is _TELMATE and telmate.is_old(block) else known


def looks_like_a_guest(type: str) -> bool:
    """Whether a resource of this type is probably a guest, so that its silence would be a wrong pass."""
    return bool(_A_GUEST.match(type)) or any(type in one.types for one in PROVIDERS.values())
