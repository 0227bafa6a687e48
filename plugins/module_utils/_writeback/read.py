# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors
"""Reads what decides a host's write-back limits. Decides nothing, changes nothing."""

from __future__ import annotations

import json
import os
from typing import Any

from .. import _tuned
from .._host import meminfo, pid_file
from .._host.tree import Tree
from .._model.records import Problem, problem
from .._queues import read as queues
from .._sysctl import dirty
from .._sysctl.assignments import DIRECTORIES, parse, precedence
from .._sysctl.kernel import KERNEL, read_kernel
from . import paths
from .settings import shortened

# The time to find the conflicts grows with the square of the number of lines.
_MOST_LINES = 500


def read_facts(tree: Tree) -> dict[str, Any]:
    """The facts that ``host_writeback_info`` returns (docs/data.md, "Host write-back")."""
    problems: list[Problem] = []
    kernel, memory = read_kernel(tree), _memory(tree)
    if tree.live:
        # A tree may lack them; a machine does not.
        for path, found in ((KERNEL, kernel), (meminfo.PATH, memory)):
            if found is None:
                _problem(problems, path, "cannot be read, or has no number where one is expected")
    return {
        "root": tree.root or "/",
        "files": _files(tree, problems),
        "kernel": kernel,
        "memory": memory,
        "tuned": _read_tuned(tree, problems),
        "devices": _devices(tree),
        "saved": read_record(tree, problems),
        "problems": problems,
    }


def read_record(tree: Tree, problems: list[Problem]) -> dict[str, Any] | None:
    """What an earlier run recorded; None where there is no record."""
    raw = _read(tree, paths.RECORD, problems)
    if raw is None:
        return None
    try:
        record = json.loads(raw.decode("utf-8"))
        fault = _fault(record)
    except (ValueError, RecursionError):
        fault = "not JSON"
    if fault is None:
        return {key: record[key] for key in ("schema", "previous", "set", "taken")}
    _problem(problems, paths.RECORD, f"is not a record of this collection ({fault}): move it away")
    return None


def _fault(record: Any) -> str | None:
    """What is wrong with a record; None where it can be relied on to restore the limits of before."""
    if not isinstance(record, dict) or record.get("schema") != 1:
        return "its schema is not 1"
    for key in ("previous", "set"):
        if key not in record or not (record[key] is None or _are_limits(record[key])):
            return f"{key} is not the kernel's limits"
    taken = record.get("taken")
    if not isinstance(taken, list) or not all(_is_taken(one) for one in taken):
        return "taken is not a list of files that were taken over"
    return None


def _are_limits(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and sorted(map(dirty.pair_of, value)) == sorted(dirty.PAIRS)
        and all(
            key in dirty.KEYS and isinstance(number, int) and not isinstance(number, bool) and 0 <= number < 2**64
            for key, number in value.items()
        )
    )


def _is_taken(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and set(value) == {"path", "aside", "original", "left"}
        and isinstance(value["path"], str)
        and all(text is None or isinstance(text, str) for text in value.values())
    )


def _files(tree: Tree, problems: list[Problem]) -> list[dict[str, Any]]:
    """The files that can set the limits, and ours: in the order systemd reads them, then those that only tuned
    applies.
    """
    listed = {directory: _names(tree, directory, problems) for directory in DIRECTORIES}
    at_boot, by_tuned = precedence(listed), _tuned.reapplied_paths(listed)
    boot_paths = {path for path, _masked in at_boot}
    found, reached, room = [], set(), _MOST_LINES
    for path, masked in (*at_boot, *((path, []) for path in by_tuned if path not in boot_paths)):
        if path == _tuned.SYSCTL_CONF and path in reached:
            continue
        entry = _file(tree, path, problems)
        if entry is None:
            continue
        if any(_printable(one) != one for one in (path, entry["target"])):
            _problem(problems, path, "its name, or that of the file it leads to, is not UTF-8: rename it")
            continue
        reached.add(entry["target"])
        room -= len(entry["assignments"])
        if room < 0:
            _problem(
                problems,
                path,
                f"together, the files up to this one have more than {_MOST_LINES} lines that set the limits: this"
                " file is left out",
            )
            room += len(entry["assignments"])
        elif entry["assignments"] or path == paths.FILE:
            found.append(
                {**entry, "masks": masked, "read_at_boot": path in boot_paths, "read_by_tuned": path in by_tuned}
            )
    return found


