# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The policy document: validated as a whole before anything is judged by it."""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from ...module_utils._model.disk_io import AIO_MODES, CACHE_MODES, DURABLE_CACHE_MODES, IOTHREAD_CONTROLLER
from ...module_utils._pve.storage_types import driver as _known_type
from ...module_utils._shown import piece, shown
from .defects import DEFECTS
from .errors import PolicyError
from .rules import RULES
from .selector import Selector

KEEP = "keep"

#: What waivers that stand beside the policy are called in errors: the variable that holds them.
MORE_WAIVERS = "guest_io_waivers"

#: What is judged where a policy says nothing.
DEFAULT_DISK = {"iothread": True, "aio": ["threads"], "cache": ["none"], "loosen": [], "direct_io": False}
DEFAULT_CONTROLLER = IOTHREAD_CONTROLLER

_TOP = ("controller", "disk", "overrides", "waivers", "accept_defects", "storage_types")
_DISK = ("iothread", "aio", "cache", "loosen", "direct_io")
_OVERRIDE = ("name", "match", "disk", "controller")
WAIVER_KEYS = ("id", "match", "rules", "until", "reason")
# What a plugin's storage hands to QEMU, and the driver that QEMU then has for it.
_STORAGE_KINDS = {"block": "host_device", "file": "file"}
_STORAGE_TYPE = re.compile(r"[a-z][a-z0-9_\-.]{0,99}\Z", re.ASCII)
# As YAML reads one.
_DATE = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})\Z", re.ASCII)
_WANTED_CACHES = tuple(mode for mode in CACHE_MODES if mode != "unsafe")


class Override(NamedTuple):
    """One entry of ``overrides``; ``disk`` holds only the keys it names."""

    name: str
    match: Selector
    disk: dict[str, Any]
    controller: str | None


class Waiver(NamedTuple):
    """One entry of ``waivers``; it holds through the whole day ``until``."""

    id: str
    match: Selector
    rules: tuple[str, ...]
    until: datetime.date
    reason: str


class Policy(NamedTuple):
    """A validated policy. ``disk`` has all five keys; aio and cache are lists or ``keep``. ``storage_types`` maps a
    plugin's type to QEMU's driver for it."""

    controller: str
    disk: dict[str, Any]
    overrides: tuple[Override, ...]
    waivers: tuple[Waiver, ...]
    accept_defects: tuple[str, ...]
    storage_types: dict[str, str]


def parse(document: Any, more_waivers: Any = None, named_waivers: tuple[str, Any] | None = None) -> Policy:
    """Validate a policy document; raises PolicyError naming the place and what is allowed there.

    ``more_waivers`` are waivers that stand beside the policy, ``named_waivers`` further ones with what they are called
    in errors.
    """
    _mapping("", document, _TOP)
    disk = {**DEFAULT_DISK, **_disk("disk", document.get("disk", {}))}
    _possible("disk", disk)
    overrides = []
    for number, raw in enumerate(_list("overrides", document.get("overrides"))):
        override = _override(f"overrides[{number}]", raw)
        _possible(f"overrides[{number}].disk", {**disk, **override.disk})
        overrides.append(override)
    waivers = [
        _waiver(f"{place}[{number}]", raw)
        for place, listed in (
            ("waivers", document.get("waivers")),
            (MORE_WAIVERS, more_waivers),
            *((named_waivers,) if named_waivers else ()),
        )
        for number, raw in enumerate(_list(place, listed))
    ]
    _unique("waivers", [waiver.id for waiver in waivers])
    return Policy(
        _controller("controller", document.get("controller", DEFAULT_CONTROLLER)),
        disk,
        tuple(overrides),
        tuple(waivers),
        _defects("accept_defects", document.get("accept_defects")),
        _storage_types("storage_types", document.get("storage_types")),
    )


def _defects(place: str, value: Any) -> tuple[str, ...]:
    for number, defect in enumerate(_list(place, value)):
        if not isinstance(defect, str) or defect not in DEFECTS:
            raise PolicyError(f"{place}[{number}]", f"is {shown(defect)}; it takes one of {', '.join(DEFECTS)}")
    return tuple(value or ())


def _storage_types(place: str, value: Any) -> dict[str, str]:
    """Storage type → QEMU's driver for its images, of types that Proxmox VE has from a plugin."""
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
            raise PolicyError(_at(place, name), "is not a storage type, as it stands before the colon in storage.cfg")
        if _known_type(name) is not None:
            raise PolicyError(
                _at(place, name), "is Proxmox VE's own, and known already; only a plugin's type is told here"
            )
        if not isinstance(kind, str) or kind not in _STORAGE_KINDS:
            raise PolicyError(_at(place, name), f"is {shown(kind)}, it takes {' or '.join(_STORAGE_KINDS)}")
        found[str(name)] = _STORAGE_KINDS[kind]
    return found


