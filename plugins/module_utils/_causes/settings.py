# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Sets what is safe to set against other causes of freezes, now and at boot.

Keys and options: ``kernel`` has vm.swappiness, dev.raid.speed_limit_max (KiB/s) and transparent_hugepage;
``module zfs`` zfs_arc_max (bytes); ``disk ID`` wbt_lat_usec; ``array NAME`` sync_speed_max (KiB/s, None: the system's).
``sysctl.d``, ``modprobe.d`` and ``tmpfiles.d`` are what our own files there set at boot; a file with nothing left in
it is removed.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Collection
from typing import Any

from .._host import meminfo
from .._host.tree import Tree
from .._model.findings import Change
from .._number import whole_number
from .._queues import sysfs
from .._settings import own_file
from .._settings.seam import Refused, SettingsError
from .._shown import shown
from . import at_boot, texts
from .read import MODULE, SYSCTLS, ours

_NUMBER = re.compile(r"0|[1-9][0-9]{0,19}\Z", re.ASCII)
_NAME = re.compile(r"(disk [A-Za-z0-9]|array md)[A-Za-z0-9#+\-.:=@_]{0,199}\Z", re.ASCII)
_THP = "transparent_hugepage"
_THP_WORDS = ("always", "madvise", "never")
_ARC = "zfs_arc_max"
_ARCSTATS = "/proc/spl/kstat/zfs/arcstats"

_FILES: dict[str, tuple[str, tuple[str, ...], Callable[[dict[str, str]], str]]] = {
    "sysctl.d": (at_boot.SYSCTL_FILE, tuple(SYSCTLS), at_boot.sysctl_text),
    "modprobe.d": (at_boot.MODPROBE_FILE, (_ARC,), at_boot.modprobe_text),
    "tmpfiles.d": (at_boot.TMPFILES_FILE, (_THP,), at_boot.tmpfiles_text),
}
_KERNEL = {**SYSCTLS, _THP: at_boot.THP}


class CausesSettings:
    """The settings of the subject ``causes``; see :class:`.._settings.seam.Settings`."""

    subject = "causes"

    def __init__(self, tree: Tree) -> None:
        self._tree = tree

    def check(self, change: Change) -> None:
        """Raises SettingsError for a key, an option or a value that is not ours."""
        key, option = change["key"], change["option"]
        named = _NAME.match(key)
        options = (
            _FILES[key][1]
            if key in _FILES
            else {"kernel": tuple(_KERNEL), "module zfs": (_ARC,)}.get(key)
            or ({"disk": ("wbt_lat_usec",), "array": ("sync_speed_max",)}[key.split()[0]] if named else None)
        )
        if options is None:
            raise SettingsError(
                f"{shown(key)} is not known; known are kernel, module zfs, disk, array, {', '.join(_FILES)}"
            )
        if option not in options:
            raise SettingsError(f"{key} has no {shown(option)}; it has {', '.join(options)}")
        for value in (change["before"], change["after"]):
            if value is None and (key in _FILES or key.startswith("array ")):
                continue
            if not isinstance(value, str) or not _fits(option, value):
                raise SettingsError(f"{option} of {key} is {shown(value)}; it takes {_takes(option)}")

    def check_back(self, change: Change) -> None:
        """See Settings."""
        self.check(change)

    def now(self, keys: Collection[str]) -> dict[tuple[str, str], Any]:
        """(key, option) → value; what the kernel does not have is left out."""
        found: dict[tuple[str, str], Any] = {}
        for key in keys:
            if key in _FILES:
                own_file.look(self._tree, _FILES[key][0])
                values = ours(self._tree.read)[key]
                found.update({(key, option): values.get(option) for option in _FILES[key][1]})
                continue
            for option, path in self._paths(key).items():
                text = self._tree.kernel_text(path)
                value = None if text is None else _stored(option, text)
                if value is not None:
                    found[key, option] = None if value == _SYSTEM else value
        return found

    def write(self, key: str, changes: list[Change]) -> None:
        """Make all changes of one object; what was written is taken back where the next one fails."""
        if key in _FILES:
            self._write_file(key, changes)
            return
        paths = self._paths(key)
        written: list[Change] = []
        try:
            for change in changes:
                if change["option"] == _ARC:
                    self._check_arc(int(change["after"]))
                written.append(change)
                self._set(paths[change["option"]], change["option"], change["after"])
                if change["option"] == _ARC:
                    self._prove_arc(int(change["after"]))
        except (OSError, Refused):
            for change in reversed(written):
                with contextlib.suppress(OSError):
                    self._set(paths[change["option"]], change["option"], change["before"])
            raise

    def _paths(self, key: str) -> dict[str, str]:
        """Option → its file in the kernel."""
        if key == "kernel":
            return _KERNEL
        if key == "module zfs":
            return {_ARC: f"{MODULE}/{_ARC}"}
        kind, _blank, name = key.partition(" ")
        if kind == "array":
            return {"sync_speed_max": f"/sys/block/{name}/md/sync_speed_max"}
        # A disk without a stable name has the kernel's.
        disk = sysfs.find(self._tree, name) or name
        return {"wbt_lat_usec": f"/sys/block/{disk}/queue/wbt_lat_usec"}

    def _write_file(self, key: str, changes: list[Change]) -> None:
        path, _options, spelled = _FILES[key]

        def edited(_text: str) -> str:
            values: dict[str, str | None] = {**ours(self._tree.read)[key]}
            own_file.refuse_moved(changes, {option: value for option, value in values.items() if value is not None})
            values.update({change["option"]: change["after"] for change in changes})
            left = {option: value for option, value in values.items() if value is not None}
            return spelled(left) if left else ""

        own_file.edit(self._tree, path, edited)

    def _check_arc(self, value: int) -> None:
        """Refuse a ceiling that OpenZFS ignores, which it does in silence."""
        least = arc_min(self._tree)
        if value and least is not None and value <= least:
            raise Refused(f"{_ARC} {value} is not above the ARC's minimum of {least} bytes, so OpenZFS ignores it")

    def _prove_arc(self, value: int) -> None:
        """OpenZFS shows a ceiling that it ignores as if it were set; its statistics tell."""
        ceiling = texts.arcstats(self._tree.kernel_text(_ARCSTATS) or "").get("c_max")
        if self._tree.live and value and ceiling not in (None, value):
            raise Refused(f"OpenZFS ignores {_ARC} {value}, the ARC's ceiling stays {ceiling} bytes", "not_proven")

    def _set(self, path: str, option: str, value: str | None) -> None:
        if option == _ARC and value == "0":
            # 0 changes nothing before the next boot: OpenZFS keeps the ceiling that it has.
            default = self._default_arc()
            if default:
                self._put(path, str(default))
        self._put(path, "system" if value is None else value, _as_kernel(option, value))

    def _default_arc(self) -> int | None:
        total = meminfo.parse(self._tree.kernel_text(meminfo.PATH) or "").get("MemTotal")
        return default_arc_max(texts.version(self._tree.kernel_text("/sys/module/zfs/version")), total)

    def _put(self, path: str, value: str, in_tree: str | None = None) -> None:
        """One write to the kernel; the ordinary files of a tree get what a kernel would show."""
        if self._tree.live:
            self._tree.put_kernel(path, f"{value}\n")
        elif self._tree.kernel_text(path) is not None:
            self._tree.put_kernel(path, f"{in_tree or value}\n")


def arc_min(tree: Tree) -> int | None:
    """The ARC's minimum in bytes, None where it is not known."""
    text = tree.kernel_text(_ARCSTATS)
    return None if text is None else texts.arcstats(text).get("c_min")


def default_arc_max(version: tuple[int, int] | None, total: int | None) -> int | None:
    """The ARC's ceiling in bytes where nobody sets one; None where version or memory are not known.

    OpenZFS 2.3.0 made all but 1 GiB of the half that it was before, and at least five eighths (6a629f3234).
    """
    if version is None or total is None:
        return None
    return max(total - (1 << 30), total * 5 // 8) if version >= (2, 3) else total // 2


_SYSTEM = "system"


def _stored(option: str, text: str) -> str | None:
    """A value as a plan has it, from what the kernel shows; None where it is not one."""
    if option == _THP:
        return texts.chosen(text)
    if option == "sync_speed_max":
        speed = texts.sync_speed(text)
        return None if speed is None else str(speed[0]) if speed[1] else _SYSTEM
    number = whole_number(text)
    return None if number is None else str(number)


def _as_kernel(option: str, value: str | None) -> str | None:
    """What the kernel shows after a write, where it is not the value itself."""
    if option == _THP:
        return " ".join(f"[{word}]" if word == value else word for word in _THP_WORDS)
    if option == "sync_speed_max":
        return "200000 (system)" if value is None else f"{value} (local)"
    return None


def _fits(option: str, value: str) -> bool:
    if option == _THP:
        return value in _THP_WORDS
    return bool(_NUMBER.fullmatch(value)) and (option != "vm.swappiness" or int(value) <= 200)


def _takes(option: str) -> str:
    if option == _THP:
        return f"one of {', '.join(_THP_WORDS)}"
    return "a number up to 200" if option == "vm.swappiness" else "a whole number"
