# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors
"""Reading what a host has for its write-back limits. Decides nothing, changes nothing."""

from __future__ import annotations

import json
import os
import re

from .. import _tuned
from .._sysctl import dirty
from .._sysctl.assignments import DIRECTORIES, parse, precedence
from . import ours

KERNEL = "/proc/sys/vm"


def read_facts(tree):
    """Everything there is to know, as ``host_writeback_info`` returns it (docs/data.md, "Host write-back").

    :param tree: a :class:`.._tree.Tree`
    """
    problems = []
    return {
        "root": tree.root or "/",
        "files": _files(tree, problems),
        "kernel": read_kernel(tree),
        "memory": _memory(tree),
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
    raw = _read(tree, ours.RECORD, problems)
    if raw is None:
        return None
    try:
        record = json.loads(raw.decode("utf-8"))
        if record["schema"] != 1:
            raise ValueError("schema {!r} is not known".format(record["schema"]))
        return {key: record[key] for key in ("schema", "previous", "set", "taken")}
    except (ValueError, KeyError, TypeError) as error:
        _problem(problems, ours.RECORD, None, f"is not a record of this collection ({error}): move it away")
        return None


def _files(tree, problems):
    """The files that touch the limits, and ours: in the order systemd reads them, then what tuned alone applies."""
    listed = {}
    for directory in DIRECTORIES:
        try:
            listed[directory] = tree.names(directory)
        except OSError as error:
            _problem(problems, directory, None, error.strerror)
    at_boot, by_tuned = precedence(listed), _tuned.reapplied_paths(listed)
    boot_paths = {path for path, _masked in at_boot}
    found, reached = [], set()
    for path, masked in (*at_boot, *((path, []) for path in by_tuned if path not in boot_paths)):
        if path == _tuned.SYSCTL_CONF and path in reached:
            continue
        entry = _file(tree, path, problems)
        if entry is None:
            continue
        reached.add(entry["target"])
        if entry["assignments"] or path == ours.FILE:
            found.append({**entry, "masks": masked, "read_at_boot": path in boot_paths, "read_by_tuned": path in by_tuned})
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
        "digest": ours.digest(raw),
        "assignments": assignments,
        "others": len(lines) - len(assignments),
    }


def _read(tree, path, problems):
    try:
        return tree.read(path)
    except OSError as error:
        _problem(problems, path, None, error.strerror)
        return None


def _problem(problems, path, line, reason):
    problems.append({"file": path, "line": line, "guest": None, "reason": reason})


def _memory(tree):
    text = tree.kernel_text("/proc/meminfo")
    if text is None:
        return None
    values = {}
    for line in text.splitlines():
        name, _unused, rest = line.partition(":")
        fields = rest.split()
        if fields and fields[0].isdigit():
            values[name] = int(fields[0]) * 1024
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

    profiles, missing = _tuned.load(names, _find)
    for name in missing:
        _problem(problems, "/etc/tuned/active_profile", None, f"tuned profile {name} is not found")
    main = _tuned.parse(
        "[main]\n" + (_read(tree, "/etc/tuned/tuned-main.conf", problems) or b"").decode("utf-8", "replace")
    )
    main = {option["option"]: option["value"] for option in main}
    settings, reapply_after = _tuned.settings(profiles)
    reapplies = main.get("reapply_sysctl", "1").lower() in ("1", "true", "yes", "on")
    return {
        "profile": names,
        "running": _tuned_runs(tree),
        "enabled": any(
            tree.names(f"/etc/systemd/system/{target}.wants").count("tuned.service")
            for target in ("multi-user.target", "basic.target", "default.target")
        ),
        "settings": settings,
        "reapply_after": reapply_after if reapplies else None,
        "reapply_exclude": [part for part in re.split(r"\s*[,;]\s*", main.get("reapply_sysctl_exclude", "")) if part],
    }


def _tuned_runs(tree):
    """Whether tuned's daemon lives; ``None`` with another root."""
    if not tree.live:
        return None
    try:
        number = int((tree.read("/run/tuned/tuned.pid") or b"0").decode("ascii"))
        return number > 0 and b"tuned" in (tree.read("/proc/%d/cmdline" % number) or b"")
    except (OSError, ValueError):
        return False


def _devices(tree):
    """What each disk queues by itself; devices without hardware behind them are left out."""
    found = []
    try:
        names = sorted(os.listdir(tree.real("/sys/block")))
    except OSError:
        return found
    for name in names:
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
    return int(text) if text is not None and text.strip().isdigit() else None
