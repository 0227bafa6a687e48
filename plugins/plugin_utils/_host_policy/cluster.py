# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Which host of a cluster speaks for it, so that what the cluster shares is judged and set once. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def leads(host: str, hosts: Sequence[str], clusters: Mapping[str, Any]) -> bool:
    """Whether ``host`` is the first of ``hosts`` that is in its cluster; a host without a cluster speaks for itself.

    ``clusters`` is each host's cluster as its facts have it, ``{name, nodes, ...}``, or None. Two clusters may have
    the same name: those with other nodes are others.
    """
    mine = clusters.get(host)
    if not mine:
        return True
    return host == next((other for other in hosts if _same(clusters.get(other), mine)), host)


def _same(other: Any, mine: Mapping[str, Any]) -> bool:
    return bool(other) and other["name"] == mine["name"] and sorted(other["nodes"]) == sorted(mine["nodes"])
