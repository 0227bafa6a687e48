# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors
"""Reading what a host has for its write-back limits. Decides nothing, changes nothing."""

from __future__ import annotations

import json
import os

from .. import _tuned
from .._host import meminfo, pid_file
from .._model.records import problem
from .._number import whole_number
from .._sysctl import dirty
from .._sysctl.assignments import DIRECTORIES, parse, precedence
from . import paths
from .plan import KERNEL
from .settings import shortened

# Every line is weighed against every other one.
_MOST_LINES = 500


def read_facts(tree):
    """Everything there is to know, as ``host_writeback_info`` returns it (docs/data.md, "Host write-back").

    :param tree: a :class:`.._tree.Tree`
    """
    problems = []
    kernel, memory = read_kernel(tree), _memory(tree)
    if tree.live:
        # A tree can be without them; a machine is not.
        for path, found in ((KERNEL, kernel), (meminfo.PATH, memory)):
            if found is None:
                _problem(problems, path, None, "cannot be read, or holds no number where one belongs")
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


def read_kernel(tree):
    """The four values, ``None`` where there is no kernel to ask."""
    state = {}
    for key in dirty.KEYS:
        text = tree.kernel_text(f"{KERNEL}/{key}")
        value = None if text is None else dirty.number(text)
        if value is None:
            return None
        state[key] = value
    return state


def read_record(tree, problems):
    """What an earlier run recorded, ``None`` where there is none."""
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
    _problem(problems, paths.RECORD, None, f"is not a record of this collection ({fault}): move it away")
    return None


def _fault(record):
    """What is wrong with a record, ``None`` where nothing is: what is put back is taken from it."""
    if not isinstance(record, dict) or record.get("schema") != 1:
        return "its schema is not 1"
    for key in ("previous", "set"):
        if key not in record or not (record[key] is None or _are_limits(record[key])):
            return f"{key} is not the kernel's limits"
    taken = record.get("taken")
    if not isinstance(taken, list) or not all(_is_taken(one) for one in taken):
        return "taken is not a list of files that were taken over"
    return None


def _are_limits(value):
    return (
        isinstance(value, dict)
        and sorted(map(dirty.pair_of, value)) == sorted(dirty.PAIRS)
        and all(
            key in dirty.KEYS and isinstance(number, int) and not isinstance(number, bool) and 0 <= number < 2**64
            for key, number in value.items()
        )
    )


def _is_taken(value):
    return (
        isinstance(value, dict)
        and set(value) == {"path", "aside", "original", "left"}
        and isinstance(value["path"], str)
        and all(text is None or isinstance(text, str) for text in value.values())
    )


def _files(tree, problems):
    """The files that touch the limits, and ours: in the order systemd reads them, then what tuned alone applies."""
    listed = {}
    for directory in DIRECTORIES:
        listed[directory] = _names(tree, directory, problems)
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
            _problem(problems, path, None, "its name, or that of the file it leads to, is not UTF-8: rename it")
            continue
        reached.add(entry["target"])
        room -= len(entry["assignments"])
        if room < 0:
            _problem(
                problems,
                path,
                None,
                f"more than {_MOST_LINES} lines of all files set the limits, with those of this one, which are"
                " left out",
            )
            room += len(entry["assignments"])
        elif entry["assignments"] or path == paths.FILE:
            found.append(
                {**entry, "masks": masked, "read_at_boot": path in boot_paths, "read_by_tuned": path in by_tuned}
            )
    return found


def _file(tree, path, problems):
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


def _read(tree, path, problems):
    try:
        return tree.read(path)
    except OSError as error:
        _problem(problems, path, None, error.strerror)
    except ValueError:
        # A name that holds NUL, as a profile's can.
        _problem(problems, path, None, "is not a file's name")
    return None


def _names(tree, path, problems):
    try:
        return tree.names(path)
    except OSError as error:
        _problem(problems, path, None, error.strerror)
        return []


def _problem(problems, path, line, reason):
    problems.append(problem(_printable(path), reason, line=line))


def _printable(path):
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def _memory(tree):
    values = meminfo.parse(tree.kernel_text(meminfo.PATH) or "")
    if "MemTotal" not in values:
        return None
    return {"total": values["MemTotal"], "available": values.get("MemAvailable")}


def _read_tuned(tree, problems):
    """The active profile of tuned and what it writes; ``None`` where tuned has none."""
    raw = _read(tree, "/etc/tuned/active_profile", problems)
    names = (raw or b"").decode("utf-8", "replace").strip()
    if not names:
        return None

    def _find(name, done):
        for directory in _tuned.PROFILE_DIRECTORIES:
            path = f"{directory}/{os.path.basename(name)}/tuned.conf"
            if path in done:
                continue
            text = _read(tree, path, problems)
            if text is not None:
                return path, text.decode("utf-8", "replace")
        return None

    options, missing = _tuned.load(names, _find)
    for name in missing:
        _problem(problems, "/etc/tuned/active_profile", None, f"tuned profile {shortened(name)} is not found")
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


def _tuned_runs(tree):
    """Whether tuned's daemon lives; ``None`` with another root."""
    if not tree.live:
        return None
    try:
        number = pid_file.read_pid(tree.real("/run/tuned/tuned.pid"))
        return number is not None and b"tuned" in (tree.read(f"/proc/{number}/cmdline") or b"")
    except OSError:
        return False


def _devices(tree):
    """What each disk queues by itself; devices without hardware behind them are left out."""
    found = []
    # What a disk queues is worth a note and decides nothing: what cannot be read of it is left out.
    for name in _names(tree, "/sys/block", []):
        base = "/sys/block/" + name
        if not tree.exists(base + "/device"):
            continue
        numbers = [_number(tree, f"{base}/queue/{key}") for key in ("nr_requests", "max_sectors_kb")]
        if None in numbers:
            continue
        found.append(
            {
                "name": name,
                "nr_requests": numbers[0],
                "max_sectors_kb": numbers[1],
                "queue_bytes": numbers[0] * numbers[1] * 1024,
            }
        )
    return found


def _number(tree, path):
    text = tree.kernel_text(path)
    return None if text is None else whole_number(text)
