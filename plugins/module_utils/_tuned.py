# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors
"""What a tuned profile does to the write-back limits: profile texts in, settings out, no I/O.

Source: tuned 2.20 (Debian 12): profiles/loader.py, locator.py, merger.py, plugins/plugin_sysctl.py;
the ``[vm]`` plugin's dirty_* options came with later releases.
"""

from __future__ import annotations

import re

from ._sysctl import dirty
from ._sysctl.assignments import normalize_key

PROFILE_DIRECTORIES = ("/etc/tuned/profiles", "/etc/tuned", "/usr/lib/tuned/profiles", "/usr/lib/tuned")
"""Where tuned looks for PROFILE/tuned.conf, first hit first."""

_SECTION = re.compile(r"\[([^]]+)\]")
_INLINE_COMMENT = re.compile(r"(?:^|\s)#.*")


def parse(text):
    """The options of a tuned profile.

    :returns: a list of ``{section, option, value, line}``, in the order of the file
    """
    section, found = None, []
    for number, raw in enumerate(text.split("\n"), start=1):
        line = _INLINE_COMMENT.sub("", raw).strip()
        if not line or line[0] == ";":
            continue
        header = _SECTION.match(line)
        if header:
            section = header.group(1)
            continue
        option, assigned, value = line.partition("=")
        if assigned and section is not None:
            found.append({"section": section, "option": option.strip(), "value": value.strip(), "line": number})
    return found


def load(names, find):
    """The active profiles and what they include, in the order in which tuned merges them.

    :param names: the active profile's line, names separated by blanks
    :param find: ``find(name, done)`` gives ``(path, text)`` of the first file for the profile that is not
        in the set ``done`` of paths, or ``None``
    :returns: ``(profiles, missing)``: ``[{name, path, options}]`` and the names that were not found
    """
    profiles, missing, done = [], [], set()

    def _load(wanted):
        for name in wanted:
            found = find(name.lstrip("-"), done)
            if found is None:
                if not name.startswith("-"):
                    missing.append(name)
                continue
            path, text = found
            done.add(path)
            options = parse(text)
            for option in options:
                if (option["section"], option["option"]) == ("main", "include"):
                    _load([part for part in re.split(r"\s*[,;]\s*", option["value"]) if part])
            profiles.append({"name": name, "path": path, "options": options})

    _load(names.split())
    return profiles, missing


def settings(profiles):
    """What the merged profiles write to the limits.

    :param profiles: of :func:`load`
    :returns: a list of ``{plugin, key, value, file, line}``; plugin is sysctl or vm, key one of
        :data:`._sysctl.dirty.KEYS`, value the text as it stands in the profile
    """
    units = {}
    for profile in profiles:
        by_section = {}
        for option in profile["options"]:
            by_section.setdefault(option["section"], {})[option["option"]] = option
        for section, options in by_section.items():
            if _is_true(options.get("replace")):
                units.pop(section, None)
            unit = units.setdefault(section, {})
            for dropped in re.split(r"\s*[,;]\s*", options.get("drop", {"value": ""})["value"]):
                unit.pop(dropped, None)
            for name, option in options.items():
                unit[name] = dict(option, file=profile["path"])
    found = []
    for section, unit in units.items():
        plugin = unit.get("type", {"value": section})["value"]
        if plugin not in ("sysctl", "vm") or _is_false(unit.get("enabled")):
            continue
        for name, option in unit.items():
            key = name if plugin == "vm" else normalize_key(name).partition("vm/")[2]
            if key in dirty.KEYS:
                found.append(
                    {
                        "plugin": plugin,
                        "key": key,
                        "value": option["value"].strip("\"'"),
                        "file": option["file"],
                        "line": option["line"],
                    }
                )
    return found


def outcome(state, written, reapplied):
    """The state after tuned has started.

    :param state: before, as :mod:`._sysctl.dirty` has it
    :param written: of :func:`settings`
    :param reapplied: the sysctl files' assignments, which tuned writes again after its own sysctl section
        (``reapply_sysctl``); empty where it does not
    """
    for setting in written:
        if setting["plugin"] == "sysctl":
            state = _write(state, setting)
    state, _unused = dirty.replay(reapplied, state)
    for setting in written:
        if setting["plugin"] == "vm":
            state = _write(state, setting)
    return state


def _write(state, setting):
    key, value = setting["key"], setting["value"]
    if value.endswith("%"):
        return dirty.write(state, dirty.pair_of(key) + "_ratio", value[:-1])
    return dirty.write(state, key, value)


def _is_true(option):
    return option is not None and option["value"].lower() in ("1", "true", "yes", "on", "y", "t")


def _is_false(option):
    return option is not None and option["value"].lower() in ("0", "false", "no", "off", "n", "f")
