# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The nodes that guests were read of, with their addresses and names."""

from __future__ import annotations

import re
from collections.abc import Iterable

from .._model import records
from .._model.records import Node
from . import layout

_RING = re.compile(r"^\s*(name|ring\d+_addr)\s*:\s*(\S+)\s*$", re.ASCII)


def read(root: str, names: Iterable[str], own: str | None = None) -> list[Node]:
    """Each node, from corosync.conf and /etc/hosts; the node ``own``, this machine, has the kernel's addresses too."""
    nodes = {name: records.node(name=name) for name in names}
    for name, address in _ring_addresses(layout.optional_text(root, f"{layout.etc_pve(root)}/corosync.conf") or ""):
        if name in nodes:
            _append(nodes[name]["addresses"], address)
    for address, hosts in _host_lines(layout.optional_text(root, "/etc/hosts") or ""):
        for name in nodes:
            if name in hosts and not address.startswith("127."):
                _append(nodes[name]["addresses"], address)
                for host in hosts:
                    _append(nodes[name]["names"], host)
    if own is not None and own in nodes:
        for address in kernel_addresses():
            _append(nodes[own]["addresses"], address)
    return list(nodes.values())


def kernel_addresses() -> list[str]:
    """The addresses of this machine, IPv4 from the routing trie and IPv6 from if_inet6 (proc(5))."""
    found: list[str] = []
    last = ""
    for words in _proc_net("fib_trie"):
        if words[:1] in (["|--"], ["+--"]):
            last = words[1]
        elif words[:2] == ["/32", "host"] and words[2:] == ["LOCAL"]:
            _append(found, last)
    for words in _proc_net("if_inet6"):
        _append(found, ":".join(words[0][at : at + 4] for at in range(0, 32, 4)))
    return [address for address in found if not address.startswith("127.")]


def _proc_net(name: str) -> list[list[str]]:
    """The words of each line, none where there is no such file."""
    try:
        with open(f"/proc/net/{name}", encoding="ascii") as stream:
            return [line.split() for line in stream]
    except OSError:
        return []


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