def _file(tree: Tree, path: str, problems: list[Problem]) -> dict[str, Any] | None:
    raw = _read(tree, path, problems)
    if raw is None:
        return None
    lines = parse(raw.decode("utf-8", "replace"))
    assignments = [line for line in lines if dirty.relevant(line)]
    return {
        "path": path,
        "target": tree.resolve(path),
        "digest": paths.digest(raw),
        "assignments": assignments,
        "others": len(lines) - len(assignments),
    }


def _read(tree: Tree, path: str, problems: list[Problem]) -> bytes | None:
    try:
        return tree.read(path)
    except OSError as error:
        _problem(problems, path, error.strerror or str(error))
    except ValueError:
        # A name can contain NUL, as that of a profile.
        _problem(problems, path, "is not a file's name")
    return None


def _names(tree: Tree, path: str, problems: list[Problem]) -> list[str]:
    try:
        return tree.names(path)
    except OSError as error:
        _problem(problems, path, error.strerror or str(error))
        return []


def _problem(problems: list[Problem], path: str, reason: str) -> None:
    problems.append(problem(_printable(path), reason))


def _printable(path: str) -> str:
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def _memory(tree: Tree) -> dict[str, Any] | None:
    values = meminfo.parse(tree.kernel_text(meminfo.PATH) or "")
    if "MemTotal" not in values:
        return None
    return {"total": values["MemTotal"], "available": values.get("MemAvailable")}


def _read_tuned(tree: Tree, problems: list[Problem]) -> dict[str, Any] | None:
    """The active profile of tuned and what it names of the limits; None where tuned has no active profile."""
    raw = _read(tree, "/etc/tuned/active_profile", problems)
    names = (raw or b"").decode("utf-8", "replace").strip()
    if not names:
        return None

    def find(name: str, done: set[str]) -> tuple[str, str] | None:
        for directory in _tuned.PROFILE_DIRECTORIES:
            path = f"{directory}/{os.path.basename(name)}/tuned.conf"
            if path in done:
                continue
            text = _read(tree, path, problems)
            if text is not None:
                return path, text.decode("utf-8", "replace")
        return None

    options, missing = _tuned.load(names, find)
    for name in missing:
        _problem(problems, "/etc/tuned/active_profile", f"tuned profile {shortened(name)} is not found")
    main = _read(tree, "/etc/tuned/tuned-main.conf", problems) or b""
    return {
        "profile": names,
        "running": _tuned_runs(tree),
        "enabled": any(
            "tuned.service" in _names(tree, f"/etc/systemd/system/{target}.wants", problems)
            for target in ("multi-user.target", "basic.target", "default.target")
        ),
        "settings": _tuned.settings(options),
        "reapplies": _tuned.reapplies(options, main.decode("utf-8", "replace")),
    }


def _tuned_runs(tree: Tree) -> bool | None:
    """Whether tuned's daemon runs; None below another root."""
    if not tree.live:
        return None
    try:
        number = pid_file.read_pid(tree.real("/run/tuned/tuned.pid"))
        return number is not None and b"tuned" in (tree.read(f"/proc/{number}/cmdline") or b"")
    except OSError:
        return False


def _devices(tree: Tree) -> list[dict[str, Any]]:
    """What each disk queues by itself, and whether guests' images lie on it.

    What cannot be read is a problem of the subject ``queues``, and a disk that cannot be is left out.
    """
    rules = queues.read_rules(tree, [])
    return [
        {
            **{
                key: disk[key]
                for key in ("name", "nr_requests", "max_sectors_kb", "queue_bytes", "rotational", "images")
            },
            "shortened": any(not _QUEUE.isdisjoint(rules.get(name, ())) for name in disk["ids"]),
        }
        for disk in queues.read_disks(tree, [])["disks"]
        if disk["queue_bytes"] is not None
    ]


_QUEUE = frozenset(("nr_requests", "max_sectors_kb"))
