# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""What a plan may ask for: its keys, options and values checked against the closed sets. No I/O.

A plan comes through a playbook's variables, that of a rollback through a file: nothing in it is taken on trust.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ._model import findings
from ._model.disk_io import AIO_MODES, CACHE_MODES, CONTROLLERS, MOST_IOTHREADS
from ._model.findings import Change, PlanEntry, Value, Wanted
from ._number import whole_number
from ._shown import shown
from ._truth import boolean

#: The hypervisors that plans can be for.
HYPERVISORS = ("libvirt", "pve")

#: The hypervisor of plans and journals that do not say: those of the first versions.
FIRST = "pve"


class PlanError(ValueError):
    """A plan that is not carried out; the message says which value, and what is allowed."""


def entry(given: Mapping[str, Any]) -> PlanEntry:
    """A guest's plan entry (docs/data.md) with its changes as ``change`` returns them.

    The path of the config is the one that the guest's id and node lead to, so that a plan names no other file. Raises
    PlanError.
    """
    hypervisor = given.get("hypervisor") or FIRST
    place(given["guest"], given.get("node"), given["config"], hypervisor)
    changes = [change(each, hypervisor) for each in given["changes"]]
    places = [(each["key"], each["option"]) for each in changes]
    for key, option in places:
        if places.count((key, option)) > 1:
            raise PlanError(f"two changes of {key} {option}; there is one value to set")
    return findings.plan_entry(
        hypervisor=hypervisor,
        guest=given["guest"],
        name=given.get("name") or "",
        node=given.get("node"),
        config=given["config"],
        digest=given.get("digest"),
        running=given.get("running"),
        changes=changes,
    )


def wanted(changes: Iterable[Change]) -> Wanted:
    """The changes keyed as they are used."""
    found: dict[str, dict[str, Value]] = {}
    for each in changes:
        found.setdefault(each["key"], {})[each["option"]] = each["after"]
    return found


def place(guest: Any, node: Any, config: Any, hypervisor: Any = FIRST) -> None:
    """Raise PlanError where a config is not at a path at which that guest's config is found."""
    fault = _spelling(hypervisor).misplaced(guest, node, config)
    if fault:
        raise PlanError(fault)


def change(given: Mapping[str, Any], hypervisor: Any = FIRST, sides: tuple[str, ...] = ("after",)) -> Change:
    """``{key, option, before, after}`` with an iothread as true or false, however it is spelled; raises PlanError.

    Ansible hands on a value of type raw as it gets it, and that is text where a template made it. ``sides`` are those
    that are checked: a plan sets ``after``, and its ``before`` is only shown, but a rollback sets ``before``.
    """
    spelling = _spelling(hypervisor)
    key, option = given["key"], given["option"]
    options = ("type",) if key == "controller" and spelling.CONTROLLER else spelling.options(key)
    if not options:
        other = "controller" if spelling.CONTROLLER else "guest"
        raise PlanError(f"key is {shown(key)}; it takes {other}, or {spelling.A_DISK}")
    if option not in options:
        raise PlanError(f"{key} has no option {shown(option)} that a plan may set; it takes {', '.join(options)}")
    values = {"before": given.get("before"), "after": given.get("after")}
    for side in sides:
        values[side] = _value(f"{key} {option}: {side}", values[side], option)
    return findings.change(key, option, values["before"], values["after"])


def controller_setting(hypervisor: str) -> str | None:
    """What the hypervisor's own definitions call the controller; None where a plan cannot set it."""
    found = _spelling(hypervisor).CONTROLLER if knows(hypervisor) else None
    return found if found is None else str(found)


def stopped(hypervisor: str) -> str:
    """What is to be said of a guest that does not run and for which something waits."""
    return str(_spelling(hypervisor).STOPPED) if knows(hypervisor) else "does not run"


def sets_iothreads(hypervisor: str) -> bool:
    """Whether a plan can say how many iothreads a guest has; elsewhere each disk has its own."""
    return knows(hypervisor) and "iothreads" in _spelling(hypervisor).options("guest")


def knows(hypervisor: Any) -> bool:
    """Whether this is a hypervisor that plans can be for."""
    return isinstance(hypervisor, str) and hypervisor in HYPERVISORS


def _spelling(hypervisor: Any) -> Any:
    """How a hypervisor's plans name guests, disks and controllers: a module with what _pve/plan.py has."""
    # Each only where it is needed: a host loads the rooms of its own hypervisor.
    if hypervisor == "pve":
        from ._pve import plan as pve

        return pve
    if hypervisor == "libvirt":
        from ._libvirt import plan as libvirt

        return libvirt
    raise PlanError(f"hypervisor is {shown(hypervisor)}; it takes {', '.join(HYPERVISORS)}")


_ALLOWED = {"aio": AIO_MODES, "cache": tuple(CACHE_MODES), "type": CONTROLLERS}


def _value(what: str, value: Any, option: str) -> Any:
    """A value as it is set; of an option without a list of what is allowed it is true or false."""
    if value is None:
        return None
    if option == "iothreads":
        return _count(what, value)
    if option in _ALLOWED:
        if isinstance(value, str) and value in _ALLOWED[option]:
            return value
        raise PlanError(f"{what} is {shown(value)}; it takes {', '.join(_ALLOWED[option])} or null")
    truth = None
    if isinstance(value, str):
        truth = boolean(value)
    elif isinstance(value, int) and value in (0, 1):
        truth = bool(value)
    if truth is None:
        raise PlanError(f"{what} is {shown(value)}; it takes true, false or null")
    return truth


def _count(what: str, value: Any) -> int:
    """How many iothreads; Ansible hands on a number that a template made as text."""
    count = whole_number(value) if isinstance(value, str) else value
    if isinstance(count, int) and not isinstance(count, bool) and 0 <= count <= MOST_IOTHREADS:
        return count
    raise PlanError(f"{what} is {shown(value)}; it takes a number from 0 to {MOST_IOTHREADS}, or null")
