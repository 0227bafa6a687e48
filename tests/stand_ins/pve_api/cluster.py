# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The tree that a cluster is: its nodes, each through a stand-in for ``qm`` of its own, and where its guests are."""

from __future__ import annotations

import functools
import re
import threading
import types
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from .errors import ApiError

STAND_INS = Path(__file__).resolve().parent.parent


@functools.lru_cache(maxsize=None)
def _program(name: str) -> types.CodeType:
    path = STAND_INS / name
    return compile(path.read_text(encoding="utf-8"), str(path), "exec")


class Output(threading.local):
    """What the stand-in for ``qm`` prints in a thread: the lines of a task's log."""

    def __init__(self) -> None:
        self.text = ""

    def add(self, text: str) -> None:
        """More of it."""
        self.text += text


class Cluster:
    """The tree below ``root``.

    ``members`` are the nodes that the cluster counts as its own (all with a folder, unless said), ``offline`` those that do
    not answer. ``pvestatd`` says whether the status daemons run: without them, as in the recordings, /cluster/resources
    knows of no guest more than its id and node.
    """

    def __init__(
        self,
        root: Path,
        *,
        members: Collection[str] | None = None,
        offline: Collection[str] = (),
        pvestatd: bool = False,
        second: float = 1,
        guest_seconds: int = 120,
    ) -> None:
        self.root, self.pvestatd, self.second = root, pvestatd, second
        self.members, self.offline = members, set(offline)
        self._guest_seconds = guest_seconds
        self.output = Output()
        self._nodes: dict[str, Any] = {}
        self._pvesh: dict[str, Any] = {}
        self._lock = threading.Lock()

    def names(self) -> list[str]:
        """The nodes that have a folder."""
        return sorted(path.name for path in (self.root / "etc/pve/nodes").iterdir() if path.is_dir())

    def nodes(self) -> list[str]:
        """The nodes of the cluster."""
        return sorted(self.names() if self.members is None else self.members)

    def any_node(self) -> Any:
        """The ``qm`` of some node, for what is the same on all."""
        return next(iter(list(self._nodes.values())), None) or self.node(self.names()[0])

    def node(self, name: str) -> Any:
        """The ``qm`` of a node. Raises ApiError where nothing is known of it, or it does not answer."""
        if name in self.offline:
            raise ApiError(595, "No route to host", body=False)
        if name in self._nodes:
            return self._nodes[name]
        if not (self.root / "etc/pve/nodes" / name).is_dir():
            failed = f"hostname lookup '{name}' failed - failed to get address info for: {name}: "
            raise ApiError(500, f"{failed}Temporary failure in name resolution\n")
        with self._lock:
            if name not in self._nodes:
                self._nodes[name] = self._qm(name)
            return self._nodes[name]

    def pvesh(self, name: str) -> Any:
        """The ``pvesh`` of a node, with its ``qm``. Raises as ``node`` does."""
        qm = self.node(name)
        with self._lock:
            if name not in self._pvesh:
                same = ("Failure", "Invalid", "at_root", "declared", "say", "warn")
                self._pvesh[name] = self._load("pvesh", {"qm": qm, **{word: getattr(qm, word) for word in same}})
            return self._pvesh[name]

    def _qm(self, node: str) -> Any:
        changed = {
            "ROOT": str(self.root),
            "NODE": node,
            "SECOND": self.second,
            "GUEST_SECONDS": str(self._guest_seconds),
            "say": self.output.add,
            "warn": self.output.add,
        }
        return self._load("qm", changed)

    @staticmethod
    def _load(name: str, changed: Mapping[str, Any]) -> Any:
        module = types.ModuleType(name)
        module.__file__ = str(STAND_INS / name)
        exec(_program(name), module.__dict__)
        module.__dict__.update(changed)
        return module

    def guests(self) -> Iterator[tuple[int, str]]:
        """Id and node of each guest, ids in order."""
        folder = self.root / "etc/pve/nodes"
        found = (
            (path, re.fullmatch(r"([1-9]\d{2,8})\.conf", path.name)) for path in folder.glob("*/qemu-server/*.conf")
        )
        return iter(sorted((int(match.group(1)), path.parent.parent.name) for path, match in found if match))

    def file(self, name: str) -> bytes | None:
        """A file of etc/pve, None where there is none."""
        try:
            return (self.root / "etc/pve" / name).read_bytes()
        except OSError:
            return None
