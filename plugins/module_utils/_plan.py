# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""What a plan may ask for: its keys, options and values held against the closed sets. No I/O.

A plan comes through a playbook's variables, a roll back's through a file: nothing in it is taken on trust.
"""

from __future__ import annotations

import re
from typing import Any

from ._model.disk_io import AIO_MODES, CACHE_MODES, CONTROLLERS
from ._pve.drive import DISK_BUSES, IOTHREAD_BUSES, boolean, parse_key
from ._shown import shown

# A guest's id is from 100 to 999999999 (pve-common JSONSchema, pve-vmid); a node is named like a host.
_GUEST = re.compile(r"[1-9][0-9]{2,8}")
_NODE = re.compile(r"[a-zA-Z0-9](?:[a-zA-Z0-9\-]*[a-zA-Z0-9])?")

_KEY = re.compile(r"[a-z]{1,10}[0-9]{1,2}")

_WORDS = {"aio": AIO_MODES, "cache": tuple(CACHE_MODES), "type": CONTROLLERS}


class PlanError(ValueError):
    """A plan that is not carried out; the message says which value, and what is allowed."""


def entry(given: dict[str, Any]) -> dict[str, Any]:
    """A guest's plan entry (docs/data.md) with its changes as ``change`` gives them; raises PlanError.

    The path of the config is the one that the guest's id and node lead to, so that a plan names no other file.
    """
    place(given["guest"], given.get("node"), given["config"])
    changes = [change(each) for each in given["changes"]]
    places = [(each["key"], each["option"]) for each in changes]
    for key, option in places:
        if places.count((key, option)) > 1:
            raise PlanError(f"two changes of {key} {option}; there is one value to set")
    return {**given, "changes": changes}


def place(guest: Any, node: Any, config: Any) -> None:
    """Raise PlanError where a config is not at one of the paths at which ``layout.sources`` finds that of the guest."""
    if not (isinstance(guest, str) and _GUEST.fullmatch(guest)):
        raise PlanError(f"guest is {shown(guest)}; it takes an id from 100 to 999999999")
    if node is not None and not (isinstance(node, str) and _NODE.fullmatch(node)):
        raise PlanError(f"node is {shown(node)}; it takes the name of a node, or null")
    if node is None:
        paths = (f"/etc/pve/qemu-server/{guest}.conf", f"/{guest}.conf", f"/{guest}.json")
    else:
        paths = (f"/etc/pve/nodes/{node}/qemu-server/{guest}.conf",)
    if config not in paths:
        on = f"on node {node}" if node else "without a node"
        raise PlanError(f"config is {shown(config)}; that of guest {guest} {on} is {' or '.join(paths)}")


def change(given: dict[str, Any], sides: tuple[str, ...] = ("after",)) -> dict[str, Any]:
    """``{key, option, before, after}`` with an iothread as true or false, however it is spelled; raises PlanError.

    Ansible hands a value of type raw on as it gets it, and that is text where a template made it. ``sides`` are those
    that are looked at: a plan sets ``after`` and only tells ``before``, which a roll back sets.
    """
    key, option = given["key"], given["option"]
    if key == "controller":
        options = ("type",)
    else:
        bus = _bus(key)
        if bus not in DISK_BUSES:
            raise PlanError(f"key is {shown(key)}; it takes controller, or a disk such as scsi0 or virtio0")
        options = ("aio", "cache", "iothread") if bus in IOTHREAD_BUSES else ("aio", "cache")
    if option not in options:
        raise PlanError(f"{key} has no option {shown(option)} that a plan may set; it takes {', '.join(options)}")
    return {
        "key": key,
        "option": option,
        "before": given.get("before"),
        "after": given.get("after"),
        **{side: _value(key, option, side, given.get(side)) for side in sides},
    }


def _bus(key: Any) -> str | None:
    place = parse_key(key) if isinstance(key, str) and _KEY.fullmatch(key) else None
    return place[0] if place else None


def _value(key: str, option: str, side: str, value: Any) -> Any:
    if value is None:
        return None
    if option != "iothread":
        if isinstance(value, str) and value in _WORDS[option]:
            return value
        raise PlanError(f"{key} {option}: {side} is {shown(value)}; it takes {', '.join(_WORDS[option])} or null")
    truth = (
        boolean(value)
        if isinstance(value, str)
        else bool(value)
        if isinstance(value, int) and value in (0, 1)
        else None
    )
    if truth is None:
        raise PlanError(f"{key} iothread: {side} is {shown(value)}; it takes true, false or null")
    return truth
