# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Reads what else on a host can freeze its guests. Decides nothing, changes nothing.

Files of /proc, /sys and /etc, and at most two commands, only where their storages exist: lvs and zpool. Each has a few
seconds, because both wait for a disk that does not answer.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from .._host import meminfo
from .._host.run import TIMED_OUT, command
from .._host.tree import Tree
from .._load import mounts
from .._model.records import Problem, Storage, problem
from .._number import whole_number
from .._pve import record, storage
from .._queues import sysfs, udev_rules
from .._queues.storages import own_node
from .._sysctl.assignments import DIRECTORIES, precedence
from .._text import one_line
from . import at_boot, nfs, texts

#: The sysctls that matter here, as /proc/sys has them.
SYSCTLS = {"vm.swappiness": "/proc/sys/vm/swappiness", "dev.raid.speed_limit_max": "/proc/sys/dev/raid/speed_limit_max"}
MODULE = "/sys/module/zfs/parameters"
PARAMETERS = ("zfs_arc_max", "zfs_arc_min", "zfs_dirty_data_max")

_ARC = "/proc/spl/kstat/zfs/arcstats"
_GUESTS = "/etc/pve/qemu-server"
_NODES = "/etc/pve/nodes"
_STORAGES = "/etc/pve/storage.cfg"
_SECONDS = 10
_LVS = [
    "lvs", "--reportformat", "json", "--select", "segtype=thin-pool", "--options",
    "vg_name,lv_name,data_percent,metadata_percent",
]  # fmt: skip
_ZPOOL = ["zpool", "status"]
# Made of other disks, or of none: the kernel throttles the disks below.
_STACKED = ("dm-", "drbd", "loop", "md", "nbd", "ram", "rbd", "sr", "zd", "zram")

Facts = dict[str, Any]
_Run = Callable[[list[str]], tuple[int, str, str]]


def _command(arguments: list[str]) -> tuple[int, str, str]:
    return command(arguments, seconds=_SECONDS)


def read_facts(tree: Tree, run: _Run = _command) -> Facts:
    """The facts of the subject ``causes`` (docs/data.md, "Host causes")."""
    return _Reader(tree, run).facts()


