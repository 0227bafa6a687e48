# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Read: what a host's guests are configured with, as plain records. Decides nothing, changes nothing."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from typing import Any

from .._model.records import NOT_THERE
from .._pve import config as _config
from .._pve import pending_config as _pending
from .._pve import storage as _storage
from .._pve.image import image_path
from .._pve.json_config import JsonConfigError, key_lines, to_text
from .._pve.not_a_guest import is_container, no_config
from .._pve.record import record
from .._qemu_process import proc as _proc
from .._qemu_process.record import add_running_state
from .._qemu_process.record import record as _process_record
from .._text import natural_key
from . import layout
from .asked import Asked
from .filesystems import FileSystems
from .node import Node

_RING = re.compile(r"^\s*(name|ring\d+_addr)\s*:\s*(\S+)\s*$", re.ASCII)


class Reading:
    """What was read: ``guests``, ``storages``, ``nodes`` and ``problems``, each as in docs/data.md; the paths of
    ``containers``.
    """

    def __init__(self, root: str) -> None:
        self.root = root
        self.guests: list[dict[str, Any]] = []
        self.storages: list[dict[str, Any]] = []
        self.nodes: list[dict[str, Any]] = []
        self.problems: list[dict[str, Any]] = []
        self.containers: list[str] = []

    def problem(
        self, path: str, text: str, guest: str | None = None, line: int | None = None, node: str | None = None
    ) -> None:
        """Note what could not be read."""
        self.problems.append({"file": path, "line": line, "guest": guest, "node": node, "reason": text})


def read(root: str, node: str | None = None, guests: list[str] | None = None, proxmox: Node | None = None) -> Reading:
    """Read the guests below ``root``; raises layout.LayoutError where there is nothing to read from.

    One config that cannot be read is a problem, and does not hide the others. On a host without
    Proxmox VE the guests are those that run, read from their QEMU processes; on a node of Proxmox VE those come
    after its own of which there is no config, unless ``guests`` names some.

    ``proxmox`` is what this node is asked with, where guests of it are read live: which lines its qm would drop, which
    storages it can use. Without it neither is known.
    """
    reading, records = stream(root, node, guests, proxmox)
    reading.guests = list(records)
    return reading


def stream(
    root: str, node: str | None = None, guests: list[str] | None = None, proxmox: Node | None = None
) -> tuple[Reading, Iterator[dict[str, Any]]]:
    """As ``read``, with the guests one by one, so that thousands need no more memory than one.

    The reading's problems are complete once the last guest was taken.
    """
    reading = Reading(root)
    try:
        unreadable: list[tuple[str, str]] = []
        sources = layout.sources(root, node, unreadable)
    except layout.LayoutError as exc:
        if not layout.is_live(root) or node is not None:
            raise
        if _read_processes(reading, guests):
            return reading, iter(reading.guests)
        hidden = "; ".join(problem["reason"] for problem in reading.problems)
        raise layout.LayoutError(
            f"{exc} Nor is there a QEMU process to be seen: {hidden}" if hidden else str(exc)
        ) from exc
    for directory, why in unreadable:
        reading.problem(directory, f"{why}; no guest of it was read")
    reading.nodes = _read_nodes(reading, sorted({source.node for source in sources if source.node}))
    wanted = None if guests is None else {str(guest) for guest in guests}
    for guest in sorted((wanted or set()) - {source.guest for source in sources}, key=natural_key):
        reading.problem("", NOT_THERE, guest=guest)
    chosen = [source for source in sources if wanted is None or source.guest in wanted]
    _note_twice(reading, chosen)
    own = layout.own_node(root)
    all_of_own = wanted is None and node in (None, "all", own)
    asked = (
        Asked(proxmox, own, reading.problem)
        if proxmox and layout.is_live(root) and any(source.node == own for source in chosen)
        else None
    )
    return reading, _records(reading, chosen, own if all_of_own else None, asked)


def _note_twice(reading: Reading, sources: list[layout.Source]) -> None:
    """A guest is on one node of a cluster (pmxcfs refuses a second file of its id); of two files one is out of date."""
    first: dict[str, layout.Source] = {}
    for source in sources:
        other = first.setdefault(source.guest, source)
        if other is not source:
            reading.problem(
                source.path,
                f"guest {source.guest} is on node {other.node} as well ({other.path}): remove the file that is out of"
                " date",
                source.guest,
                node=source.node,
            )


