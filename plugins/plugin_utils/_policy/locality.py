# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Whether a node serves a storage itself, so that the storage's load and the guests share one machine."""

from __future__ import annotations

from typing import Any

try:
    import netaddr
    import netaddr.core
except ImportError:  # _libraries.py tells the user
    netaddr = None

from ...module_utils._model.records import Node, Storage


class Locality:
    """Compares servers with the addresses and names of the nodes that were read."""

    def __init__(self, nodes: list[Node]) -> None:
        self._addresses = {
            node["name"]: netaddr.IPSet([ip for ip in map(_address, node["addresses"]) if ip is not None])
            for node in nodes
        }
        self._names = {node["name"]: {node["name"], *node["names"]} for node in nodes}
        self._known: dict[tuple[str | None, tuple[str, ...]], str | None] = {}

    def own_servers(self, node: str | None, storage: Storage) -> list[str]:
        """The servers of a storage that are the node itself."""
        return [server for server in storage["servers"] if self._is_own(node, server)]

    def classify(self, node: str | None, storage: Storage | None) -> str | None:
        """``node`` (a server is the node itself), ``remote``, ``unknown`` (a server is a name, or the node's addresses
        are not known), None without servers.
        """
        if storage is None or not storage["servers"]:
            return None
        key = (node, tuple(storage["servers"]))
        if key not in self._known:
            self._known[key] = self._classify(node, storage)
        return self._known[key]

    def _classify(self, node: str | None, storage: Storage) -> str:
        if self.own_servers(node, storage):
            return "node"
        known = bool(node in self._addresses and self._addresses[node])
        if known and all(_address(server) is not None for server in storage["servers"]):
            return "remote"
        return "unknown"

    def _is_own(self, node: str | None, server: str) -> bool:
        address = _address(server)
        if address is None:
            return server == "localhost" or server in self._names.get(node or "", ())
        return address.is_loopback() or address in self._addresses.get(node or "", netaddr.IPSet())


def _address(text: str) -> Any:
    try:
        return netaddr.IPAddress(text.split("/", 1)[0], flags=netaddr.INET_PTON)
    except (netaddr.core.AddrFormatError, ValueError):
        return None
