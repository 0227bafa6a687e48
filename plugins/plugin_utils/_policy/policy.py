# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The policy document: validated as a whole before anything is judged by it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from ...module_utils._model.disk_io import (
    AIO_MODES,
    CACHE_MODES,
    DURABLE_CACHE_MODES,
    IOTHREAD_CONTROLLER,
    MOST_IOTHREADS,
)
from ...module_utils._model.records import Disk
from ...module_utils._number import whole_number
from ...module_utils._shown import shown
from . import defects as _known
from . import shapes
from .errors import PolicyError
from .hypervisors import knows_storage_type
from .selector import Selector, Subject
from .waiver import Waiver, parse_waivers

KEEP = "keep"

#: What the policy wants where it says nothing.
DEFAULT_DISK = {"iothread": True, "aio": ["threads"], "cache": ["none"], "loosen": [], "direct_io": False}
DEFAULT_CONTROLLER = IOTHREAD_CONTROLLER

_TOP = ("controller", "disk", "iothreads_per_guest", "overrides", "waivers", "accept_defects", "storage_types")
_DISK = ("iothread", "aio", "cache", "loosen", "direct_io")
_OVERRIDE = ("name", "match", "disk", "controller")
# What the storage of a plugin gives to QEMU, and QEMU's block driver for it.
_STORAGE_KINDS = {"block": "host_device", "file": "file"}
_STORAGE_TYPE = re.compile(r"[a-z][a-z0-9_\-.]{0,99}\Z", re.ASCII)
_WANTED_CACHES = tuple(mode for mode in CACHE_MODES if mode != "unsafe")


class Override(NamedTuple):
    """An entry of ``overrides``; ``disk`` has only the keys that it sets."""

    name: str
    match: Selector
    disk: dict[str, Any]
    controller: str | None


class Policy(NamedTuple):
    """A validated policy, with all that a run may add to it.

    ``disk`` has all five keys; aio and cache are lists or ``keep``. ``waivers`` are the policy's own and the added
    ones. ``storage_types`` maps a plugin's storage type to QEMU's block driver for it. ``migrate`` selects the guests
    that may get another controller driver, None: no guest. ``iothreads_per_guest`` is how many iothreads the disks of a
    guest share, None: each has its own. ``apply_foreign_pending``: stopped guests are planned too
    where the write would apply pending changes that are not ours.
    """

    controller: str
    disk: dict[str, Any]
    iothreads_per_guest: int | None
    overrides: tuple[Override, ...]
    waivers: tuple[Waiver, ...]
    accept_defects: tuple[str, ...]
    storage_types: dict[str, str]
    migrate: Selector | None
    apply_foreign_pending: bool

    def controller_for(self, guest: Subject) -> str:
        """The controller the policy wants for a guest: that of the first override that matches and names one."""
        for override in self.overrides:
            if override.controller is not None and override.match.matches(guest):
                return override.controller
        return self.controller

    def disk_for(self, disk: Subject) -> dict[str, Any]:
        """What the policy wants of a disk: each key from the first override that matches and names it."""
        wanted: dict[str, Any] = {}
        for override in self.overrides:
            missing = [key for key in override.disk if key not in wanted]
            if missing and override.match.matches(disk):
                wanted.update({key: override.disk[key] for key in missing})
        return {**self.disk, **wanted}

    def with_driver(self, disk: Disk) -> Disk:
        """The disk with the block driver that the policy names for its storage's type."""
        storage = disk["storage"]
        driver = self.storage_types.get(storage["type"]) if storage and storage["type"] else None
        if driver is None:
            return disk
        effective, after = disk["effective"], disk["next"]
        return {
            **disk,
            "effective": effective and {**effective, "driver": driver},
            "next": after and {**after, "driver": driver},
        }

    def may_migrate(self, guest: Subject) -> bool:
        """Whether the guest may get a controller that needs another driver in the guest."""
        return self.migrate is not None and self.migrate.matches(guest)


def parse(
    document: Any,
    waivers: Any = None,
    waivers_file: tuple[str, Any] | None = None,
    migrate_controllers: str | None = None,
    apply_foreign_pending: bool = False,
) -> Policy:
    """Validate a policy document and what a run adds to it; raises PolicyError with the place and what it allows.

    ``waivers`` are more waivers, ``waivers_file`` those of a file, with the name that errors give to it
    (``waivers_file.load``). ``migrate_controllers`` is the expression that becomes ``Policy.migrate``.
    """
    shapes.mapping("policy", document, _TOP)
    disk = {**DEFAULT_DISK, **_disk("policy.disk", document.get("disk", {}))}
    _possible("policy.disk", disk)
    overrides = []
    for number, raw in enumerate(shapes.items("policy.overrides", document.get("overrides"))):
        override = _override(f"policy.overrides[{number}]", raw)
        _possible(f"policy.overrides[{number}].disk", {**disk, **override.disk})
        overrides.append(override)
    listed = [("policy.waivers", document.get("waivers")), ("waivers", waivers)]
    return Policy(
        controller=_controller("policy.controller", document.get("controller", DEFAULT_CONTROLLER)),
        disk=disk,
        iothreads_per_guest=_iothreads("policy.iothreads_per_guest", document.get("iothreads_per_guest")),
        overrides=tuple(overrides),
        waivers=parse_waivers([*listed, waivers_file] if waivers_file else listed),
        accept_defects=_defects("policy.accept_defects", document.get("accept_defects")),
        storage_types=_storage_types("policy.storage_types", document.get("storage_types")),
        migrate=Selector("migrate_controllers", migrate_controllers, guests=True) if migrate_controllers else None,
        apply_foreign_pending=apply_foreign_pending,
    )