def _records(
    reading: Reading, sources: list[layout.Source], own: str | None, asked: Asked | None
) -> Iterator[dict[str, Any]]:
    """The guests of the configs, and after them those of the node ``own`` that run without one; None: not asked for."""
    storages = _read_storages(reading)
    running = _Running(reading) if layout.is_live(reading.root) else None
    here = asked.storages(storages) if asked else storages
    reading.storages = list(here.values())
    for source in sources:
        mine = asked is not None and source.node == asked.node
        guest = _read_guest(reading, source, here if mine else storages, asked if mine else None)
        if guest is not None:
            if running:
                running.add(guest)
            yield guest
    if running and own is not None:
        yield from running.without_config({source.guest for source in sources}, own)


def _read_processes(reading: Reading, wanted: list[str] | None) -> bool:
    """The guests that run on a host without Proxmox VE; False where none does."""
    running, reading.problems = _proc.running_guests(reading.root)
    node = layout.own_node(reading.root)
    known = {word for guest in running for word in (guest["id"], guest["name"])}
    for one in sorted(set(wanted or ()) - known, key=natural_key) if running else ():
        reading.problem("", NOT_THERE, guest=one)
    reading.guests = [
        _process_record(guest, node)
        for guest in running
        if wanted is None or guest["id"] in wanted or guest["name"] in wanted
    ]
    reading.nodes = [{"name": node, "addresses": _kernel_addresses(), "names": [node]}]
    return bool(running)


def _read_guest(
    reading: Reading, source: layout.Source, storages: dict[str, dict[str, Any]], asked: Asked | None
) -> dict[str, Any] | None:
    lines: dict[str, int] | None = None
    try:
        raw = layout.read_config(reading.root, source.path)
        json_text = _config.decode(raw) if source.path.endswith(".json") else None
        if json_text is not None:
            raw = to_text(json_text).encode("utf-8", "surrogatepass")
            lines = key_lines(json_text)
        elif not layout.is_live(reading.root) and (printed := _pending.read(_config.decode(raw))):
            raw, lines = _config.encode(printed.text), printed.lines
    except OSError as exc:
        reading.problem(source.path, f"cannot be read: {layout.reason(exc)}", source.guest, node=source.node)
        return None
    except JsonConfigError as exc:
        reading.problem(source.path, str(exc), source.guest, node=source.node)
        return None
    parsed = _config.parse(_config.decode(raw))
    if is_container(parsed):
        reading.containers.append(source.path)
        return None
    fault = no_config(raw, parsed)
    if fault:
        reading.problem(source.path, fault[0], source.guest, fault[1], source.node)
        return None
    guest = record(source.guest, raw, storages, source.node, source.path, parsed)
    if asked:
        asked.add(guest, parsed.text)
    return guest if lines is None else _with_lines(guest, lines)


def _with_lines(guest: dict[str, Any], lines: dict[str, int]) -> dict[str, Any]:
    """The record of a file in another form with its own lines in place of those of the text that was made from it."""
    if guest["controller"]["line"] is not None:
        guest["controller"]["line"] = lines.get("scsihw")
    for disk in guest["disks"]:
        disk["line"] = lines.get(disk["key"])
    for unsafe in guest["unsafe_lines"]:
        unsafe["line"] = lines.get(unsafe["text"].split(":", 1)[0], 1)
    return guest


def _read_storages(reading: Reading) -> dict[str, dict[str, Any]]:
    place = (
        layout.etc_pve(reading.root) if os.path.isdir(layout.inside(reading.root, layout.etc_pve(reading.root))) else ""
    )
    path = next(
        (
            path
            for path in (f"{place}/storage.cfg", "/storage.cfg")
            if os.path.exists(layout.inside(reading.root, path))
        ),
        f"{place}/storage.cfg",
    )
    try:
        storages = text(reading.root, path)
    except OSError as exc:
        reading.problem(
            path, f"cannot be read: {layout.reason(exc)}; storages are not known{_storages_above(reading.root)}"
        )
        storages = ""
    reading.storages, problems = _storage.parse(
        storages, optional_text(reading.root, layout.etc_pve(reading.root) + "/ceph.conf")
    )
    for problem in problems:
        reading.problem(path, problem["reason"], line=problem["line"])
    return {storage["id"]: storage for storage in reading.storages}


def _storages_above(root: str) -> str:
    """Of a part of a tree, as a node's folder is: the directory to name instead."""
    above = os.path.realpath(root)
    for _level in range(3):
        above = os.path.dirname(above)
        if layout.etc_pve(above) == "" and os.path.isfile(os.path.join(above, "storage.cfg")):
            return f". This is a part of {above}, which has one: name that directory"
    return ""


def text(root: str, path: str) -> str:
    """A host's text file, with what is no UTF-8 made printable; raises OSError as ``layout.read``."""
    return _config.printable(_config.decode(layout.read(root, path)))


