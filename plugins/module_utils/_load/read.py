# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Reads what decides the load of a host: its backups, and the limits of restore, migration, clone and move.

Files only, and no process. Decides nothing, changes nothing.
"""

from __future__ import annotations

import contextlib
import re
from typing import Any

from .._host import whole_file
from .._host.tree import LARGEST, Tree
from .._model.records import Problem, problem
from . import guests, identity, jobs_cfg, limits, maintenance, mounts, storages, vzdump_conf, vzdump_cron
from .guests import Config
from .options import Options

_PVECFG = "/usr/share/perl5/PVE/pvecfg.pm"
_CONFIG = re.compile(r"([1-9]\d{2,8})\.conf\Z", re.ASCII)
_NODE = re.compile(r"[a-zA-Z0-9](?:[a-zA-Z0-9\-]*[a-zA-Z0-9])?\Z", re.ASCII)


def read_facts(tree: Tree, pve: str = "/etc/pve") -> dict[str, Any]:
    """The facts of docs/data.md, "Load of a host". ``pve`` is where the files of /etc/pve are below the root.

    With 200 guests, to read their configs takes longer than all else here: ``Tree.known`` spares it.
    """
    return _Reader(tree, pve).facts()


class _Reader:
    def __init__(self, tree: Tree, pve: str) -> None:
        self._tree = tree
        self._pve = pve
        self._problems: list[Problem] = []

    def facts(self) -> dict[str, Any]:
        corosync = self._text(f"{self._pve}/corosync.conf")
        node = self._node()
        own = identity.own_names(node, corosync, self._text("/etc/hosts"), self._text("/etc/network/interfaces"))
        found_jobs, ignored = self._jobs()
        mounted = mounts.parse(self._mounts())
        found_storages = self._storages(own, mounted)
        vzdump = self._vzdump()
        dumpdirs = self._dumpdirs([one["values"] for one in (vzdump, *found_jobs) if one], mounted, own)
        targets = [*(found_storages or ()), *dumpdirs]
        servers = {server for one in targets for server in one["servers"] if server not in own}
        nodes = [node] if node is not None else self._nodes()
        return {
            "root": self._tree.root or "/",
            "live": self._tree.live,
            "pve": self._pve,
            "node": node,
            "cluster": identity.cluster(corosync, node),
            "version": identity.version(self._text(_PVECFG)),
            "vzdump": vzdump,
            "jobs": found_jobs,
            "ignored": ignored,
            "datacenter": self._datacenter(),
            "storages": found_storages,
            "dumpdirs": dumpdirs,
            "guests": guests.read(self._configs(nodes), servers),
            "pools": guests.pools(self._text(f"{self._pve}/user.cfg")),
            "maintenance": self._maintenance(found_storages or []),
            "problems": self._problems,
        }

    def _text(self, path: str, quiet: bool = False) -> str | None:
        """The text of a file; None where there is none, or it cannot be read, which is noted unless ``quiet``."""
        try:
            raw = self._tree.read(path)
        except OSError as exc:
            if not quiet:
                self._problems.append(problem(path, f"cannot be read: {exc.strerror or exc}"))
            return None
        return None if raw is None else raw.decode("utf-8", "replace")

    def _node(self) -> str | None:
        members = self._text(f"{self._pve}/.members", quiet=True)
        name = identity.own_node(members, self._local(), self._text("/etc/hostname"))
        return name if name and _NODE.match(name) else None

    def _local(self) -> str | None:
        """What the link ``local`` leads to, ``/etc/pve/nodes/NODE``."""
        with contextlib.suppress(OSError):
            found = self._tree.resolve(f"{self._pve}/local")
            if found.startswith(f"{self._tree.resolve(self._pve or '/').rstrip('/')}/nodes/"):
                return found.rsplit("/", 1)[-1]
        return None

    def _nodes(self) -> list[str]:
        return [name for name in self._tree.names(f"{self._pve}/nodes") if _NODE.match(name)]

    def _vzdump(self) -> vzdump_conf.Vzdump | None:
        """The node's file. A live node without one has the defaults; below another root that says nothing."""
        known = len(self._problems)
        text = self._text(vzdump_conf.PATH)
        if text is None and (not self._tree.live or len(self._problems) > known):
            return None
        return vzdump_conf.parse(text)

    def _jobs(self) -> tuple[list[jobs_cfg.Job], list[dict[str, Any]]]:
        """The jobs of the cluster, and the lines that make none, each with its file."""
        found: list[jobs_cfg.Job] = []
        ignored: list[dict[str, Any]] = []
        for name, reader in (("jobs.cfg", jobs_cfg.parse), ("vzdump.cron", vzdump_cron.parse)):
            path = f"{self._pve}/{name}"
            jobs, faults = reader(self._text(path) or "", path)
            found += jobs
            ignored += [{"file": path, **fault} for fault in faults]
        return found, ignored

    def _datacenter(self) -> limits.Datacenter:
        path = f"{self._pve}/datacenter.cfg"
        return limits.parse_datacenter(self._text(path), path)

    def _mounts(self) -> str:
        return (self._tree.kernel_text("/proc/mounts") if self._tree.live else self._text("/etc/fstab")) or ""

    def _dumpdirs(
        self, values: list[Options], mounted: list[mounts.Mount], own: set[str]
    ) -> list[mounts.RemoteDirectory]:
        """The directories of backups that lie on another machine."""
        found = []
        for path in sorted({one["dumpdir"] for one in values if one["dumpdir"]}):
            real = path
            with contextlib.suppress(OSError):
                real = self._tree.resolve(path)
            found.append(mounts.remote_directory(path, real, mounted, own))
        return [one for one in found if one]

    def _storages(self, own: set[str], mounted: list[mounts.Mount]) -> list[storages.LoadStorage] | None:
        """The storages; None where there is no storage.cfg. What is wrong in it is told with the guests."""
        path = f"{self._pve}/storage.cfg"
        text = self._text(path, quiet=True)
        if text is None:
            return None
        found, _problems = storages.read(text, path, self._text(f"{self._pve}/ceph.conf"), mounted, own)
        return found

    def _configs(self, nodes: list[str]) -> list[Config]:
        found = []
        for node in nodes:
            for kind, folder in (("qemu", "qemu-server"), ("lxc", "lxc")):
                directory = f"{self._pve}/nodes/{node}/{folder}"
                found += [
                    Config(guest, kind, f"{directory}/{guest}.conf", text) for guest, text in self._directory(directory)
                ]
        return found

    def _directory(self, directory: str) -> list[tuple[str, str]]:
        """The ids and texts of a directory's configs. One that cannot be read is told with the guests."""
        found = []
        with contextlib.suppress(OSError):
            real = self._tree.real(directory)
            for match in map(_CONFIG.match, self._tree.names(directory)):
                if match is None:
                    continue
                text = self._tree.known.get(f"{directory}/{match[0]}")
                with contextlib.suppress(OSError):
                    # Without Tree.read, which follows the links of a path's every part, and for each file again.
                    raw = None if text is not None else whole_file.read(f"{real}/{match[0]}", LARGEST, follow=False)
                    found.append((match[1], raw.decode("utf-8", "replace") if raw is not None else text or ""))
        return found

    def _maintenance(self, found: list[storages.LoadStorage]) -> list[maintenance.Work]:
        """What is done on a schedule, where there is something to do it to."""
        work: list[maintenance.Work] = []
        for path in maintenance.CRON:
            work += maintenance.of_cron(path, self._text(path) or "")
        for name in maintenance.TIMERS:
            work += self._timer(name)
        if not (self._tree.exists("/etc/zfs/zpool.cache") or any(one["type"] == "zfspool" for one in found)):
            work = [one for one in work if "ZFS" not in one["what"]]
        arrays = (self._tree.kernel_text("/proc/mdstat") or "") + "\n" + (self._text("/etc/mdadm/mdadm.conf") or "")
        if not re.search(r"^(?:md\S+ : active|ARRAY\s)", arrays, re.ASCII | re.MULTILINE):
            work = [one for one in work if "md arrays" not in one["what"]]
        return work

    def _timer(self, name: str) -> list[maintenance.Work]:
        if not any(self._tree.exists(f"/etc/systemd/system/{wants}/{name}") for wants in maintenance.WANTED_BY):
            return []
        for directory in maintenance.TIMER_FILES:
            text = self._text(f"{directory}/{name}")
            if text is not None:
                return maintenance.of_timer(name, f"{directory}/{name}", text)
        return []
