# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The key ``disks`` of the policy of hosts: what is asked of disks, by their stable names. Pure, no I/O."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from ...module_utils._queues import settings, udev_rules
from ...module_utils._shown import shown
from .._policy import shapes
from .._policy.errors import PolicyError
from . import units

_PARTITION = re.compile(r"-part\d+\Z", re.ASCII)
_KERNEL_NAME = re.compile(r"(sd|vd|hd|xvd)[a-z]+\d*|nvme\d+n\d+(p\d+)?|(dm-|md|loop)\d+", re.ASCII)
_TAKES = "the name of a disk in /dev/disk/by-id, such as wwn-0x5000c500a1b2c3d4, or its beginning and *"


class DiskWish(NamedTuple):
    """What is asked of the disks of one name, or of all whose name begins so: option → value as the kernel takes it."""

    name: str
    beginning: bool
    options: dict[str, str]

    def fits(self, ids: Iterable[str]) -> bool:
        """Whether one of a disk's names is meant."""
        return any(one.startswith(self.name) if self.beginning else one == self.name for one in ids)


def parse(place: str, value: Any) -> tuple[DiskWish, ...]:
    """The wishes in the document's order; raises PolicyError with the place and what it allows."""
    if value is None:
        return ()
    if not isinstance(value, Mapping):
        raise PolicyError(place, f"is {shown(value)}, it takes a mapping from a disk's stable name to its settings")
    return tuple(_wish(place, name, raw) for name, raw in value.items())


def wanted(wishes: Iterable[DiskWish], ids: Iterable[str]) -> dict[str, str]:
    """What the wishes ask of a disk with these names: each option from the first wish that fits and names it."""
    names = list(ids)
    found: dict[str, str] = {}
    for wish in wishes:
        if wish.fits(names):
            found = {**wish.options, **found}
    return {option: found[option] for option in udev_rules.OPTIONS if option in found}


def _wish(place: str, name: Any, raw: Any) -> DiskWish:
    where = shapes.at(place, name)
    beginning = isinstance(name, str) and name.endswith("*")
    start = name[:-1] if beginning else name
    if not isinstance(start, str) or not udev_rules.ID.fullmatch(start):
        raise PolicyError(where, f"is not a disk's stable name; it takes {_TAKES}")
    if _KERNEL_NAME.fullmatch(start):
        raise PolicyError(where, f"is the kernel's name, which is another disk's after a boot; it takes {_TAKES}")
    if _PARTITION.search(start):
        raise PolicyError(where, "names a partition, which has no queue of its own; name its disk")
    shapes.mapping(where, raw, tuple(udev_rules.OPTIONS))
    options: dict[str, str] = {}
    if raw.get("nr_requests") is not None:
        least, most = settings.LEAST_REQUESTS, settings.MOST_REQUESTS
        options["nr_requests"] = str(shapes.number(f"{where}.nr_requests", raw["nr_requests"], least, most))
    if raw.get("max_sectors_kb") is not None:
        least, most = settings.LEAST_SECTORS_KB, settings.MOST_SECTORS_KB
        options["max_sectors_kb"] = str(shapes.number(f"{where}.max_sectors_kb", raw["max_sectors_kb"], least, most))
    if raw.get("max_bytes") is not None:
        mib = settings.MIB
        size = units.size(f"{where}.max_bytes", raw["max_bytes"], least=mib, most=settings.MOST_BYTES, whole=mib)
        options["max_bytes"] = str(size)
    if raw.get("strict_limit") is not None:
        if "max_bytes" not in options:
            raise PolicyError(f"{where}.strict_limit", "takes a max_bytes beside it, which is what it makes strict")
        options["strict_limit"] = str(int(shapes.truth(f"{where}.strict_limit", raw["strict_limit"])))
    if not options:
        raise PolicyError(where, f"asks for nothing; it takes {', '.join(udev_rules.OPTIONS)}")
    return DiskWish(str(start), beginning, options)