def optional_text(root: str, path: str) -> str | None:
    """The same; None where it cannot be read."""
    try:
        return text(root, path)
    except OSError:
        return None


def _read_nodes(reading: Reading, names: list[str]) -> list[dict[str, Any]]:
    """Each node's addresses and names, from corosync.conf, /etc/hosts and, live, the kernel."""
    nodes = {name: {"name": name, "addresses": [], "names": [name]} for name in names}
    for name, address in _ring_addresses(
        optional_text(reading.root, layout.etc_pve(reading.root) + "/corosync.conf") or ""
    ):
        if name in nodes:
            _append(nodes[name]["addresses"], address)
    for address, hosts in _host_lines(optional_text(reading.root, "/etc/hosts") or ""):
        for name in names:
            if name in hosts and not address.startswith("127."):
                _append(nodes[name]["addresses"], address)
                for host in hosts:
                    _append(nodes[name]["names"], host)
    if layout.is_live(reading.root):
        own = nodes.get(layout.own_node(reading.root))
        for address in _kernel_addresses() if own else ():
            _append(own["addresses"], address)
    return list(nodes.values())


def _append(values: list[str], value: str) -> None:
    if value not in values:
        values.append(value)


def _ring_addresses(text: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for block in re.findall(r"\bnode\s*\{([^}]*)\}", text):
        pairs = [(match[1], match[2]) for match in map(_RING.match, block.split("\n")) if match]
        name = dict(pairs).get("name")
        found += [(name, value) for key, value in pairs if key != "name" and name]
    return found


def _host_lines(text: str) -> list[tuple[str, list[str]]]:
    lines = (line.split("#", 1)[0].split() for line in text.split("\n"))
    return [(words[0], words[1:]) for words in lines if len(words) > 1]


def _kernel_addresses() -> list[str]:
    """The addresses of this machine, IPv4 from the routing trie and IPv6 from if_inet6 (proc(5))."""
    found = []
    try:
        with open("/proc/net/fib_trie", encoding="ascii") as stream:
            last = ""
            for line in stream:
                words = line.split()
                if words[:1] in (["|--"], ["+--"]):
                    last = words[1]
                elif words[:2] == ["/32", "host"] and words[2:] == ["LOCAL"]:
                    _append(found, last)
    except OSError:
        pass
    try:
        with open("/proc/net/if_inet6", encoding="ascii") as stream:
            for line in stream:
                digits = line.split()[0]
                _append(found, ":".join(digits[at : at + 4] for at in range(0, 32, 4)))
    except OSError:
        pass
    return [address for address in found if not address.startswith("127.")]


class _Running:
    """What this node's guests run with. A guest runs when its pid file names a live process (qemu-server
    check_running).
    """

    def __init__(self, reading: Reading) -> None:
        self._root = reading.root
        self._node = layout.own_node(reading.root)
        running, problems = _proc.running_guests(reading.root)
        reading.problems += problems
        self._processes = _proc.by_pve_id(running)
        self._others = [guest for guest in running if guest["hypervisor"] != "pve"]
        self._installed = _proc.installed_version(reading.root)
        self._file_systems = FileSystems(reading.root)

    def add(self, guest: dict[str, Any]) -> None:
        """Complete a guest of this node."""
        if guest["node"] == self._node:
            guest["running"] = is_running(self._root, guest["id"])
            add_running_state(guest, self._processes.get(guest["id"]) if guest["running"] else None, self._installed)
            for disk in guest["disks"]:
                path = image_path(disk["volume"], disk["storage"]) if disk["media"] == "disk" else None
                disk["filesystem"] = self._file_systems.of(path) if path else None

    def without_config(self, known: set[str], own: str) -> Iterator[dict[str, Any]]:
        """The guests that run on this node and are none of ``known``: not Proxmox VE's, or of no config anywhere in the
        cluster.
        """
        strays = [guest for vmid, guest in self._processes.items() if vmid not in known]
        if strays:
            # On its way here a guest runs on this node while its config is still the other's.
            known = {source.guest for source in layout.sources(self._root, "all")}
        for guest in [*(guest for guest in strays if guest["id"] not in known), *self._others]:
            yield _process_record(guest, own)


def is_running(root: str, guest: str) -> bool:
    """True where the guest's pid file names a live process."""
    return pid(root, guest) is not None


def pid(root: str, guest: str) -> int | None:
    """The guest's live process, None where there is none.

    It is the one that the guest's pid file names, is root's, and names that file itself: the number of a guest that was
    killed may be anybody's by now (qemu-server, vm_running_locally).
    """
    try:
        number = _proc.pid_in_file(root, guest)
    except PermissionError:
        return None
    return number if number is not None and _proc.is_process_of(number, guest) else None
