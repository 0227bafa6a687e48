# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Guests of Proxmox VE from its API to records. Two requests a guest, several guests at the same time.

The API tells less than a node: no command line and no file system.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping
from typing import NamedTuple, Union

from .._model import records
from .._model.records import NOT_THERE, Guest
from .._pve import config as _config
from .._pve.answer import Answer
from .._pve.json_config import JsonConfigError
from .._pve.not_a_guest import no_config
from .._pve.record import record
from .._pve_api.errors import NODE_SILENT, ApiError, NotUsable
from .._pve_api.permissions import MONITOR, READ
from .._shown import shown
from .._text import natural_key, plural
from . import api_monitor
from .api_cluster import Cluster, State
from .config_reader import Storages
from .layout import LayoutError
from .reading import Reading

#: Why a disk cannot be written with a token (recorded).
_NEEDS_ROOT = (
    "its volume is the path of a device, which Proxmox VE takes from root@pam alone and never from a token; harden this"
    " guest on its node"
)

_NOT_WHOLE = "the API does not show all of its config, or the file was edited by hand"
_DROPS = "Proxmox VE drops lines that it does not know when it writes"
_LOOK = (
    "Look at the file on its node. Proxmox VE writes it anew, without such lines, with the next change of the guest."
)


class _Read(NamedTuple):
    answer: Answer
    state: State


class _Failed(NamedTuple):
    why: str


class _Silent:
    """The nodes that gave no answer: each is asked until it does not answer once."""

    def __init__(self, states: Mapping[str, str]) -> None:
        self.why = {node: "it is offline" for node, state in states.items() if state == "offline"}
        self.lock = threading.Lock()


def read(cluster: Cluster, node: str, only: Collection[str] | None) -> Reading:
    """All guests of a node, or of ``all``, or ``only`` those with these ids. Raises LayoutError, NotUsable."""
    reading = Reading()
    wanted = None if only is None else {str(guest).strip() for guest in only}
    named = None if wanted is None else {guest for guest in wanted if guest.isdigit()} or None
    cluster.require(READ, named)
    if cluster.options.monitor:
        cluster.require(MONITOR, named)
    states = cluster.node_states()
    if node not in ("all", *states):
        raise LayoutError(
            f"no node {shown(node)} in the cluster of {cluster.options.url}; there are: {', '.join(sorted(states))}"
        )
    places = {guest: place for guest, place in cluster.places().items() if node in ("all", place)}
    for guest in sorted((wanted or set()) - set(places), key=natural_key):
        reading.problem("", NOT_THERE, guest=guest)
    asked = [(place, guest) for guest, place in places.items() if wanted is None or guest in wanted]
    silent = _Silent(states)
    reads = cluster.each(lambda one: _read(cluster, silent, *one), asked)
    _note_silent(reading, silent, asked, wanted)
    storages = _Storages(cluster)
    answering = sorted({place for (place, _guest), found in zip(asked, reads) if found is not None})
    installed = dict(zip(answering, cluster.each(cluster.installed_qemu, answering)))
    for (place, guest), found in zip(asked, reads):
        if isinstance(found, _Failed):
            reading.problem(path_of(place, guest), found.why, guest, node=place)
        elif found is not None:
            _add(reading, place, guest, found, storages.of(place), cluster.options.write_unseen)
    for one in reading.guests:
        one["qemu"]["installed"] = installed[str(one["node"])]
    if cluster.options.monitor:
        api_monitor.ask(cluster, reading.guests)
    reading.storages = list(storages.of(None).values())
    reading.problems += cluster.storage_problems
    addresses = cluster.addresses()
    names = sorted(name for name in states if node in ("all", name) and name not in silent.why)
    reading.nodes = [
        records.node(name=name, addresses=[addresses[name]] if name in addresses else []) for name in names
    ]
    return reading


def path_of(node: str, guest: str) -> str:
    """Where a node has a guest's config."""
    return f"/etc/pve/nodes/{node}/qemu-server/{guest}.conf"


def _read(cluster: Cluster, silent: _Silent, node: str, guest: str) -> Union[_Read, _Failed, None]:
    """A guest; None where its node is silent."""
    if node in silent.why:
        return None
    try:
        return _Read(cluster.config(node, guest), cluster.state(node, guest))
    except NotUsable:
        raise
    except JsonConfigError as exc:
        return _Failed(f"the API's answer {exc}")
    except ApiError as exc:
        if exc.status not in NODE_SILENT:
            return _Failed(f"cannot be read: {exc}")
        with silent.lock:
            silent.why.setdefault(node, str(exc))
        return None


def _note_silent(
    reading: Reading, silent: _Silent, asked: list[tuple[str, str]], wanted: Collection[str] | None
) -> None:
    for node, why in sorted(silent.why.items()):
        guests = [guest for place, guest in asked if place == node]
        if guests:
            named = f" ({', '.join(guests)})" if wanted else ""
            reading.problem(
                "",
                f"node {node} does not answer: {why}; {plural(len(guests), 'guest')}{named} of it not read",
                node=node,
            )


class _Storages:
    """The storages with ``active`` as it is on each node."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._of: dict[str | None, Storages] = {None: cluster.storages}

    def of(self, node: str | None) -> Storages:
        """Those of a node; without one, as they are defined."""
        if node not in self._of:
            self._of[node] = self._on(str(node))
        return self._of[node]

    def _on(self, node: str) -> Storages:
        here = self._cluster.seen(node)
        known: dict[str, bool | None] = {name: there or None for name, there in here.items()}
        if any(here.values()) and not all(here.values()):
            try:
                known = {name: why is None for name, why in self._cluster.unusable(node).items()}
            except NotUsable:
                raise
            except ApiError:
                pass
        return {name: {**one, "active": known.get(name)} for name, one in self._cluster.storages.items()}


def _add(reading: Reading, node: str, guest: str, found: _Read, storages: Storages, write_unseen: bool) -> None:
    path = path_of(node, guest)
    parsed = _config.parse(_config.decode(found.answer.raw))
    fault = no_config(found.answer.raw, parsed)
    if fault:
        reading.problem(path, fault[0], guest, node=node)
        return
    made = record(guest, found.answer.raw, storages, node, path, parsed)
    reading.guests.append(completed(made, found.answer, found.state, write_unseen))


def completed(guest: Guest, answer: Answer, state: State, write_unseen: bool) -> Guest:
    """The record with what the API says of it."""
    guest["digest"] = answer.digest
    guest["running"] = state.running
    guest["qemu"]["running"] = state.qemu_version if state.running else None
    if not answer.whole:
        # Which lines the file has is not known.
        guest["controller"]["line"] = None
        for disk in guest["disks"]:
            disk["line"] = None
        if not write_unseen:
            detail = f"{_unseen(answer)}; allow it with write_unseen of the API's options"
            guest["held"] = {"reason": "not_asked", "detail": detail}
        if not answer.has("cipassword"):
            guest["unknown"].append(records.unknown(_NOT_WHOLE, _LOOK, "warning"))
    for disk in guest["disks"]:
        if (disk["volume"] or "").startswith("/") and disk["media"] == "disk":
            disk["needs_root"] = _NEEDS_ROOT
    return guest


def _unseen(answer: Answer) -> str:
    """Why it is not known which lines of a config a write would drop."""
    if answer.has("cipassword"):
        return f"the API hides its cipassword, so that nothing proves that it shows every line of its config; {_DROPS}"
    return f"{_NOT_WHOLE}; {_DROPS}"