def _mapping(place: str, value: Any, allowed: tuple[str, ...], required: tuple[str, ...] = ()) -> None:
    if not isinstance(value, Mapping):
        raise PolicyError(place, f"is {shown(value)}, it takes a mapping with the keys {', '.join(allowed)}")
    for key in value:
        if key not in allowed:
            raise PolicyError(_at(place, key), f"is not known; allowed here: {', '.join(allowed)}")
    for key in required:
        if value.get(key) is None:
            raise PolicyError(_at(place, key), "is missing")


def _at(place: str, key: Any) -> str:
    return f"{place}.{piece(key)}" if place else piece(key)


def _list(place: str, value: Any) -> list[Any]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise PolicyError(place, f"is {shown(value)}, it takes a list")
    return value


def _text(place: str, value: Any) -> str:
    """Text that a person wrote; YAML makes a number or a date of some."""
    if isinstance(value, str):
        if not value.strip():
            raise PolicyError(place, "is empty, it takes text")
        return str(value)
    if isinstance(value, (int, float, datetime.date)) and not isinstance(value, bool):
        return shown(value)
    raise PolicyError(place, f"is {shown(value)}, it takes text")


def _unique(place: str, values: list[str]) -> None:
    seen: set[str] = set()
    for value in values:
        if value in seen:
            raise PolicyError(place, f"duplicate id {shown(value)}")
        seen.add(value)


def _controller(place: str, value: Any) -> str:
    if value not in (IOTHREAD_CONTROLLER, KEEP):
        raise PolicyError(place, f"is {shown(value)}, it takes {IOTHREAD_CONTROLLER} or {KEEP}")
    return value


def _disk(place: str, raw: Any) -> dict[str, Any]:
    _mapping(place, raw, _DISK)
    disk = dict(raw)
    if "iothread" in disk and not (disk["iothread"] is True or disk["iothread"] == KEEP):
        raise PolicyError(f"{place}.iothread", f"is {shown(disk['iothread'])}, it takes true or {KEEP}")
    if "aio" in disk:
        disk["aio"] = _modes(f"{place}.aio", disk["aio"], AIO_MODES)
    if "cache" in disk:
        disk["cache"] = _modes(f"{place}.cache", disk["cache"], _WANTED_CACHES)
    if "direct_io" in disk and not isinstance(disk["direct_io"], bool):
        raise PolicyError(f"{place}.direct_io", f"is {shown(disk['direct_io'])}, it takes true or false")
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
    """QEMU refuses aio=native on a cached disk, so no policy may ask for it."""
    if disk["aio"] == KEEP or disk["cache"] == KEEP or disk["aio"][0] != "native":
        return
    for mode in disk["cache"]:
        if not CACHE_MODES[mode][0]:
            raise PolicyError(
                place,
                f"aio native with cache {mode} is impossible: QEMU starts no guest with it; "
                "native takes cache none or directsync",
            )


def _override(place: str, raw: Any) -> Override:
    _mapping(place, raw, _OVERRIDE, required=("match",))
    if not raw.get("disk") and raw.get("controller") is None:
        raise PolicyError(place, "changes nothing: it takes disk, controller or both")
    return Override(
        _text(f"{place}.name", raw["name"]) if raw.get("name") is not None else place,
        Selector(f"{place}.match", raw["match"], guests=raw.get("controller") is not None),
        _disk(f"{place}.disk", raw.get("disk") or {}),
        None if raw.get("controller") is None else _controller(f"{place}.controller", raw["controller"]),
    )


def _waiver(place: str, raw: Any) -> Waiver:
    _mapping(place, raw, WAIVER_KEYS, required=WAIVER_KEYS)
    rules = _list(f"{place}.rules", raw["rules"])
    for number, rule in enumerate(rules):
        if not isinstance(rule, str) or rule not in RULES:
            raise PolicyError(f"{place}.rules[{number}]", f"is {shown(rule)}, it takes a rule id such as IO101")
    if not rules:
        raise PolicyError(f"{place}.rules", "is empty, it takes a list of rule ids")
    return Waiver(
        _text(f"{place}.id", raw["id"]),
        Selector(f"{place}.match", raw["match"]),
        tuple(str(rule) for rule in rules),
        parse_date(f"{place}.until", raw["until"]),
        _text(f"{place}.reason", raw["reason"]),
    )


def parse_date(place: str, value: Any) -> datetime.date:
    """A date as YAML or JSON brings it; raises PolicyError."""
    if isinstance(value, datetime.datetime):
        return value.date()
    if isinstance(value, datetime.date):
        return value
    match = _DATE.match(value) if isinstance(value, str) else None
    try:
        return datetime.date(*(int(number) for number in match.groups()))  # type: ignore[union-attr]
    except (AttributeError, ValueError):
        raise PolicyError(place, f"is {shown(value)}, it takes a date such as 2027-03-31") from None