class _Reader:
    def __init__(self, tree: Tree, run: _Run) -> None:
        self._tree = tree
        self._run = run
        self._problems: list[Problem] = []

    def facts(self) -> Facts:
        """Read all."""
        mounted = mounts.parse(self._kernel("/proc/mounts") or "")
        storages = self._storages()
        has_zfs = self._tree.exists(MODULE)
        lvs, zpool = self._commands(any(one["type"] == "lvmthin" for one in storages), has_zfs)
        return {
            "sys": self._tree.exists("/sys/block"),
            "memory": self._memory(),
            "swaps": texts.swaps(self._kernel("/proc/swaps") or ""),
            "thp": texts.chosen(self._kernel(at_boot.THP) or ""),
            "sysctls": {key: self._number(path) for key, path in SYSCTLS.items()},
            "boot": self._boot(),
            "zfs": self._zfs(zpool, any(one["at"] == "/" and one["type"] == "zfs" for one in mounted))
            if has_zfs
            else None,
            "zfs_storages": [one["id"] for one in storages if one["type"] == "zfspool" and not one["disabled"]],
            "thin_pools": self._thin_pools(lvs),
            "disks": self._disks(),
            "arrays": self._arrays(),
            "nfs_mounts": self._nfs_mounts(mounted, storages),
            "problems": self._problems,
        }

    def _problem(self, path: str, reason: str) -> None:
        self._problems.append(
            problem(path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace"), reason)
        )

    def _read(self, path: str) -> bytes | None:
        try:
            return self._tree.read(path)
        except OSError as exc:
            self._problem(path, exc.strerror or str(exc))
            return None

    def _names(self, path: str) -> list[str]:
        try:
            return self._tree.names(path)
        except OSError as exc:
            self._problem(path, exc.strerror or str(exc))
            return []

    def _kernel(self, path: str) -> str | None:
        text = self._tree.kernel_text(path)
        if text is None and self._tree.live and self._tree.exists(path):
            self._problem(path, "cannot be read")
        return text

    def _number(self, path: str) -> int | None:
        text = self._kernel(path)
        return None if text is None else whole_number(text)

    def _memory(self) -> dict[str, int | None]:
        values = meminfo.parse(self._kernel(meminfo.PATH) or "")
        return {"total": values.get("MemTotal"), "available": values.get("MemAvailable")}

    def _storages(self) -> list[Storage]:
        # What is wrong in it is said where guests are judged.
        raw = self._read(_STORAGES)
        return [] if raw is None else storage.parse(raw.decode("utf-8", "replace"))[0]

    def _commands(self, thin: bool, zfs: bool) -> tuple[str | None, str | None]:
        """What lvs and zpool print, both asked at once; None where they are not asked or fail."""
        if not self._tree.live:
            return None, None
        asked = [(_LVS, thin), (_ZPOOL, zfs)]
        with ThreadPoolExecutor(len(asked)) as pool:
            runs = [(arguments, pool.submit(self._run, arguments)) for arguments, wanted in asked if wanted]
            found = {arguments[0]: self._printed(arguments, future.result()) for arguments, future in runs}
        return found.get("lvs"), found.get("zpool")

    def _printed(self, arguments: list[str], result: tuple[int, str, str]) -> str | None:
        status, out, words = result
        if status == 0:
            return out
        said = one_line(words.strip()) or f"status {status}"
        self._problem(" ".join(arguments[:2]), said if status in (127, TIMED_OUT) else f"failed: {said}")
        return None

    def _thin_pools(self, printed: str | None) -> list[dict[str, Any]]:
        if printed is None:
            return []
        try:
            return texts.thin_pools(printed)
        except ValueError as exc:
            self._problem("lvs", f"its output {exc}")
            return []

    def _zfs(self, printed: str | None, root: bool) -> dict[str, Any]:
        arc = texts.arcstats(self._kernel(_ARC) or "")
        return {
            "version": (self._kernel("/sys/module/zfs/version") or "").strip() or None,
            "arc": {key: arc.get(key) for key in ("size", "c_max", "c_min")},
            "parameters": {key: self._number(f"{MODULE}/{key}") for key in PARAMETERS},
            "root": root,
            "initramfs_is_older": self._initramfs_is_older() if root else None,
            "pools": texts.pools(printed or ""),
        }

    def _initramfs_is_older(self) -> bool | None:
        """Whether the running kernel's initramfs was made before our file of module options was written."""
        release = (self._kernel("/proc/sys/kernel/osrelease") or "").strip()
        try:
            ours, made = (
                os.stat(self._tree.real(path)).st_mtime
                for path in (at_boot.MODPROBE_FILE, f"/boot/initrd.img-{release}")
            )
        except OSError:
            return None
        return made < ours

    def _texts(self, directories: tuple[str, ...]) -> list[tuple[str, str]]:
        """The files of configuration directories, in the order in which they count."""
        listed = {directory: self._names(directory) for directory in directories}
        raws = ((path, self._read(path)) for path, _masked in precedence(listed, directories))
        return [(path, raw.decode("utf-8", "replace")) for path, raw in raws if raw is not None]

    def _boot(self) -> dict[str, Any]:
        sysctls, modules = self._texts(DIRECTORIES), self._texts(at_boot.MODPROBE_DIRECTORIES)
        return {
            "sysctls": at_boot.sysctl_settings(sysctls, SYSCTLS),
            "zfs_arc_max": at_boot.module_settings(modules, "zfs", PARAMETERS[:1])["zfs_arc_max"],
            "thp": at_boot.tmpfiles_settings(self._texts(at_boot.TMPFILES_DIRECTORIES), at_boot.THP),
            "ours": ours(self._read),
        }

    def _disks(self) -> list[dict[str, Any]]:
        found = []
        ids = sysfs.read_ids(self._tree)
        for name in self._names("/sys/block"):
            queue = f"/sys/block/{name}/queue"
            # The file is there and cannot be read where the kernel has no throttling for the disk.
            text = None if name.startswith(_STACKED) else self._tree.kernel_text(f"{queue}/wbt_lat_usec")
            if text is not None:
                found.append(
                    {
                        "name": name,
                        "id": next(filter(udev_rules.ID.fullmatch, ids.get(name, ())), name),
                        "wbt_lat_usec": whole_number(text),
                        "rotational": self._number(f"{queue}/rotational") == 1,
                        "scheduler": texts.chosen(self._kernel(f"{queue}/scheduler") or ""),
                    }
                )
        return found

    def _arrays(self) -> list[dict[str, Any]]:
        found = []
        for name in self._names("/sys/block"):
            action = self._kernel(f"/sys/block/{name}/md/sync_action") if name.startswith("md") else None
            if action is not None:
                speed, own = texts.sync_speed(self._kernel(f"/sys/block/{name}/md/sync_speed_max") or "") or (
                    None,
                    False,
                )
                found.append({"name": name, "sync_action": action.strip(), "sync_speed_max": speed, "own_speed": own})
        return found

    def _nfs_mounts(self, mounted: list[mounts.Mount], storages: list[Storage]) -> list[dict[str, Any]]:
        found = nfs.nfs_mounts(mounted)
        hard = [(one, nfs.storages_on(one, storages)) for one in found if one["hard"]]
        if hard:
            by_id = {one["id"]: one for one in storages}
            for path in self._configs():
                raw = self._read(path)
                there = [pair for pair in hard if raw and nfs.mentions(raw, *pair)]
                guest = record.record(path.rpartition("/")[2][:-5], raw, by_id) if raw and there else None
                for mount, storage_ids in there:
                    if guest and nfs.waits(guest, mount, storage_ids):
                        mount["guests"].append(guest["id"])
        return found

    def _configs(self) -> list[str]:
        """The configs of this host's guests; of all nodes' where a tree does not tell which node it is."""
        folders = [_GUESTS]
        if not self._names(_GUESTS):
            # A tree of a cluster need not have the links that Proxmox VE makes up for a node.
            node = own_node(self._tree)
            nodes = [node] if node is not None else self._names(_NODES)
            folders = [f"{_NODES}/{one}/qemu-server" for one in nodes]
        found = []
        for folder in folders:
            names = self._names(folder)
            real = self._tree.resolve(folder) if names else folder
            found += [f"{real}/{name}" for name in names if name.endswith(".conf")]
        return found


def ours(read: Callable[[str], bytes | None]) -> dict[str, dict[str, str]]:
    """What our own files set at boot: ``{sysctl.d: {vm.swappiness: "10"}, modprobe.d: …, tmpfiles.d: …}``.

    ``read`` gives the bytes of a file, None where there is none.
    """
    found = {}
    for name, path in (
        ("sysctl.d", at_boot.SYSCTL_FILE),
        ("modprobe.d", at_boot.MODPROBE_FILE),
        ("tmpfiles.d", at_boot.TMPFILES_FILE),
    ):
        text = [(path, (read(path) or b"").decode("utf-8", "replace"))]
        if name == "sysctl.d":
            values = at_boot.sysctl_settings(text, SYSCTLS)
        elif name == "modprobe.d":
            values = at_boot.module_settings(text, "zfs", PARAMETERS[:1])
        else:
            values = {"transparent_hugepage": next(iter(at_boot.tmpfiles_settings(text, at_boot.THP)), None)}
        found[name] = {key: one["value"] for key, one in values.items() if one}
    return found