def _iothreads(place: str, value: Any) -> int | None:
    count = whole_number(value) if isinstance(value, str) else value
    if count is None and value is None:
        return None
    if isinstance(count, bool) or not isinstance(count, int) or not 1 <= count <= MOST_IOTHREADS:
        raise PolicyError(
            place, f"is {shown(value)}, it takes a number from 1 to {MOST_IOTHREADS}, or null for one for each disk"
        )
    return count


def _defects(place: str, value: Any) -> tuple[str, ...]:
    for number, defect in enumerate(shapes.items(place, value)):
        if not isinstance(defect, str) or defect not in _known.QEMU:
            raise PolicyError(f"{place}[{number}]", f"is {shown(defect)}; it takes one of {', '.join(_known.QEMU)}")
    return tuple(value or ())


def _storage_types(place: str, value: Any) -> dict[str, str]:
    """Storage type → QEMU's block driver for its images. A hypervisor's own types are known without."""
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise PolicyError(
            place,
            f"is {shown(value)}, it takes a mapping from a plugin's storage type to {' or '.join(_STORAGE_KINDS)}",
        )
    found = {}
    for name, kind in value.items():
        if not isinstance(name, str) or not _STORAGE_TYPE.match(name):
            raise PolicyError(shapes.at(place, name), "is not a storage type; it takes one such as drbd")
        if knows_storage_type(name):
            raise PolicyError(shapes.at(place, name), "is known already; only the type of a storage plugin goes here")
        if not isinstance(kind, str) or kind not in _STORAGE_KINDS:
            raise PolicyError(shapes.at(place, name), f"is {shown(kind)}, it takes {' or '.join(_STORAGE_KINDS)}")
        found[str(name)] = _STORAGE_KINDS[kind]
    return found


def _controller(place: str, value: Any) -> str:
    if value not in (IOTHREAD_CONTROLLER, KEEP):
        raise PolicyError(place, f"is {shown(value)}, it takes {IOTHREAD_CONTROLLER} or {KEEP}")
    return str(value)


def _disk(place: str, raw: Any) -> dict[str, Any]:
    shapes.mapping(place, raw, _DISK)
    disk = dict(raw)
    if "iothread" in disk and not (disk["iothread"] is True or disk["iothread"] == KEEP):
        raise PolicyError(f"{place}.iothread", f"is {shown(disk['iothread'])}, it takes true or {KEEP}")
    if "aio" in disk:
        disk["aio"] = _modes(f"{place}.aio", disk["aio"], AIO_MODES)
    if "cache" in disk:
        disk["cache"] = _modes(f"{place}.cache", disk["cache"], _WANTED_CACHES)
    if "direct_io" in disk:
        shapes.truth(f"{place}.direct_io", disk["direct_io"])
    if "loosen" in disk:
        disk["loosen"] = _modes(f"{place}.loosen", disk["loosen"], DURABLE_CACHE_MODES, keep=False, empty=True)
    return disk


def _modes(place: str, value: Any, allowed: tuple[str, ...], keep: bool = True, empty: bool = False) -> Any:
    if keep and value == KEEP:
        return KEEP
    modes = [value] if isinstance(value, str) else value
    words = f"one of {', '.join(allowed)}, a list of them" + (f", or {KEEP}" if keep else "")
    if not isinstance(modes, list) or not (modes or empty) or any(mode not in allowed for mode in modes):
        raise PolicyError(place, f"is {shown(value)}, it takes {words}")
    return [str(mode) for mode in modes]


def _possible(place: str, disk: dict[str, Any]) -> None:
    """QEMU refuses aio native on a cached disk, so a policy may not ask for it."""
    if disk["aio"] == KEEP or disk["cache"] == KEEP or disk["aio"][0] != "native":
        return
    for mode in disk["cache"]:
        if not CACHE_MODES[mode][0]:
            raise PolicyError(
                place,
                f"aio native with cache {mode} is impossible: QEMU does not start a guest with it; "
                "native takes cache none or directsync",
            )


def _override(place: str, raw: Any) -> Override:
    shapes.mapping(place, raw, _OVERRIDE, required=("match",))
    if not raw.get("disk") and raw.get("controller") is None:
        raise PolicyError(place, "changes nothing; it takes disk, controller or both")
    return Override(
        shapes.text(f"{place}.name", raw["name"]) if raw.get("name") is not None else place,
        Selector(f"{place}.match", raw["match"], guests=raw.get("controller") is not None),
        _disk(f"{place}.disk", raw.get("disk") or {}),
        None if raw.get("controller") is None else _controller(f"{place}.controller", raw["controller"]),
    )
