# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Sets a disk's queue and its own limit on written data: now in /sys, and at every boot by a udev rule.

``disk ID`` is what holds now, ``udev rule of ID`` what our rules set when the disk appears; ID is a name in
/dev/disk/by-id. Values are text as the kernel and udev take them; a ``max_bytes`` that is not set is no limit.
"""

from __future__ import annotations

import errno
from collections.abc import Collection
from typing import Any

from .._host.tree import Tree
from .._model.findings import Change
from .._number import whole_number
from .._settings import own_file
from .._settings.seam import Refused, SettingsError
from .._shown import piece, shown
from . import sysfs, udev_rules

DISK = "disk "
RULE = "udev rule of "

# What a policy may ask for.
LEAST_REQUESTS = 4
MOST_REQUESTS = 2048
"""BLKDEV_MIN_RQ, to which the kernel raises less without a word, and 16 times BLKDEV_DEFAULT_RQ (block/blk-mq.h)."""
LEAST_SECTORS_KB = 4
"""A page."""
MOST_SECTORS_KB = 1 << 22
MIB = 1 << 20
MOST_BYTES = 1 << 43

#: By how much the kernel's ``max_bytes`` may differ from a value and still be it: it is a share of the host's limit,
#: which moves with the available memory where it is a percentage.
DRIFT = 8

_RANGES = {
    "nr_requests": (LEAST_REQUESTS, MOST_REQUESTS, 1),
    "max_sectors_kb": (LEAST_SECTORS_KB, MOST_SECTORS_KB, 1),
    "max_bytes": (MIB, MOST_BYTES, MIB),
    "strict_limit": (0, 1, 1),
}
#: What a kernel can show beyond that: a USB disk has nr_requests 2, and some controllers more than 2048.
_SHOWN = {**_RANGES, **dict.fromkeys(("nr_requests", "max_sectors_kb"), (1, (1 << 32) - 1, 1))}


def same_limit(value: int | None, other: int | None) -> bool:
    """Whether two ``max_bytes`` are the same limit, as far as the kernel keeps it."""
    if value is None or other is None:
        return value is other
    return abs(value - other) * DRIFT <= other


class QueueSettings:
    """The settings of the subject ``queues`` on a host, or below the root of a tree."""

    subject = "queues"

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        # The values of max_bytes that the plan names and that were read, by key.
        self._named: dict[str, list[int | None]] = {}

    def check(self, change: Change) -> None:
        """Raise SettingsError for what is no option of a disk's queue, or a value that the kernel would change."""
        self._check(change, _RANGES)

    def check_back(self, change: Change) -> None:
        """See Settings: what the kernel showed may be more or less than anybody may ask for."""
        self._check(change, _SHOWN)

    def _check(self, change: Change, ranges: dict[str, tuple[int, int, int]]) -> None:
        kind, disk = _split(change["key"])
        option = change["option"]
        if option not in ranges:
            raise SettingsError(f"{piece(option)} is not an option of a disk; it takes {', '.join(ranges)}")
        least, most, step = ranges[option]
        can_be_unset = kind == RULE or option == "max_bytes"
        numbers = []
        for value in (change["after"], change["before"]):
            numbers.append(whole_number(value) if isinstance(value, str) else None)
            if numbers[-1] is None and not (value is None and can_be_unset):
                raise SettingsError(f"{option} of {disk} is {shown(value)}; it takes a whole number, as text")
        after = numbers[0]
        if after is not None and (not least <= after <= most or after % step):
            steps = f", multiples of {step}" if step > 1 else ""
            raise SettingsError(f"{option} of {disk} is to be {after}; allowed are {least} to {most}{steps}")
        if kind == DISK and option == "max_bytes":
            self._named.setdefault(change["key"], []).extend(numbers)

    def now(self, keys: Collection[str]) -> dict[tuple[str, str], Any]:
        """(key, option) → the value as text, None where it is not set. A disk that is gone, or an option that its
        kernel does not have, is left out. Raises OSError, and Refused where our file of rules is none.
        """
        found: dict[tuple[str, str], Any] = {}
        rules: udev_rules.Rules | None = None
        for key in keys:
            kind, disk = _split(key)
            if kind == RULE:
                own_file.look(self._tree, udev_rules.PATH)
                rules = udev_rules.parse(self._rules()) if rules is None else rules
                options: dict[str, Any] = {option: rules.get(disk, {}).get(option) for option in udev_rules.OPTIONS}
            else:
                options = self._options(key, disk)
            found.update({(key, option): value for option, value in options.items()})
        return found

    def write(self, key: str, changes: list[Change]) -> None:
        """Make all changes of one object. Raises OSError or Refused; what was written by then is taken back."""
        kind, disk = _split(key)
        if kind == RULE:
            self._write_rule(disk, changes)
        else:
            self._write_disk(key, disk, {change["option"]: change["after"] for change in changes})

    def _rules(self) -> str:
        return (self._tree.read(udev_rules.PATH) or b"").decode("utf-8", "surrogateescape")

    def _write_rule(self, disk: str, changes: list[Change]) -> None:
        def edited(text: str) -> str:
            options: dict[str, str | None] = {**udev_rules.parse(text).get(disk, {})}
            own_file.refuse_moved(changes, {option: value for option, value in options.items() if value is not None})
            options.update({change["option"]: change["after"] for change in changes})
            left = {option: value for option, value in options.items() if value is not None}
            return udev_rules.edit(text, disk, left)

        own_file.edit(self._tree, udev_rules.PATH, edited)

    def _options(self, key: str, disk: str) -> dict[str, Any]:
        name = sysfs.find(self._tree, disk)
        if name is None:
            return {}
        queue = sysfs.read_queue(self._tree, name)
        options = {option: queue[option] for option in ("nr_requests", "max_sectors_kb") if queue[option] is not None}
        if queue["has_limit"]:
            named = self._named.setdefault(key, [])
            named.append(queue["max_bytes"])
            # The host's own limit does as much where it is not above the device's.
            options["max_bytes"] = next(
                value
                for value in named
                if same_limit(queue["max_bytes"], value)
                or (queue["max_bytes"] is None and (value or 0) >= queue["host_limit"])
            )
            options["strict_limit"] = int(queue["strict_limit"])
        return {option: None if value is None else str(value) for option, value in options.items()}

    def _write_disk(self, key: str, disk: str, wanted: dict[str, str | None]) -> None:
        name = sysfs.find(self._tree, disk)
        if name is None:
            raise Refused(f"{disk} is not on this host any more", "gone")
        before = self._options(key, disk)
        self._refuse(disk, name, wanted)
        done: list[str] = []
        try:
            for option in udev_rules.OPTIONS:
                if option in wanted:
                    self._set(name, option, wanted[option])
                    done.append(option)
        except OSError as error:
            left = [one for one in reversed(done) if not self._put_back(name, one, before.get(one))]
            stays = f"; not taken back: {', '.join(left)}" if left else ""
            value = "no limit" if wanted[option] is None else wanted[option]
            raise Refused(
                f"{name} does not take {option} {value}: {error.strerror}{_allowed(option, error)}{stays}"
            ) from error

    def _refuse(self, disk: str, name: str, wanted: dict[str, str | None]) -> None:
        """Refuse what the kernel would change without a word."""
        queue = sysfs.read_queue(self._tree, name)
        most = queue["max_hw_sectors_kb"]
        size = wanted.get("max_sectors_kb")
        if size is not None and most is not None and int(size) > most:
            raise Refused(f"max_sectors_kb of {disk} is at most {most}, because of its hardware; {size} is asked for")

    def _put_back(self, name: str, option: str, value: str | None) -> bool:
        try:
            self._set(name, option, value)
        except OSError:
            return False
        return True

    def _set(self, name: str, option: str, value: str | None) -> None:
        base = sysfs.block(self._tree, name)
        path, text = f"{base}/{udev_rules.OPTIONS[option]}", value
        if option == "max_bytes" and value is None:
            # 0 would leave the device nothing: no limit of its own is the whole of the host's.
            path, text = f"{base}/bdi/max_ratio", "100"
        self._put(path, f"{text}\n")
        if not self._tree.live and option == "max_bytes":
            # What a kernel would have made of it.
            limit = sysfs.read_dirty(self._tree)["limit"]
            if value is None and limit is not None:
                self._put(f"{base}/bdi/max_bytes", f"{limit}\n")
            self._put(f"{base}/bdi/max_ratio_fine", f"{1000000 if value is None else 1}\n")

    def _put(self, path: str, text: str) -> None:
        if self._tree.live or self._tree.exists(path):
            self._tree.put_kernel(path, text)


def _allowed(option: str, error: OSError) -> str:
    """What a disk takes, where the kernel only says that a number is wrong."""
    if error.errno != errno.EINVAL:
        return ""
    if option == "max_bytes":
        return "; it is at most the host's own limit, vm.dirty_bytes or vm.dirty_ratio of the available memory"
    if option == "nr_requests":
        return "; without a scheduler it is at most what the hardware queues"
    return ""


def _split(key: str) -> tuple[str, str]:
    """(kind, disk's id) of an object's name; raises SettingsError."""
    for kind in (DISK, RULE):
        if isinstance(key, str) and key.startswith(kind) and udev_rules.ID.fullmatch(key[len(kind) :]):
            return kind, key[len(kind) :]
    raise SettingsError(f"{piece(key)} is not an object of the queues; it takes {DISK}ID or {RULE}ID")
